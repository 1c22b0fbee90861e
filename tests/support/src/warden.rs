//! Nothing that a test or the demo started outlives it, however it ends.
//!
//! `Drop` is not enough: a test may be killed, and statics are never dropped. So one small shell, in a process group of
//! its own, holds the other end of a pipe from this process. It is told of every process group and directory; when the
//! pipe closes, and the kernel closes it at any death, it kills the groups and removes the directories that are left.
//! (The kernel's own parent-death signal follows the death of the starting *thread*, which in a test comes early.)

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{ChildStdin, Command, Stdio},
    sync::{LazyLock, Mutex, PoisonError},
};

use crate::Error;

/// `+GROUP` and `-GROUP` add and drop a process group, `/PATH` adds a directory.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
groups=
set --
while IFS= read -r line; do
  case $line in
    +*) groups="$groups ${line#+}" ;;
    -*) kept=; for group in $groups; do [ "$group" = "${line#-}" ] || kept="$kept $group"; done; groups=$kept ;;
    /*) set -- "$@" "$line" ;;
  esac
done
for group in $groups; do kill -KILL "-$group"; done
[ $# -eq 0 ] || rm -rf -- "$@"
"#;

static WARDEN: LazyLock<Mutex<Option<ChildStdin>>> = LazyLock::new(|| Mutex::new(None));

/// Has a process group killed when this process ends.
pub(crate) fn watch(group: u32) -> Result<(), Error> {
    tell(&format!("+{group}"))
}

/// The group is about to be reaped: its number may soon belong to somebody else.
pub(crate) fn release(group: u32) -> Result<(), Error> {
    tell(&format!("-{group}"))
}

/// Has a directory removed when this process ends, if it is still there.
pub(crate) fn watch_directory(path: &Path) -> Result<(), Error> {
    tell(&path.display().to_string())
}

fn tell(line: &str) -> Result<(), Error> {
    let mut warden = WARDEN.lock().unwrap_or_else(PoisonError::into_inner);
    let failed = |source| Error::Spawn {
        program: "sh".to_owned(),
        source,
    };
    if warden.is_none() {
        let child = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        *warden = child.stdin;
    }
    match warden.as_mut() {
        Some(pipe) => writeln!(pipe, "{line}").map_err(failed),
        None => Ok(()),
    }
}
