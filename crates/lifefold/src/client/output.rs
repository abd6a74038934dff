//! What commands print: tables for people, JSON for programs, notes on stderr.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, TableComponent};
use serde_json::Value;

use super::failure::Failure;
use super::json::{self, Named};

/// Columns of a table where stdout is no terminal, and the least on one.
const PLAIN_WIDTH: u16 = 100;
/// What the styles of a terminal begin with.
const ESCAPE: &str = "\x1b[";
/// What the line below the headings is made of.
const RULE: char = '─';

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// One JSON document a line
    Ndjson,
}

/// How an answer is printed.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Output {
    /// How the answer is printed; instants are Shanghai time in tables, UTC in JSON
    #[arg(long, short, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    #[arg(help_heading = "Output")]
    pub(crate) output: Format,
}

impl Output {
    /// Prints one answer.
    pub(crate) fn show<M: Named>(&self, answer: &M, table: impl FnOnce(Screen) -> String) -> Result<(), Failure> {
        match self.output {
            Format::Table => print(&table(Screen::of_stdout())),
            Format::Json => print_json(&json::value(answer)?),
            Format::Ndjson => print(&format!("{}\n", json::value(answer)?)),
        }
    }
}

/// Prints JSON with indentation.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}

/// Writes to stdout; that nobody reads any more is a failure of its own.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::File("stdout".to_owned(), error),
    })
}

/// A line on stdout of a service, which goes on also if nobody reads it.
pub(crate) fn tell(text: &str) {
    let _ = print(&format!("{text}\n"));
}

/// A line on stderr. If nobody reads that, there is nobody left to tell.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// What tables are drawn on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    colour: bool,
    terminal: bool,
}

impl Screen {
    /// Stdout: colours only on a terminal, and only without `NO_COLOR`.
    pub(crate) fn of_stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: terminal && !unwanted, terminal }
    }

    /// Without colours, 100 columns wide.
    #[cfg(test)]
    pub(crate) const fn plain() -> Self {
        Self { colour: false, terminal: false }
    }

    /// A table with these headings; those that begin with `>` stand to the right.
    pub(crate) fn table(self, headings: &[&str]) -> Table {
        let mut table = self.grid();
        let bold =
            |text: &str| if self.colour { Cell::new(text).add_attribute(Attribute::Bold) } else { Cell::new(text) };
        table.set_header(headings.iter().map(|text| bold(text.trim_start_matches('>'))));
        for (index, _) in headings.iter().enumerate().filter(|(_, text)| text.starts_with('>')) {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    /// Names and values beneath each other.
    pub(crate) fn pairs(self, pairs: impl IntoIterator<Item = (&'static str, String)>) -> String {
        let mut table = self.grid();
        for (name, value) in pairs {
            table.add_row([self.dim(name), Cell::new(value)]);
        }
        if let Some(column) = table.column_mut(0) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        text(&table)
    }

    fn grid(self) -> Table {
        let mut table = Table::new();
        table.load_preset(comfy_table::presets::NOTHING);
        table.set_style(TableComponent::HeaderLines, RULE);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if self.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        // A narrower terminal breaks long lines itself: that leaves ids in one piece, to be copied.
        if !self.terminal || table.width().is_none_or(|columns| columns < PLAIN_WIDTH) {
            table.set_width(PLAIN_WIDTH);
        }
        table
    }

    /// A cell in a colour.
    pub(crate) fn paint(self, text: impl ToString, colour: Option<Color>) -> Cell {
        match colour.filter(|_| self.colour) {
            Some(colour) => Cell::new(text).fg(colour),
            None => Cell::new(text),
        }
    }

    /// A text in a colour.
    pub(crate) fn tint(self, text: &str, colour: Option<Color>) -> String {
        let code = colour.filter(|_| self.colour).and_then(|colour| match colour {
            Color::Red => Some(31),
            Color::Green => Some(32),
            Color::DarkYellow => Some(33),
            _ => None,
        });
        code.map_or_else(|| text.to_owned(), |code| format!("{ESCAPE}{code}m{text}{ESCAPE}0m"))
    }

    /// A cell that stands back.
    pub(crate) fn dim(self, text: impl ToString) -> Cell {
        self.paint(text, Some(Color::DarkGrey))
    }
}

/// The table as text, without the padding around it.
pub(crate) fn text(table: &Table) -> String {
    table.lines().fold(String::new(), |mut text, line| {
        let (style, line) = styled(&line);
        let line = line.strip_prefix([' ', RULE]).unwrap_or(line);
        text += style;
        text += line.strip_suffix(RULE).unwrap_or(line).trim_end();
        text.push('\n');
        text
    })
}

/// A line as the escapes that it begins with, which stand before the padding, and the rest.
fn styled(line: &str) -> (&str, &str) {
    let mut rest = line;
    while let Some((_, after)) = rest.strip_prefix(ESCAPE).and_then(|escape| escape.split_once('m')) {
        rest = after;
    }
    (line.strip_suffix(rest).unwrap_or_default(), rest)
}

/// A part of a whole as `75.00%`, rounded half up; of nothing there is no share.
pub(crate) fn share(part: u64, whole: u64) -> String {
    let bp = (part * 20_000 + whole).checked_div(2 * whole);
    super::format::percent(bp.and_then(|bp| u32::try_from(bp).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_move_no_column() {
        let drawn = |screen: Screen| {
            let mut table = screen.table(&["Band", ">Customers"]);
            table.add_row([screen.paint("LOW", Some(Color::Green)), Cell::new("1")]);
            table.add_row([screen.dim("all"), screen.paint("1,010", Some(Color::Red))]);
            text(&table)
        };
        let styled = drawn(Screen { colour: true, terminal: false });
        assert!(styled.contains(ESCAPE));
        let parts = styled.split(ESCAPE).enumerate();
        let bare: String =
            parts.map(|(at, part)| if at == 0 { part } else { part.split_once('m').unwrap().1 }).collect();
        let bare: Vec<_> = bare.lines().map(str::trim_end).collect();
        assert_eq!(bare, drawn(Screen::plain()).lines().collect::<Vec<_>>());
    }
}
