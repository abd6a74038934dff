//! `totals --from --to --every`: the same totals at many instants, one calendar step apart, all of one log.

mod chart;
mod steps;

use api::v1;
use serde_json::{Value, json};
use touchpoint::Date;

use super::asking::ViewClient;
use super::failure::Failure;
use super::json::{self as answers, Named};
use super::output::{self, Format, Screen};
use super::progress::Progress;
use super::query;
use crate::clock;
use steps::Every;

/// How totals are asked for over time; without `--from` they are of one instant.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Over time")]
pub(crate) struct Series {
    /// Totals over time, from the end of this day in Shanghai
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<Date>,
    /// Up to the end of this day; today is asked for as it is now
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<Date>,
    /// How far apart, by the calendar; a day that a month does not have is its last
    #[arg(long, value_enum, default_value_t = Every::Month, value_name = "STEP", requires = "from")]
    every: Every,
    /// At each instant only what was recorded by then, not what is known now
    #[arg(long, requires = "from")]
    as_known: bool,
}

/// Totals that can be shown over time.
pub(crate) trait Totals: Named {
    /// How many customers are counted, and how many of them are withheld.
    fn all(&self) -> [u64; 2];
    /// Axis, value, customers; the axis that says most comes first.
    fn rows(&self) -> Vec<(&'static str, String, u64)>;
    /// What they rest on.
    fn meta(&self) -> Option<&v1::AnswerMeta>;
}

/// Totals at the end of a day.
struct Point<M> {
    date: Date,
    answer: M,
}

impl Series {
    /// Shows the totals that `fetch` answers: of one instant by `table`, or over time.
    pub(crate) async fn show<M: Totals>(
        &self,
        ask: &ViewClient,
        mut fetch: impl AsyncFnMut(Option<v1::ViewQuery>) -> Result<M, Failure>,
        table: impl FnOnce(Screen, &M) -> String,
    ) -> Result<(), Failure> {
        let (Some(from), Some(to)) = (self.from, self.to) else {
            let answer = fetch(ask.query.clone()).await?;
            return ask.output.show(&answer, |screen| table(screen, &answer));
        };
        let asked = ask.query.clone().unwrap_or_default();
        self.allowed(&asked, to)?;
        let dates = steps::dates(from, to, self.every).map_err(Failure::Usage)?;
        let points = self.points(asked.clone(), &dates, fetch).await?;
        self.print(ask.output.output, &asked, &points)
    }

    /// All of one log: the one that the first is answered from.
    async fn points<M: Totals>(
        &self,
        mut asked: v1::ViewQuery,
        dates: &[Date],
        mut fetch: impl AsyncFnMut(Option<v1::ViewQuery>) -> Result<M, Failure>,
    ) -> Result<Vec<Point<M>>, Failure> {
        let mut progress = Progress::new(Some(dates.len() as u64));
        let mut points = Vec::with_capacity(dates.len());
        for &date in dates {
            let done = points.len();
            progress.at(done as u64, || format!("{done} of {} instants, next {date}", dates.len()));
            let answer = fetch(Some(self.query(&asked, date))).await?;
            asked.max_position = answer.meta().map_or(asked.max_position, |meta| meta.position);
            points.push(Point { date, answer });
        }
        progress.finish();
        Ok(points)
    }

    /// What makes no sense beside a span of time.
    fn allowed(&self, asked: &v1::ViewQuery, to: Date) -> Result<(), Failure> {
        let wrong = if asked.as_of.is_some() {
            "--as-of is one instant, --from and --to are many: give one or the other".to_owned()
        } else if self.as_known && asked.known_at.is_some() {
            "--as-known moves known_at with each instant, --known-at holds it: give one or the other".to_owned()
        } else if to > today() {
            format!("--to: {to} is not over yet; the last possible day is today, {}", today())
        } else {
            return Ok(());
        };
        Err(Failure::Usage(wrong))
    }

    fn query(&self, asked: &v1::ViewQuery, date: Date) -> v1::ViewQuery {
        // The end of today is still to come: it is asked for as of now.
        let as_of = (date < today()).then(|| query::end_of_day(date));
        let known_at = if self.as_known { as_of } else { asked.known_at };
        v1::ViewQuery { as_of, known_at, ..asked.clone() }
    }

    fn print<M: Totals>(&self, format: Format, asked: &v1::ViewQuery, points: &[Point<M>]) -> Result<(), Failure> {
        let known = match (self.as_known, asked.known_at) {
            (true, _) => "what was known at each instant",
            (false, Some(_)) => "what was known then",
            (false, None) => "what is known now",
        };
        match format {
            Format::Table => output::print(&chart::render(Screen::of_stdout(), points, known)),
            Format::Ndjson => points.iter().try_for_each(|point| output::print(&format!("{}\n", point.json()?))),
            Format::Json => {
                let all: Result<Vec<_>, _> = points.iter().map(Point::json).collect();
                output::print_json(&json!({ "every": self.every.name(), "as_known": self.as_known, "points": all? }))
            }
        }
    }
}

impl<M: Totals> Point<M> {
    /// The answer as the service gives it, with the date that it is of.
    fn json(&self) -> Result<Value, Failure> {
        let mut value = answers::value(&self.answer)?;
        value["date"] = json!(self.date.to_string());
        Ok(value)
    }
}

fn today() -> Date {
    clock::now().shanghai_date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_meanwhile_does_not_count() {
        let series = Series { from: None, to: None, every: Every::Month, as_known: false };
        let dates = ["2025-01-31", "2025-02-28", "2025-03-31"].map(|date| date.parse().unwrap());
        let (mut ends, mut log) = (Vec::new(), 7);
        let fetch = async |query: Option<v1::ViewQuery>| {
            let end = query.unwrap().max_position;
            let meta = Some(v1::AnswerMeta { position: if end > 0 { end } else { log }, ..Default::default() });
            ends.push(end);
            log += 1;
            Ok(v1::CountBandsResponse { meta, ..Default::default() })
        };
        series.points(v1::ViewQuery::default(), &dates, fetch).await.unwrap();
        assert_eq!(ends, [0, 7, 7]);
        let fixed = v1::ViewQuery { max_position: 5, ..Default::default() };
        let fetch = async |query: Option<v1::ViewQuery>| {
            let position = query.unwrap().max_position;
            let meta = Some(v1::AnswerMeta { position, ..Default::default() });
            Ok(v1::CountBandsResponse { meta, ..Default::default() })
        };
        let points = series.points(fixed, &dates, fetch).await.unwrap();
        assert!(points.iter().all(|point| point.answer.meta.as_ref().unwrap().position == 5));
    }
}
