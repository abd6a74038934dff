//! The conditions of rule segments: and, or, not over axes, attributes and event counts.

use std::sync::Arc;

use touchpoint::{Household, Kind, Motive};

use super::names::names;
use crate::lifecycle::Stage;
use crate::segmentation::{Label, Tier};

/// A named segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The name, unique.
    pub name: Arc<str>,
    /// Who belongs to it.
    pub when: Condition,
}

/// What must hold of a customer. An attribute that is missing compares false; `Not` of that is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All of these hold.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// So many events are there.
    Count(Count),
    /// The customer's value on the axis is one of these, which are in order.
    OneOf(Axis, Vec<String>),
    /// The attribute lies between these.
    Between(Attribute, Bounds),
    /// The flag `open_contract` is this.
    OpenContract(bool),
}

/// Counts events: all that count for the customer, repeated openings and ignored steps included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The types, in the order of the catalogue.
    pub events: Vec<Kind>,
    /// Fields, by name, and the values of which each must have one.
    pub filter: Vec<(String, Vec<Value>)>,
    /// Only events in (as_of − days, as_of]; nothing means all time.
    pub days: Option<u32>,
    /// How many there must be.
    pub bounds: Bounds,
}

/// A value that a field of an event is compared with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A code, name, date or id.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// `true` or `false`.
    Flag(bool),
}

/// Least and most; an absent one does not limit.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Least.
    pub min: Option<i64>,
    /// Most.
    pub max: Option<i64>,
}

impl Bounds {
    /// It lies between them.
    pub fn contain(&self, value: i64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

names! {
    /// An axis of which a customer has at most one value.
    Axis {
        /// The lifecycle stage.
        Stage = "stage",
        /// The RFM label.
        Label = "label",
        /// The value tier.
        Tier = "tier",
        /// Why the customer looks for a home.
        Motive = "motive",
        /// Who is to live there.
        Household = "household",
        /// 项目.
        Project = "project",
        /// 一线公司.
        Company = "company",
        /// 置业顾问.
        Consultant = "consultant",
    }
}

impl Axis {
    /// The names that the axis has; nothing where any code will do.
    pub fn names(self) -> Option<Vec<&'static str>> {
        match self {
            Self::Stage => Some(Stage::ALL.iter().map(|stage| stage.name()).collect()),
            Self::Label => Some(Label::NAMES.to_vec()),
            Self::Tier => Some(Tier::NAMES.to_vec()),
            Self::Motive => Some(Motive::NAMES.to_vec()),
            Self::Household => Some(Household::NAMES.to_vec()),
            Self::Project | Self::Company | Self::Consultant => None,
        }
    }
}

names! {
    /// An attribute with a number.
    Attribute {
        /// Rooms wanted.
        Rooms = "rooms",
        /// Lower bound of the budget, in fen.
        BudgetMinFen = "budget_min_fen",
        /// Upper bound of the budget, in fen.
        BudgetMaxFen = "budget_max_fen",
        /// R, 1 to 5.
        Recency = "recency",
        /// F, 1 to 5.
        Frequency = "frequency",
        /// M, 1 to 5.
        Monetary = "monetary",
        /// Whole days since the last sign of life.
        DaysSilent = "days_silent",
        /// How many contracts are live.
        LiveContracts = "live_contracts",
        /// The current prices of the live contracts together, in fen.
        ContractValueFen = "contract_value_fen",
        /// The highest current price of a live contract, in fen; missing without one.
        LargestContractFen = "largest_contract_fen",
        /// Referrals that led to a contract.
        Conversions = "conversions",
    }
}
