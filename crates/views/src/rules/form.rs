//! The form of the rules file: the one list of its sections and keys, which reading and writing both follow. The
//! structs are taken apart without `..`, so that a new rule cannot be forgotten here.

use touchpoint::{ComplaintSeverity, ServicePort};

use super::condition::Segment;
use super::number::Unit;
use super::units::*;
use super::{Churn, Lasting, Lifecycle, Months, Rules, Satisfaction, Segmentation, ServiceLevels};

/// A number of the rules, however wide it is kept.
pub(super) trait Number: Copy + Into<i64> + TryFrom<i64> {}

impl<T: Copy + Into<i64> + TryFrom<i64>> Number for T {}

/// In which order the numbers of a list or of several keys must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Rising,
    Falling,
}

/// Something that goes through the sections and keys: it reads them, or writes them.
pub(super) trait Form {
    /// The keys that follow are in this section.
    fn section(&mut self, path: &'static str);
    /// A key with a number.
    fn number<T: Number>(&mut self, key: &'static str, value: &mut T, unit: Unit);
    /// A key with a list of as many numbers, strictly in order.
    fn list<T: Number>(&mut self, key: &'static str, values: &mut [T], unit: Unit, order: Order);
    /// The numbers of these keys of this section are strictly in order.
    fn ordered(&mut self, keys: &[(&'static str, i64)], order: Order);
    /// The named segments.
    fn segments(&mut self, segments: &mut Vec<Segment>);

    /// A reason of the churn risk, with its points.
    fn reason(&mut self, path: &'static str, points: &mut i64) {
        self.section(path);
        self.number("points", points, POINTS);
    }

    /// A reason that counts for some days.
    fn lasting(&mut self, path: &'static str, rule: &mut Lasting) {
        self.reason(path, &mut rule.points);
        self.number("days", &mut rule.days, DAYS);
    }

    /// A key for each name, with a number.
    fn each<T: Number>(&mut self, names: &[&'static str], values: &mut [T], unit: Unit) {
        names.iter().zip(values).for_each(|(name, value)| self.number(name, value, unit));
    }

    /// A key for each name, with numbers strictly in order.
    fn each_ordered(&mut self, names: &[&'static str], values: &mut [i64], unit: Unit, order: Order) {
        self.each(names, values, unit);
        let keys: Vec<_> = names.iter().copied().zip(values.iter().copied()).collect();
        self.ordered(&keys, order);
    }
}

/// The stages that have a base and a gap, in the order of the rules.
const RISK_STAGES: [&str; 6] = ["LEAD_PROSPECT", "SUBSCRIBED", "QUASI_OWNER", "RUN_IN", "STABLE", "LONG_TERM"];

/// Goes through all rules.
pub(super) fn walk(rules: &mut Rules, form: &mut impl Form) {
    let Rules { lifecycle, service_levels, satisfaction, segmentation, churn } = rules;
    walk_lifecycle(lifecycle, form);
    walk_service_levels(service_levels, form);
    walk_satisfaction(satisfaction, form);
    walk_segmentation(segmentation, form);
    walk_churn(churn, form);
    walk_reasons(churn, form);
    form.segments(&mut segmentation.segments);
}

fn walk_lifecycle(rules: &mut Lifecycle, form: &mut impl Form) {
    let Lifecycle { lost_after_days, stable_after_months, long_term_after_months } = rules;
    form.section("lifecycle");
    form.number("lost_after_days", lost_after_days, DAYS);
    form.number("stable_after_months", stable_after_months, MONTHS);
    form.number("long_term_after_months", long_term_after_months, MONTHS);
    let [stable, long_term] = [*stable_after_months, *long_term_after_months].map(i64::from);
    form.ordered(&[("stable_after_months", stable), ("long_term_after_months", long_term)], Order::Rising);
}

fn walk_service_levels(rules: &mut ServiceLevels, form: &mut impl Form) {
    let ServiceLevels { acknowledge_minutes, resolve_hours } = rules;
    form.section("service_levels");
    form.number("acknowledge_minutes", acknowledge_minutes, MINUTES);
    form.section("service_levels.resolve_hours");
    form.each(ComplaintSeverity::NAMES, resolve_hours, HOURS);
}

fn walk_satisfaction(rules: &mut Satisfaction, form: &mut impl Form) {
    let Satisfaction {
        window_days,
        half_life_days,
        port_weights,
        inferred_weight,
        satisfied_from,
        neutral_from,
        rank_minimum,
        flat_below_z,
        marked_from_bp,
    } = rules;
    form.section("satisfaction");
    form.number("window_days", window_days, DAYS);
    form.number("half_life_days", half_life_days, DAYS);
    form.number("inferred_weight", inferred_weight, WEIGHT);
    form.number("satisfied_from", satisfied_from, INDEX);
    form.number("neutral_from", neutral_from, INDEX);
    form.ordered(&[("satisfied_from", *satisfied_from), ("neutral_from", *neutral_from)], Order::Falling);
    form.number("rank_minimum", rank_minimum, FEWEST);
    form.number("flat_below_z", flat_below_z, Z);
    form.number("marked_from_points", marked_from_bp, INDEX);
    form.section("satisfaction.port_weights");
    form.each(ServicePort::NAMES, port_weights, WEIGHT);
}

fn walk_segmentation(rules: &mut Segmentation, form: &mut impl Form) {
    let Segmentation {
        recency_days,
        frequency_days,
        frequency_from,
        monetary_from_fen,
        high_from,
        tier_value,
        tier_contracts,
        tier_referrals,
        tier_promoter,
        tier_from,
        segments: _,
    } = rules;
    form.section("segmentation");
    form.list("recency_days", recency_days, GRACE, Order::Rising);
    form.number("frequency_days", frequency_days, DAYS);
    form.list("frequency_from", frequency_from, FEWEST, Order::Falling);
    form.list("monetary_from_fen", monetary_from_fen, FEN, Order::Falling);
    form.number("high_from", high_from, SCORE);
    form.section("segmentation.tier");
    form.number("value_points", &mut tier_value.points, TIER_POINTS);
    form.number("value_full_fen", &mut tier_value.full, FEN);
    form.number("contracts_points", &mut tier_contracts.points, TIER_POINTS);
    form.number("contracts_full", &mut tier_contracts.full, FULL);
    form.number("referrals_points", &mut tier_referrals.points, TIER_POINTS);
    form.number("referrals_full", &mut tier_referrals.full, FULL);
    form.number("promoter_points", tier_promoter, TIER_POINTS);
    form.section("segmentation.tier.from");
    form.each_ordered(&["VIP", "HIGH", "MID"], tier_from, TIER_SCORE, Order::Falling);
}

fn walk_churn(rules: &mut Churn, form: &mut impl Form) {
    form.section("churn");
    form.number("horizon_days_owner", &mut rules.horizon.owner_days, DAYS);
    form.number("horizon_days_other", &mut rules.horizon.other_days, DAYS);
    let Months { from, until } = &mut rules.repurchase_months;
    form.number("repurchase_from_months", from, MONTHS);
    form.number("repurchase_until_months", until, MONTHS);
    let months = [("repurchase_from_months", (*from).into()), ("repurchase_until_months", (*until).into())];
    form.ordered(&months, Order::Rising);
    form.section("churn.base");
    form.each(&RISK_STAGES, &mut rules.base, POINTS);
    form.section("churn.gap_days");
    form.each(&RISK_STAGES, &mut rules.gap_days, DAYS);
    form.section("churn.band_from");
    form.each_ordered(&["MEDIUM", "HIGH", "CRITICAL"], &mut rules.band_from, PROBABILITY, Order::Rising);
}

fn walk_reasons(rules: &mut Churn, form: &mut impl Form) {
    let Churn {
        horizon: _,
        base: _,
        gap_days: _,
        band_from: _,
        repurchase_months: _,
        silence,
        open_complaint,
        open_group_complaint,
        open_complaint_most,
        complaint_overdue,
        complaint_reopened,
        repeat_complaints,
        overall,
        detractor,
        promoter,
        handover_delayed,
        serious_defect_open,
        consultant_changed,
        revisit_missed,
        consent_withdrawn,
        referral_made,
        repurchased,
        revisit_satisfied,
    } = rules;
    form.section("churn.reasons.SILENCE");
    form.number("points_per_gap", &mut silence.points_per_gap, POINTS);
    form.number("most_gaps", &mut silence.most_gaps, FEWEST);
    form.section("churn.reasons.OPEN_COMPLAINT");
    form.each(ComplaintSeverity::NAMES, open_complaint, POINTS);
    form.number("GROUP", open_group_complaint, POINTS);
    form.number("most_points", open_complaint_most, POINTS);
    form.reason("churn.reasons.COMPLAINT_OVERDUE", complaint_overdue);
    form.lasting("churn.reasons.COMPLAINT_REOPENED", complaint_reopened);
    form.section("churn.reasons.REPEAT_COMPLAINTS");
    form.number("points_each", &mut repeat_complaints.points_each, POINTS);
    form.number("most_points", &mut repeat_complaints.most_points, WEIGHT);
    form.number("days", &mut repeat_complaints.days, DAYS);
    form.section("churn.reasons.SATISFACTION");
    form.each(&["overall_1", "overall_2", "overall_3", "overall_4", "overall_5"], overall, POINTS);
    form.section("churn.reasons.NPS");
    form.number("detractor", detractor, POINTS);
    form.number("promoter", promoter, POINTS);
    form.reason("churn.reasons.HANDOVER_DELAYED", &mut handover_delayed.points);
    form.number("grace_days", &mut handover_delayed.grace_days, GRACE);
    form.reason("churn.reasons.SERIOUS_DEFECT_OPEN", serious_defect_open);
    form.reason("churn.reasons.CONSULTANT_CHANGED", &mut consultant_changed.points);
    form.number("fewest", &mut consultant_changed.fewest, FEWEST);
    form.number("days", &mut consultant_changed.days, DAYS);
    form.reason("churn.reasons.REVISIT_MISSED", &mut revisit_missed.points);
    form.number("fewest", &mut revisit_missed.fewest, FEWEST);
    form.reason("churn.reasons.CONSENT_WITHDRAWN", consent_withdrawn);
    form.lasting("churn.reasons.REFERRAL_MADE", referral_made);
    form.lasting("churn.reasons.REPURCHASED", repurchased);
    form.reason("churn.reasons.REVISIT_SATISFIED", &mut revisit_satisfied.points);
    form.number("days", &mut revisit_satisfied.days, DAYS);
    form.number("least_satisfaction", &mut revisit_satisfied.least_satisfaction, SCORE);
}
