//! What of the demo is in the log of a data folder, so that a second `up --demo` sends nothing twice.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const FILE: &str = "demo.json";

/// How far the demo was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// The log that it was imported into.
    pub(crate) epoch: Uuid,
    /// How many customers it has.
    pub(crate) customers: u64,
    /// So many of its items, in their order, are durable.
    pub(crate) acknowledged: u64,
    /// All of them are.
    pub(crate) complete: bool,
    /// The greatest position of an item.
    pub(crate) last_position: u64,
}

impl Marker {
    /// What is known of this log and demo. An error if the log has another demo.
    pub(crate) fn read(data: &Path, epoch: Uuid, customers: u64) -> anyhow::Result<Self> {
        let none = Self { epoch, customers, acknowledged: 0, complete: false, last_position: 0 };
        let found = std::fs::read(path(data)).ok().and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        match found.filter(|found| found.epoch == epoch) {
            None => Ok(none),
            Some(found) if found.customers == customers => Ok(found),
            Some(Self { customers: other, .. }) => bail!(
                "{} has a demo of {other} customers already; ask for --demo {other}, or name another folder with --data",
                data.display()
            ),
        }
    }

    /// Writes it down, whole or not at all.
    pub(crate) fn write(&self, data: &Path) -> anyhow::Result<()> {
        let (path, text) = (path(data), serde_json::to_vec(self));
        let written = text.map_err(std::io::Error::from).and_then(|text| view_store::replace(&path, &text));
        written.with_context(|| format!("cannot write {}", path.display()))
    }
}

fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_holds_for_its_log_and_its_demo_only() {
        let folder = tempfile::tempdir().unwrap();
        let (log, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut marker = Marker::read(folder.path(), log, 10).unwrap();
        assert_eq!((marker.acknowledged, marker.complete), (0, false));
        marker.acknowledged = 7;
        marker.write(folder.path()).unwrap();
        assert_eq!(Marker::read(folder.path(), log, 10).unwrap(), marker);
        assert_eq!(Marker::read(folder.path(), other, 10).unwrap().acknowledged, 0);
        let told = Marker::read(folder.path(), log, 11).unwrap_err().to_string();
        assert!(told.contains("--demo 10"), "{told}");
    }
}
