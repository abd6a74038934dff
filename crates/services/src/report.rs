//! The satisfaction report: what is asked by unit, survey wave and port.

use api::errors::Error;
use api::page::Page;
use api::{report as convert, satisfaction, v1};
use tokio::time::Instant;
use touchpoint::ServicePort;
use views::rules::Satisfaction as Rules;
use views::satisfaction::{Name, PortScore, Satisfaction, Totals, Unit};

use crate::population::Population;
use crate::satisfaction::{Satisfied, port, severity};

/// What a report is asked for: a unit, a wave or the latest one, an earlier wave or the one before, ports.
struct Asking {
    unit: Unit,
    wave: Option<Name>,
    earlier: Option<Name>,
    ports: Vec<ServicePort>,
}

impl Asking {
    fn read(unit: Option<&v1::Unit>, wave: &str, earlier: &str, ports: &[i32]) -> Result<Self, Error> {
        Ok(Self {
            unit: convert::unit(unit)?,
            wave: convert::wave("wave_id", wave)?,
            earlier: convert::wave("previous_wave_id", earlier)?,
            ports: convert::ports(ports)?,
        })
    }
}

/// What a wave says. Without a wave, since nobody has answered yet, the name is empty and so is the rest.
struct Found<T> {
    wave: String,
    said: T,
    meta: v1::AnswerMeta,
}

impl Satisfied {
    pub(crate) async fn port_scores(
        &self,
        request: v1::GetPortScoresRequest,
        until: Instant,
    ) -> Result<v1::GetPortScoresResponse, Error> {
        let v1::GetPortScoresRequest { unit, wave_id, ports, previous_wave_id, query } = request;
        let asking = Asking::read(unit.as_ref(), &wave_id, &previous_wave_id, &ports)?;
        let Found { wave, said, meta } = self.scores(asking, query.as_ref(), until).await?;
        let scores = said.iter().map(convert::port_score).collect();
        Ok(v1::GetPortScoresResponse { wave_id: wave, scores, meta: Some(meta) })
    }

    pub(crate) async fn compare(
        &self,
        request: v1::CompareWavesRequest,
        until: Instant,
    ) -> Result<v1::CompareWavesResponse, Error> {
        let v1::CompareWavesRequest { unit, wave_id, previous_wave_id, ports, query } = request;
        let asking = Asking::read(unit.as_ref(), &wave_id, &previous_wave_id, &ports)?;
        let Found { wave, said, meta } = self.scores(asking, query.as_ref(), until).await?;
        let comparisons = said.iter().map(convert::wave_comparison).collect();
        Ok(v1::CompareWavesResponse { wave_id: wave, comparisons, meta: Some(meta) })
    }

    pub(crate) async fn indicators(
        &self,
        request: v1::GetIndicatorsRequest,
        until: Instant,
    ) -> Result<v1::GetIndicatorsResponse, Error> {
        let v1::GetIndicatorsRequest { unit, wave_id, ports, previous_wave_id, query } = request;
        let asking = Asking::read(unit.as_ref(), &wave_id, &previous_wave_id, &ports)?;
        let read = |totals: &Totals, rules: &Rules, asking: &Asking, wave: &Name| {
            totals.indicators(&asking.unit, wave, asking.earlier.as_ref(), &asking.ports, rules)
        };
        let Found { wave, said, meta } = self.read_wave(asking, query.as_ref(), until, read).await?;
        let indicators = said.iter().map(convert::indicator).collect();
        Ok(v1::GetIndicatorsResponse { wave_id: wave, indicators, meta: Some(meta) })
    }

    pub(crate) async fn rank(
        &self,
        request: v1::RankUnitsRequest,
        until: Instant,
    ) -> Result<v1::RankUnitsResponse, Error> {
        let page = Page::of(&request)?;
        let start = page.cursor.as_deref().map_or(Ok(0), index)?;
        let kind = convert::unit_kind_from(request.kind);
        let kind = kind.ok_or_else(|| Error::field("kind", "is required: COMPANY or PROJECT"))?;
        let port = port(request.port)?.unwrap_or(ServicePort::Overall);
        let asking = Asking::read(None, &request.wave_id, "", &[])?;
        let read = move |totals: &Totals, rules: &Rules, _: &Asking, wave: &Name| {
            (totals.rank(kind, port, wave, rules), totals.score(&Unit::Group, port, wave))
        };
        let Found { wave, said: (ranked, group), meta } =
            self.read_wave(asking, request.query.as_ref(), until, read).await?;
        let end = start.saturating_add(page.size);
        let more = ranked.len() > end;
        Ok(v1::RankUnitsResponse {
            wave_id: wave,
            units: convert::ranking(&ranked).into_iter().skip(start).take(page.size).collect(),
            group: Some(convert::score(&group)),
            next_page_token: if more { page.token(&(end as u64).to_be_bytes()) } else { String::new() },
            meta: Some(meta),
        })
    }

    pub(crate) async fn nps(&self, request: v1::GetNpsRequest, until: Instant) -> Result<v1::GetNpsResponse, Error> {
        let port = port(request.port)?.unwrap_or(ServicePort::Overall);
        let asking = Asking::read(request.unit.as_ref(), &request.wave_id, "", &[])?;
        let read = move |totals: &Totals, _: &Rules, asking: &Asking, wave: &Name| {
            let of = |unit: &Unit| (totals.nps(unit, port, wave), totals.ces(unit, port, wave));
            (of(&asking.unit), of(&Unit::Group))
        };
        let Found { wave, said: ((nps, ces), (group_nps, group_ces)), meta } =
            self.read_wave(asking, request.query.as_ref(), until, read).await?;
        Ok(v1::GetNpsResponse {
            wave_id: wave,
            port: api::names::port(port).into(),
            nps: Some(convert::nps(&nps)),
            group_nps: Some(convert::nps(&group_nps)),
            ces: Some(convert::ces(&ces)),
            group_ces: Some(convert::ces(&group_ces)),
            meta: Some(meta),
        })
    }

    pub(crate) async fn service_level(
        &self,
        request: v1::GetComplaintServiceLevelRequest,
        until: Instant,
    ) -> Result<v1::GetComplaintServiceLevelResponse, Error> {
        let unit = convert::unit(request.unit.as_ref())?;
        let (port, severity) = (port(request.port)?, severity(request.severity)?);
        let mut asked = self.view.ask(request.query.as_ref(), until).await?;
        let read = move |all: &Population<'_, Satisfaction>| all.totals.service_levels(&unit, port, severity);
        let levels = self.view.all(&mut asked, until, read).await?;
        let meta = Some(asked.meta_of_all());
        Ok(v1::GetComplaintServiceLevelResponse { meta, ..satisfaction::service_levels(&levels) })
    }

    async fn scores(
        &self,
        asking: Asking,
        query: Option<&v1::ViewQuery>,
        until: Instant,
    ) -> Result<Found<Vec<PortScore>>, Error> {
        let read = |totals: &Totals, rules: &Rules, asking: &Asking, wave: &Name| {
            totals.port_scores(&asking.unit, wave, asking.earlier.as_ref(), &asking.ports, rules)
        };
        self.read_wave(asking, query, until, read).await
    }

    /// Reads the totals of the wave that is asked for, by default of the latest one at the instant.
    async fn read_wave<T: Default + Send + 'static>(
        &self,
        asking: Asking,
        query: Option<&v1::ViewQuery>,
        until: Instant,
        read: impl FnOnce(&Totals, &Rules, &Asking, &Name) -> T + Send + 'static,
    ) -> Result<Found<T>, Error> {
        let mut asked = self.view.ask(query, until).await?;
        let find = move |all: &Population<'_, Satisfaction>| {
            let wave = asking.wave.clone().or_else(|| all.totals.latest_wave().cloned());
            let rules = &all.rules.satisfaction;
            let said = wave.as_ref().map(|wave| read(all.totals, rules, &asking, wave)).unwrap_or_default();
            (wave.map(|wave| wave.to_string()).unwrap_or_default(), said)
        };
        let (wave, said) = self.view.all(&mut asked, until, find).await?;
        Ok(Found { wave, said, meta: asked.meta_of_all() })
    }
}

/// The cursor of a ranking: how many units were listed.
fn index(cursor: &[u8]) -> Result<usize, Error> {
    let bytes = cursor.try_into().ok().map(u64::from_be_bytes);
    bytes.and_then(|index| usize::try_from(index).ok()).ok_or_else(|| Error::field("page_token", "is damaged"))
}
