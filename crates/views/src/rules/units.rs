//! The units of the numbers in the rules file, and their bounds.

use super::condition::Attribute;
use super::number::Unit;

/// A hundred years: no window of this trade is longer, and no instant overflows.
const MAX_DAYS: i64 = 36_500;
const MAX_MONTHS: i64 = 1_200;
/// 10 trillion yuan; sums and products of it fit the arithmetic of the tier score.
const MAX_FEN: i64 = 1_000_000_000_000_000;
/// Most points that one part or reason can give.
const MAX_POINTS: i64 = 1_000;
const MAX_COUNT: i64 = 1_000_000;

/// Days that something lasts.
pub(super) const DAYS: Unit = Unit::whole("days", 1, MAX_DAYS);
/// Days that may be none.
pub(super) const GRACE: Unit = Unit::whole("days", 0, MAX_DAYS);
/// Calendar months.
pub(super) const MONTHS: Unit = Unit::whole("months", 1, MAX_MONTHS);
/// Hours of a limit.
pub(super) const HOURS: Unit = Unit::whole("hours", 1, MAX_DAYS * 24);
/// Minutes of a limit.
pub(super) const MINUTES: Unit = Unit::whole("minutes", 1, MAX_DAYS * 24 * 60);
/// Money.
pub(super) const FEN: Unit = Unit::whole("fen", 1, MAX_FEN);
/// A score of 1 to 5.
pub(super) const SCORE: Unit = Unit::whole("score", 1, 5);
/// The number that earns all points of a part of the tier score; a divisor, so never 0.
pub(super) const FULL: Unit = Unit::whole("things", 1, 1_000);
/// The fewest of something.
pub(super) const FEWEST: Unit = Unit::whole("things", 1, MAX_COUNT);
/// Points of a reason: they raise or lower.
pub(super) const POINTS: Unit = Unit::decimal("points", 6, -MAX_POINTS, MAX_POINTS);
/// Points of a part of the tier score, which never lowers.
pub(super) const TIER_POINTS: Unit = Unit::decimal("points", 6, 0, MAX_POINTS);
/// A weight.
pub(super) const WEIGHT: Unit = Unit::decimal("a weight", 6, 0, MAX_POINTS);
/// A probability.
pub(super) const PROBABILITY: Unit = Unit::decimal("a probability", 6, 0, 1);
/// A value of z.
pub(super) const Z: Unit = Unit::decimal("a z value", 6, 0, 100);
/// A customer index, and percentage points.
pub(super) const INDEX: Unit = Unit::decimal("a number", 2, 0, 100);
/// A tier score: the sum of its four parts.
pub(super) const TIER_SCORE: Unit = Unit::decimal("a tier score", 2, 0, 4 * MAX_POINTS);
/// How many events a condition counts.
pub(super) const EVENTS: Unit = Unit::whole("events", 0, MAX_COUNT);

/// The unit of an attribute in a condition.
pub(super) const fn of(attribute: Attribute) -> Unit {
    match attribute {
        Attribute::Recency | Attribute::Frequency | Attribute::Monetary => SCORE,
        Attribute::DaysSilent => GRACE,
        Attribute::Rooms => Unit::whole("rooms", 0, MAX_COUNT),
        Attribute::LiveContracts => Unit::whole("contracts", 0, MAX_COUNT),
        Attribute::Conversions => Unit::whole("referrals", 0, MAX_COUNT),
        Attribute::BudgetMinFen
        | Attribute::BudgetMaxFen
        | Attribute::ContractValueFen
        | Attribute::LargestContractFen => Unit::whole("fen", 0, i64::MAX),
    }
}
