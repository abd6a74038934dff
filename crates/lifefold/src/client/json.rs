//! Answers as JSON: the messages as the protos name them.
//!
//! Field names and enum values are those of the protos, instants RFC 3339 in UTC, 64-bit numbers plain numbers. What is
//! absent in the answer is absent here; zeros and empty lists are written.

use std::sync::LazyLock;

use api::v1;
use prost::Message;
use prost_reflect::{DescriptorError, DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::Value;

use super::failure::Failure;

/// The descriptors, read once: of a list every item is a message.
static DESCRIPTORS: LazyLock<Result<DescriptorPool, DescriptorError>> =
    LazyLock::new(|| DescriptorPool::decode(api::FILE_DESCRIPTOR_SET));

/// A message with the name that its descriptor has.
pub(crate) trait Named: Message {
    /// The name below `lifefold.v1`.
    const NAME: &'static str;
}

macro_rules! named {
    ($($name:ident)+) => {$(impl Named for v1::$name { const NAME: &'static str = stringify!($name); })+};
}

named! {
    ListParkedResponse ParkedEvent GetParkedResponse RetryParkedResponse
    RecordResponse Risk GetRiskResponse ListAtRiskResponse CountBandsResponse
    GetCustomerSegmentsResponse SegmentDecision ListMembersResponse Member CountMembersResponse GetFunnelResponse
    GetCustomerIndexResponse CountClassesResponse GetPortScoresResponse GetIndicatorsResponse CompareWavesResponse
    RankUnitsResponse RankedUnit GetNpsResponse GetComplaintServiceLevelResponse ListOpenComplaintsResponse Complaint
    RiskChange Transition WatchMark
    ActivateRulesResponse ListRulesResponse RulesActivation GetRulesResponse
    GetStatusResponse GetRebuildResponse RebuildCustomerResponse PauseResponse ResumeResponse PlanRebuildResponse ListRebuildsResponse
    PastRebuild CancelRebuildResponse RetirePreviousResponse
    UnreadableEvent ImportSummary
}

/// The message as JSON.
pub(crate) fn value<M: Named>(message: &M) -> Result<Value, Failure> {
    let name = format!("lifefold.v1.{}", M::NAME);
    let broken = |error: &dyn std::fmt::Display| Failure::Other(format!("{name} cannot be shown as JSON: {error}"));
    let pool = DESCRIPTORS.as_ref().map_err(|error| broken(error))?;
    let descriptor = pool.get_message_by_name(&name).ok_or_else(|| broken(&"it is not in the descriptors"))?;
    let bytes = message.encode_to_vec();
    let message = DynamicMessage::decode(descriptor, bytes.as_slice()).map_err(|error| broken(&error))?;
    let options =
        SerializeOptions::new().stringify_64_bit_integers(false).use_proto_field_name(true).skip_default_fields(false);
    message.serialize_with_options(serde_json::value::Serializer, &options).map_err(|error| broken(&error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_is_absent_zero_is_zero_and_numbers_are_numbers() {
        let nothing = v1::RecordResponse { position: 0, duplicate: false };
        assert_eq!(value(&nothing).unwrap(), json!({"position": 0, "duplicate": false}));
        let member = v1::Member { customer_id: "c".to_owned(), stage: 5, rfm_label: 0, value_tier: 1 };
        let expect = json!({"customer_id": "c", "stage": "LIFECYCLE_STAGE_RUN_IN",
            "rfm_label": "RFM_LABEL_UNSPECIFIED", "value_tier": "VALUE_TIER_VIP"});
        assert_eq!(value(&member).unwrap(), expect);
        let meta = v1::AnswerMeta {
            as_of: Some(prost_types::Timestamp { seconds: 1_743_442_200, nanos: 123_456_000 }),
            position: 1 << 60,
            ..Default::default()
        };
        let risk = v1::Risk { customer_id: "c".to_owned(), withheld: true, ..Default::default() };
        let answer = value(&v1::GetRiskResponse { risk: Some(risk), meta: Some(meta) }).unwrap();
        assert_eq!(answer["meta"]["as_of"], "2025-03-31T17:30:00.123456Z");
        assert_eq!(answer["meta"]["position"], 1u64 << 60);
        assert_eq!(answer["risk"].get("p_millionths"), None);
        assert_eq!(answer["risk"]["reasons"], json!([]));
    }

    #[test]
    fn every_named_message_is_in_the_descriptors() {
        assert!(value(&v1::GetStatusResponse::default()).is_ok());
        assert!(value(&v1::UnreadableEvent::default()).is_ok());
        assert!(value(&v1::GetComplaintServiceLevelResponse::default()).is_ok());
        assert!(value(&v1::GetFunnelResponse::default()).is_ok());
    }
}
