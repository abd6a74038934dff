//! The gateway's services over real connections, on a real log.

mod importing;
mod reading;
mod recording;
mod support;
