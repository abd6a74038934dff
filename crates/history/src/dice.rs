//! Seeded randomness, and what is made of it: choices, codes, ids.

use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use touchpoint::{Code, CustomerId, EventId, Timestamp};

/// A stream of random choices that depends on its seed and number only.
#[derive(Debug, Clone)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// Streams with different numbers are independent of each other.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// A whole number, both ends included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    /// An index below `length`, which is at least 1.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.0.random_range(0..length)
    }

    /// One of these, of which there is at least one.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// One of these by weight; the weights add up to more than 0.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(u32, T)]) -> T {
        let total: u32 = choices.iter().map(|(weight, _)| weight).sum();
        let mut left = self.0.random_range(0..total);
        for &(weight, choice) in choices {
            if left < weight {
                return choice;
            }
            left -= weight;
        }
        choices[choices.len() - 1].1
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A random customer id in the form of UUID version 4.
    pub(crate) fn customer_id(&mut self) -> CustomerId {
        let high = self.bits() & !0xf000 | 0x4000;
        CustomerId::from_u128(u128::from(high) << 64 | self.variant_bits())
    }

    /// An event id in the form of UUID version 7: it sorts by this time.
    pub(crate) fn event_id(&mut self, time: Timestamp) -> EventId {
        let millis = (time.micros().div_euclid(1_000) as u64) & 0xffff_ffff_ffff;
        let high = millis << 16 | 0x7000 | self.bits() & 0xfff;
        EventId::from_u128(u128::from(high) << 64 | self.variant_bits())
    }

    fn variant_bits(&mut self) -> u128 {
        u128::from(self.bits() >> 2 | 1 << 63)
    }
}

/// A code that this crate composed.
pub(crate) fn code(text: impl Into<std::borrow::Cow<'static, str>>) -> Code<'static> {
    // Every code here is composed of short numbers and literals of the alphabet; the tests decode them all.
    Code::new(text).unwrap_or_else(|| unreachable!("the generator composes valid codes only"))
}
