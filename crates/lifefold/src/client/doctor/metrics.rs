//! The addresses of metrics: who answers at each.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Finding;
use crate::announcement::Announcement;
use crate::settings::{Process, Settings};

/// How long an address may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// What is read of a page at most, in bytes: its first lines say whose it is.
const MAX_PAGE: u64 = 64 << 10;
/// What our metrics begin with.
const OURS: &str = "lifefold_";

/// Who answers at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    Nobody,
    Lifefold,
    Another,
}

/// Looks at every address.
pub(super) async fn look(settings: &Settings, announced: Option<&Announcement>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for address in addresses(settings, announced) {
        findings.push(judged(address, ask(address).await));
    }
    findings
}

/// That of a running `lifefold up`; or the one that was set; or the defaults of all services.
fn addresses(settings: &Settings, announced: Option<&Announcement>) -> Vec<SocketAddr> {
    match (announced, settings.metrics_listen) {
        (Some(up), _) => up.metrics.into_iter().collect(),
        (None, Some(first)) if !settings.is_given("metrics_listen") => {
            let port = |process: Process| first.port().checked_add(process.offset());
            let ports = Process::ALL.into_iter().filter_map(port);
            ports.map(|port| SocketAddr::new(first.ip(), port)).collect()
        }
        (None, given) => given.into_iter().collect(),
    }
}

fn judged(address: SocketAddr, answers: Answers) -> Finding {
    let check = format!("metrics {address}");
    match answers {
        Answers::Lifefold => Finding::ok(check, "serves the metrics of Lifefold"),
        Answers::Nobody => Finding::note(check, "is free: no service has its metrics there"),
        Answers::Another => {
            Finding::failed(check, "is taken by something that is not Lifefold: stop it, or set --metrics-listen")
        }
    }
}

async fn ask(address: SocketAddr) -> Answers {
    let Ok(Ok(connection)) = timeout(ANSWER_WITHIN, TcpStream::connect(address)).await else { return Answers::Nobody };
    match timeout(ANSWER_WITHIN, page(connection)).await {
        Ok(Ok(page)) if is_ours(&page) => Answers::Lifefold,
        _ => Answers::Another,
    }
}

async fn page(mut connection: TcpStream) -> std::io::Result<String> {
    connection.write_all(b"GET /metrics HTTP/1.1\r\nHost: lifefold\r\nConnection: close\r\n\r\n").await?;
    let mut page = Vec::new();
    connection.take(MAX_PAGE).read_to_end(&mut page).await?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// A service that has just started has nothing on its page yet.
fn is_ours(page: &str) -> bool {
    let Some((head, body)) = page.split_once("\r\n\r\n") else { return false };
    head.starts_with("HTTP/1.1 200") && (body.trim().is_empty() || body.contains(OURS))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_page_is_told_by_what_is_on_it() {
        let page = |status: &str, body: &str| format!("HTTP/1.1 {status}\r\ncontent-type: text/plain\r\n\r\n{body}");
        assert!(is_ours(&page("200 OK", "# TYPE lifefold_query_seconds histogram\n")));
        assert!(is_ours(&page("200 OK", "\n")));
        assert!(!is_ours(&page("200 OK", "node_load1 0.2\n")));
        assert!(!is_ours(&page("404 Not Found", "")));
        assert!(!is_ours("INFO {}"));
    }

    #[tokio::test]
    async fn an_address_that_is_taken_is_a_failure_and_a_free_one_is_none() {
        let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let hangs_up = async { drop(taken.accept().await) };
        let (answers, ()) = tokio::join!(ask(address), hangs_up);
        assert_eq!((answers, judged(address, answers).verdict), (Answers::Another, Verdict::Failed));
        drop(taken);
        let answers = ask(address).await;
        assert_eq!((answers, judged(address, answers).verdict), (Answers::Nobody, Verdict::Note));
    }
}
