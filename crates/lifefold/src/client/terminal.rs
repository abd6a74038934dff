//! Questions to whoever sits at the terminal.

use std::io::{self, IsTerminal, Write as _};

use super::failure::Failure;

/// Somebody can be asked. Where nobody can, the error says what to do `instead`.
pub(super) fn attended(instead: &str) -> Result<(), Failure> {
    match io::stdin().is_terminal() && io::stderr().is_terminal() {
        true => Ok(()),
        false => Err(Failure::Usage(format!("here nobody can be asked: {instead}"))),
    }
}

/// What is typed in answer to this question; nothing where the input ends.
pub(super) fn answer(question: &str) -> Result<String, Failure> {
    // A terminal that takes no more output gives no answer either.
    let _ = write!(io::stderr().lock(), "\n{question} ");
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(|error| Failure::File("stdin".to_owned(), error))?;
    Ok(line.trim().to_owned())
}
