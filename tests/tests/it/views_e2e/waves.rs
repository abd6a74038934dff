//! One wave against another: CompareWaves and GetIndicators, of every unit, against the oracle.

use std::collections::BTreeSet;

use api::v1;
use oracle::{Comparison, Score, Unit, compare};
use tests::Clients;

use crate::views_e2e::question::{Question, port, trend};
use crate::views_e2e::satisfaction::{place, same_score, sent};

/// Each wave of the group against the one before, and of every other unit against the first of all.
pub(crate) async fn comparisons(
    reader: &Clients,
    question: &Question,
    waves: &BTreeSet<String>,
    units: &BTreeSet<Unit>,
) {
    for unit in units {
        let earlier = waves.first().filter(|_| *unit != Unit::Group).map(String::as_str);
        for wave in waves {
            comparison(reader, question, unit, wave, earlier.filter(|earlier| *earlier != wave.as_str())).await;
        }
    }
}

async fn comparison(reader: &Clients, question: &Question, unit: &Unit, wave: &str, earlier: Option<&str>) {
    let surveys = &question.wanted.surveys;
    let request = v1::CompareWavesRequest {
        unit: sent(unit),
        wave_id: wave.to_owned(),
        previous_wave_id: earlier.unwrap_or_default().to_owned(),
        query: question.query(),
        ..Default::default()
    };
    let found = reader.satisfaction().compare_waves(request).await.unwrap().into_inner();
    assert_eq!((found.wave_id.as_str(), found.comparisons.len()), (wave, 9));
    for it in found.comparisons {
        let port = port(it.port);
        let name = format!("{unit:?} {wave} against {earlier:?} {port} {}", question.name);
        let score_in = |wave: &str| surveys.scores.get(&place(unit, wave, &port));
        same_score(it.score, score_in(wave), &name);
        let earlier = earlier.map(str::to_owned).or_else(|| surveys.earlier_wave(wave, &port));
        same_change(it.change, earlier.as_deref(), score_in, score_in(wave), &name);
    }
}

/// Item by item, beside the group's and against the wave before.
pub(crate) async fn indicators(reader: &Clients, question: &Question, unit: &Unit, wave: &str) {
    let surveys = &question.wanted.surveys;
    let (wave_id, query) = (wave.to_owned(), question.query());
    let request = v1::GetIndicatorsRequest { unit: sent(unit), wave_id, query, ..Default::default() };
    let found = reader.satisfaction().get_indicators(request).await.unwrap().into_inner().indicators;
    let items: Vec<_> = found.iter().map(|it| (it.port, it.item_code.clone())).collect();
    assert_eq!(items, items_of_group(question, wave), "{wave} {}", question.name);
    for it in found {
        let (port, item) = (port(it.port), it.item_code);
        let name = format!("{unit:?} {port} {item} {wave} {}", question.name);
        let score_of = |unit: &Unit, wave: &str| surveys.indicators.get(&(place(unit, wave, &port), item.clone()));
        same_score(it.score, score_of(unit, wave), &name);
        same_score(it.group, score_of(&Unit::Group, wave), &name);
        let earlier = surveys.earlier_wave(wave, &port);
        same_change(it.change, earlier.as_deref(), |wave| score_of(unit, wave), score_of(unit, wave), &name);
    }
}

/// The items of which the group has a valid answer, by port, then code.
fn items_of_group(question: &Question, wave: &str) -> Vec<(i32, String)> {
    let of_wave = question.wanted.surveys.indicators.keys();
    let of_wave = of_wave.filter(|(place, _)| place.unit == Unit::Group && place.wave == wave);
    let number = |port: &str| v1::ServicePort::from_str_name(&format!("SERVICE_PORT_{port}")).unwrap().into();
    let mut items: Vec<_> = of_wave.map(|(place, item)| (number(&place.port), item.clone())).collect();
    items.sort();
    items
}

fn same_change<'s>(
    found: Option<v1::Change>,
    earlier: Option<&str>,
    score_in: impl Fn(&str) -> Option<&'s Score>,
    later: Option<&Score>,
    name: &str,
) {
    assert_eq!(found.as_ref().map(|it| it.previous_wave_id.as_str()), earlier, "{name}");
    let (Some(found), Some(earlier)) = (found, earlier) else { return };
    let before = score_in(earlier);
    let wanted = compare(before.copied().unwrap_or_default(), later.copied().unwrap_or_default());
    let verdict = found.z_hundredths.map(|_| trend(found.trend));
    let given = (found.difference_pp_hundredths.map(i64::from), found.z_hundredths, verdict);
    let Comparison { delta, z, verdict } = match wanted {
        Some(wanted) => wanted,
        None => return assert_eq!(given, (None, None, None), "{name}"),
    };
    assert_eq!(given, (Some(delta), Some(z), Some(verdict.to_owned())), "{name}");
    same_score(found.previous, before, name);
}
