//! Other rules against real processes: who would move, and that they do once the rules are in force.

mod activate;
mod diff;
mod population;
