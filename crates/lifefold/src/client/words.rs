//! Enumerations of the protos as words: typed on the command line, shown in tables, with their Chinese terms.

use api::v1;

/// For each enumeration: its values as words.
macro_rules! shown {
    ($($show:ident $name:ident $prefix:literal)+) => {$(
        #[doc = concat!("The word for a `", stringify!($name), "`.")]
        pub(crate) fn $show(number: i32) -> &'static str {
            let word = |value: v1::$name| value.as_str_name().strip_prefix($prefix).unwrap_or(value.as_str_name());
            v1::$name::try_from(number).map_or("(not known to this build)", word)
        }
    )+};
}

/// For each enumeration that is typed: a word as its value.
macro_rules! typed {
    ($($read:ident $show:ident $name:ident $prefix:literal)+) => {$(
        #[doc = concat!("The `", stringify!($name), "` of a word, in capitals or not.")]
        pub(crate) fn $read(word: &str) -> Result<v1::$name, String> {
            let name = format!("{}{}", $prefix, word.to_uppercase().replace('-', "_"));
            let value = v1::$name::from_str_name(&name).filter(|&value| i32::from(value) > 0);
            value.ok_or_else(|| {
                let all = (1..).map_while(|number| v1::$name::try_from(number).ok()).map(|value| $show(value.into()));
                format!("expected one of {}", all.collect::<Vec<_>>().join(", "))
            })
        }
    )+};
}

shown! {
    stage LifecycleStage "LIFECYCLE_STAGE_"
    label RfmLabel "RFM_LABEL_"
    tier ValueTier "VALUE_TIER_"
    motive Motive "MOTIVE_"
    household Household "HOUSEHOLD_"
    lead_source LeadSource "LEAD_SOURCE_"
    funnel_step FunnelStep "FUNNEL_STEP_"
    band RiskBand "RISK_BAND_"
    port ServicePort "SERVICE_PORT_"
    severity ComplaintSeverity "COMPLAINT_SEVERITY_"
    complaint_state ComplaintState "COMPLAINT_STATE_"
    level ServiceLevel "SERVICE_LEVEL_"
    class SatisfactionClass "SATISFACTION_CLASS_"
    loyalty LoyaltyClass "LOYALTY_CLASS_"
    state ProjectorState "PROJECTOR_STATE_"
    refusal ImportRefusalReason "IMPORT_REFUSAL_REASON_"
}

typed! {
    read_stage stage LifecycleStage "LIFECYCLE_STAGE_"
    read_label label RfmLabel "RFM_LABEL_"
    read_tier tier ValueTier "VALUE_TIER_"
    read_motive motive Motive "MOTIVE_"
    read_household household Household "HOUSEHOLD_"
    read_band band RiskBand "RISK_BAND_"
    read_class class SatisfactionClass "SATISFACTION_CLASS_"
    read_port_name port ServicePort "SERVICE_PORT_"
    read_severity severity ComplaintSeverity "COMPLAINT_SEVERITY_"
}

/// Short names of service ports, which are typed too: of the domain's text, and as they are shown.
const PORTS: [(v1::ServicePort, &str, &str); 9] = [
    (v1::ServicePort::Overall, "OVERALL", "Overall 总体"),
    (v1::ServicePort::SalesService, "SALES", "Sales 销售服务"),
    (v1::ServicePort::PlanningDesign, "DESIGN", "Design 规划设计"),
    (v1::ServicePort::ConstructionQuality, "QUALITY", "Quality 工程质量"),
    (v1::ServicePort::RepairService, "REPAIR", "Repair 维修服务"),
    (v1::ServicePort::PropertyManagement, "PROPERTY", "Property 物业管理"),
    (v1::ServicePort::ComplaintHandling, "COMPLAINT", "Complaints 投诉处理"),
    (v1::ServicePort::Handover, "HANDOVER", "Handover 交付"),
    (v1::ServicePort::CallCentre, "CALL_CENTRE", "Call centre 呼叫中心"),
];

/// A service port by its full or its short name.
pub(crate) fn read_port(word: &str) -> Result<v1::ServicePort, String> {
    let short = PORTS.iter().find(|(_, short, _)| short.eq_ignore_ascii_case(word));
    short.map_or_else(|| read_port_name(word), |(port, ..)| Ok(*port))
}

/// A service port for people, in both languages.
pub(crate) fn port_title(number: i32) -> &'static str {
    PORTS.iter().find(|(port, ..)| i32::from(*port) == number).map_or_else(|| port(number), |(.., title)| title)
}

/// A service port by its short name, where room is scarce.
pub(crate) fn port_short(number: i32) -> &'static str {
    PORTS.iter().find(|(port, ..)| i32::from(*port) == number).map_or_else(|| port(number), |(_, short, _)| short)
}

/// An item's code without its port, which stands beside it.
pub(crate) fn item<'a>(port: &str, code: &'a str) -> &'a str {
    code.strip_prefix(port).and_then(|rest| rest.strip_prefix('_')).unwrap_or(code)
}

/// A lifecycle stage for people, in both languages.
pub(crate) fn stage_title(number: i32) -> String {
    let chinese = match v1::LifecycleStage::try_from(number) {
        Ok(v1::LifecycleStage::Lead) => "线索",
        Ok(v1::LifecycleStage::Prospect) => "意向客户",
        Ok(v1::LifecycleStage::Subscribed) => "认购",
        Ok(v1::LifecycleStage::QuasiOwner) => "准业主",
        Ok(v1::LifecycleStage::RunIn) => "磨合期",
        Ok(v1::LifecycleStage::Stable) => "稳定期",
        Ok(v1::LifecycleStage::LongTerm) => "老业主",
        Ok(v1::LifecycleStage::Lost) => "流失",
        Ok(v1::LifecycleStage::Exited) => "退出",
        _ => "",
    };
    format!("{} {chinese}", stage(number)).trim_end().to_owned()
}

/// An RFM label for people, in both languages.
pub(crate) fn label_title(number: i32) -> String {
    let chinese = match v1::RfmLabel::try_from(number) {
        Ok(v1::RfmLabel::KeyValue) => "重要价值",
        Ok(v1::RfmLabel::KeyDevelop) => "重要发展",
        Ok(v1::RfmLabel::KeyRetain) => "重要保持",
        Ok(v1::RfmLabel::KeyWinBack) => "重要挽留",
        Ok(v1::RfmLabel::GeneralValue) => "一般价值",
        Ok(v1::RfmLabel::GeneralDevelop) => "一般发展",
        Ok(v1::RfmLabel::GeneralRetain) => "一般保持",
        Ok(v1::RfmLabel::GeneralWinBack) => "一般挽留",
        _ => "",
    };
    format!("{} {chinese}", label(number)).trim_end().to_owned()
}

/// `C01 / P003 / S7`: company, project, consultant.
pub(crate) fn place(belonging: &v1::Belonging) -> String {
    let parts = [&belonging.company_id, &belonging.project_id, &belonging.consultant_id];
    parts.map(|part| if part.is_empty() { "–" } else { part.as_str() }).join(" / ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_in_any_case() {
        assert_eq!(read_stage("run-in"), Ok(v1::LifecycleStage::RunIn));
        assert_eq!(read_stage(stage(v1::LifecycleStage::Lost.into())), Ok(v1::LifecycleStage::Lost));
        assert_eq!(read_band("High"), Ok(v1::RiskBand::High));
        assert_eq!(read_band("huge").unwrap_err(), "expected one of LOW, MEDIUM, HIGH, CRITICAL");
        assert!(read_band("unspecified").is_err());
    }

    #[test]
    fn an_item_is_named_within_its_port() {
        assert_eq!(item("REPAIR_SERVICE", "REPAIR_SERVICE_SPEED"), "SPEED");
        assert_eq!(item("REPAIR_SERVICE", "REPAIR_SERVICES"), "REPAIR_SERVICES");
    }

    #[test]
    fn ports_have_short_names_and_titles() {
        for (port, short, title) in PORTS {
            assert_eq!(read_port(short), Ok(port));
            assert_eq!(read_port(super::port(port.into())), Ok(port));
            assert_eq!(port_title(port.into()), title);
        }
        assert!(read_port("kitchen").unwrap_err().contains("SALES_SERVICE"));
    }
}
