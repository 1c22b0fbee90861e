//! Whether bugs can be planted in a binary.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{Error, places};

/// What the name of each begins with.
const PREFIX: &str = "planted:";

/// The bugs that can be planted, from the lines of their table: `Name: "source", "what";`.
///
/// # Errors
///
/// The table cannot be read.
pub fn known_bugs() -> Result<BTreeSet<String>, Error> {
    let path = places::repository().join("crates/core/src/planted.rs");
    let source = fs::read_to_string(&path).map_err(Error::file(&path))?;
    let table = source.lines().filter(|line| line.trim_end().ends_with("\";"));
    let names = table.filter_map(|line| line.split_once(": \""));
    Ok(names.map(|(name, _)| name.trim().to_owned()).collect())
}

/// Those of them whose names a binary holds: all, if bugs can be planted in it, whatever an optimiser made of it.
///
/// # Errors
///
/// The binary or the table cannot be read.
pub fn planted_in(binary: &Path) -> Result<BTreeSet<String>, Error> {
    let bytes = fs::read(binary).map_err(Error::file(binary))?;
    // Texts lie there side by side, without anything between them.
    let text = String::from_utf8_lossy(&bytes);
    let after: Vec<&str> = text.split(PREFIX).skip(1).collect();
    let mut bugs = known_bugs()?;
    bugs.retain(|bug| after.iter().any(|text| text.starts_with(bug.as_str())));
    Ok(bugs)
}
