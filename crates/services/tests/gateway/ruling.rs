//! Rules come in force one after the other, whoever asks for them at once.

use std::fmt::Write;
use std::time::Duration;

use api::v1;
use api::v1::rules_service_client::RulesServiceClient;
use futures::future::join_all;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use touchpoint::{EventId, Position, RulesActivated};
use views::rules::Rules;

use crate::support::{Running, fields, refusal, start};

fn text(days: u32) -> String {
    format!("[lifecycle]\nlost_after_days = {days}\n")
}

fn version(days: u32) -> String {
    Rules::parse(&text(days)).unwrap().version().to_string()
}

fn client(running: &Running) -> RulesServiceClient<Channel> {
    RulesServiceClient::new(running.channel.clone())
}

async fn activate(
    running: &Running,
    text: String,
    expected: Option<&str>,
) -> Result<v1::ActivateRulesResponse, Status> {
    let expected_version = expected.map(str::to_owned);
    let request = v1::ActivateRulesRequest { text, expected_version, note: "says the test".to_owned() };
    client(running).activate_rules(request).await.map(tonic::Response::into_inner)
}

async fn list(running: &Running, page_size: i32, page_token: String) -> v1::ListRulesResponse {
    let request = v1::ListRulesRequest { page_size, page_token };
    client(running).list_rules(request).await.unwrap().into_inner()
}

/// Versions and whether they are in force, the last first.
async fn listed(running: &Running) -> Vec<(String, bool)> {
    let all = list(running, 0, String::new()).await;
    all.activations.into_iter().map(|it| (it.version, it.active)).collect()
}

async fn get(running: &Running, version: Option<String>) -> Result<v1::GetRulesResponse, Status> {
    client(running).get_rules(v1::GetRulesRequest { version }).await.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_come_in_force_once() {
    let running = start().await;
    let none = get(&running, None).await.unwrap_err();
    assert_eq!(refusal(&none), (Code::NotFound, "RULES_NOT_FOUND".to_owned()));
    let first = activate(&running, text(30), Some("")).await.unwrap();
    let activation = first.activation.unwrap();
    assert_eq!((activation.position, first.already_active, activation.active), (2, false, true));
    assert_eq!((activation.version.as_str(), activation.note.as_str()), (&*version(30), "says the test"));
    // The same meaning, whatever is expected: who has had no answer asks again.
    let again = activate(&running, format!("# other words\n{}", text(30)), Some("")).await.unwrap();
    assert_eq!((again.activation.as_ref(), again.already_active), (Some(&activation), true));
    assert_eq!(running.log.last().await.unwrap(), Position(2));

    let refused = activate(&running, text(40), Some("0123456789abcdef")).await.unwrap_err();
    assert_eq!(refusal(&refused), (Code::Aborted, "RULES_VERSION_MISMATCH".to_owned()));
    assert_eq!(refused.get_error_details().error_info().unwrap().metadata["current_version"], version(30));
    activate(&running, text(40), Some(&version(30))).await.unwrap();
    activate(&running, text(30), None).await.unwrap();
    assert_eq!(listed(&running).await, [(version(30), true), (version(40), false), (version(30), false)]);
    let found = get(&running, Some(version(40))).await.unwrap();
    assert_eq!(Rules::parse(&found.text).unwrap().lifecycle.lost_after_days, 40);
    assert!(!found.activation.unwrap().active);
    // Of the two activations of one version the one in force is meant.
    assert_eq!(get(&running, Some(version(30))).await.unwrap(), get(&running, None).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_wins() {
    let running = start().await;
    activate(&running, text(30), None).await.unwrap();
    let before = version(30);
    let at_once = (31..41).map(|days| activate(&running, text(days), Some(&before)));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(at_once).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 9));
    let winner = won[0].as_ref().unwrap().activation.clone().unwrap().version;
    for refused in lost.into_iter().map(Result::unwrap_err) {
        assert_eq!(refusal(&refused), (Code::Aborted, "RULES_VERSION_MISMATCH".to_owned()));
        assert_eq!(refused.get_error_details().error_info().unwrap().metadata["current_version"], winner);
    }
    assert_eq!(listed(&running).await, [(winner, true), (before, false)]);
    // The same rules from many at once are in the log once.
    let at_once = join_all((0..10).map(|_| activate(&running, text(50), None))).await;
    let positions: Vec<_> = at_once.into_iter().map(|it| it.unwrap().activation.unwrap().position).collect();
    assert_eq!(positions, [4; 10]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_named_and_nothing_is_written() {
    let running = start().await;
    let wrong = "[churn]\nhorizn = 1\n\n[lifecycle]\nlost_after_days = -1\n".to_owned();
    let refused = activate(&running, wrong, None).await.unwrap_err();
    assert_eq!(fields(&refused), ["text", "text"]);
    let details = refused.get_error_details();
    let lines = details.bad_request().unwrap().field_violations.iter();
    let lines: Vec<_> = lines.map(|it| it.description.split(',').next().unwrap().to_owned()).collect();
    assert_eq!(lines, ["line 2", "line 5"]);
    assert_eq!(fields(&activate(&running, String::new(), None).await.unwrap_err()), ["text"]);
    let note = "one\ntwo".to_owned();
    let request = v1::ActivateRulesRequest { text: text(30), note, ..Default::default() };
    assert_eq!(fields(&client(&running).activate_rules(request).await.unwrap_err()), ["note"]);
    let mut long = String::new();
    for index in 0..1_500 {
        write!(long, "[[segments]]\nname = \"segment_{index:04}\"\nwhen = {{ stage = [\"LOST\"] }}\n").unwrap();
    }
    assert_eq!(fields(&activate(&running, long, None).await.unwrap_err()), ["text"]);
    assert_eq!(running.log.last().await.unwrap(), Position(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_lead_through_the_history() {
    let running = start().await;
    for days in 31..36 {
        activate(&running, text(days), None).await.unwrap();
    }
    let (mut versions, mut token) = (Vec::new(), String::new());
    loop {
        let page = list(&running, 2, token).await;
        assert!(page.activations.len() <= 2);
        versions.extend(page.activations.into_iter().map(|it| it.version));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(versions, [35, 34, 33, 32, 31].map(version));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_given_rules_once() {
    let running = start().await;
    let until = Instant::now() + Duration::from_secs(20);
    let rules: Vec<_> = (30..38).map(|days| Rules::parse(&text(days)).unwrap()).collect();
    let seeded = join_all(rules.iter().map(|rules| running.rules.seed(rules, "first", until))).await;
    let seeded: Vec<_> = seeded.into_iter().map(|it| it.unwrap().unwrap()).collect();
    assert!(seeded.iter().all(|version| *version == seeded[0]), "{seeded:?}");
    assert_eq!(listed(&running).await, [(seeded[0].clone(), true)]);
    assert_eq!(running.rules.seed(&Rules::default(), "later", until).await.unwrap().as_ref(), Some(&seeded[0]));
    assert_eq!(running.log.last().await.unwrap(), Position(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_newer_version_wrote_is_listed_and_not_in_force() {
    let running = start().await;
    activate(&running, text(30), None).await.unwrap();
    let body = r#"{"type":"RulesActivated","dataschema":"urn:lifefold:RulesActivated:2"}"#;
    let until = Instant::now() + Duration::from_secs(20);
    let id = EventId::from_u128(1 << 100);
    let at = running.appender.append_control(id, body.into(), Position(2), until).await.unwrap();
    assert_eq!(at.position, Position(3));
    assert_eq!(listed(&running).await, [(String::new(), false), (version(30), true)]);
    // And what comes after it is in force again.
    activate(&running, text(40), Some(&version(30))).await.unwrap();
    assert_eq!(listed(&running).await[0], (version(40), true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_means_something_else_here_has_the_name_that_answers_give_it() {
    let running = start().await;
    let (id, other) = (EventId::from_u128(1 << 100), "0123456789abcdef");
    let event = RulesActivated {
        id,
        version: touchpoint::Code::new(other).unwrap(),
        note: "by an older build".into(),
        rules: text(30).into(),
    };
    let until = Instant::now() + Duration::from_secs(20);
    running.appender.append_control(id, event.to_json().into(), Position(1), until).await.unwrap();
    assert_eq!(listed(&running).await, [(version(30), true)]);
    for name in [version(30), other.to_owned()] {
        let request = v1::GetRulesRequest { version: Some(name) };
        let found = client(&running).get_rules(request).await.unwrap().into_inner();
        assert_eq!((found.activation.unwrap().position, found.text), (2, text(30)));
    }
    // Activated again, the log says what they are called now; and once more is once.
    let again = activate(&running, text(30), Some(&version(30))).await.unwrap();
    assert_eq!((again.already_active, again.activation.unwrap().position), (false, 3));
    assert!(activate(&running, text(30), None).await.unwrap().already_active);
}
