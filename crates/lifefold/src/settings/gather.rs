//! Where each value comes from: flag, then environment, then file, then default.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::settings::Mistake;
use crate::settings::flags::Flags;
use crate::settings::spec::{self, Spec};

/// The file that is read if none is named.
const DEFAULT_FILE: &str = "lifefold.toml";
/// The variable that names the file.
const FILE_VARIABLE: &str = "LIFEFOLD_CONFIG";

/// Who gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This flag.
    Flag(String),
    /// This variable.
    Variable(String),
    /// This file.
    File(PathBuf),
    /// What a running `lifefold up` wrote into its data folder.
    Announced(PathBuf),
    /// Nobody.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag --{flag}"),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::File(path) | Self::Announced(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value as it was given.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// Its setting.
    pub(crate) spec: &'static Spec,
    /// As it was written.
    pub(crate) text: String,
    /// By whom.
    pub(crate) origin: Origin,
}

/// The environment, as a function so that tests have their own.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One value for each setting, in the order of the table.
pub(crate) fn gather(flags: &Flags, environment: Environment<'_>, mistakes: &mut Vec<Mistake>) -> Vec<Given> {
    let (path, file) = read_file(flags, environment, mistakes);
    let given = |spec: &'static Spec| {
        let from = |text: &String, origin| Given { spec, text: text.clone(), origin };
        let flag = flags.values.get(spec.name).map(|text| from(text, Origin::Flag(spec.flag())));
        let variable = || environment(&spec.variable()).map(|text| from(&text, Origin::Variable(spec.variable())));
        let file = || file.get(spec.name).map(|text| from(text, Origin::File(path.clone())));
        flag.or_else(variable).or_else(file).unwrap_or_else(|| from(&spec.default.to_owned(), Origin::Default))
    };
    spec::ALL.iter().map(given).collect()
}

type Values = BTreeMap<String, String>;

fn read_file(flags: &Flags, environment: Environment<'_>, mistakes: &mut Vec<Mistake>) -> (PathBuf, Values) {
    let named = flags.file.clone().or_else(|| environment(FILE_VARIABLE).map(PathBuf::from));
    let path = named.clone().unwrap_or_else(|| DEFAULT_FILE.into());
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            mistakes.push(Mistake::of_file(&path, error.to_string()));
            String::new()
        }
    };
    let values = parse(&path, &text, mistakes);
    (path, values)
}

fn parse(path: &Path, text: &str, mistakes: &mut Vec<Mistake>) -> Values {
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            // The library shows the line itself, which may hold a password; its message does not.
            mistakes.push(Mistake::of_file(path, place(text, &error)));
            return Values::new();
        }
    };
    let mut values = Values::new();
    for (name, value) in table {
        if spec::ALL.iter().all(|spec| spec.name != name) {
            let names = spec::ALL.map(|spec| spec.name).join(", ");
            mistakes.push(Mistake::of_file(path, format!("{name} is no setting; there are {names}")));
            continue;
        }
        let text = match value {
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        values.insert(name, text);
    }
    values
}

fn place(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    format!("line {line}: {}", error.message())
}
