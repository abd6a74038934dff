//! The built `lifefold` binary.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Names a binary to use as it is, in place of building one.
const GIVEN: &str = "LIFEFOLD_TEST_BIN";

/// The path of the binary, in the profile of this test, built once per test process: an old one would test old code.
///
/// # Panics
/// If it cannot be built.
pub fn lifefold() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| match std::env::var_os(GIVEN) {
        Some(path) => path.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let this = std::env::current_exe().unwrap_or_else(|error| panic!("where this test is: {error}"));
    // target/<profile>/deps/<test>, or target/<profile>/<program>
    let profile = this.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    let profile = profile.unwrap_or_else(|| panic!("{} is in no target folder", this.display()));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", "lifefold", "--bin", "lifefold"]);
    build.arg("--manifest-path").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    if let Some(target) = profile.parent() {
        build.arg("--target-dir").arg(target);
    }
    let status = build.status();
    let built = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    assert!(
        built,
        "cannot build the lifefold binary that is to be tested ({status:?}); set {GIVEN} to use another one"
    );
    profile.join("lifefold")
}
