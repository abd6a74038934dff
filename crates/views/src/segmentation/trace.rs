//! How a condition turned out for a customer, and which parts of it decide.
//!
//! A part of an `all` or an `any` decides if it turned out as the whole did: of an `all` that fails, the parts that
//! fail; of one that holds, every part; of an `any` the other way round. What is within a `not` decides as it would
//! without. So whatever the other parts said, the whole would be the same, and every leaf that decides speaks the same
//! way: for the segment if the customer is in it, against it if not.

use std::sync::Arc;

use crate::rules::Condition;

/// A rule segment, and how its condition turned out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The segment's name.
    pub name: Arc<str>,
    /// Its condition.
    pub trace: Trace,
}

/// A condition as it turned out, with everything within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trace {
    /// All of these must hold.
    All(Vec<Trace>),
    /// One of these must hold.
    Any(Vec<Trace>),
    /// This must not hold.
    Not(Box<Trace>),
    /// A condition with none within it.
    Leaf(Leaf),
}

/// A condition with none within it, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// What is asked.
    pub condition: Condition,
    /// It holds.
    pub holds: bool,
    /// What was found; nothing where the customer has no value on the axis, or no such attribute.
    pub found: Option<Found>,
}

/// What a condition was held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// How many events were counted; the number of an attribute.
    Number(i64),
    /// The value on an axis.
    Name(String),
    /// Whether the customer has an open contract.
    Flag(bool),
}

/// A leaf that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecidingLeaf<'t> {
    /// The leaf.
    pub leaf: &'t Leaf,
    /// It stands within an odd number of `not`: it speaks for the segment where it does not hold.
    pub negated: bool,
}

impl DecidingLeaf<'_> {
    /// It speaks for the segment.
    pub const fn is_for(&self) -> bool {
        self.leaf.holds != self.negated
    }
}

impl Trace {
    /// The whole holds.
    pub fn holds(&self) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(Self::holds),
            Self::Any(parts) => parts.iter().any(Self::holds),
            Self::Not(part) => !part.holds(),
            Self::Leaf(leaf) => leaf.holds,
        }
    }

    /// The leaves that decide, in the order of the file; what the file says twice, once.
    pub fn deciding(&self) -> Vec<DecidingLeaf<'_>> {
        let mut leaves = Vec::new();
        self.gather(false, &mut leaves);
        leaves
    }

    fn gather<'t>(&'t self, negated: bool, leaves: &mut Vec<DecidingLeaf<'t>>) {
        match self {
            Self::All(within) | Self::Any(within) => {
                let holds = self.holds();
                within.iter().filter(|part| part.holds() == holds).for_each(|part| part.gather(negated, leaves));
            }
            Self::Not(part) => part.gather(!negated, leaves),
            Self::Leaf(leaf) => {
                let deciding = DecidingLeaf { leaf, negated };
                if !leaves.contains(&deciding) {
                    leaves.push(deciding);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leaf that can be told apart: the one of this number holds if so.
    fn leaf(number: usize, holds: bool) -> Trace {
        let condition = Condition::OneOf(crate::rules::Axis::Consultant, vec![number.to_string()]);
        Trace::Leaf(Leaf { condition, holds, found: None })
    }

    fn not(part: Trace) -> Trace {
        Trace::Not(Box::new(part))
    }

    /// Which leaves decide; those within an odd number of `not` below zero.
    fn check(trace: &Trace, holds: bool, expected: &[i32]) {
        assert_eq!(trace.holds(), holds, "{trace:?}");
        let number = |it: &DecidingLeaf<'_>| match &it.leaf.condition {
            Condition::OneOf(_, names) => names[0].parse::<i32>().unwrap() * if it.negated { -1 } else { 1 },
            other => panic!("{other:?}"),
        };
        assert_eq!(trace.deciding().iter().map(number).collect::<Vec<_>>(), expected, "{trace:?}");
    }

    #[test]
    fn what_turned_out_as_the_whole_did_decides() {
        let (yes, no) = (|number| leaf(number, true), |number| leaf(number, false));
        check(&yes(1), true, &[1]);
        check(&no(1), false, &[1]);
        check(&Trace::All(vec![yes(1), yes(2)]), true, &[1, 2]);
        check(&Trace::All(vec![yes(1), no(2), yes(3), no(4)]), false, &[2, 4]);
        check(&Trace::Any(vec![yes(1), no(2), yes(3), no(4)]), true, &[1, 3]);
        check(&Trace::Any(vec![no(1), no(2)]), false, &[1, 2]);
        check(&not(no(1)), true, &[-1]);
        check(&not(yes(1)), false, &[-1]);
        check(&not(not(yes(1))), true, &[1]);
    }

    #[test]
    fn what_decides_within_what_decides_is_followed() {
        let (yes, no) = (|number| leaf(number, true), |number| leaf(number, false));
        let neither = || not(Trace::Any(vec![no(2), no(3)]));
        check(&Trace::All(vec![yes(1), neither()]), true, &[1, -2, -3]);
        check(&Trace::All(vec![no(1), neither()]), false, &[1]);
        let either = || not(Trace::Any(vec![no(2), yes(3)]));
        check(&Trace::All(vec![yes(1), either()]), false, &[-3]);
        check(&Trace::Any(vec![not(Trace::All(vec![yes(1), no(2)])), no(3)]), true, &[-2]);
        check(&not(Trace::All(vec![not(yes(1)), Trace::Any(vec![yes(2), no(3)])])), true, &[1]);
    }

    #[test]
    fn what_is_said_twice_decides_once() {
        let both = |last| Trace::All(vec![leaf(1, true), last]);
        check(&Trace::Any(vec![both(leaf(2, true)), both(leaf(3, true))]), true, &[1, 2, 3]);
    }
}
