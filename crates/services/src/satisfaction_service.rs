//! SatisfactionService: its methods; what they do is in [`crate::satisfaction`] and [`crate::report`].

use api::v1;
use futures::stream::BoxStream;
use tonic::{Request, Response, Status};

use crate::satisfaction::SatisfactionService;
use crate::{call, export, rules_diff};

const SERVICE: &str = "SatisfactionService";

#[tonic::async_trait]
impl v1::satisfaction_service_server::SatisfactionService for SatisfactionService {
    async fn get_customer_index(
        &self,
        request: Request<v1::GetCustomerIndexRequest>,
    ) -> Result<Response<v1::GetCustomerIndexResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "GetCustomerIndex", self.get(request.into_inner(), until)).await
    }

    async fn batch_get_customer_indexes(
        &self,
        request: Request<v1::BatchGetCustomerIndexesRequest>,
    ) -> Result<Response<v1::BatchGetCustomerIndexesResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "BatchGetCustomerIndexes", self.batch(request.into_inner(), until)).await
    }

    async fn count_classes(
        &self,
        request: Request<v1::CountClassesRequest>,
    ) -> Result<Response<v1::CountClassesResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "CountClasses", self.count_classes(request.into_inner(), until)).await
    }

    async fn get_port_scores(
        &self,
        request: Request<v1::GetPortScoresRequest>,
    ) -> Result<Response<v1::GetPortScoresResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "GetPortScores", self.port_scores(request.into_inner(), until)).await
    }

    async fn get_indicators(
        &self,
        request: Request<v1::GetIndicatorsRequest>,
    ) -> Result<Response<v1::GetIndicatorsResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "GetIndicators", self.indicators(request.into_inner(), until)).await
    }

    async fn compare_waves(
        &self,
        request: Request<v1::CompareWavesRequest>,
    ) -> Result<Response<v1::CompareWavesResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "CompareWaves", self.compare(request.into_inner(), until)).await
    }

    async fn rank_units(
        &self,
        request: Request<v1::RankUnitsRequest>,
    ) -> Result<Response<v1::RankUnitsResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "RankUnits", self.rank(request.into_inner(), until)).await
    }

    async fn get_nps(&self, request: Request<v1::GetNpsRequest>) -> Result<Response<v1::GetNpsResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "GetNps", self.nps(request.into_inner(), until)).await
    }

    async fn get_complaint_service_level(
        &self,
        request: Request<v1::GetComplaintServiceLevelRequest>,
    ) -> Result<Response<v1::GetComplaintServiceLevelResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "GetComplaintServiceLevel", self.service_level(request.into_inner(), until)).await
    }

    async fn list_open_complaints(
        &self,
        request: Request<v1::ListOpenComplaintsRequest>,
    ) -> Result<Response<v1::ListOpenComplaintsResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "ListOpenComplaints", self.list_open(request.into_inner(), until)).await
    }

    type ExportCustomerIndexesStream = BoxStream<'static, Result<v1::ExportCustomerIndexesResponse, Status>>;

    async fn export_customer_indexes(
        &self,
        request: Request<v1::ExportCustomerIndexesRequest>,
    ) -> Result<Response<Self::ExportCustomerIndexesStream>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "ExportCustomerIndexes", export::start(&self.view, request.into_inner(), until)).await
    }

    async fn diff_rules(
        &self,
        request: Request<v1::SatisfactionServiceDiffRulesRequest>,
    ) -> Result<Response<v1::SatisfactionServiceDiffRulesResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "DiffRules", rules_diff::diff(&self.view, request.into_inner(), until)).await
    }
}
