//! The temporary directory of one invocation.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
    process::Stdio,
};

use tempfile::TempDir;
use tokio::task;
use zip::ZipArchive;

/// How much of what a function prints is kept.
const LOG_BYTES: u64 = 64 * 1024;

/// Code, input, result and log of one invocation. Gone when dropped.
pub(super) struct Workplace {
    directory: TempDir,
    bootstrap: &'static str,
}

impl Workplace {
    /// Unpacks the code and writes the bootstrap program and the input beside it.
    pub(super) async fn lay_out(
        zip: Vec<u8>,
        (bootstrap, program): (&'static str, &'static str),
        input: String,
    ) -> io::Result<Self> {
        off_the_runtime(move || {
            let directory = tempfile::Builder::new().prefix("jwthttpapi-sandbox-").tempdir()?;
            let workplace = Self { directory, bootstrap };
            // `extract` refuses names that lead out of the directory.
            ZipArchive::new(Cursor::new(zip))?.extract(workplace.task())?;
            fs::create_dir_all(workplace.task())?;
            fs::write(workplace.bootstrap(), program)?;
            fs::write(workplace.path("input.json"), input)?;
            Ok(workplace)
        })
        .await
    }

    /// The directory of the unpacked code.
    pub(super) fn task(&self) -> PathBuf {
        self.path("task")
    }

    pub(super) fn bootstrap(&self) -> PathBuf {
        self.path(self.bootstrap)
    }

    /// Where the result will be.
    pub(super) fn result(&self) -> PathBuf {
        self.path("result.json")
    }

    pub(super) fn open_input(&self) -> io::Result<Stdio> {
        Ok(File::open(self.path("input.json"))?.into())
    }

    pub(super) fn open_log(&self) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("log"))
    }

    /// Reads the result, if there is one, and the beginning of the log, and removes everything.
    pub(super) async fn clear(self) -> io::Result<(Option<String>, String)> {
        off_the_runtime(move || {
            let result = match fs::read_to_string(self.result()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                result => Some(result?),
            };
            let mut log = Vec::new();
            File::open(self.path("log"))?
                .take(LOG_BYTES)
                .read_to_end(&mut log)?;
            Ok((result, String::from_utf8_lossy(&log).into_owned()))
        })
        .await
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }
}

async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    task::spawn_blocking(work).await.map_err(io::Error::other)?
}
