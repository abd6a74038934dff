//! Rules that are several numbers together: each is meant with the others. Points are in millionths.

/// Points of the customer tier that grow with an amount until it earns all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earned<T> {
    /// All of them.
    pub points: i64,
    /// The amount that earns all of them.
    pub full: T,
}

/// How far ahead churn is foreseen, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// Of who has a live contract.
    pub owner_days: u32,
    /// Of who has none.
    pub other_days: u32,
}

/// Months after a day: start included, end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Months {
    /// The start.
    pub from: u32,
    /// The end.
    pub until: u32,
}

/// SILENCE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// Points for each gap beyond the first.
    pub points_per_gap: i64,
    /// The number of gaps at which it stops growing.
    pub most_gaps: u32,
}

/// A reason that counts for some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasting {
    /// Its points.
    pub points: i64,
    /// Days that it counts.
    pub days: u32,
}

/// REPEAT_COMPLAINTS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatComplaints {
    /// Points for each lodging but the first.
    pub points_each: i64,
    /// The most that all of them give.
    pub most_points: i64,
    /// Days that a lodging counts.
    pub days: u32,
}

/// HANDOVER_DELAYED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandoverDelayed {
    /// Its points.
    pub points: i64,
    /// Days after the planned date that are no delay.
    pub grace_days: u32,
}

/// CONSULTANT_CHANGED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsultantChanged {
    /// Its points.
    pub points: i64,
    /// The fewest changes that are a reason.
    pub fewest: u32,
    /// Days that a change counts.
    pub days: u32,
}

/// REVISIT_MISSED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevisitMissed {
    /// Its points.
    pub points: i64,
    /// The fewest in a row that are a reason.
    pub fewest: u32,
}

/// REVISIT_SATISFIED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevisitSatisfied {
    /// Its points.
    pub points: i64,
    /// Days that a revisit counts.
    pub days: u32,
    /// The least satisfaction that is a reason, in stars.
    pub least_satisfaction: u8,
}
