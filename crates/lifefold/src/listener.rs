//! A listening address: first a waiting room, where health is NOT_SERVING and every call UNAVAILABLE, then the services.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use api::errors::Error;
use futures::{Stream, TryStreamExt};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::connection::Connection;

/// The kernel asks the other machine of a connection that is silent for so long whether it lives, and cuts it if it does
/// not answer: HTTP/2 could ask, too, but would look at its clock for that twice in every call.
const SILENT_FOR: Duration = Duration::from_secs(20);
/// How long it waits for each answer.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// How often it asks.
const ASK_TIMES: u32 = 2;
/// How long calls that were accepted may take once the process goes down.
const DRAIN_CALLS: Duration = Duration::from_secs(4);
/// When to call again a process that is starting.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long a health check in the waiting room may take to end.
const LEAVE_ROOM: Duration = Duration::from_millis(200);

/// A listening address. Cloned listeners share one queue of connections, so nobody is turned away in between.
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Listens.
    pub(crate) fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpListener::bind(address).map_err(|error| refused(address, &error))?;
        socket.set_nonblocking(true)?;
        Ok(Self { address: socket.local_addr()?, socket })
    }

    /// Where it listens; the port is the real one.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn connections(&self) -> anyhow::Result<impl Stream<Item = io::Result<Connection>> + use<>> {
        let socket = self.socket.try_clone().and_then(tokio::net::TcpListener::from_std);
        // An answer is small: without this it would wait for the acknowledgement of the one before, 40 ms.
        let accepted = TcpIncoming::from(socket.context("cannot accept connections")?).with_nodelay(Some(true));
        let looked_after = accepted
            .with_keepalive(Some(SILENT_FOR))
            .with_keepalive_interval(Some(ASK_EVERY))
            .with_keepalive_retries(Some(ASK_TIMES));
        Ok(looked_after.map_ok(Connection))
    }

    /// Says that these services do not serve yet, while the work goes on.
    pub(crate) async fn wait_for<T>(
        &self,
        services: &[&str],
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let reporter = HealthReporter::new();
        for service in services.iter().copied().chain([""]) {
            reporter.set_service_status(service, ServingStatus::NotServing).await;
        }
        let health = HealthServer::new(HealthService::from_health_reporter(reporter));
        let routes = Routes::new(health).into_axum_router().fallback(|| async { starting().into_http::<Body>() });
        let (leave, left) = oneshot::channel::<()>();
        let room =
            services::server().add_routes(routes.into()).serve_with_incoming_shutdown(self.connections()?, async {
                left.await.ok();
            });
        let mut room = tokio::spawn(room);
        let done = tokio::select! {
            done = work => done?,
            _ = &mut room => anyhow::bail!("health checks on {} have stopped", self.address),
        };
        leave.send(()).ok();
        if timeout(LEAVE_ROOM, &mut room).await.is_err() {
            // Somebody watches the health there; the connection is cut, and the watcher connects again.
            room.abort();
        }
        Ok(done)
    }

    /// Serves until it is told to stop, then finishes the calls that were accepted, under a deadline.
    pub(crate) async fn serve(self, routes: Routes, stop: CancellationToken) -> anyhow::Result<()> {
        let stopped = stop.clone().cancelled_owned();
        let serving = services::server().add_routes(routes).serve_with_incoming_shutdown(self.connections()?, stopped);
        drop(self.socket);
        tokio::pin!(serving);
        tokio::select! {
            ended = &mut serving => return ended.with_context(|| format!("serving on {} has stopped", self.address)),
            () = stop.cancelled() => {}
        }
        if timeout(DRAIN_CALLS, serving).await.is_err() {
            tracing::warn!(address = %self.address, "calls took too long to end; they are cut");
        }
        Ok(())
    }
}

/// What every other call hears in the waiting room.
fn starting() -> Status {
    let message = "this process is starting: the log is not open yet; send again in a moment".to_owned();
    Error::Unavailable { reason: "STARTING", message, retry_after: ASK_AGAIN, position: None }.into()
}

fn refused(address: SocketAddr, error: &std::io::Error) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {} on {} is in use; stop the other program, or choose another address with --listen",
            address.port(),
            address.ip()
        ),
        _ => anyhow::anyhow!("cannot listen on {address}: {error}; choose another address with --listen"),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::StreamExt;

    use super::*;

    #[tokio::test]
    async fn the_kernel_looks_after_silent_connections() {
        const ESTABLISHED: &str = "01";
        const TIMER_OF_KEEPALIVE: &str = "02:";
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let _caller = tokio::net::TcpStream::connect(listener.address()).await.unwrap();
        let _accepted = pin!(listener.connections().unwrap()).next().await.unwrap().unwrap();
        let port = format!(":{:04X}", listener.address().port());
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let timers: Vec<_> = (sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()))
            .filter(|socket| socket[1].ends_with(&port) && socket[3] == ESTABLISHED)
            .map(|socket| socket[5].to_owned())
            .collect();
        assert!(matches!(&timers[..], [timer] if timer.starts_with(TIMER_OF_KEEPALIVE)), "{sockets}");
    }

    #[test]
    fn a_port_in_use_is_named_in_one_line() {
        let first = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let told = Listener::bind(first.address()).err().unwrap().to_string();
        assert!(told.contains(&first.address().port().to_string()) && told.contains("--listen"), "{told}");
        assert_eq!(told.lines().count(), 1);
    }
}
