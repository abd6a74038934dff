//! Which rules apply: the activations in the log, as far as it is folded, and the rules of this process before the
//! first of them.

use std::sync::{Arc, PoisonError};

use touchpoint::{Position, Timestamp};
use views::View;
use views::rules::{Activation, Rules};

use crate::generation::Generation;
use crate::source::Entry;

/// Rules, and what they are called in answers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Edition {
    /// The rules.
    pub rules: Rules,
    /// The digest of their meaning.
    pub version: String,
    /// Where they were activated; zero for those of this process.
    pub activated_at: Position,
}

/// Rules that the log puts in force from a position on.
#[derive(Debug, Clone)]
struct InForce {
    recorded_at: Timestamp,
    edition: Arc<Edition>,
}

/// All rules that a generation knows of, as far as it has folded.
#[derive(Debug, Clone)]
pub(crate) struct RuleBook {
    own: Arc<Edition>,
    /// By position.
    activations: Vec<InForce>,
    read_through: Position,
    /// What is wrong with the last activation, if something is.
    trouble: Option<String>,
}

impl RuleBook {
    /// No activation is known yet: these are the rules of this process.
    pub(crate) fn new(own: &Rules) -> Self {
        let version = own.version().to_string();
        let own = Arc::new(Edition { rules: own.clone(), version, activated_at: Position::ZERO });
        Self { own, activations: Vec::new(), read_through: Position::ZERO, trouble: None }
    }

    /// The rules in force.
    pub(crate) fn last(&self) -> &Arc<Edition> {
        self.activations.last().map_or(&self.own, |it| &it.edition)
    }

    /// The default then: the last that was recorded by then, in a log that ends at this position. What was known before
    /// the first activation is answered with the first one, so that it depends on nothing but the log.
    pub(crate) fn at(&self, known_at: Option<Timestamp>, up_to: Position) -> &Arc<Edition> {
        let known = |it: &&InForce| {
            it.edition.activated_at <= up_to && known_at.is_none_or(|known_at| it.recorded_at <= known_at)
        };
        let by_then = self.activations.iter().rev().find(known);
        by_then.or(self.activations.first()).map_or(&self.own, |it| &it.edition)
    }

    /// The rules of this version, if they were in force ever. Those of this process are while the log has none.
    fn of(&self, version: &str) -> Option<&Arc<Edition>> {
        let own = self.activations.is_empty().then_some(&self.own);
        let all = self.activations.iter().map(|it| &it.edition).chain(own);
        all.rev().find(|edition| edition.version == version)
    }

    /// What somebody should know of the rules in force.
    pub(crate) fn notice(&self, own_is_given: bool) -> Option<String> {
        let Edition { version, activated_at, .. } = &**self.last();
        let overruled = || {
            let overruled = own_is_given && self.own.version != *version;
            let own = &self.own.version;
            overruled.then(|| {
                format!(
                    "the log's rules {version} of position {activated_at} apply, not those of this process's file \
                     ({own}): `lifefold rules activate` puts a file into the log"
                )
            })
        };
        self.trouble.clone().or_else(overruled)
    }

    /// The book with the activations among these entries; nothing if it says the same.
    fn with<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Option<Self> {
        let mut book = None;
        let new = entries.filter(|it| it.is_control() && it.position > self.read_through);
        for entry in new {
            if let Some(activation) = Activation::read(&entry.body) {
                book.get_or_insert_with(|| self.clone()).add(entry, activation);
            }
        }
        book
    }

    fn add(&mut self, entry: &Entry, activation: Activation<'_>) {
        let position = entry.position;
        self.read_through = position;
        let renamed = activation.renamed_from().map(str::to_owned);
        match activation {
            Activation::InForce { rules, version, .. } => {
                tracing::info!(%position, version, "rules are activated");
                self.trouble = renamed.map(|recorded| {
                    format!(
                        "the rules {recorded} are {version} to this version, which knows more of them: activate them \
                         again, so that the log says so"
                    )
                });
                let edition = Arc::new(Edition { rules: *rules, version, activated_at: position });
                self.activations.push(InForce { recorded_at: entry.recorded_at, edition });
            }
            // A newer gateway wrote it: what can be read applies on.
            Activation::Unknown { reason, .. } | Activation::Unreadable { reason } => {
                let kept = &self.last().version;
                self.trouble = Some(format!(
                    "this version cannot read the rules activated at position {position}, and answers with {kept}: \
                     {reason}"
                ));
            }
        }
        if let Some(trouble) = &self.trouble {
            tracing::warn!("{trouble}");
        }
    }
}

impl Entry {
    /// A message of the log about itself.
    fn is_control(&self) -> bool {
        self.customer.is_none() && !self.body.is_empty()
    }
}

impl<V: View> Generation<V> {
    /// The rules that apply where an answer names no others, by what was known then in a log up to this position.
    pub fn rules_at(&self, known_at: Option<Timestamp>, up_to: Position) -> Arc<Edition> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).at(known_at, up_to).clone()
    }

    /// The rules of this version; nothing if they were never in force as far as this is folded.
    pub fn rules_of(&self, version: &str) -> Option<Arc<Edition>> {
        self.book().of(version).cloned()
    }

    pub(crate) fn book(&self) -> Arc<RuleBook> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on answers go by this book.
    pub(crate) fn publish(&self, book: Arc<RuleBook>) {
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = book;
    }

    /// The book with what these entries activate; nothing if they activate nothing new.
    pub(crate) fn book_with(&self, entries: &[Entry]) -> Option<Arc<RuleBook>> {
        self.book().with(entries.iter()).map(Arc::new)
    }

    /// Learns of the activations before the position at which folding goes on, while lists are not kept.
    pub(crate) fn learn(&self, control: &[Entry]) {
        if let Some(book) = self.book_with(control) {
            self.publish(book);
        }
    }
}
