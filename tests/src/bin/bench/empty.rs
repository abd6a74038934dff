//! An empty method: what gRPC costs on this machine without any view behind it. In a process of its own, as a view is.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use api::v1::churn_risk_service_server::{ChurnRiskService, ChurnRiskServiceServer};
use api::v1::{
    BatchGetRisksRequest, BatchGetRisksResponse, ChurnRiskServiceDiffRulesRequest, ChurnRiskServiceDiffRulesResponse,
    CountBandsRequest, CountBandsResponse, ExportRisksRequest, ExportRisksResponse, GetRiskRequest, GetRiskResponse,
    ListAtRiskRequest, ListAtRiskResponse, WatchRiskRequest, WatchRiskResponse,
};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// The name of the part that runs in a process of its own.
pub(crate) const PART: &str = "empty";

/// The process that serves it; killed when dropped.
pub(crate) struct Empty {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Empty {
    /// Starts it.
    pub(crate) fn start() -> Result<Self> {
        let this = std::env::current_exe().context("where this program is")?;
        let mut child = Command::new(this).args([crate::PART, PART]).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut line)?;
        let address = line.trim().parse().context("the address of the empty method")?;
        Ok(Self { address, child })
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Serves it until it is killed.
pub(crate) fn part() -> Result<()> {
    tokio::runtime::Runtime::new().context("a runtime")?.block_on(async {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?.with_nodelay(Some(true));
        println!("{}", incoming.local_addr()?);
        let server = Server::builder().add_service(ChurnRiskServiceServer::new(Nothing));
        server.serve_with_incoming(incoming).await.context("the empty method")
    })
}

/// Answers nothing.
struct Nothing;

#[tonic::async_trait]
impl ChurnRiskService for Nothing {
    async fn get_risk(&self, _: Request<GetRiskRequest>) -> Result<Response<GetRiskResponse>, Status> {
        Ok(Response::new(GetRiskResponse::default()))
    }

    async fn batch_get_risks(
        &self,
        _: Request<BatchGetRisksRequest>,
    ) -> Result<Response<BatchGetRisksResponse>, Status> {
        Ok(Response::new(BatchGetRisksResponse::default()))
    }

    async fn list_at_risk(&self, _: Request<ListAtRiskRequest>) -> Result<Response<ListAtRiskResponse>, Status> {
        Ok(Response::new(ListAtRiskResponse::default()))
    }

    async fn count_bands(&self, _: Request<CountBandsRequest>) -> Result<Response<CountBandsResponse>, Status> {
        Ok(Response::new(CountBandsResponse::default()))
    }

    type ExportRisksStream = futures::stream::Empty<Result<ExportRisksResponse, Status>>;

    async fn export_risks(&self, _: Request<ExportRisksRequest>) -> Result<Response<Self::ExportRisksStream>, Status> {
        Ok(Response::new(futures::stream::empty()))
    }

    async fn diff_rules(
        &self,
        _: Request<ChurnRiskServiceDiffRulesRequest>,
    ) -> Result<Response<ChurnRiskServiceDiffRulesResponse>, Status> {
        Ok(Response::new(ChurnRiskServiceDiffRulesResponse::default()))
    }

    type WatchRiskStream = futures::stream::Empty<Result<WatchRiskResponse, Status>>;

    async fn watch_risk(&self, _: Request<WatchRiskRequest>) -> Result<Response<Self::WatchRiskStream>, Status> {
        Ok(Response::new(futures::stream::empty()))
    }
}
