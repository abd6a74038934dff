//! What must be on this machine, besides cargo and the C compiler that built this: said before a build of minutes.

use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

/// Something that must be here.
pub(crate) struct Need {
    /// A command that succeeds where it is.
    probe: &'static [&'static str],
    /// What is missing, and how to get it.
    remedy: &'static str,
}

/// jemalloc is built with it.
pub(crate) const MAKE: Need =
    Need { probe: &["make", "--version"], remedy: "make does not run (Debian, Ubuntu: apt-get install make)" };

/// pip fetches programs, and the tests have clients in environments of their own.
pub(crate) const PYTHON: Need = Need {
    probe: &["python3", "-c", "import ensurepip, pip, venv"],
    remedy: "python3 with pip and venv does not run (Debian, Ubuntu: apt-get install python3 python3-pip python3-venv)",
};

/// Everything that is missing, at once.
pub(crate) fn demand(needs: &[Need]) -> Result<()> {
    let missing: Vec<&str> = needs.iter().filter(|need| !need.is_met()).map(|need| need.remedy).collect();
    ensure!(missing.is_empty(), "{}", missing.join("; "));
    Ok(())
}

impl Need {
    fn is_met(&self) -> bool {
        let Some((program, arguments)) = self.probe.split_first() else { return true };
        let done = Command::new(program).args(arguments).stdin(Stdio::null()).output();
        done.is_ok_and(|done| done.status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_is_said_at_once() {
        const fn need(probe: &'static [&'static str], remedy: &'static str) -> Need {
            Need { probe, remedy }
        }
        let absent = need(&["no-such-program"], "install it");
        let failing = need(&["false"], "mend it");
        let met = need(&["true"], "");
        assert_eq!(demand(&[met]).map_err(|error| error.to_string()), Ok(()));
        assert_eq!(demand(&[absent, failing]).unwrap_err().to_string(), "install it; mend it");
    }
}
