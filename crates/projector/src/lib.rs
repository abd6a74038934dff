//! The loop that folds events into records, lists and totals; timers; commit; rebuild.
