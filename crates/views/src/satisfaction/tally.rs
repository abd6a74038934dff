//! Tallies of answers and customers: NPS, CES and classes.

use super::{Class, Loyalty, figure};
use crate::Sign;

/// The least NPS score of a promoter, and of a passive.
const PROMOTER_FROM: u8 = 9;
const PASSIVE_FROM: u8 = 7;
/// The least CES score of who found it easy.
const EASY_FROM: u8 = 5;

/// 净推荐值: answers of 0 to 10.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Nps {
    /// Answers of 9 and 10.
    pub promoters: u64,
    /// Answers of 7 and 8.
    pub passives: u64,
    /// Answers of 0 to 6.
    pub detractors: u64,
}

impl Nps {
    /// How many answers.
    pub const fn n(&self) -> u64 {
        self.promoters + self.passives + self.detractors
    }

    /// (promoters − detractors) / n in basis points; nothing without an answer.
    pub fn bp(&self) -> Option<i32> {
        let balance = i128::from(self.promoters) - i128::from(self.detractors);
        figure::half_up(balance * 10_000, self.n()).map(|points| points as i32)
    }

    pub(super) fn shift(&mut self, score: u8, sign: Sign) {
        sign.count(match score {
            PROMOTER_FROM.. => &mut self.promoters,
            PASSIVE_FROM.. => &mut self.passives,
            _ => &mut self.detractors,
        });
    }
}

/// 客户费力度: answers of 1 to 7.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Ces {
    /// How many answers.
    pub n: u64,
    /// Answers of 5 to 7.
    pub easy: u64,
}

impl Ces {
    /// easy / n in basis points; nothing without an answer.
    pub fn bp(&self) -> Option<u32> {
        figure::basis_points(self.easy, self.n)
    }

    pub(super) fn shift(&mut self, score: u8, sign: Sign) {
        sign.count(&mut self.n);
        sign.amount(&mut self.easy, u64::from(score >= EASY_FROM));
    }
}

/// How many customers are in each class.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Classes {
    /// Customers in all.
    pub customers: u64,
    /// Those whose classes are withheld.
    pub withheld: u64,
    classes: [u64; Class::ALL.len()],
    loyalties: [u64; Loyalty::ALL.len()],
}

impl Classes {
    /// Customers in this satisfaction class.
    pub const fn class(&self, class: Class) -> u64 {
        self.classes[class as usize]
    }

    /// Customers in this loyalty class.
    pub const fn loyalty(&self, loyalty: Loyalty) -> u64 {
        self.loyalties[loyalty as usize]
    }

    pub(super) fn shift(&mut self, classes: Option<(Class, Loyalty)>, sign: Sign) {
        sign.count(&mut self.customers);
        match classes {
            None => sign.count(&mut self.withheld),
            Some((class, loyalty)) => {
                sign.count(&mut self.classes[class as usize]);
                sign.count(&mut self.loyalties[loyalty as usize]);
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.customers += other.customers;
        self.withheld += other.withheld;
        self.classes.iter_mut().zip(other.classes).for_each(|(count, more)| *count += more);
        self.loyalties.iter_mut().zip(other.loyalties).for_each(|(count, more)| *count += more);
    }
}
