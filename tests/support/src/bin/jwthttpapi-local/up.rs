//! The ground left running: `up` starts a keeper that holds it, `down` ends the keeper, and with it everything.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use jwthttpapi_test_support::{Error, command, deadline, places, tools::Tools};
use rustix::process::{Pid, Signal, kill_process, setsid};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    ground::{AUDIENCE, Ground, ISSUER, NAME, NAMESPACE},
    narrator::Narrator,
};

/// Starting takes seconds once everything is built.
const START_LIMIT: Duration = Duration::from_mins(2);
/// A keeper that is told to end while it starts does so when it has started.
const END_LIMIT: Duration = START_LIMIT;

/// What the keeper leaves for `up`, for `down` and for people.
#[derive(Serialize, Deserialize)]
struct Running {
    keeper: Keeper,
    /// None while it starts.
    ready: Option<Ready>,
}

/// Where everything is.
#[derive(Serialize, Deserialize)]
struct Ready {
    kubeconfig: PathBuf,
    authority: PathBuf,
    issuer: String,
    aws: String,
    operator: String,
    api: String,
}

/// A process, told from a later one of the same number by when it started.
#[derive(Clone, Serialize, Deserialize)]
struct Keeper {
    pid: i32,
    started: String,
}

/// Starts the keeper and waits until everything is ready.
pub(crate) fn up(narrator: &Narrator) -> Result<(), Error> {
    if let Some(running) = running()? {
        narrator.say("It is running already.");
        return running.ready.map_or(Ok(()), |ready| describe(narrator, &ready));
    }
    let directory = directory();
    let log = directory.join("keeper.log");
    fs::create_dir_all(&directory).map_err(file(&directory))?;
    let output = File::create(&log).map_err(file(&log))?;
    let errors = output.try_clone().map_err(file(&log))?;
    let executable = env::current_exe().map_err(file("the running executable"))?;
    let program = format!("{} keep", executable.display());
    let mut keeper = Command::new(executable)
        .arg("keep")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(|source| Error::Spawn {
            program: program.clone(),
            source,
        })?;
    narrator.say("Starting a local Kubernetes, AWS and issuer, and the operator …");
    let ready = deadline::poll("the start", START_LIMIT, || {
        if let Ok(Some(status)) = keeper.try_wait() {
            let output = fs::read_to_string(&log).unwrap_or_default();
            return Err(Error::Ended {
                program: program.clone(),
                status: status.to_string(),
                output,
            });
        }
        Ok(running()?.and_then(|running| running.ready))
    })?;
    describe(narrator, &ready)
}

/// Ends the keeper and waits until everything has ended.
pub(crate) fn down(narrator: &Narrator) -> Result<(), Error> {
    let Some(running) = running()? else {
        narrator.say("Nothing is running.");
        return remove_state();
    };
    if let Some(pid) = Pid::from_raw(running.keeper.pid) {
        // It may have ended between the look and the signal, which is as good.
        let _ = kill_process(pid, Signal::TERM);
    }
    deadline::poll("the end", END_LIMIT, || {
        Ok((!running.keeper.is_alive()).then_some(()))
    })?;
    narrator.say("Ended: Kubernetes, AWS, issuer and operator.");
    remove_state()
}

/// Holds the ground until SIGTERM or SIGINT.
pub(crate) fn keep() -> Result<(), Error> {
    // Away from the terminal, whose end is not this process's. It fails only for who leads a session already.
    let _ = setsid();
    let narrator = Narrator::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(file("the keeper's runtime"))?;
    let _entered = runtime.enter();
    let mut terminated = signal(SignalKind::terminate()).map_err(file("SIGTERM"))?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(file("SIGINT"))?;

    let keeper = Keeper::this()?;
    Running {
        keeper: keeper.clone(),
        ready: None,
    }
    .write()?;
    let ground = Ground::start(&directory(), &narrator)?;
    let example = directory().join("hello.yaml");
    fs::write(&example, ground.example()?).map_err(file(&example))?;
    ground.kubectl(&narrator, &["apply", "-f", &example.display().to_string()])?;
    let object = format!("jwthttpapi/{NAME}");
    ground.kubectl(
        &narrator,
        &["wait", "--for=condition=Ready", &object, "--timeout=60s"],
    )?;
    let api = ground.kubectl(
        &narrator,
        &["get", &object, "--output", "jsonpath={.status.apiId}"],
    )?;

    let kubeconfig = directory().join("kubeconfig");
    fs::copy(ground.cluster.kubeconfig(), &kubeconfig).map_err(file(&kubeconfig))?;
    let authority = directory().join("issuer.pem");
    fs::copy(ground.issuer.authority(), &authority).map_err(file(&authority))?;
    let ready = Ready {
        kubeconfig,
        authority,
        issuer: ground.issuer.url(ISSUER),
        aws: ground.aws().url().to_owned(),
        operator: ground.operator.url().to_owned(),
        api,
    };
    Running {
        keeper,
        ready: Some(ready),
    }
    .write()?;

    runtime.block_on(async {
        tokio::select! {
            biased;
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    });
    drop(ground);
    remove_state()
}

impl Running {
    fn write(&self) -> Result<(), Error> {
        let path = state_path();
        let partial = path.with_extension("new");
        let text = serde_json::to_string_pretty(self).map_err(|error| unreadable(&error))?;
        fs::write(&partial, text).map_err(file(&partial))?;
        fs::rename(&partial, &path).map_err(file(&path))
    }
}

impl Keeper {
    fn this() -> Result<Self, Error> {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        Ok(Self {
            pid,
            started: start_of(pid)?,
        })
    }

    fn is_alive(&self) -> bool {
        start_of(self.pid).is_ok_and(|started| started == self.started)
    }
}

/// When a process started, in the system's words; an error if there is none of that number, or it is a dead one that
/// nobody has asked after.
fn start_of(pid: i32) -> Result<String, Error> {
    let said = command::run(
        Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]),
        None,
    )?;
    let (state, started) = said.trim().split_once(' ').unwrap_or_default();
    if state.starts_with('Z') {
        return Err(Error::Document {
            what: format!("process {pid}"),
            problem: "has ended".to_owned(),
        });
    }
    Ok(started.trim().to_owned())
}

/// What runs, if its keeper does.
fn running() -> Result<Option<Running>, Error> {
    let path = state_path();
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(file(&path))?;
    let running: Running = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    Ok(running.keeper.is_alive().then_some(running))
}

fn remove_state() -> Result<(), Error> {
    let path = state_path();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file(&path)(error)),
        _ => Ok(()),
    }
}

fn describe(narrator: &Narrator, ready: &Ready) -> Result<(), Error> {
    let Ready {
        kubeconfig,
        authority,
        issuer,
        aws,
        operator,
        api,
    } = ready;
    let kubectl = Tools::provide()?.kubectl;
    let programs = kubectl.parent().unwrap_or(&kubectl).display();
    let (kubeconfig, authority) = (kubeconfig.display(), authority.display());
    narrator.say(&format!(
        "
  export KUBECONFIG={kubeconfig} PATH={programs}:$PATH
  kubectl get jwthttpapis --all-namespaces     # {NAMESPACE}/{NAME} is there and Ready

  AWS (the sandbox)   {aws}      its state: {aws}/_sandbox/state, its journal: {aws}/_sandbox/journal
  issuer              {issuer}
  operator            {operator}/metrics

  A token, and a call with it:

  TOKEN=$(curl -s --cacert {authority} -d sub=you -d audience={AUDIENCE} {issuer}token | sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')
  curl -i -H \"Authorization: Bearer $TOKEN\" {aws}/_sandbox/invoke/{api}/test

  make down ends it all."
    ));
    Ok(())
}

fn directory() -> PathBuf {
    places::repository().join(".local/up")
}

fn state_path() -> PathBuf {
    directory().join("running.json")
}

fn file(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.as_ref().to_owned();
    move |source| Error::File { path, source }
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::Document {
        what: state_path().display().to_string(),
        problem: error.to_string(),
    }
}
