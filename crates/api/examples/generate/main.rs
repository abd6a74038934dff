//! Writes `events.proto` from the event catalogue, then the Rust and the descriptor set of all protos.
//!
//! Run `cargo run -q -p api --example generate` after every change of the catalogue or of a proto, and commit what it
//! writes; `tests/fresh.rs` fails until then. It needs the `api` library to compile as it stands, so generate first
//! and use the new messages afterwards.

mod compile;
mod events;

use std::fs;
use std::path::Path;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let protos = here.join("../../proto");
    fs::write(protos.join(events::PATH), events::proto())?;
    let compiled = compile::compile(&protos)?;
    fs::write(here.join(compile::RUST_PATH), compiled.rust)?;
    fs::write(here.join(compile::DESCRIPTORS_PATH), compiled.descriptors)?;
    Ok(())
}
