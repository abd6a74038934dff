//! Which rules apply: the activations in the log, as far as it is folded, and the rules of this process before the
//! first of them.

use std::sync::{Arc, PoisonError};

use touchpoint::{Position, RulesActivated, Timestamp};
use views::View;
use views::rules::Rules;

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

impl Edition {
    fn new(rules: Rules, activated_at: Position) -> Arc<Self> {
        let version = rules.version().to_string();
        Arc::new(Self { rules, version, activated_at })
    }
}

/// Rules that the log has from a position on.
#[derive(Debug, Clone)]
struct Activation {
    recorded_at: Timestamp,
    edition: Arc<Edition>,
}

/// All rules that a generation knows of, as far as it has folded.
#[derive(Debug, Clone)]
pub(crate) struct RuleBook {
    own: Arc<Edition>,
    /// By position.
    activations: Vec<Activation>,
    read_through: Position,
    /// What is wrong with the last activation, if something is.
    trouble: Option<String>,
}

impl RuleBook {
    /// No activation is known yet: these are the rules of this process.
    pub(crate) fn new(own: &Rules) -> Self {
        let own = Edition::new(own.clone(), Position::ZERO);
        Self { own, activations: Vec::new(), read_through: Position::ZERO, trouble: None }
    }

    /// The rules in force.
    pub(crate) fn last(&self) -> &Arc<Edition> {
        self.activations.last().map_or(&self.own, |it| &it.edition)
    }

    /// The default then: the last that was recorded by then, in a log that ends at this position. What was known before
    /// the first activation is answered with the first one, so that it depends on nothing but the log.
    pub(crate) fn at(&self, known_at: Option<Timestamp>, up_to: Position) -> &Arc<Edition> {
        let known = |it: &&Activation| {
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
            match RulesActivated::decode(&entry.body).map_err(|broken| broken.to_string()) {
                Ok(None) => {}
                Ok(Some(activated)) => book.get_or_insert_with(|| self.clone()).add(entry, read(&activated)),
                Err(reason) => book.get_or_insert_with(|| self.clone()).add(entry, Err(reason)),
            }
        }
        book
    }

    fn add(&mut self, entry: &Entry, read: Result<(Rules, Option<String>), String>) {
        let position = entry.position;
        self.read_through = position;
        match read {
            Ok((rules, trouble)) => {
                let edition = Edition::new(rules, position);
                tracing::info!(%position, version = edition.version, "rules are activated");
                self.activations.push(Activation { recorded_at: entry.recorded_at, edition });
                self.trouble = trouble;
            }
            // A newer gateway wrote it: what can be read applies on.
            Err(reason) => {
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

/// The rules of an activation, and whether they mean something else here than where they were written.
fn read(activated: &RulesActivated<'_>) -> Result<(Rules, Option<String>), String> {
    let rules = Rules::parse(&activated.rules).map_err(|error| error.to_string())?;
    let (version, recorded) = (rules.version().to_string(), activated.version.as_str());
    let trouble = (version != recorded).then(|| {
        format!(
            "the rules {recorded} are {version} to this version, which knows more of them: activate them again, so \
             that the log says so"
        )
    });
    Ok((rules, trouble))
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
