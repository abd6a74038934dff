//! What the projectors say of their views: whether all hold the same facts, and what waits for somebody.

use api::v1;

use super::Finding;
use super::services::Told;
use crate::client::format;

/// Looks at what the projectors said of themselves.
pub(super) fn look(projectors: &[Told]) -> Vec<Finding> {
    let told = || projectors.iter().filter_map(|it| Some((it.name, it.status.as_ref()?)));
    let waiting = told().flat_map(|(view, status)| parked(view, status).into_iter().chain(rules(view, status)));
    let digests = told().filter_map(|(view, status)| Digest::of(view, status)).collect::<Vec<_>>();
    compared(&digests).into_iter().chain(waiting).collect()
}

/// The digest of a view, and what it must be compared at.
struct Digest<'a> {
    view: &'static str,
    at: (u32, u64),
    digest: &'a str,
}

impl<'a> Digest<'a> {
    fn of(view: &'static str, status: &'a v1::GetStatusResponse) -> Option<Self> {
        let serving = status.serving.as_ref().filter(|it| !it.digest.is_empty())?;
        Some(Self { view, at: (status.fold_version, serving.digest_position), digest: &serving.digest })
    }
}

/// All views file the same facts, so that by the same fold their digests are equal at the same position. Nothing where
/// fewer than two answer.
fn compared(digests: &[Digest<'_>]) -> Option<Finding> {
    let (first, rest) = digests.split_first()?;
    if rest.is_empty() {
        return None;
    }
    if rest.iter().any(|it| it.at != first.at) {
        return Some(Finding::note(
            "digests",
            "not compared: the views are not at the same position, or not of the same fold",
        ));
    }
    let at = format::count(first.at.1);
    if rest.iter().all(|it| it.digest == first.digest) {
        return Some(Finding::ok("digests", format!("the same in {} views at position {at}", digests.len())));
    }
    let views = suspects(digests).join(", ");
    let todo = "`lifefold rebuild <view>` compares every customer with the log; keep its output, and report it";
    Some(Finding::failed("digests", format!("{views}: not what the others are at position {at}; {todo}")))
}

/// Those whose digest no other view has.
fn suspects(digests: &[Digest<'_>]) -> Vec<&'static str> {
    let is_alone = |it: &&Digest<'_>| digests.iter().filter(|other| other.digest == it.digest).count() == 1;
    digests.iter().filter(is_alone).map(|it| it.view).collect()
}

fn parked(view: &str, status: &v1::GetStatusResponse) -> Option<Finding> {
    let serving = status.serving.as_ref().filter(|it| it.parked > 0)?;
    let says = format!("{} cannot be read: `lifefold parked list {view}`", format::events(serving.parked));
    Some(Finding::note(format!("{view} parked"), says))
}

fn rules(view: &str, status: &v1::GetStatusResponse) -> Option<Finding> {
    let notice = Some(&status.rules_notice).filter(|it| !it.is_empty())?;
    Some(Finding::note(format!("{view} rules"), notice.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    const VIEWS: [&str; 3] = ["segmentation", "satisfaction", "churn"];

    fn told(name: &'static str, digest_position: u64, digest: &str) -> Told {
        let serving = v1::Generation { digest_position, digest: digest.to_owned(), ..Default::default() };
        Told { name, status: Some(v1::GetStatusResponse { serving: Some(serving), ..Default::default() }) }
    }

    fn check(digests: [(u64, &str); 3], expect: Verdict, part: &str) {
        let all: Vec<_> = VIEWS.into_iter().zip(digests).map(|(view, (at, it))| told(view, at, it)).collect();
        let found = look(&all);
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert!(finding.verdict == expect && finding.says.contains(part), "{finding:?}");
    }

    #[test]
    fn digests_are_compared_at_the_same_position_and_the_odd_one_is_named() {
        check([(7, "aa"), (7, "aa"), (7, "aa")], Verdict::Ok, "the same in 3 views at position 7");
        check([(7, "aa"), (7, "bb"), (7, "aa")], Verdict::Failed, "satisfaction: not what");
        check([(7, "aa"), (7, "bb"), (7, "cc")], Verdict::Failed, "segmentation, satisfaction, churn: not what");
        check([(7, "aa"), (8, "bb"), (7, "aa")], Verdict::Note, "not compared");
        assert_eq!(look(&[told("churn", 7, "aa"), Told { name: "satisfaction", status: None }]), []);
    }

    #[test]
    fn what_waits_for_somebody_is_noted() {
        let mut churn = told("churn", 7, "aa");
        let status = churn.status.as_mut().unwrap();
        status.rules_notice = "upgrade this projector".to_owned();
        status.serving.as_mut().unwrap().parked = 2;
        let parked = Finding::note("churn parked", "2 events cannot be read: `lifefold parked list churn`");
        assert_eq!(look(&[churn]), [parked, Finding::note("churn rules", "upgrade this projector")]);
    }
}
