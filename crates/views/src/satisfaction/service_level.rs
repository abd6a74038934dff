//! 投诉时效: how many complaints kept their limits.

use super::figure;
use super::placement::Handled;
use crate::Sign;
use crate::complaint::Outcome;

/// How many complaints kept one limit.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct LevelTally {
    /// Kept it.
    pub met: u64,
    /// Did not, whether done since or not.
    pub breached: u64,
    /// May still keep it.
    pub pending: u64,
    /// Were withdrawn in time.
    pub withdrawn: u64,
}

impl LevelTally {
    /// MET / (MET + BREACHED) in basis points; nothing where there is neither.
    pub fn rate_bp(&self) -> Option<u32> {
        figure::basis_points(self.met, self.met + self.breached)
    }

    fn shift(&mut self, outcome: Outcome, sign: Sign) {
        sign.count(match outcome {
            Outcome::Met => &mut self.met,
            Outcome::Breached => &mut self.breached,
            Outcome::Pending => &mut self.pending,
            Outcome::Withdrawn => &mut self.withdrawn,
        });
    }

    fn add(&mut self, other: &Self) {
        self.met += other.met;
        self.breached += other.breached;
        self.pending += other.pending;
        self.withdrawn += other.withdrawn;
    }
}

/// How complaints were handled.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ServiceLevels {
    /// Complaints in all.
    pub complaints: u64,
    /// Those that are open.
    pub open: u64,
    /// Acknowledged in time.
    pub acknowledgement: LevelTally,
    /// First resolved in time.
    pub first_resolution: LevelTally,
    /// Open no longer than the limit in all.
    pub total: LevelTally,
}

impl ServiceLevels {
    pub(super) fn shift(&mut self, complaint: &Handled, sign: Sign) {
        sign.count(&mut self.complaints);
        sign.amount(&mut self.open, u64::from(complaint.open.is_some()));
        self.acknowledgement.shift(complaint.acknowledgement, sign);
        self.first_resolution.shift(complaint.first_resolution, sign);
        self.total.shift(complaint.total, sign);
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.complaints += other.complaints;
        self.open += other.open;
        self.acknowledgement.add(&other.acknowledgement);
        self.first_resolution.add(&other.first_resolution);
        self.total.add(&other.total);
    }
}
