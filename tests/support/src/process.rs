//! Programs as children that are watched, heard and certainly ended.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::{Error, deadline, warden};

/// How many lines of a program's output an error quotes.
const QUOTED_LINES: usize = 30;

/// What to start: program, arguments, environment, log file.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    log: PathBuf,
}

impl Launch {
    /// A program whose output goes to the file `log`.
    pub fn new(program: impl Into<PathBuf>, log: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            log: log.into(),
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<OsString>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Leaves out every argument so far.
    #[must_use]
    pub fn without_args(mut self) -> Self {
        self.args.clear();
        self
    }

    /// Sets one variable beside `PATH`, `HOME` and `TMPDIR`; nothing else of this process's environment is passed on.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Leaves out a variable that was set.
    #[must_use]
    pub fn without_env(mut self, name: &str) -> Self {
        self.env.remove(OsStr::new(name));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// The log cannot be written or the program cannot be started.
    pub fn spawn(self) -> Result<Process, Error> {
        Process::spawn(&self)
    }
}

/// A running program in a process group of its own, killed when this is dropped or when this process dies.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    status: Option<ExitStatus>,
    output: Arc<Output>,
}

/// What a program has written so far, from both its streams.
#[derive(Debug, Default)]
struct Output {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    all: Vec<String>,
    streams_ended: u8,
}

impl Process {
    fn spawn(launch: &Launch) -> Result<Self, Error> {
        let name = launch.program.display().to_string();
        let log = File::create(&launch.log).map_err(Error::file(&launch.log))?;
        let inherited = ["PATH", "HOME", "TMPDIR"];
        let mut child = Command::new(&launch.program)
            .args(&launch.args)
            .env_clear()
            .envs(
                inherited
                    .iter()
                    .filter_map(|name| Some((name, env::var_os(name)?))),
            )
            .envs(&launch.env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|source| Error::Spawn {
                program: name.clone(),
                source,
            })?;
        warden::watch(child.id())?;
        let output = Arc::new(Output::default());
        let log = Arc::new(Mutex::new(log));
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for stream in streams.into_iter().flatten() {
            let (output, log) = (Arc::clone(&output), Arc::clone(&log));
            std::thread::spawn(move || output.gather(stream, &log));
        }
        Ok(Self {
            name,
            child,
            status: None,
            output,
        })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Every line written so far.
    pub fn lines(&self) -> Vec<String> {
        self.output.lock().all.clone()
    }

    /// The first line, already written or still to come, of which `pick` makes something.
    ///
    /// # Errors
    ///
    /// The program ended without such a line, or `limit` passed.
    pub fn wait_for_line<T>(
        &self,
        what: &str,
        limit: Duration,
        pick: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Error> {
        let end = Instant::now() + limit;
        let mut seen = 0;
        let mut lines = self.output.lock();
        loop {
            if let Some(found) = lines.all.iter().skip(seen).find_map(|line| pick(line)) {
                return Ok(found);
            }
            seen = lines.all.len();
            let left = end.saturating_duration_since(Instant::now());
            if lines.streams_ended == 2 || left.is_zero() {
                let what = format!("{}: {what}", self.name);
                return Err(Error::Deadline {
                    what,
                    limit,
                    detail: tail(&lines.all),
                });
            }
            (lines, _) = self
                .output
                .changed
                .wait_timeout(lines, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Asks `probe` until it answers something; the program's own end is an error at once.
    ///
    /// # Errors
    ///
    /// The program ended, the probe failed for good, or `limit` passed.
    pub fn wait_until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut probe: impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let what = format!("{}: {what}", self.name);
        let waited = deadline::poll(&what, limit, || match self.try_exit()? {
            Some(status) => Err(self.ended(status)),
            None => probe(),
        });
        waited.map_err(|error| match error {
            Error::Deadline { what, limit, .. } => Error::Deadline {
                what,
                limit,
                detail: tail(&self.lines()),
            },
            other => other,
        })
    }

    /// Waits until a GET of `url` answers 200.
    ///
    /// # Errors
    ///
    /// The program ended or `limit` passed.
    pub fn wait_for_http(&mut self, url: &str, limit: Duration) -> Result<(), Error> {
        self.wait_until(&format!("200 from {url}"), limit, || {
            Ok(ureq::get(url)
                .call()
                .is_ok_and(|answer| answer.status() == 200)
                .then_some(()))
        })
    }

    /// Sends SIGTERM to the program, the polite request to end.
    pub fn terminate(&self) {
        // The only failure is "no such process": it has ended already, which is what was asked.
        let _ = self.pid().map(|pid| kill_process(pid, Signal::TERM));
    }

    /// Freezes the program with SIGSTOP: it holds what it has, and answers nobody.
    pub fn freeze(&self) {
        let _ = self.pid().map(|pid| kill_process(pid, Signal::STOP));
    }

    /// Lets a frozen program go on.
    pub fn thaw(&self) {
        let _ = self.pid().map(|pid| kill_process(pid, Signal::CONT));
    }

    /// Kills the program and whatever it started with SIGKILL, and waits for its end.
    ///
    /// # Errors
    ///
    /// The system cannot say how it ended.
    pub fn kill(&mut self) -> Result<(), Error> {
        if self.try_exit()?.is_none() {
            // As above: a group that is gone needs no killing.
            let _ = self.pid().map(|pid| kill_process_group(pid, Signal::KILL));
            warden::release(self.child.id())?;
            let ended = self.child.wait().map_err(|source| Error::Spawn {
                program: self.name.clone(),
                source,
            })?;
            self.status = Some(ended);
        }
        Ok(())
    }

    /// Waits for the program's own end: its exit code, or 128 + signal as shells say it.
    ///
    /// # Errors
    ///
    /// `limit` passed.
    pub fn wait(&mut self, limit: Duration) -> Result<i32, Error> {
        let what = format!("{}: its end", self.name);
        let status = deadline::poll(&what, limit, || self.try_exit())?;
        Ok(status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    ///
    /// The system cannot say.
    pub fn try_exit(&mut self) -> Result<Option<ExitStatus>, Error> {
        if self.status.is_none() {
            self.status = self.child.try_wait().map_err(|source| Error::Spawn {
                program: self.name.clone(),
                source,
            })?;
            if self.status.is_some() {
                warden::release(self.child.id())?;
            }
        }
        Ok(self.status)
    }

    fn ended(&self, status: ExitStatus) -> Error {
        Error::Ended {
            program: self.name.clone(),
            status: status.to_string(),
            output: tail(&self.lines()),
        }
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nobody is left to tell; the warden ends what could not be ended here.
        let _ = self.kill();
    }
}

impl Output {
    fn lock(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gather(&self, stream: impl Read, log: &Mutex<File>) {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            // A full disk must not stop the reading, or the program would hang on its full pipe.
            let _ = writeln!(log.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
            self.lock().all.push(line);
            self.changed.notify_all();
        }
        self.lock().streams_ended += 1;
        self.changed.notify_all();
    }
}

fn tail(lines: &[String]) -> String {
    let quoted = lines
        .get(lines.len().saturating_sub(QUOTED_LINES)..)
        .unwrap_or_default();
    quoted.join("\n")
}
