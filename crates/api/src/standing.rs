//! What every view says of a customer: the lifecycle, and where the customer belongs.

use touchpoint::Code;
use views::lifecycle::Stage;
use views::{Evidence, Standing};

use crate::{names, v1};

/// The twin of a stage.
pub const fn stage(stage: Stage) -> v1::LifecycleStage {
    match stage {
        Stage::Lead => v1::LifecycleStage::Lead,
        Stage::Prospect => v1::LifecycleStage::Prospect,
        Stage::Subscribed => v1::LifecycleStage::Subscribed,
        Stage::QuasiOwner => v1::LifecycleStage::QuasiOwner,
        Stage::RunIn => v1::LifecycleStage::RunIn,
        Stage::Stable => v1::LifecycleStage::Stable,
        Stage::LongTerm => v1::LifecycleStage::LongTerm,
        Stage::Lost => v1::LifecycleStage::Lost,
        Stage::Exited => v1::LifecycleStage::Exited,
    }
}

/// A stage from the number of its twin; nothing for UNSPECIFIED and for numbers that this build does not know.
pub fn stage_from(number: i32) -> Option<Stage> {
    Stage::ALL.into_iter().find(|&it| number == stage(it) as i32)
}

/// The lifecycle of a customer; answered also where profiling is withheld.
pub fn lifecycle(standing: &Standing) -> v1::Lifecycle {
    v1::Lifecycle {
        stage: stage(standing.stage).into(),
        inferred: standing.inferred,
        open_contract: standing.open_contract,
        owner_from: standing.owner_from.map(|date| date.to_string()).unwrap_or_default(),
        made_by: None,
    }
}

/// Where a customer belongs; nothing where profiling is withheld.
pub fn belonging(standing: &Standing) -> Option<v1::Belonging> {
    let Standing { company, project, consultant, .. } = standing;
    (!standing.withheld).then(|| units([company, project, consultant].map(Option::as_ref)))
}

/// Company, project and consultant.
pub fn units(codes: [Option<&Code<'_>>; 3]) -> v1::Belonging {
    let [company_id, project_id, consultant_id] = codes.map(text);
    v1::Belonging { company_id, project_id, consultant_id }
}

/// An event behind a figure or a reason.
pub(crate) fn evidence(it: &Evidence) -> v1::Evidence {
    v1::Evidence { event_id: it.event.into(), occurred_at: Some(names::timestamp(it.occurred_at)) }
}

/// A code, or nothing as the empty text.
pub(crate) fn text(code: Option<&Code<'_>>) -> String {
    code.map(|code| code.as_str().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_come_back_by_the_same_names() {
        for it in Stage::ALL {
            assert_eq!(stage_from(stage(it).into()), Some(it));
            assert_eq!(stage(it).as_str_name(), format!("LIFECYCLE_STAGE_{}", it.name()));
        }
        assert_eq!(stage_from(0), None);
        assert_eq!(stage_from(10), None);
    }
}
