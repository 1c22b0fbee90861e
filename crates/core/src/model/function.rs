//! What a function that an object owns should look like, and the archive that its source becomes.

use super::archive;
use super::desired::Role;
use super::name::FunctionArn;
use crate::api::{Architecture, Runtime};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::num::TryFromIntError;

/// A function with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name in the spec.
    pub name: String,
    /// ARN, known before the function exists.
    pub arn: FunctionArn,
    /// Code.
    pub code: Code,
    /// Everything else that Lambda has to know to run it.
    pub configuration: Configuration,
    /// The role that it runs under: it may write to the log group and do nothing else.
    pub role: Role,
    /// Where its logs go.
    pub log_group: LogGroup,
    /// All tags.
    pub tags: BTreeMap<String, String>,
}

/// How Lambda runs a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Such as `nodejs24.x`.
    pub runtime: String,
    /// MODULE.FUNCTION.
    pub handler: String,
    /// ARN of the execution role.
    pub role: String,
    /// MiB.
    pub memory: i32,
    /// Seconds.
    pub timeout: i32,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
}

impl Configuration {
    /// MiB, unless told otherwise.
    pub const MEMORY: i32 = 128;
    /// Seconds, unless told otherwise.
    pub const TIMEOUT: i32 = 3;
}

/// A log group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogGroup {
    /// Name.
    pub name: String,
    /// How long logs are kept; none for ever.
    pub retention_days: Option<i32>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
}

impl LogGroup {
    /// Days, unless the spec says otherwise.
    pub const RETENTION: i32 = 30;
}

/// An archive with the source as its only file: the same bytes for the same source, always.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// The archive.
    pub zip: Vec<u8>,
    /// Base64 of its SHA-256, as Lambda reads it back (D).
    pub sha256: String,
    /// Processors: they change with the code, not with the configuration (D, botocore).
    pub architecture: Architecture,
}

impl Code {
    /// Packs the source of a module.
    ///
    /// # Errors
    /// When it is larger than an archive can be.
    pub fn pack(
        source: &str,
        handler: &str,
        runtime: Runtime,
        architecture: Architecture,
    ) -> Result<Self, TryFromIntError> {
        let module = handler.split('.').next().unwrap_or_default();
        let file = format!("{module}.{}", runtime.extension());
        let zip = archive::pack(&file, source.as_bytes())?;
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(&zip));
        Ok(Self {
            zip,
            sha256,
            architecture,
        })
    }
}

/// Source belongs in no log.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code")
            .field("bytes", &self.zip.len())
            .field("sha256", &self.sha256)
            .field("architecture", &self.architecture)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read};
    use zip::ZipArchive;

    fn pack(source: &str, handler: &str, runtime: Runtime) -> Code {
        Code::pack(source, handler, runtime, Architecture::X86).unwrap()
    }

    #[test]
    fn the_archive_holds_one_readable_file_named_after_the_handlers_module() {
        for (runtime, file) in [(Runtime::Nodejs24, "index.mjs"), (Runtime::Python313, "index.py")] {
            let code = pack("source", "index.handler", runtime);
            let mut archive = ZipArchive::new(Cursor::new(code.zip)).unwrap();
            assert_eq!(archive.len(), 1);
            let mut entry = archive.by_index(0).unwrap();
            let name = entry.name().unwrap().into_owned();
            assert_eq!((name.as_str(), entry.unix_mode()), (file, Some(0o100_644)));
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            assert_eq!(text, "source");
        }
    }

    /// Whoever changes how archives are made replaces the code of every function that there is.
    #[test]
    fn the_same_source_gives_the_same_bytes_in_every_release() {
        let code = pack(
            "export const handler = async () => 1;\n",
            "index.handler",
            Runtime::Nodejs24,
        );
        assert_eq!(code.sha256, "K5DI+4+xGR0ng6S3RiIMm7Y6LGJ+fULeDUTk+KXOXV0=");
        assert_ne!(
            code.sha256,
            pack(
                "export const handler = async () => 2;\n",
                "index.handler",
                Runtime::Nodejs24
            )
            .sha256
        );
    }

    #[test]
    fn logs_tell_sources_apart_and_do_not_show_them() {
        let code = pack("const secret = 1;", "index.handler", Runtime::Nodejs24);
        let logged = format!("{code:?}");
        assert!(
            logged.contains(&code.sha256) && !logged.contains("secret"),
            "{logged}"
        );
    }
}
