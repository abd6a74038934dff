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

/// How long calls that were accepted may take once the process goes down.
const DRAIN_CALLS: Duration = Duration::from_secs(4);
/// When to call again a process that is starting.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long a health check in the waiting room may take to end.
const LEAVE_ROOM: Duration = Duration::from_millis(200);

/// A listening address. Cloned listeners share one queue of connections, so nobody is turned away in between.
pub(crate) struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Door {
    /// Listens.
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).map_err(|error| refused(address, &error))?;
        listener.set_nonblocking(true)?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// Where it listens; the port is the real one.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn connections(&self) -> anyhow::Result<impl Stream<Item = io::Result<Connection>> + use<>> {
        let listener = self.listener.try_clone().and_then(tokio::net::TcpListener::from_std);
        // An answer is small: without this it would wait for the acknowledgement of the one before, 40 ms.
        let accepted = TcpIncoming::from(listener.context("cannot accept connections")?).with_nodelay(Some(true));
        Ok(accepted.map_ok(Connection))
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
        drop(self.listener);
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
    use super::*;

    #[test]
    fn a_port_in_use_is_named_in_one_line() {
        let first = Door::open("127.0.0.1:0".parse().unwrap()).unwrap();
        let told = Door::open(first.address()).err().unwrap().to_string();
        assert!(told.contains(&first.address().port().to_string()) && told.contains("--listen"), "{told}");
        assert_eq!(told.lines().count(), 1);
    }
}
