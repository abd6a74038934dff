//! Enumerations and instants of the domain, and their protobuf twins.

use touchpoint::Timestamp;

use crate::v1;

const MICROS_PER_SECOND: i64 = 1_000_000;
const NANOS_PER_MICRO: i32 = 1_000;

/// An instant as protobuf has it.
pub fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let micros = time.micros();
    let below = micros.rem_euclid(MICROS_PER_SECOND) as i32;
    prost_types::Timestamp { seconds: micros.div_euclid(MICROS_PER_SECOND), nanos: below * NANOS_PER_MICRO }
}

/// An instant from protobuf, if it is a whole microsecond of the years 1 to 9999.
pub fn instant(time: &prost_types::Timestamp) -> Option<Timestamp> {
    if !(0..1_000_000_000).contains(&time.nanos) || time.nanos % NANOS_PER_MICRO != 0 {
        return None;
    }
    let below = i64::from(time.nanos / NANOS_PER_MICRO);
    let micros = time.seconds.checked_mul(MICROS_PER_SECOND)?.checked_add(below)?;
    Some(Timestamp::from_micros(micros)).filter(|instant| instant.micros() == micros)
}

/// A digest in hexadecimal.
pub fn digest(sum: u128) -> String {
    format!("{sum:032x}")
}

/// An enumeration of the catalogue and its twin, variant for variant: a function each way. The way back gives nothing
/// for UNSPECIFIED and for numbers that this build does not know.
macro_rules! twins {
    ($($there:ident $back:ident $name:ident { $($variant:ident)+ })+) => {$(
        #[doc = concat!("`", stringify!($name), "` as its twin.")]
        pub const fn $there(value: touchpoint::$name) -> v1::$name {
            match value { $(touchpoint::$name::$variant => v1::$name::$variant),+ }
        }

        #[doc = concat!("`", stringify!($name), "` from the number of its twin.")]
        pub fn $back(number: i32) -> Option<touchpoint::$name> {
            match v1::$name::try_from(number).ok()? {
                v1::$name::Unspecified => None,
                $(v1::$name::$variant => Some(touchpoint::$name::$variant),)+
            }
        }
    )+};
}

twins! {
    channel channel_from Channel { InPerson Phone Email Wechat App Web Sms Agent System }
    port port_from ServicePort {
        Overall SalesService PlanningDesign ConstructionQuality RepairService PropertyManagement ComplaintHandling
        Handover CallCentre
    }
    severity severity_from ComplaintSeverity { Low Medium High Critical }
    motive motive_from Motive { FirstHome Upgrade Investment ElderCare Education }
    household household_from Household { Single Couple YoungChild SchoolChild ThreeGenerations EmptyNest }
    lead_source lead_source_from LeadSource { WalkIn Advert Social Broker Referral Event Portal Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_come_back_and_what_the_log_cannot_hold_does_not() {
        for micros in [0, -1, 1_743_442_200_123_456, Timestamp::MIN.micros(), Timestamp::MAX.micros()] {
            let time = Timestamp::from_micros(micros);
            assert_eq!(instant(&timestamp(time)), Some(time));
        }
        for (seconds, nanos) in [(0, 1), (0, -1_000), (0, 1_000_000_000), (i64::MAX, 0), (253_402_300_800, 0)] {
            assert_eq!(instant(&prost_types::Timestamp { seconds, nanos }), None, "{seconds} s {nanos} ns");
        }
    }

    #[test]
    fn twins_come_back() {
        for &value in touchpoint::ServicePort::ALL {
            assert_eq!(port_from(port(value).into()), Some(value));
            assert_eq!(port(value).as_str_name(), format!("SERVICE_PORT_{value}"));
        }
        assert_eq!(port_from(0), None);
        assert_eq!(port_from(99), None);
    }
}
