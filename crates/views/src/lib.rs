//! Facts and answers: the three views of a customer as pure functions of their events.
