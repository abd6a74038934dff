//! A TCP proxy that cuts connections in the middle of whatever passes, or swallows answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event_log::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// No limit.
pub(crate) const NEVER: u64 = u64::MAX;

/// By how much a limit grows at each cut, in bytes: otherwise what is larger than it would never pass.
const GROWTH: u64 = 50_000;

/// What passes a connection before it is cut, in bytes.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    rules: Arc<Rules>,
}

#[derive(Debug)]
struct Rules {
    /// Bytes to the server, per connection.
    requests: AtomicU64,
    /// Bytes to the client, per connection.
    answers: AtomicU64,
    /// Connections made so far.
    connections: AtomicU64,
    /// Connections up to this number have their answers read and thrown away.
    swallowed: AtomicU64,
    cuts: AtomicU64,
    cut_now: watch::Sender<u64>,
}

impl Proxy {
    pub(crate) async fn start(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let rules = Arc::new(Rules {
            requests: NEVER.into(),
            answers: NEVER.into(),
            connections: 0.into(),
            swallowed: 0.into(),
            cuts: 0.into(),
            cut_now: watch::Sender::new(0),
        });
        tokio::spawn(accept(listener, server_port, rules.clone()));
        Self { port, rules }
    }

    pub(crate) fn options(&self) -> Options {
        Options::new(format!("nats://127.0.0.1:{}", self.port))
    }

    /// From now on each connection is cut after so many bytes to the server, or to the client.
    pub(crate) fn cut_after(&self, requests: u64, answers: u64) {
        self.rules.requests.store(requests, Ordering::SeqCst);
        self.rules.answers.store(answers, Ordering::SeqCst);
    }

    /// From now on no answer reaches the client.
    pub(crate) fn swallow_answers(&self) {
        self.rules.swallowed.store(NEVER, Ordering::SeqCst);
    }

    /// Cuts every connection; only later ones bring answers again.
    pub(crate) fn recover(&self) {
        self.rules.swallowed.store(self.rules.connections.load(Ordering::SeqCst), Ordering::SeqCst);
        self.cut();
    }

    /// Cuts every connection now.
    pub(crate) fn cut(&self) {
        self.rules.cut_now.send_modify(|cut| *cut += 1);
    }

    /// How often a connection was cut by a limit.
    pub(crate) fn cuts(&self) -> u64 {
        self.rules.cuts.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, server_port: u16, rules: Arc<Rules>) {
    while let Ok((client, _)) = listener.accept().await {
        let rules = rules.clone();
        let number = rules.connections.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::spawn(async move {
            let swallow = |of: &Rules| number <= of.swallowed.load(Ordering::SeqCst);
            let Ok(server) = TcpStream::connect(("127.0.0.1", server_port)).await else { return };
            let mut cut_now = rules.cut_now.subscribe();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::select! {
                () = pass(from_client, to_server, &rules.requests, || false, &rules.cuts) => {}
                () = pass(from_server, to_client, &rules.answers, || swallow(&rules), &rules.cuts) => {}
                _ = cut_now.changed() => {}
            }
        });
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    limit: &AtomicU64,
    swallow: impl Fn() -> bool,
    cuts: &AtomicU64,
) {
    let mut passed = 0;
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if swallow() {
            continue;
        }
        let allowed = limit.load(Ordering::SeqCst).saturating_sub(passed).min(read as u64);
        passed += allowed;
        if to.write_all(&buffer[..allowed as usize]).await.is_err() {
            return;
        }
        if allowed < read as u64 {
            limit.fetch_add(GROWTH, Ordering::SeqCst);
            cuts.fetch_add(1, Ordering::SeqCst);
            return;
        }
    }
}
