//! What must survive, with every process killed, a log that is lost, and shutdown under load.

mod crashes;
mod lost_log;
mod lost_messages;
mod shutdown;
mod story;
