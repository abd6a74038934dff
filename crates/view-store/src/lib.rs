//! Pages of customer records and the position they explain, on disk.
//!
//! A record is opaque bytes under a 128-bit customer id. Records live in pages by a fixed prefix of the id's
//! hash ([`PageNumber`]); a page is always rewritten whole. A *generation* is one complete set of pages with its
//! [`Head`]: the log it was folded from and the position that it explains.
//!
//! **Invariant: the position on disk is never ahead of the records.** [`Store::commit`] makes the pages durable
//! before it writes the head, so a crash in between leaves records ahead of the position, which is harmless:
//! folding an event again has no second effect.
//!
//! The calls block on the disk; call them from a thread that may block. Only this crate knows sled, and no panic of
//! sled leaves it: what cannot be read is an error that says so, and [`set_aside`] makes room for a fresh store.
//!
//! ```
//! use view_store::{EncodedPage, Head, PageNumber, Store};
//! # let folder = tempfile::tempdir()?;
//! # let dir = folder.path().join("churn");
//! # let mut head = Head { epoch: 7, stream_created_micros: 0, position: 0, event_digest: [0; 16], fold_version: 1,
//! #   view: "churn".into(), extra: Vec::new() };
//! let store = Store::open(&dir)?;
//! let generation = store.create_generation(&head)?;
//! let customer = 42;
//! let page = EncodedPage::new(PageNumber::of(customer), [(customer, b"facts")])?;
//! head.position = 9;
//! store.commit(generation, [Ok(page)], &head)?;
//! store.set_serving(generation)?;
//! for page in store.pages(generation, PageNumber::all())? {
//!     assert_eq!(page?.records().collect::<Vec<_>>(), [(customer, &b"facts"[..])]);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aside;
mod database;
mod error;
mod generation;
mod head;
mod note;
mod origin;
mod page;
mod store;

pub use aside::{free_on_disk, set_aside};
pub use error::{CommitError, LoadError, OpenError};
pub use generation::{GenerationId, MAX_GENERATIONS};
pub use head::{Head, HeadError, MAX_EXTRA_BYTES};
pub use note::replace;
pub use origin::{Origin, origin};
pub use page::{EncodedPage, MAX_RECORD_BYTES, Page, PageError, PageNumber};
pub use store::{Committed, Pages, Store};
