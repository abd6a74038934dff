//! Finds, fetches, starts and stops the nats-server that the log runs on.
