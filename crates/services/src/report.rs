//! The satisfaction report: what is asked by unit, survey wave and port.

use api::errors::Error;
use api::{report as convert, satisfaction, v1};
use tokio::time::Instant;
use touchpoint::{Code, ServicePort};
use views::rules::Satisfaction as Rules;
use views::satisfaction::{Name, PortScore, Ranked, Satisfaction, Score, Totals, Unit};

use crate::listing::Listing;
use crate::population::Population;
use crate::satisfaction::{SatisfactionService, port, severity};
use crate::view_reader::ResolvedQuery;

/// What a report is asked for: a unit, a wave or the latest one, an earlier wave or the one before, ports.
struct ReportQuery {
    unit: Unit,
    wave: Option<Name>,
    earlier: Option<Name>,
    ports: Vec<ServicePort>,
}

impl ReportQuery {
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
    asked: ResolvedQuery<Satisfaction>,
}

impl SatisfactionService {
    pub(crate) async fn port_scores(
        &self,
        request: v1::GetPortScoresRequest,
        until: Instant,
    ) -> Result<v1::GetPortScoresResponse, Error> {
        let v1::GetPortScoresRequest { unit, wave_id, ports, previous_wave_id, query } = request;
        let asking = ReportQuery::read(unit.as_ref(), &wave_id, &previous_wave_id, &ports)?;
        let Found { wave, said, asked } = self.scores(asking, query.as_ref(), until).await?;
        let scores = said.iter().map(convert::port_score).collect();
        Ok(v1::GetPortScoresResponse { wave_id: wave, scores, meta: Some(asked.meta_of_all()) })
    }

    pub(crate) async fn compare(
        &self,
        request: v1::CompareWavesRequest,
        until: Instant,
    ) -> Result<v1::CompareWavesResponse, Error> {
        let v1::CompareWavesRequest { unit, wave_id, previous_wave_id, ports, query } = request;
        let asking = ReportQuery::read(unit.as_ref(), &wave_id, &previous_wave_id, &ports)?;
        let Found { wave, said, asked } = self.scores(asking, query.as_ref(), until).await?;
        let comparisons = said.iter().map(convert::wave_comparison).collect();
        Ok(v1::CompareWavesResponse { wave_id: wave, comparisons, meta: Some(asked.meta_of_all()) })
    }

    pub(crate) async fn indicators(
        &self,
        request: v1::GetIndicatorsRequest,
        until: Instant,
    ) -> Result<v1::GetIndicatorsResponse, Error> {
        let v1::GetIndicatorsRequest { unit, wave_id, ports, previous_wave_id, query } = request;
        let asking = ReportQuery::read(unit.as_ref(), &wave_id, &previous_wave_id, &ports)?;
        let read = |totals: &Totals, rules: &Rules, asking: &ReportQuery, wave: &Name| {
            totals.indicators(&asking.unit, wave, asking.earlier.as_ref(), &asking.ports, rules)
        };
        let asked = self.view.ask(query.as_ref(), until).await?;
        let Found { wave, said, asked } = self.read_wave(asking, asked, until, read).await?;
        let indicators = said.iter().map(convert::indicator).collect();
        Ok(v1::GetIndicatorsResponse { wave_id: wave, indicators, meta: Some(asked.meta_of_all()) })
    }

    pub(crate) async fn rank(
        &self,
        request: v1::RankUnitsRequest,
        until: Instant,
    ) -> Result<v1::RankUnitsResponse, Error> {
        let listing = Listing::of(&request)?;
        let last = listing.after(Last::read)?;
        let kind = convert::unit_kind_from(request.kind);
        let kind = kind.ok_or_else(|| Error::field("kind", "is required: COMPANY or PROJECT"))?;
        let port = port(request.port)?.unwrap_or(ServicePort::Overall);
        // The latest wave may be another one by now: all pages are of that of the first.
        let wave = last.as_ref().map_or(request.wave_id.as_str(), |last| last.wave.as_str());
        let asking = ReportQuery::read(None, wave, "", &[])?;
        let read = move |totals: &Totals, rules: &Rules, _: &ReportQuery, wave: &Name| {
            let ranked = totals.rank(kind, port, wave, rules);
            let listed = |last: Last| ranked.partition_point(|unit| !unit.follows(&last.unit, rules));
            (last.map_or(0, listed), ranked, totals.score(&Unit::Group, port, wave))
        };
        let asked = listing.ask(&self.view, request.query.as_ref(), until).await?;
        let Found { wave, said: (start, ranked, group), asked } = self.read_wave(asking, asked, until, read).await?;
        let end = start.saturating_add(listing.size());
        let last = ranked.get(..end).and_then(<[_]>::last).filter(|_| ranked.len() > end);
        let token = |unit: &Ranked| listing.token(&asked, &Last::bytes(&wave, unit));
        Ok(v1::RankUnitsResponse {
            next_page_token: last.map(token).unwrap_or_default(),
            units: convert::ranking(&ranked).into_iter().skip(start).take(listing.size()).collect(),
            group: Some(convert::score(&group)),
            meta: Some(asked.meta_of_all()),
            wave_id: wave,
        })
    }

    pub(crate) async fn nps(&self, request: v1::GetNpsRequest, until: Instant) -> Result<v1::GetNpsResponse, Error> {
        let port = port(request.port)?.unwrap_or(ServicePort::Overall);
        let asking = ReportQuery::read(request.unit.as_ref(), &request.wave_id, "", &[])?;
        let read = move |totals: &Totals, _: &Rules, asking: &ReportQuery, wave: &Name| {
            let of = |unit: &Unit| (totals.nps(unit, port, wave), totals.ces(unit, port, wave));
            (of(&asking.unit), of(&Unit::Group))
        };
        let asked = self.view.ask(request.query.as_ref(), until).await?;
        let Found { wave, said: ((nps, ces), (group_nps, group_ces)), asked } =
            self.read_wave(asking, asked, until, read).await?;
        Ok(v1::GetNpsResponse {
            wave_id: wave,
            port: api::names::port(port).into(),
            nps: Some(convert::nps(&nps)),
            group_nps: Some(convert::nps(&group_nps)),
            ces: Some(convert::ces(&ces)),
            group_ces: Some(convert::ces(&group_ces)),
            meta: Some(asked.meta_of_all()),
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
        asking: ReportQuery,
        query: Option<&v1::ViewQuery>,
        until: Instant,
    ) -> Result<Found<Vec<PortScore>>, Error> {
        let read = |totals: &Totals, rules: &Rules, asking: &ReportQuery, wave: &Name| {
            totals.port_scores(&asking.unit, wave, asking.earlier.as_ref(), &asking.ports, rules)
        };
        let asked = self.view.ask(query, until).await?;
        self.read_wave(asking, asked, until, read).await
    }

    /// Reads the totals of the wave that is asked for, by default of the latest one at the instant.
    async fn read_wave<T: Default + Send + 'static>(
        &self,
        asking: ReportQuery,
        mut asked: ResolvedQuery<Satisfaction>,
        until: Instant,
        read: impl FnOnce(&Totals, &Rules, &ReportQuery, &Name) -> T + Send + 'static,
    ) -> Result<Found<T>, Error> {
        let find = move |all: &Population<'_, Satisfaction>| {
            let wave = asking.wave.clone().or_else(|| all.totals.latest_wave().cloned());
            let (rules, with_itself) = (&all.rules.satisfaction, wave.is_some() && wave == asking.earlier);
            let said = wave.as_ref().map(|wave| read(all.totals, rules, &asking, wave)).unwrap_or_default();
            (wave.map(|wave| wave.to_string()).unwrap_or_default(), with_itself, said)
        };
        let (wave, with_itself, said) = self.view.all(&mut asked, until, find).await?;
        if with_itself {
            return Err(Error::field(
                "previous_wave_id",
                format!("expected another wave than {wave}, the one asked for"),
            ));
        }
        Ok(Found { wave, said, asked })
    }
}

/// The last unit of a page of a ranking: by what it was listed, and the wave.
struct Last {
    unit: Ranked,
    wave: String,
}

impl Last {
    fn bytes(wave: &str, Ranked { unit, score, rank: _ }: &Ranked) -> Vec<u8> {
        let Score { n, satisfied, top, sum } = score;
        let counts = [n, satisfied, top, sum].map(|count| count.to_be_bytes()).concat();
        [&counts[..], wave.as_bytes(), SEPARATOR, unit.as_str().as_bytes()].concat()
    }

    fn read(cursor: &[u8]) -> Option<Self> {
        let mut rest = cursor;
        let mut count = || -> Option<u64> {
            let (count, more) = rest.split_first_chunk()?;
            rest = more;
            Some(u64::from_be_bytes(*count))
        };
        let score = Score { n: count()?, satisfied: count()?, top: count()?, sum: count()? };
        let (wave, unit) = std::str::from_utf8(rest).ok()?.split_once('/')?;
        let code = |text: &str| Code::new(text.to_owned()).is_some();
        let unit = (code(wave) && code(unit)).then(|| Ranked { unit: unit.into(), rank: None, score })?;
        Some(Self { unit, wave: wave.to_owned() })
    }
}

/// Between two codes, in none of which it occurs.
const SEPARATOR: &[u8] = b"/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_unit_of_a_page_comes_back() {
        let score = Score { n: 30, satisfied: 15, top: 10, sum: 120 };
        let unit = Ranked { unit: "P003".into(), rank: Some(4), score };
        let bytes = Last::bytes("2025", &unit);
        let last = Last::read(&bytes).unwrap();
        assert_eq!((last.wave.as_str(), last.unit), ("2025", Ranked { rank: None, ..unit }));
        for damaged in [&bytes[..20], &bytes[..37], &[&bytes[..], b"/x"].concat(), &bytes[..bytes.len() - 4]] {
            assert!(Last::read(damaged).is_none(), "{damaged:?}");
        }
    }
}
