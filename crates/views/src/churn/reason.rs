//! The reasons of a risk: each with its code, its points and the events behind it.

use touchpoint::{ConsentPurpose, DefectSeverity, Kind, Metric, Stars, Touchpoint};

use crate::complaint::{Complaint, Outcome};
use crate::first::Firsts;
use crate::lifecycle::Lifecycle;
use crate::rules::{
    self, Churn as Rules, ConsultantChanged, HandoverDelayed, Lasting, RepeatComplaints, RevisitMissed,
    RevisitSatisfied,
};
use crate::survey::latest_overall;
use crate::{Evidence, Filed, Moment, Timeline};

/// Why a risk is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names of the domain speak for themselves")]
pub enum ReasonCode {
    Silence,
    OpenComplaint,
    ComplaintOverdue,
    ComplaintReopened,
    RepeatComplaints,
    LowSatisfaction,
    Satisfied,
    NpsDetractor,
    NpsPromoter,
    HandoverDelayed,
    SeriousDefectOpen,
    ConsultantChanged,
    RevisitMissed,
    ConsentWithdrawn,
    ReferralMade,
    Repurchased,
    RevisitSatisfied,
}

impl ReasonCode {
    /// Every code.
    pub const ALL: [Self; 17] = [
        Self::Silence,
        Self::OpenComplaint,
        Self::ComplaintOverdue,
        Self::ComplaintReopened,
        Self::RepeatComplaints,
        Self::LowSatisfaction,
        Self::Satisfied,
        Self::NpsDetractor,
        Self::NpsPromoter,
        Self::HandoverDelayed,
        Self::SeriousDefectOpen,
        Self::ConsultantChanged,
        Self::RevisitMissed,
        Self::ConsentWithdrawn,
        Self::ReferralMade,
        Self::Repurchased,
        Self::RevisitSatisfied,
    ];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silence => "SILENCE",
            Self::OpenComplaint => "OPEN_COMPLAINT",
            Self::ComplaintOverdue => "COMPLAINT_OVERDUE",
            Self::ComplaintReopened => "COMPLAINT_REOPENED",
            Self::RepeatComplaints => "REPEAT_COMPLAINTS",
            Self::LowSatisfaction => "LOW_SATISFACTION",
            Self::Satisfied => "SATISFIED",
            Self::NpsDetractor => "NPS_DETRACTOR",
            Self::NpsPromoter => "NPS_PROMOTER",
            Self::HandoverDelayed => "HANDOVER_DELAYED",
            Self::SeriousDefectOpen => "SERIOUS_DEFECT_OPEN",
            Self::ConsultantChanged => "CONSULTANT_CHANGED",
            Self::RevisitMissed => "REVISIT_MISSED",
            Self::ConsentWithdrawn => "CONSENT_WITHDRAWN",
            Self::ReferralMade => "REFERRAL_MADE",
            Self::Repurchased => "REPURCHASED",
            Self::RevisitSatisfied => "REVISIT_SATISFIED",
        }
    }
}

/// A set of reasons, without their points and events: a bit for each code.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Reasons(u32);

impl Reasons {
    /// The codes of these reasons.
    pub fn of(reasons: &[Reason]) -> Self {
        Self(reasons.iter().fold(0, |bits, reason| bits | 1 << reason.code as u32))
    }

    /// Those that the others do not have.
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// The codes, in the order of [`ReasonCode::ALL`].
    pub fn codes(self) -> impl Iterator<Item = ReasonCode> {
        ReasonCode::ALL.into_iter().filter(move |code| self.0 & 1 << *code as u32 != 0)
    }
}

/// A reason of a risk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Which.
    pub code: ReasonCode,
    /// What it adds to the log-odds, in millionths.
    pub points: i64,
    /// The events behind it, in order.
    pub evidence: Vec<Evidence>,
}

/// A customer whose reasons are asked for.
pub(super) struct Subject<'s, 't> {
    pub(super) timeline: &'s Timeline<'t>,
    pub(super) lifecycle: &'s Lifecycle<'s>,
    pub(super) complaints: &'s [Complaint<'s>],
    pub(super) rules: &'s Rules,
}

/// All reasons but silence, unsorted and with those of zero points, and silence, whose points are a fraction.
pub(super) fn all(of: &Subject<'_, '_>, stage: usize, moment: &mut Moment) -> (Vec<Reason>, Silence) {
    let reasons = [
        open_complaint(of),
        complaint_overdue(of),
        complaint_reopened(of, moment),
        repeat_complaints(of, moment),
        overall(of),
        nps(of),
        handover_delayed(of, moment),
        serious_defect(of),
        consultant_changed(of, moment),
        revisit_missed(of),
        consent_withdrawn(of),
        referral_made(of, moment),
        repurchased(of, moment),
        revisit_satisfied(of, moment),
    ];
    (reasons.into_iter().flatten().collect(), silence(of, stage, moment))
}

fn reason<'f, 't: 'f>(
    code: ReasonCode,
    points: i64,
    events: impl IntoIterator<Item = &'f Filed<'t>>,
) -> Option<Reason> {
    let evidence = Evidence::of_all(events);
    (!evidence.is_empty()).then_some(Reason { code, points, evidence })
}

/// The points of silence: a whole number of millionths over a number of days.
pub(super) struct Silence {
    numerator: i64,
    gap: i64,
    since: Option<Evidence>,
}

impl Silence {
    /// In millionths, unrounded.
    pub(super) fn exact(&self) -> f64 {
        self.numerator as f64 / self.gap as f64
    }

    /// In whole millionths, rounded half up.
    pub(super) fn rounded(&self) -> i64 {
        (2 * self.numerator + self.gap).div_euclid(2 * self.gap)
    }

    pub(super) fn into_reason(self) -> Option<Reason> {
        let points = self.rounded();
        self.since.map(|since| Reason { code: ReasonCode::Silence, points, evidence: vec![since] })
    }
}

/// points_per_gap · max(0, min(days / gap, most_gaps) − 1): only between one gap and `most_gaps` does it change from
/// day to day.
fn silence(of: &Subject<'_, '_>, stage: usize, moment: &mut Moment) -> Silence {
    let rules::Silence { points_per_gap, most_gaps } = of.rules.silence;
    let gap = i64::from(of.rules.gap_days[stage]);
    let Some(last) = of.timeline.last_sign() else { return Silence { numerator: 0, gap, since: None } };
    let grows_until = gap * i64::from(most_gaps);
    let days = if !moment.reached(last.occurred_at.plus_days(gap + 1)) {
        gap
    } else if moment.reached(last.occurred_at.plus_days(grows_until)) {
        grows_until
    } else {
        moment.whole_days_since(last.occurred_at)
    };
    let since = Evidence::of(last);
    Silence { numerator: points_per_gap * (days - gap).max(0), gap, since: Some(since) }
}

fn open_complaint(of: &Subject<'_, '_>) -> Option<Reason> {
    let open = || of.complaints.iter().filter(|complaint| complaint.state.is_open());
    let points = open().map(|complaint| match complaint.lodged.group_id {
        Some(_) => of.rules.open_group_complaint,
        None => of.rules.open_complaint[complaint.severity as usize],
    });
    let points = points.sum::<i64>().min(of.rules.open_complaint_most);
    reason(ReasonCode::OpenComplaint, points, open().flat_map(Complaint::severity_by))
}

fn complaint_overdue(of: &Subject<'_, '_>) -> Option<Reason> {
    let overdue =
        |complaint: &&Complaint<'_>| complaint.state.is_open() && complaint.total.outcome == Outcome::Breached;
    let events = of.complaints.iter().filter(overdue).flat_map(Complaint::severity_by);
    reason(ReasonCode::ComplaintOverdue, of.rules.complaint_overdue, events)
}

fn complaint_reopened(of: &Subject<'_, '_>, moment: &mut Moment) -> Option<Reason> {
    let Lasting { points, days } = of.rules.complaint_reopened;
    let reopened = of.complaints.iter().flat_map(|complaint| &complaint.reopened);
    let events = reopened.filter(|(at, _)| moment.within_days(*at, days)).map(|(_, event)| *event);
    reason(ReasonCode::ComplaintReopened, points, events)
}

fn repeat_complaints(of: &Subject<'_, '_>, moment: &mut Moment) -> Option<Reason> {
    let RepeatComplaints { points_each, most_points, days } = of.rules.repeat_complaints;
    let lodgings = of.complaints.iter().map(|complaint| complaint.lodging);
    let recent: Vec<_> = lodgings.filter(|lodging| moment.within_days(lodging.occurred_at, days)).collect();
    let points = (points_each * (recent.len() as i64 - 1)).min(most_points).max(0);
    reason(ReasonCode::RepeatComplaints, points, recent)
}

fn overall(of: &Subject<'_, '_>) -> Option<Reason> {
    let answer = latest_overall(of.timeline, Metric::Csat)?;
    let points = of.rules.overall[usize::from(answer.score.0.clamp(1, 5)) - 1];
    let code = if points < 0 { ReasonCode::Satisfied } else { ReasonCode::LowSatisfaction };
    reason(code, points, [answer.event])
}

fn nps(of: &Subject<'_, '_>) -> Option<Reason> {
    let answer = latest_overall(of.timeline, Metric::Nps)?;
    match answer.score.0 {
        0..=6 => reason(ReasonCode::NpsDetractor, of.rules.detractor, [answer.event]),
        7..=8 => None,
        _ => reason(ReasonCode::NpsPromoter, of.rules.promoter, [answer.event]),
    }
}

fn handover_delayed(of: &Subject<'_, '_>, moment: &mut Moment) -> Option<Reason> {
    let HandoverDelayed { points, grace_days } = of.rules.handover_delayed;
    let waiting = of.lifecycle.live().filter(|contract| !contract.is_delivered());
    let late = waiting.filter(|contract| {
        let last_day = contract.signed.planned_handover_on.plus_days(grace_days);
        moment.reached_date(last_day.plus_days(1))
    });
    reason(ReasonCode::HandoverDelayed, points, late.map(|contract| contract.signing))
}

fn serious_defect(of: &Subject<'_, '_>) -> Option<Reason> {
    let events = &of.timeline.events;
    let logged = Firsts::of(events, |body| match body {
        Touchpoint::DefectLogged(defect) => Some((&defect.defect_id, defect)),
        _ => None,
    });
    let rectified = Firsts::of(events, |body| match body {
        Touchpoint::DefectRectified(rectified) => Some((&rectified.defect_id, rectified)),
        _ => None,
    });
    let open = logged.all.iter().filter(|(_, defect)| {
        defect.severity != DefectSeverity::Minor
            && of.lifecycle.live().any(|contract| contract.signed.contract_id == defect.contract_id)
            && rectified.index(&defect.defect_id).is_none()
    });
    let open = open.map(|(event, _)| *event);
    reason(ReasonCode::SeriousDefectOpen, of.rules.serious_defect_open, open)
}

fn consultant_changed(of: &Subject<'_, '_>, moment: &mut Moment) -> Option<Reason> {
    let ConsultantChanged { points, fewest, days } = of.rules.consultant_changed;
    let changes = of.timeline.events.iter().filter(|event| event.body.kind() == Kind::ConsultantReassigned);
    let recent: Vec<_> = changes.filter(|event| moment.within_days(event.occurred_at, days)).collect();
    if recent.len() < fewest as usize {
        return None;
    }
    reason(ReasonCode::ConsultantChanged, points, recent)
}

fn revisit_missed(of: &Subject<'_, '_>) -> Option<Reason> {
    let RevisitMissed { points, fewest } = of.rules.revisit_missed;
    let revisits = of.timeline.events.iter().rev();
    let revisits = revisits.filter(|event| matches!(event.body.kind(), Kind::RevisitCompleted | Kind::RevisitMissed));
    let mut missed: Vec<_> = revisits.take_while(|event| event.body.kind() == Kind::RevisitMissed).collect();
    missed.reverse();
    if missed.len() < fewest as usize {
        return None;
    }
    reason(ReasonCode::RevisitMissed, points, missed)
}

fn consent_withdrawn(of: &Subject<'_, '_>) -> Option<Reason> {
    match of.timeline.consent(ConsentPurpose::Marketing) {
        Some((event, false)) => reason(ReasonCode::ConsentWithdrawn, of.rules.consent_withdrawn, [event]),
        _ => None,
    }
}

fn referral_made(of: &Subject<'_, '_>, moment: &mut Moment) -> Option<Reason> {
    let Lasting { points, days } = of.rules.referral_made;
    let made = Firsts::of(&of.timeline.events, |body| match body {
        Touchpoint::ReferralMade(made) => Some((&made.referral_id, made)),
        _ => None,
    });
    let recent = made.all.iter().map(|(event, _)| *event).filter(|event| moment.within_days(event.occurred_at, days));
    reason(ReasonCode::ReferralMade, points, recent)
}

fn repurchased(of: &Subject<'_, '_>, moment: &mut Moment) -> Option<Reason> {
    let Lasting { points, days } = of.rules.repurchased;
    let mut kept_before = false;
    let again = of.lifecycle.contracts.iter().filter(|contract| {
        let again = kept_before && contract.is_live();
        kept_before |= contract.cancelled_at.is_none();
        again && moment.within_days(contract.signing.occurred_at, days)
    });
    reason(ReasonCode::Repurchased, points, again.map(|contract| contract.signing))
}

fn revisit_satisfied(of: &Subject<'_, '_>, moment: &mut Moment) -> Option<Reason> {
    let RevisitSatisfied { points, days, least_satisfaction } = of.rules.revisit_satisfied;
    let rated = of.timeline.events.iter().rev().find_map(|event| match &event.body {
        Touchpoint::RevisitCompleted(revisit) => revisit.satisfaction.map(|stars| (event, stars)),
        _ => None,
    });
    let (event, _) = rated.filter(|(_, stars)| *stars >= Stars(least_satisfaction))?;
    moment.within_days(event.occurred_at, days).then(|| reason(ReasonCode::RevisitSatisfied, points, [event]))?
}
