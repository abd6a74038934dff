//! Which entries of the log a replay gives, and in which form.

use api::errors::Error;
use api::{query, timeline, v1};
use event_log::{Entry, Subject};
use touchpoint::{Code, CustomerId, Kind, Timestamp, Violations};

use crate::recorded;

/// Which entries, and in which form. Lists that name nothing name all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    kinds: Option<Vec<Kind>>,
    customers: Vec<CustomerId>,
    projects: Vec<Code<'static>>,
    as_of: Option<Timestamp>,
    include_json: bool,
    json_only: bool,
}

impl Wanted {
    /// What the request names.
    pub(crate) fn read(request: &v1::ReplayRequest) -> Result<Self, Error> {
        let customers = match request.customer_ids.as_slice() {
            [] => Vec::new(),
            ids => query::customer_ids(ids)?,
        };
        let mut broken = Violations::default();
        let as_of = query::instant("as_of", request.as_of.as_ref(), &mut broken);
        Error::check(broken)?;
        Ok(Self {
            as_of,
            kinds: timeline::kinds(&request.event_types)?,
            customers,
            projects: projects(&request.project_ids)?,
            include_json: request.include_json || request.json_only,
            json_only: request.json_only,
        })
    }

    /// The event as it is given; nothing if it is not wanted.
    pub(crate) fn event(&self, entry: &Entry) -> Option<v1::RecordedTouchpoint> {
        // Before anything is decoded: one of many customers is found fast.
        if !self.customers.is_empty()
            && !matches!(&entry.subject, Subject::Customer(customer) if self.customers.contains(customer))
        {
            return None;
        }
        let read = recorded::read(entry)?;
        let of_kind = |kinds: &Vec<Kind>| read.kind().is_some_and(|kind| kinds.contains(&kind));
        let of_project = || read.project().is_some_and(|project| self.projects.contains(project));
        let is_admitted = self.as_of.is_none_or(|as_of| read.admitted_from() <= as_of);
        if !is_admitted || !self.kinds.as_ref().is_none_or(of_kind) || !(self.projects.is_empty() || of_project()) {
            return None;
        }
        Some(if self.json_only { read.bytes() } else { read.message(self.include_json) })
    }
}

/// Reads `project_ids`.
fn projects(texts: &[String]) -> Result<Vec<Code<'static>>, Error> {
    if texts.len() > query::MAX_BATCH_CUSTOMERS {
        let message = format!("expected at most {} projects, got {}", query::MAX_BATCH_CUSTOMERS, texts.len());
        return Err(Error::field("project_ids", message));
    }
    let mut broken = Violations::default();
    let mut codes = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let field = format!("project_ids[{index}]");
        match query::code(&field, text, &mut broken) {
            Some(code) => codes.push(code),
            None if text.is_empty() => broken.add(field, query::expected_code()),
            None => {}
        }
    }
    Error::check(broken).map(|()| codes)
}

#[cfg(test)]
mod tests {
    use touchpoint::Position;

    use super::*;

    fn entry(customer: u128, project: &str) -> Entry {
        let customer = CustomerId::from_u128(customer);
        let body = format!(
            r#"{{"specversion":"1.0","id":"0195e0c1-9a40-7000-8000-000000000001","source":"crm","type":"LeadLost",
            "dataschema":"urn:lifefold:LeadLost:1","time":"2025-03-31T17:30:00Z","subject":"{customer}",
            "channel":"PHONE","projectid":"{project}","data":{{"reason":"PRICE"}}}}"#
        );
        let recorded_at = Timestamp::from_micros(1_743_442_200_000_000);
        Entry { position: Position(7), recorded_at, subject: Subject::Customer(customer), body: body.into() }
    }

    fn wants(request: &v1::ReplayRequest, customer: u128, project: &str) -> bool {
        Wanted::read(request).unwrap().event(&entry(customer, project)).is_some()
    }

    #[test]
    fn every_filter_narrows() {
        let request = v1::ReplayRequest {
            customer_ids: vec![CustomerId::from_u128(1).to_string(), CustomerId::from_u128(2).to_string()],
            project_ids: vec!["P1".to_owned(), "P2".to_owned()],
            ..Default::default()
        };
        assert!(wants(&request, 2, "P1") && wants(&request, 1, "P2"));
        assert!(!wants(&request, 3, "P1") && !wants(&request, 1, "P3"));
        let other = v1::ReplayRequest { event_types: vec!["MovedIn".to_owned()], ..request };
        assert!(!wants(&other, 1, "P1") && wants(&v1::ReplayRequest::default(), 9, "P9"));
    }

    #[test]
    fn an_event_is_admitted_from_when_it_happened_or_was_recorded() {
        // It happened at 17:30:00 of that day, and was recorded just then.
        let wants = |as_of: &str, entry: &Entry| {
            let as_of = api::names::timestamp(as_of.parse().unwrap());
            let request = v1::ReplayRequest { as_of: Some(as_of), ..Default::default() };
            Wanted::read(&request).unwrap().event(entry).is_some()
        };
        let late = Entry { recorded_at: "2025-06-01T00:00:00Z".parse().unwrap(), ..entry(1, "P1") };
        let early = Entry { recorded_at: "2025-03-31T17:29:00Z".parse().unwrap(), ..entry(1, "P1") };
        let unreadable = Entry { body: b"{".as_slice().into(), ..late.clone() };
        assert!(wants("2025-03-31T17:30:00Z", &late) && !wants("2025-03-31T17:29:59Z", &late));
        assert!(wants("2025-03-31T17:29:00Z", &early) && !wants("2025-03-31T17:28:59Z", &early));
        assert!(wants("2025-06-01T00:00:00Z", &unreadable) && !wants("2025-05-31T00:00:00Z", &unreadable));
        let mut never = api::names::timestamp(late.recorded_at);
        never.nanos = 1;
        let never = v1::ReplayRequest { as_of: Some(never), ..Default::default() };
        let Err(Error::Invalid(list)) = Wanted::read(&never) else { panic!() };
        assert_eq!(list[0].field, "as_of");
    }

    #[test]
    fn bytes_alone_leave_out_what_was_read_of_them() {
        let wanted = Wanted::read(&v1::ReplayRequest { json_only: true, ..Default::default() }).unwrap();
        let event = wanted.event(&entry(1, "P1")).unwrap();
        assert!(event.content.is_none() && !event.cloud_event_json.is_empty());
        let broken = Entry { body: b"{".as_slice().into(), ..entry(1, "P1") };
        assert!(wanted.event(&broken).unwrap().content.is_some(), "what cannot be read is said");
    }

    #[test]
    fn every_wrong_project_is_named() {
        let texts = ["P1", "", "no code"].map(str::to_owned);
        let Err(Error::Invalid(list)) = projects(&texts) else { panic!() };
        assert_eq!(list.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["project_ids[1]", "project_ids[2]"]);
        assert!(projects(&vec!["P1".to_owned(); 1_001]).is_err());
    }
}
