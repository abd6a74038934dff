//! The store: opening, generations, commits and reading back.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::aside::{FolderLock, free_on_disk, size, sync_parent};
use crate::database::{Database, Fault, guarded, let_go};
use crate::error::{CommitError, LoadError, OpenError};
use crate::generation::{GenerationId, MAX_GENERATIONS, Manifest};
use crate::head::Head;
use crate::page::{EncodedPage, Page, PageError, PageNumber};

/// Pages per write into sled: with 100,000 it took 7.5–18 GB of memory, with these 0.3 GB.
const BATCH_PAGES: usize = 2_000;

const HEAD_KEY: &str = "position-head";
const SLED_FOLDER: &str = "sled";

/// An open store; it owns its folder until dropped. Writers take turns; reading needs no turn.
pub struct Store {
    dir: PathBuf,
    database: Database,
    writer: Mutex<()>,
    _lock: FolderLock,
}

/// What one commit wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// Pages written or removed.
    pub pages: usize,
    /// Bytes of these pages.
    pub bytes: u64,
}

/// Pages of a generation in ascending order; ends after the first error.
pub struct Pages {
    generation: GenerationId,
    /// `None` once it ended.
    rows: Option<sled::Iter>,
}

impl Store {
    /// Opens the store of this folder, or makes a new one. A generation whose creation was cut off is removed.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let dir = dir.into();
        match Self::try_open(&dir) {
            Ok(Some(store)) => {
                // Of a store from before that was noted, or after a crash in between.
                if let Ok(Some(head)) = store.serving().and_then(|it| it.map(|it| store.head(it)).transpose()) {
                    store.note_origin(&head);
                }
                Ok(store)
            }
            Ok(None) => Err(OpenError::InUse { dir }),
            Err(Fault::Damaged(reason)) => Err(OpenError::Damaged { dir, reason }),
            Err(Fault::Io(source)) => Err(OpenError::Io { dir, source }),
        }
    }

    /// The generations that are there, ascending.
    pub fn generations(&self) -> Result<Vec<GenerationId>, LoadError> {
        Ok(self.database.run(generations)?)
    }

    /// The generation that answers come from; `None` in a new store.
    pub fn serving(&self) -> Result<Option<GenerationId>, LoadError> {
        Ok(self.database.run(Manifest::read)?.serving)
    }

    /// The generation that served before the serving one, as long as it is kept.
    pub fn previous(&self) -> Result<Option<GenerationId>, LoadError> {
        Ok(self.database.run(Manifest::read)?.previous)
    }

    /// Makes an empty generation with this head, durably.
    pub fn create_generation(&self, head: &Head) -> Result<GenerationId, CommitError> {
        let _turn = self.turn();
        let head = head.encode()?;
        if self.generations()?.len() >= MAX_GENERATIONS {
            return Err(CommitError::TooManyGenerations);
        }
        let created = self.database.run(|db| {
            let mut manifest = Manifest::read(db)?;
            let created = manifest.next();
            manifest.write(db)?;
            db.open_tree(created.tree())?.insert(HEAD_KEY, head)?;
            Ok(created)
        })?;
        self.database.sync()?;
        Ok(created)
    }

    /// Lets this generation serve, and keeps the one that served as the previous one: after a crash it is the old one
    /// or the new one, never none.
    pub fn set_serving(&self, generation: GenerationId) -> Result<(), CommitError> {
        let _turn = self.turn();
        let head = self.head(generation)?;
        self.database.run(|db| {
            let mut manifest = Manifest::read(db)?;
            if manifest.serving != Some(generation) {
                manifest.previous = manifest.serving;
            }
            manifest.serving = Some(generation);
            manifest.write(db)
        })?;
        self.database.sync()?;
        self.note_origin(&head);
        Ok(())
    }

    /// Removes a generation that does not serve; one that is not there is no error.
    pub fn drop_generation(&self, generation: GenerationId) -> Result<(), CommitError> {
        let _turn = self.turn();
        if self.serving()? == Some(generation) {
            return Err(CommitError::Serving(generation));
        }
        self.database.run(|db| {
            let mut manifest = Manifest::read(db)?;
            // First, so that a crash in between leaves no name without a generation.
            if manifest.previous.take_if(|previous| *previous == generation).is_some() {
                manifest.write(db)?;
            }
            Ok(db.drop_tree(generation.tree())?)
        })?;
        Ok(self.database.sync()?)
    }

    /// Writes pages whole, then the head that they explain, durably; the same for 20 dirty pages and for a whole
    /// generation, since `pages` is drawn batch by batch. One that cannot be made ends it before the head is written.
    /// Others have their turn between two batches, but nobody else commits to this generation meanwhile.
    ///
    /// The pages are durable before the head is written, which is what keeps the position behind the records. After
    /// an error the head is the old one, or in rare cases already the new one with all its pages; either way commit
    /// again with every page that changed since the last success.
    pub fn commit(
        &self,
        generation: GenerationId,
        pages: impl IntoIterator<Item = Result<EncodedPage, PageError>>,
        head: &Head,
    ) -> Result<Committed, CommitError> {
        let encoded = head.encode()?;
        let held = self.head(generation)?.position;
        if head.position < held {
            return Err(CommitError::Backwards { generation, held, given: head.position });
        }
        let committed = self.write_pages(generation, pages)?;
        let _turn = self.turn();
        if committed.pages > 0 {
            self.database.sync()?;
        }
        self.database.run(|db| {
            tree(db, generation)?.ok_or_else(|| lost(generation))?.insert(HEAD_KEY, encoded)?;
            Ok(())
        })?;
        self.database.sync()?;
        Ok(committed)
    }

    /// The log and position of a generation.
    pub fn head(&self, generation: GenerationId) -> Result<Head, LoadError> {
        let bytes = self.database.run(|db| match tree(db, generation)? {
            Some(tree) => Ok(tree.get(HEAD_KEY)?),
            None => Ok(None),
        })?;
        let bytes = bytes.ok_or(LoadError::UnknownGeneration(generation))?;
        Head::decode(&bytes).map_err(|reason| LoadError::Head { generation, reason })
    }

    /// Reads pages back, each checked. Several ranges can be read side by side. Pages that a crash left ahead of the
    /// head are among them.
    pub fn pages(&self, generation: GenerationId, range: Range<PageNumber>) -> Result<Pages, LoadError> {
        let rows = self.database.run(|db| {
            let tree = tree(db, generation)?;
            Ok(tree.map(|tree| tree.range(range.start.key()..range.end.key())))
        })?;
        match rows {
            Some(rows) => Ok(Pages { generation, rows: Some(rows) }),
            None => Err(LoadError::UnknownGeneration(generation)),
        }
    }

    /// Bytes of the store's files.
    pub fn size_on_disk(&self) -> Result<u64, LoadError> {
        Ok(size(&self.dir)?)
    }

    /// Bytes that are free where the store is; nothing if the system does not say.
    pub fn free_on_disk(&self) -> Option<u64> {
        free_on_disk(&self.dir)
    }

    /// Folder of the store.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn try_open(dir: &Path) -> Result<Option<Self>, Fault> {
        fs::create_dir_all(dir).map_err(Fault::Io)?;
        let Some(lock) = FolderLock::take(dir).map_err(Fault::Io)? else { return Ok(None) };
        let database = Database::open(dir.join(SLED_FOLDER))?;
        database.run(drop_unfinished)?;
        database.run(|db| Manifest::read(db).and_then(|manifest| check_serving(db, manifest)))?;
        database.sync()?;
        sync_parent(&dir.join(SLED_FOLDER))?;
        sync_parent(dir)?;
        Ok(Some(Self { dir: dir.to_owned(), database, writer: Mutex::new(()), _lock: lock }))
    }

    fn write_pages(
        &self,
        generation: GenerationId,
        pages: impl IntoIterator<Item = Result<EncodedPage, PageError>>,
    ) -> Result<Committed, CommitError> {
        let mut pages = pages.into_iter();
        let mut committed = Committed::default();
        loop {
            let rows: Vec<EncodedPage> = pages.by_ref().take(BATCH_PAGES).collect::<Result<_, _>>()?;
            if rows.is_empty() {
                return Ok(committed);
            }
            committed.pages += rows.len();
            committed.bytes += rows.iter().map(|page| page.bytes.len() as u64).sum::<u64>();
            let _turn = self.turn();
            self.database.run(|db| {
                tree(db, generation)?.ok_or_else(|| lost(generation))?.apply_batch(batch(rows))?;
                Ok(())
            })?;
        }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Iterator for Pages {
    type Item = Result<Page, LoadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.rows.as_mut()?;
        let page = match guarded(|| rows.next().transpose().map_err(Fault::from)) {
            Ok(row) => row.map(|(key, value)| page(self.generation, &key, value)),
            Err(fault) => Some(Err(fault.into())),
        };
        if !matches!(page, Some(Ok(_))) {
            let_go(self.rows.take());
        }
        page
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let_go(self.rows.take());
    }
}

fn page(generation: GenerationId, key: &[u8], value: sled::IVec) -> Result<Page, LoadError> {
    let number = PageNumber::from_key(key)
        .ok_or_else(|| LoadError::Damaged { reason: format!("generation {generation} has a row that is no page") })?;
    Page::decode(number, value).map_err(|reason| LoadError::Page { generation, page: number, reason })
}

fn batch(pages: Vec<EncodedPage>) -> sled::Batch {
    let mut batch = sled::Batch::default();
    for page in pages {
        if page.bytes.is_empty() {
            batch.remove(&page.number.key());
        } else {
            batch.insert(&page.number.key(), page.bytes);
        }
    }
    batch
}

/// `None` if there is no such generation; sled itself would make one.
fn tree(db: &sled::Db, generation: GenerationId) -> Result<Option<sled::Tree>, Fault> {
    let name = generation.tree();
    match db.tree_names().iter().any(|there| there == name.as_bytes()) {
        true => Ok(Some(db.open_tree(name)?)),
        false => Ok(None),
    }
}

/// Trees with a head, ascending.
fn generations(db: &sled::Db) -> Result<Vec<GenerationId>, Fault> {
    let mut finished = Vec::new();
    for generation in db.tree_names().iter().filter_map(|name| GenerationId::from_tree(name)) {
        if db.open_tree(generation.tree())?.contains_key(HEAD_KEY)? {
            finished.push(generation);
        }
    }
    finished.sort_unstable();
    Ok(finished)
}

/// A crash inside `create_generation` leaves a tree without a head.
fn drop_unfinished(db: &sled::Db) -> Result<(), Fault> {
    let finished = generations(db)?;
    for generation in db.tree_names().iter().filter_map(|name| GenerationId::from_tree(name)) {
        if !finished.contains(&generation) {
            db.drop_tree(generation.tree())?;
        }
    }
    Ok(())
}

/// A manifest that names a lost generation means that files were lost.
fn check_serving(db: &sled::Db, manifest: Manifest) -> Result<(), Fault> {
    match manifest.serving {
        Some(serving) if !generations(db)?.contains(&serving) => Err(lost(serving)),
        _ => Ok(()),
    }
}

fn lost(generation: GenerationId) -> Fault {
    Fault::Damaged(format!("generation {generation} is lost"))
}
