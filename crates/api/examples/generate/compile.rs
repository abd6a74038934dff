//! All protos, compiled without protoc to Rust and to a descriptor set.

use std::fs;
use std::path::{Path, PathBuf};

use protox::prost::Message as _;

use crate::Result;

/// Where the generated Rust is kept, below the crate.
pub(crate) const RUST_PATH: &str = "src/generated/lifefold.v1.rs";
/// Where the descriptor set is kept, below the crate: for gRPC reflection and for the generic conversions.
pub(crate) const DESCRIPTORS_PATH: &str = "src/generated/lifefold.v1.binpb";
/// The package's folder, below `proto/`.
const PACKAGE_DIR: &str = "lifefold/v1";

/// What the protos compile to.
pub(crate) struct Compiled {
    /// Messages, enumerations, clients and servers.
    pub(crate) rust: String,
    /// The encoded `FileDescriptorSet`, with its imports and without comments.
    pub(crate) descriptors: Vec<u8>,
}

/// Compiles every proto of the package.
pub(crate) fn compile(protos: &Path) -> Result<Compiled> {
    let mut compiler = protox::Compiler::new([protos])?;
    compiler.include_source_info(true).include_imports(true).open_files(files(protos)?)?;
    let mut set = compiler.file_descriptor_set();
    let out = tempfile::tempdir()?;
    tonic_prost_build::configure().out_dir(out.path()).emit_rerun_if_changed(false).compile_fds(set.clone())?;
    for file in &mut set.file {
        file.source_code_info = None;
    }
    Ok(Compiled { rust: fs::read_to_string(out.path().join("lifefold.v1.rs"))?, descriptors: set.encode_to_vec() })
}

/// The protos in the order of their names, so that the output does not depend on the file system.
fn files(protos: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(protos.join(PACKAGE_DIR))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
