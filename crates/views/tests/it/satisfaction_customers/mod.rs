//! Several customers of companies and projects, told event by event, and the totals over them.

use touchpoint::{CustomerId, Event, EventId, Kind, Position, Recorded, Timestamp};
use views::rules::Rules;
use views::{Filing, Moment, Record, Sign, View};

/// The instant of this text.
pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// A customer whose events are told one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    /// Who.
    pub(crate) id: CustomerId,
    /// What was filed.
    pub(crate) record: Record,
    /// The company that the next events name, or "".
    pub(crate) company: String,
    /// The project that the next events name, or "".
    pub(crate) project: String,
    told: u64,
}

impl Customer {
    /// A customer of whom nothing is known.
    pub(crate) fn new(number: u128) -> Self {
        let id = CustomerId::from_u128(number << 64);
        Self { id, record: Record::default(), company: String::new(), project: String::new(), told: 0 }
    }

    /// From now on events name this company and project.
    pub(crate) fn of(mut self, company: &str, project: &str) -> Self {
        (self.company, self.project) = (company.into(), project.into());
        self
    }

    /// An event that was recorded when it happened; `data` is its JSON.
    pub(crate) fn tell(&mut self, time: &str, kind: &str, data: &str) -> EventId {
        self.tell_late(at(time), at(time), kind, data)
    }

    /// An event that was recorded at another time than it happened.
    pub(crate) fn tell_late(&mut self, time: Timestamp, recorded_at: Timestamp, kind: &str, data: &str) -> EventId {
        self.told += 1;
        let id = EventId::from_u128(self.id.as_u128() | u128::from(self.told));
        let version = Kind::from_name(kind).unwrap().version();
        let unit = |name: &str, code: &str| match code {
            "" => String::new(),
            _ => format!(r#","{name}":"{code}""#),
        };
        let body = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"test","type":"{kind}",
            "dataschema":"urn:lifefold:{kind}:{version}","subject":"{}","time":"{time}","channel":"PHONE"{}{},
            "data":{data}}}"#,
            self.id,
            unit("companyid", &self.company),
            unit("projectid", &self.project),
        );
        let event = Event::decode(body.as_bytes()).unwrap_or_else(|broken| panic!("{kind} {data}: {broken:?}"));
        let recorded = Recorded { position: Position(self.told), recorded_at, event };
        assert_eq!(self.record.file(&recorded), Filing::New);
        id
    }

    /// The view's answer at an instant, by the default rules.
    pub(crate) fn answer<V: View>(&self, time: &str) -> Option<V::Answer> {
        V::answer(&self.record, &Rules::default(), &mut Moment::now(at(time)))
    }
}

/// Lists and totals of these customers at an instant, by the default rules.
pub(crate) fn totals<'c, V: View>(customers: impl IntoIterator<Item = &'c Customer>, time: &str) -> V::Totals {
    let rules = Rules::default();
    let mut totals = V::Totals::default();
    for customer in customers {
        if let Some(answer) = V::answer(&customer.record, &rules, &mut Moment::now(at(time))) {
            V::place(&mut totals, customer.id, &V::placement(&answer), Sign::Add);
        }
    }
    totals
}
