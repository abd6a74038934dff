//! Prints docs/event-catalog.md.
//!
//! `cargo run -q -p touchpoint --example catalog > docs/event-catalog.md`

mod render;

fn main() -> std::io::Result<()> {
    print!("{}", render::page()?);
    Ok(())
}
