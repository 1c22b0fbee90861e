//! Programs that are run to their end.

use std::{
    ffi::OsStr,
    io::Write,
    process::{Command, Stdio},
};

use crate::Error;

/// Runs a program to its end: what it wrote to standard output.
///
/// # Errors
///
/// It could not be started, or it did not succeed; the error holds what it wrote to standard error.
pub fn run(command: &mut Command, input: Option<&str>) -> Result<String, Error> {
    let program = command_line(command);
    let failed = |source| Error::Spawn {
        program: program.clone(),
        source,
    };
    let mut child = command
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        // A program that ends before it has read everything says why in its own words, below.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(Error::Ended {
            program,
            status: output.status.to_string(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
