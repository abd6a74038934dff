//! The gRPC interface: generated code, lint, and the committed image that later changes must not break.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    run::must,
    tools::{self, Tool, buf, cargo},
};

/// The module's folder.
const PROTO: &str = "proto";
/// The interface as last agreed, without comments, so that only its meaning can make it stale.
const IMAGE: &str = "proto/lifefold.v1.binpb";

/// Generates the code, then replaces the image, unless that would break somebody.
pub(crate) fn generate(accept_breaking: bool) -> Result<()> {
    must(cargo().args(["run", "--quiet", "--package", "api", "--example", "generate"]))?;
    let buf = match buf()? {
        Tool::Found(buf) => buf,
        Tool::Missing(reason) => bail!("the image is not built: {reason}"),
    };
    lint(&buf)?;
    if !accept_breaking && tools::root()?.join(IMAGE).exists() {
        compatible(&buf).context("the image stays as it was; --accept-breaking replaces it")?;
    }
    build(&buf, Path::new(IMAGE))?;
    println!("written: {IMAGE}");
    Ok(())
}

/// `buf lint`.
pub(crate) fn lint(buf: &Path) -> Result<()> {
    must(Command::new(buf).args(["lint", PROTO]))
}

/// `buf breaking` against the committed image.
pub(crate) fn compatible(buf: &Path) -> Result<()> {
    committed()?;
    must(Command::new(buf).args(["breaking", PROTO, "--against", IMAGE]))
}

/// The image is of the files as they are now; a stale one would let breaking changes pass.
pub(crate) fn image_is_fresh(buf: &Path) -> Result<()> {
    let committed = committed()?;
    let work = tools::target()?.join("xtask");
    fs::create_dir_all(&work)?;
    let fresh = work.join("lifefold.v1.binpb");
    build(buf, &fresh)?;
    ensure!(fs::read(&fresh)? == fs::read(&committed)?, "{IMAGE} is not what proto/ says now");
    Ok(())
}

fn build(buf: &Path, to: &Path) -> Result<()> {
    must(Command::new(buf).args(["build", PROTO, "--exclude-source-info", "--output"]).arg(to))
}

fn committed() -> Result<PathBuf> {
    let image = tools::root()?.join(IMAGE);
    ensure!(image.exists(), "{IMAGE} is missing; write it with `cargo xtask proto` and commit it");
    Ok(image)
}
