//! The file of everybody who moves: a JSON document a line, or CSV with a row for each change.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use api::v1;
use serde_json::{Value, json};

use crate::cli::View;
use crate::client::failure::Failure;
use crate::client::format;

const HEADER: &str = "view,customer_id,kind,name,from,to\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Ndjson,
    Csv,
}

/// The file while it is written: beside its place, which it takes when it is complete.
pub(super) struct Moves {
    path: PathBuf,
    partial: PathBuf,
    form: Form,
    out: BufWriter<File>,
    customers: u64,
}

impl Moves {
    /// A path whose form is known.
    pub(super) fn check(path: &str) -> Result<PathBuf, String> {
        let path = PathBuf::from(path);
        form(&path).map(|_| path).ok_or_else(|| "expected a file that ends in .ndjson or .csv".to_owned())
    }

    /// Begins the file.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".part");
        let (partial, form) = (PathBuf::from(partial), form(path).unwrap_or(Form::Ndjson));
        let failed = |error| Failure::File(partial.display().to_string(), error);
        let mut out = BufWriter::new(File::create(&partial).map_err(failed)?);
        if form == Form::Csv {
            out.write_all(HEADER.as_bytes()).map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), partial, form, out, customers: 0 })
    }

    /// Writes a page, which is given as messages and as JSON.
    pub(super) fn write(&mut self, view: View, moved: &[v1::MovedCustomer], json: &Value) -> Result<(), Failure> {
        self.customers += moved.len() as u64;
        let name = view.name();
        let written = match self.form {
            Form::Csv => moved.iter().try_for_each(|customer| self.out.write_all(rows(name, customer).as_bytes())),
            Form::Ndjson => {
                let mut list = json["moved"].as_array().into_iter().flatten();
                list.try_for_each(|moved| writeln!(self.out, "{}", json!({"view": name, "moved": moved})))
            }
        };
        written.map_err(|error| self.failed(error))
    }

    /// Puts the complete file in its place, and says what is in it.
    pub(super) fn finish(mut self) -> Result<String, Failure> {
        let done = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        done.and_then(|()| fs::rename(&self.partial, &self.path)).map_err(|error| self.failed(error))?;
        Ok(format!("{}: {} moves of customers", self.path.display(), format::count(self.customers)))
    }

    fn failed(&self, error: io::Error) -> Failure {
        Failure::File(self.partial.display().to_string(), error)
    }
}

fn form(path: &Path) -> Option<Form> {
    match path.extension()?.to_str()? {
        "ndjson" => Some(Form::Ndjson),
        "csv" => Some(Form::Csv),
        _ => None,
    }
}

/// A row for each change of a customer.
fn rows(view: &str, customer: &v1::MovedCustomer) -> String {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let row = |kind: &str, name: &str, from: &str, to: &str| {
        let fields = [view, &customer.customer_id, kind, name, from, to].map(quoted);
        fields.join(",") + "\n"
    };
    let mut text = String::new();
    text.extend(customer.moves.iter().map(|it| row("axis", &it.axis, &it.from, &it.to)));
    text.extend(customer.segments_lost.iter().map(|name| row("segment", name, "member", "")));
    text.extend(customer.segments_gained.iter().map(|name| row("segment", name, "", "member")));
    text.extend(customer.figures.iter().map(|it| row("figure", &it.name, &number(it.before), &number(it.after))));
    let reasons = customer.reasons.iter();
    text.extend(reasons.map(|it| row("reason", &it.code, &number(it.before_millionths), &number(it.after_millionths))));
    text
}

/// A field of CSV, in quotation marks where it needs them (RFC 4180).
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_a_row() {
        let customer = v1::MovedCustomer {
            customer_id: "c".to_owned(),
            moves: vec![v1::AxisMove { axis: "band".to_owned(), from: "HIGH".to_owned(), to: "LOW".to_owned() }],
            segments_gained: vec!["a, \"b\"".to_owned()],
            figures: vec![v1::FigureChange { name: "p_millionths".to_owned(), before: Some(5), after: None }],
            reasons: vec![v1::ReasonChange {
                code: "SILENCE".to_owned(),
                before_millionths: None,
                after_millionths: Some(-7),
            }],
            ..Default::default()
        };
        let expect = "churn,c,axis,band,HIGH,LOW\nchurn,c,segment,\"a, \"\"b\"\"\",,member\n\
                      churn,c,figure,p_millionths,5,\nchurn,c,reason,SILENCE,,-7\n";
        assert_eq!(rows("churn", &customer), expect);
    }

    #[test]
    fn the_ending_says_the_form() {
        assert!(Moves::check("moves.ndjson").is_ok() && Moves::check("a/moves.csv").is_ok());
        for wrong in ["moves.parquet", "moves", ".csv"] {
            assert!(Moves::check(wrong).is_err(), "{wrong}");
        }
    }
}
