//! How customer and company met: an attribute of every event.

use super::macros::codes;

codes! {
    /// How customer and company met.
    Channel {
        InPerson = "IN_PERSON", Phone = "PHONE", Email = "EMAIL", Wechat = "WECHAT", App = "APP", Web = "WEB",
        Sms = "SMS", Agent = "AGENT", System = "SYSTEM",
    }
}
