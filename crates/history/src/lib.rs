//! The deterministic generator of believable and of nasty customer histories.
