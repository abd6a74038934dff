//! RulesService: which rules apply, which did, and putting others in force.

use api::errors::Error;
use api::page::Page;
use api::{names, v1};
use tokio::time::Instant;
use tonic::{Request, Response, Status};
use touchpoint::{Position, Violation, check_note};
use views::rules::{Activation, Mistake, Rules};

use crate::activation::{Recorded, RulesInLog};
use crate::call;

const SERVICE: &str = "RulesService";

/// The service.
pub(crate) struct RulesService {
    rules: RulesInLog,
}

impl RulesService {
    pub(crate) const fn new(rules: RulesInLog) -> Self {
        Self { rules }
    }

    async fn activate(
        &self,
        request: v1::ActivateRulesRequest,
        until: Instant,
    ) -> Result<v1::ActivateRulesResponse, Error> {
        let v1::ActivateRulesRequest { text, expected_version, note } = request;
        if text.is_empty() {
            return Err(Error::field("text", "is required"));
        }
        check_note(&note).map_err(|message| Error::field("note", message))?;
        let rules = read("text", &text)?;
        let (activation, already_active) =
            self.rules.activate(&rules, expected_version.as_deref(), &note, until).await?;
        Ok(v1::ActivateRulesResponse { activation: Some(message(&activation, true)), already_active })
    }

    async fn list(&self, request: &v1::ListRulesRequest, until: Instant) -> Result<v1::ListRulesResponse, Error> {
        let page = Page::of(request)?;
        let before = page.after_position()?.unwrap_or(Position(u64::MAX));
        let known = self.rules.known(until).await?;
        let active = known.active().map(|it| it.position);
        let older = known.all.iter().rev().filter(|it| it.position < before);
        // One more than fits says whether there is a next page.
        let mut listed: Vec<_> = older.take(page.size + 1).collect();
        let more = listed.len() > page.size;
        listed.truncate(page.size);
        let last = listed.last().filter(|_| more);
        Ok(v1::ListRulesResponse {
            activations: listed.iter().map(|it| message(it, active == Some(it.position))).collect(),
            next_page_token: last.map(|it| page.token_after(it.position)).unwrap_or_default(),
        })
    }

    async fn get(&self, version: Option<&str>, until: Instant) -> Result<v1::GetRulesResponse, Error> {
        let known = self.rules.known(until).await?;
        let active = known.active();
        let found = match version {
            None => active,
            Some(version) => known.of_version(version),
        };
        let found = found.ok_or(Error::RulesNotFound)?;
        let is_active = active.is_some_and(|it| it.position == found.position);
        let text = found.activation.event().map(|it| it.rules.to_string()).unwrap_or_default();
        Ok(v1::GetRulesResponse { activation: Some(message(found, is_active)), text })
    }
}

/// The rules of a text, or every mistake in it with its line.
pub(crate) fn read(field: &'static str, text: &str) -> Result<Rules, Error> {
    Rules::parse(text).map_err(|error| {
        let violation = |mistake: &Mistake| Violation { field: field.into(), message: mistake.to_string() };
        Error::Invalid(error.mistakes.iter().map(violation).collect())
    })
}

fn message(it: &Recorded, active: bool) -> v1::RulesActivation {
    let note = match &it.activation {
        Activation::InForce { event, .. } | Activation::Unknown { event, .. } => event.note.to_string(),
        Activation::Unreadable { reason } => format!("this version cannot read it: {reason}"),
    };
    v1::RulesActivation {
        position: it.position.0,
        recorded_at: Some(names::timestamp(it.recorded_at)),
        version: it.activation.version().unwrap_or_default().to_owned(),
        note,
        active,
    }
}

#[tonic::async_trait]
impl v1::rules_service_server::RulesService for RulesService {
    async fn activate_rules(
        &self,
        request: Request<v1::ActivateRulesRequest>,
    ) -> Result<Response<v1::ActivateRulesResponse>, Status> {
        let until = call::append_by(request.metadata());
        call::answer(SERVICE, "ActivateRules", self.activate(request.into_inner(), until)).await
    }

    async fn list_rules(
        &self,
        request: Request<v1::ListRulesRequest>,
    ) -> Result<Response<v1::ListRulesResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "ListRules", self.list(request.get_ref(), until)).await
    }

    async fn get_rules(&self, request: Request<v1::GetRulesRequest>) -> Result<Response<v1::GetRulesResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "GetRules", self.get(request.into_inner().version.as_deref(), until)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_of_a_text_has_its_line() {
        let Err(Error::Invalid(list)) = read("text", "[churn]\nhorizn = 1\n\n[lifecycle]\nlost_after_days = -1\n")
        else {
            panic!("it is accepted")
        };
        let lines: Vec<_> = list.iter().map(|one| one.message.split(',').next().unwrap().to_owned()).collect();
        assert_eq!(lines, ["line 2", "line 5"]);
        assert!(list.iter().all(|one| one.field == "text"));
    }
}
