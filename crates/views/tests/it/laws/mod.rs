//! Laws of the views, over thousands of nasty histories: they agree with the oracle, no matter in which order events
//! arrive; they look back exactly; they hold as long as they say.
//!
//! Every failure names the seed of its history, so that one history can be looked at alone.

mod agreement;
mod arrival;
pub(crate) mod history;
mod looking_back;
mod validity;
mod voiding;
