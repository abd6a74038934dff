//! The JetStream log: append, tail, replay, one customer's timeline, identity.
