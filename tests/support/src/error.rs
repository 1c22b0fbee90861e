//! The one error of this crate.

use std::{io, path::PathBuf, time::Duration};

/// What went wrong on the test ground, in words that name the program or file concerned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory could not be used.
    #[error("{path}: {source}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program could not be started at all.
    #[error("cannot start {program}: {source}")]
    Spawn {
        /// The program's path or name.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program that should have gone on ended, or one that should have succeeded failed.
    #[error("{program} ended with {status}:\n{output}")]
    Ended {
        /// The program with its arguments.
        program: String,
        /// Its exit status in words.
        status: String,
        /// The end of what it wrote.
        output: String,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {limit:?}\n{detail}")]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long it was waited for.
        limit: Duration,
        /// What was seen instead.
        detail: String,
    },
    /// A binary of this workspace is not built.
    #[error("{name} is not built: looked in {searched}; run `make build`")]
    Binary {
        /// The binary's name.
        name: String,
        /// The directories searched.
        searched: String,
    },
    /// A server answered something unusable.
    #[error("{request}: {problem}")]
    Http {
        /// Method and URL.
        request: String,
        /// The status and body, or the transport's words.
        problem: String,
    },
    /// A certificate or key could not be made.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A document could not be written or read as what it should be.
    #[error("{what}: {problem}")]
    Document {
        /// Which document.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Error {
    /// Names the file in an I/O error.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// A document that is not what it should be.
    pub(crate) fn document(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Document {
            what: what.into(),
            problem: problem.into(),
        }
    }
}
