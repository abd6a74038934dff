//! What is wrong with refused lines: `file:line: field: what was expected`.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use api::v1;

use super::lines::MAX_LINE_BYTES;
use crate::client::failure::Failure;

/// Where refusals are written.
pub(super) struct Refusals {
    /// The name of the input.
    input: String,
    file: Option<(String, File)>,
}

impl Refusals {
    /// Into this file, or for the caller to show.
    pub(super) fn new(input: &str, file: Option<&Path>) -> Result<Self, Failure> {
        let create = |path: &Path| {
            let name = path.display().to_string();
            match File::create(path) {
                Ok(file) => Ok((name, file)),
                Err(error) => Err(Failure::File(name, error)),
            }
        };
        Ok(Self { input: input.to_owned(), file: file.map(create).transpose()? })
    }

    /// Writes why a line was refused; what there is no file for is given back.
    pub(super) fn note(&mut self, line: u64, refusal: &v1::ImportRefusal) -> Result<Option<String>, Failure> {
        let text = words(&self.input, line, refusal);
        match &mut self.file {
            None => Ok(Some(text)),
            Some((name, file)) => {
                let written = file.write_all(format!("{text}\n").as_bytes());
                written.map(|()| None).map_err(|error| Failure::File(name.clone(), error))
            }
        }
    }
}

/// The refusal of a line that is not even sent.
pub(super) fn too_long() -> v1::ImportRefusal {
    let message = format!("the line is longer than {MAX_LINE_BYTES} bytes");
    let violations = vec![v1::FieldViolation { field: String::new(), message }];
    v1::ImportRefusal { reason: v1::ImportRefusalReason::Invalid.into(), violations }
}

/// A line of text for each broken field.
fn words(input: &str, line: u64, refusal: &v1::ImportRefusal) -> String {
    let one = |violation: &v1::FieldViolation| match violation.field.as_str() {
        "" => format!("{input}:{line}: {}", violation.message),
        field => format!("{input}:{line}: {field}: {}", violation.message),
    };
    if refusal.violations.is_empty() {
        return format!("{input}:{line}: refused: {}", crate::client::words::refusal(refusal.reason));
    }
    refusal.violations.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> v1::ImportRefusal {
        let violation =
            |field: &str, message: &str| v1::FieldViolation { field: field.into(), message: message.into() };
        let violations = vec![violation("data.score", "expected 1 to 5"), violation("", "is no event")];
        v1::ImportRefusal { reason: 1, violations }
    }

    #[test]
    fn every_broken_field_has_line_and_name() {
        let mut refusals = Refusals::new("a.ndjson", None).unwrap();
        let expect = "a.ndjson:7: data.score: expected 1 to 5\na.ndjson:7: is no event";
        assert_eq!(refusals.note(7, &refusal()).unwrap().as_deref(), Some(expect));
        let bare = v1::ImportRefusal { reason: 2, violations: vec![] };
        assert_eq!(refusals.note(8, &bare).unwrap().as_deref(), Some("a.ndjson:8: refused: CONFLICT"));
    }

    #[test]
    fn a_file_takes_them_instead() {
        let path = std::env::temp_dir().join(format!("lifefold-refusals-{}", std::process::id()));
        let mut refusals = Refusals::new("-", Some(&path)).unwrap();
        assert_eq!(refusals.note(7, &refusal()).unwrap(), None);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "-:7: data.score: expected 1 to 5\n-:7: is no event\n");
        std::fs::remove_file(&path).unwrap();
        assert!(Refusals::new("-", Some(Path::new("/no/such/folder/x"))).is_err());
    }
}
