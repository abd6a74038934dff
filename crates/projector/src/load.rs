//! From disk to memory: opens the store of a view, sets it aside where it is damaged, and reads its records.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use touchpoint::{CustomerId, Position, Timestamp};
use view_store::{GenerationId, Head, LoadError, OpenError, PageNumber, Store, set_aside};
use views::rules::Rules;
use views::{FOLD_VERSION, Record, View};

use crate::Generation;
use crate::commit::lost;
use crate::cores::{self, Priority};
use crate::source::Checkpoint;

/// What was found on disk.
pub(crate) struct Loaded<V: View> {
    pub(crate) store: Store,
    /// The serving generation; nothing where there is none of this view and fold version.
    pub(crate) generation: Option<(GenerationId, Arc<Generation<V>>)>,
}

/// Opens the store and reads the serving generation. A damaged store is set aside, never deleted.
pub(crate) fn load<V: View>(dir: &Path, rules: &Arc<Rules>) -> Result<Loaded<V>, OpenError> {
    let store = match Store::open(dir) {
        Err(OpenError::Damaged { reason, .. }) => return fresh(dir, &reason),
        opened => opened?,
    };
    match serving(&store, rules) {
        Ok(generation) => Ok(Loaded { store, generation }),
        Err(error) if error.is_damage() => {
            drop(store);
            fresh(dir, &error.to_string())
        }
        Err(error) => Err(OpenError::Io { dir: dir.to_owned(), source: std::io::Error::other(error.to_string()) }),
    }
}

fn fresh<V: View>(dir: &Path, reason: &str) -> Result<Loaded<V>, OpenError> {
    let aside = set_aside(dir).map_err(|source| OpenError::Io { dir: dir.to_owned(), source })?;
    tracing::error!(view = V::NAME, reason, kept = %aside.display(), "the store is damaged: set aside, folding again");
    Ok(Loaded { store: Store::open(dir)?, generation: None })
}

type Found<V> = Option<(GenerationId, Arc<Generation<V>>)>;

fn serving<V: View>(store: &Store, rules: &Arc<Rules>) -> Result<Found<V>, LoadError> {
    let Some(id) = store.serving()? else { return Ok(None) };
    let found = generation(store, id, rules, Priority::Normal)?;
    if found.is_none() {
        tracing::warn!(view = V::NAME, "the store is of another fold: folding again");
    }
    Ok(found.map(|generation| (id, generation)))
}

/// Reads a generation; nothing if it is of another view or fold version.
pub(crate) fn generation<V: View>(
    store: &Store,
    id: GenerationId,
    rules: &Arc<Rules>,
    priority: Priority,
) -> Result<Option<Arc<Generation<V>>>, LoadError> {
    let head = store.head(id)?;
    if head.fold_version != FOLD_VERSION || head.view != V::NAME {
        return Ok(None);
    }
    let generation = Generation::on_threads(cores::count(), checkpoint(&head)?, rules.clone());
    let ranges = PageNumber::ranges(cores::count() as u32).collect();
    let read = |range| {
        let read = catch_unwind(AssertUnwindSafe(|| read(store, id, range, &generation)));
        read.unwrap_or_else(|_| Err(LoadError::Damaged { reason: "reading it panicked".to_owned() }))
    };
    cores::share_out(priority, ranges, read).into_iter().collect::<Result<(), _>>()?;
    Ok(Some(Arc::new(generation)))
}

fn read<V: View>(
    store: &Store,
    id: GenerationId,
    range: std::ops::Range<PageNumber>,
    generation: &Generation<V>,
) -> Result<(), LoadError> {
    for page in store.pages(id, range)? {
        let page = page?;
        for (customer, bytes) in page.records() {
            let record = Record::from_bytes(bytes).map_err(|error| LoadError::Page {
                generation: id,
                page: page.number(),
                reason: error.to_string(),
            })?;
            generation.restore(CustomerId::from_u128(customer), record);
        }
        generation.restored([page.number()]);
    }
    Ok(())
}

/// The loss that the serving generation knows of, whatever fold it is of: an operator has accepted it.
pub(crate) fn known_loss(store: &Store) -> Result<u64, LoadError> {
    store.serving()?.map_or(Ok(0), |id| Ok(checkpoint(&store.head(id)?)?.lost))
}

fn checkpoint(head: &Head) -> Result<Checkpoint, LoadError> {
    let damaged = || LoadError::Damaged { reason: format!("{} extra bytes in the head", head.extra.len()) };
    Ok(Checkpoint {
        lost: lost(&head.extra).ok_or_else(damaged)?,
        epoch: head.epoch,
        created: Timestamp::from_micros(head.stream_created_micros),
        position: Position(head.position),
        digest: head.event_digest,
    })
}
