//! docs/event-catalog.md says what the code says.

use std::path::Path;

#[path = "../../examples/catalog/render.rs"]
mod render;

#[test]
fn the_page_is_fresh() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/event-catalog.md");
    let committed = std::fs::read_to_string(page).unwrap_or_default();
    let is_fresh = committed == render::page().unwrap();
    assert!(is_fresh, "stale: cargo run -q -p touchpoint --example catalog > docs/event-catalog.md");
}
