//! Where things are: this repository, the built binaries, scratch directories.

use std::{
    env,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{Error, warden};

/// The root of this repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .skip(2)
        .take(1)
        .collect()
}

/// A binary of this workspace: named by `CARGO_BIN_EXE_<name>`, in `JWTHTTPAPI_BIN_DIR`, or beside the running
/// executable, where `cargo build` puts it.
///
/// # Errors
///
/// It is not there.
pub fn binary(name: &str) -> Result<PathBuf, Error> {
    if let Some(path) = env::var_os(format!("CARGO_BIN_EXE_{name}")) {
        return Ok(path.into());
    }
    let directories: Vec<PathBuf> = if let Some(directory) = env::var_os("JWTHTTPAPI_BIN_DIR") {
        vec![directory.into()]
    } else {
        let executable = env::current_exe().map_err(Error::file("the running executable"))?;
        // target/debug/jwthttpapi-local or target/debug/deps/some_test-0123456789abcdef
        executable
            .ancestors()
            .skip(1)
            .take(2)
            .map(Path::to_owned)
            .collect()
    };
    let found = directories
        .iter()
        .map(|directory| directory.join(name))
        .find(|path| path.is_file());
    found.ok_or_else(|| Error::Binary {
        name: name.to_owned(),
        searched: directories
            .iter()
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
            .join(", "),
    })
}

/// A directory that goes when it is dropped, or when this process ends, even if it is killed.
///
/// # Errors
///
/// The system's temporary directory cannot be written.
pub fn scratch(prefix: &str) -> Result<TempDir, Error> {
    let parent = env::temp_dir();
    let directory = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir_in(&parent)
        .map_err(Error::file(&parent))?;
    warden::watch_directory(directory.path())?;
    Ok(directory)
}
