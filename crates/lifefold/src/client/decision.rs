//! Why a customer is, or is not, in a rule segment, in words.

use api::v1;
use api::v1::deciding_condition::Found;

/// What decides, a line for each condition: as a rules file says it, whether it holds, and what was found.
pub(crate) fn lines(decision: &v1::Decision) -> Vec<String> {
    decision.conditions.iter().map(line).collect()
}

fn line(it: &v1::DecidingCondition) -> String {
    let (condition, holds) = match it.negated {
        false => (it.condition.clone(), it.holds),
        true => (format!("not = {{ {} }}", it.condition), !it.holds),
    };
    let holds = if holds { "holds" } else { "does not hold" };
    let found = match &it.found {
        Some(Found::Number(number)) => number.to_string(),
        Some(Found::Value(value)) => value.clone(),
        Some(Found::Flag(flag)) => flag.to_string(),
        None => "none".to_owned(),
    };
    format!("{condition} {holds}, {found} found")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A condition that decides.
    pub(crate) fn condition(condition: &str, holds: bool, found: Option<Found>) -> v1::DecidingCondition {
        v1::DecidingCondition { condition: condition.to_owned(), negated: false, holds, found }
    }

    #[test]
    fn a_condition_is_said_as_it_decides() {
        let check = |it, expect: &str| assert_eq!(line(&it), expect);
        let contracts = |holds, found| condition("live_contracts = { min = 2 }", holds, Some(Found::Number(found)));
        check(contracts(true, 2), "live_contracts = { min = 2 } holds, 2 found");
        check(contracts(false, 1), "live_contracts = { min = 2 } does not hold, 1 found");
        check(condition("rooms = { max = 3 }", false, None), "rooms = { max = 3 } does not hold, none found");
        let stage = condition("stage = [\"LOST\"]", false, Some(Found::Value("LEAD".to_owned())));
        let not = v1::DecidingCondition { negated: true, ..stage };
        check(not, "not = { stage = [\"LOST\"] } holds, LEAD found");
        let open = condition("open_contract = true", true, Some(Found::Flag(true)));
        check(
            v1::DecidingCondition { negated: true, ..open },
            "not = { open_contract = true } does not hold, true found",
        );
    }
}
