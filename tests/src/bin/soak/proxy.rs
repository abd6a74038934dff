//! A TCP proxy between one service and nats-server, which cuts, delays or refuses.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Bytes that pass at once.
const BUFFER_BYTES: usize = 16 * 1024;

/// What passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Everything.
    Open,
    /// Everything, so much later.
    Slow(Duration),
    /// Nothing: connections are cut, and no new one is made.
    Closed,
}

/// What passes, and how often everything was cut so far.
#[derive(Debug, Clone, Copy)]
struct State {
    way: Way,
    cuts: u64,
}

/// The way to a nats-server.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    state: watch::Sender<State>,
}

impl Proxy {
    /// An open one. Inside a runtime, in which it goes on.
    ///
    /// # Panics
    /// If there is no free port.
    pub(crate) async fn start(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("a proxy: {error}"));
        let port = listener.local_addr().unwrap_or_else(|error| panic!("a proxy: {error}")).port();
        let state = watch::Sender::new(State { way: Way::Open, cuts: 0 });
        tokio::spawn(accept(listener, server_port, state.subscribe()));
        Self { port, state }
    }

    /// Where the service connects.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// From now on this passes.
    pub(crate) fn set(&self, way: Way) {
        self.state.send_modify(|state| state.way = way);
    }

    /// Cuts every connection now.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }
}

async fn accept(listener: TcpListener, server_port: u16, state: watch::Receiver<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let begun = *state.borrow();
        if begun.way == Way::Closed {
            continue;
        }
        let mut state = state.clone();
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(("127.0.0.1", server_port)).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let [one, other] = [state.clone(), state.clone()];
            tokio::select! {
                () = pass(from_client, to_server, one) => {}
                () = pass(from_server, to_client, other) => {}
                _ = state.wait_for(|now| now.way == Way::Closed || now.cuts > begun.cuts) => {}
            }
        });
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: watch::Receiver<State>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let way = state.borrow().way;
        if let Way::Slow(delay) = way {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
