//! How customer and company met: an attribute of every event.

use super::macros::codes;

codes! {
    /// How customer and company met.
    Channel {
        /// Face to face.
        InPerson = "IN_PERSON",
        Phone = "PHONE",
        Email = "EMAIL",
        /// 微信.
        Wechat = "WECHAT",
        App = "APP",
        Web = "WEB",
        Sms = "SMS",
        /// By way of a broker 中介.
        Agent = "AGENT",
        /// No contact: a system notes it, for example a correction or a date that was planned.
        System = "SYSTEM",
    }
}
