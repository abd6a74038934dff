//! Who entered and was silenced before that was told: erased, or without consent to profiling.

use std::collections::HashSet;

use api::v1::WatchEffect;
use touchpoint::CustomerId;

/// Customers whom the caller does not have, though by the moves they are on the list. Few, and not for long: the move
/// that silenced them takes them off it.
#[derive(Debug, Default)]
pub(super) struct Untold(HashSet<CustomerId>);

impl Untold {
    /// What is told of what a move does to the list, if nothing may be said of the customer by now, or again.
    pub(super) fn told(&mut self, customer: CustomerId, effect: WatchEffect, silenced: bool) -> Option<WatchEffect> {
        let unknown = self.0.remove(&customer);
        match effect {
            WatchEffect::Left => (!unknown).then_some(effect),
            _ if silenced => {
                if unknown || effect == WatchEffect::Entered {
                    self.0.insert(customer);
                }
                None
            }
            _ if unknown => Some(WatchEffect::Entered),
            _ => Some(effect),
        }
    }
}

#[cfg(test)]
mod tests {
    use WatchEffect::{Changed, Entered, Left};

    use super::*;

    fn check<const N: usize>(moves: [(WatchEffect, bool); N], expect: [Option<WatchEffect>; N]) {
        let (mut untold, customer) = (Untold::default(), CustomerId::from_u128(1));
        assert_eq!(moves.map(|(effect, silenced)| untold.told(customer, effect, silenced)), expect);
        assert!(untold.0.is_empty(), "{moves:?}");
    }

    #[test]
    fn who_is_known_is_told_to_be_gone_and_who_is_not_stays_unknown() {
        check([(Entered, false), (Changed, false), (Left, false)], [Some(Entered), Some(Changed), Some(Left)]);
        check([(Changed, true), (Left, true)], [None, Some(Left)]);
        check([(Left, true), (Entered, true), (Changed, true), (Left, true)], [Some(Left), None, None, None]);
    }

    #[test]
    fn who_grants_consent_again_enters() {
        check([(Entered, true), (Changed, false), (Changed, false)], [None, Some(Entered), Some(Changed)]);
        check([(Entered, true), (Left, false), (Entered, false)], [None, None, Some(Entered)]);
    }
}
