//! The numbers that a business tunes, under their names in the rules file.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use toml::{Table, Value as Toml};

/// The numbers that the domain gives.
const DEFAULTS: &str = include_str!("numbers.toml");
const MILLION: f64 = 1e6;

static DEFAULT: LazyLock<Arc<Numbers>> = LazyLock::new(|| Arc::new(Numbers(read(DEFAULTS).unwrap_or_default())));

/// Numbers that are not of the agreed form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("wrong numbers: {0}")]
pub struct WrongNumbers(String);

/// Every number by its path, such as `churn.gap_days.STABLE` or `segmentation.recency_days.0`, in millionths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers(BTreeMap<String, i64>);

impl Numbers {
    /// The domain's numbers, but for those that a rules file gives.
    pub fn parse(text: &str) -> Result<Arc<Self>, WrongNumbers> {
        let mut numbers = DEFAULT.0.clone();
        for (path, value) in read(text)? {
            match numbers.get_mut(&path) {
                Some(number) => *number = value,
                None => return Err(WrongNumbers(format!("nothing is called {path}"))),
            }
        }
        Ok(Arc::new(Self(numbers)))
    }

    /// The domain's own.
    pub(crate) fn domain() -> Arc<Self> {
        DEFAULT.clone()
    }

    /// A number in millionths: points, weights, probabilities.
    pub(crate) fn millionths(&self, path: &str) -> i64 {
        self.0.get(path).copied().unwrap_or_else(|| unreachable!("nothing is called {path}"))
    }

    /// A whole number: days, months, fen, how many.
    pub(crate) fn whole(&self, path: &str) -> i64 {
        self.millionths(path) / 1_000_000
    }

    /// A number with two decimals: an index, a score.
    pub(crate) fn hundredths(&self, path: &str) -> i64 {
        self.millionths(path) / 10_000
    }

    /// Whole numbers of a list.
    pub(crate) fn list<const N: usize>(&self, path: &str) -> [i64; N] {
        std::array::from_fn(|index| self.whole(&format!("{path}.{index}")))
    }
}

fn read(text: &str) -> Result<BTreeMap<String, i64>, WrongNumbers> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| WrongNumbers(error.to_string()))?;
    let mut numbers = BTreeMap::new();
    flatten("", &Toml::Table(table), &mut numbers);
    Ok(numbers)
}

fn flatten(path: &str, value: &Toml, numbers: &mut BTreeMap<String, i64>) {
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Toml::Table(table) => table.iter().for_each(|(key, value)| flatten(&inner(key), value, numbers)),
        Toml::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| flatten(&inner(&index.to_string()), value, numbers));
        }
        Toml::Integer(number) => drop(numbers.insert(path.to_owned(), number * 1_000_000)),
        Toml::Float(number) => drop(numbers.insert(path.to_owned(), (number * MILLION).round() as i64)),
        _ => {}
    }
}
