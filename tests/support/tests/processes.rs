//! Child processes: heard, and ended however their starter ends.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use jwthttpapi_test_support::{Error, deadline, places, process::Launch};

const LIMIT: Duration = Duration::from_secs(20);
/// Set in the test process that the next test starts and kills.
const STARTER: &str = "JWTHTTPAPI_TEST_STARTER";

#[test]
fn the_death_of_a_starter_ends_what_it_started() {
    if env::var_os(STARTER).is_some() {
        let directory = places::scratch("jwthttpapi-starter-").unwrap();
        // A grandchild too, since programs start programs.
        let child = Launch::new("sh", directory.path().join("log"))
            .args(["-c", "sleep 600; true"])
            .spawn()
            .unwrap();
        eprintln!("started {} in {}", child.id(), directory.path().display());
        loop {
            std::thread::park();
        }
    }
    let mut starter = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "the_death_of_a_starter_ends_what_it_started",
            "--nocapture",
        ])
        .env(STARTER, "yes")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(starter.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let said = lines
        .into_iter()
        .find_map(|line| line.strip_prefix("started ").map(str::to_owned))
        .unwrap();
    let (group, directory) = said.split_once(" in ").unwrap();
    let alive = || {
        let listed = Command::new("ps").args(["-eo", "pgid="]).output().unwrap();
        String::from_utf8_lossy(&listed.stdout)
            .lines()
            .any(|line| line.trim() == group)
    };
    assert!(alive() && Path::new(directory).is_dir());
    starter.kill().unwrap();
    starter.wait().unwrap();
    deadline::poll("the end of the group and its directory", LIMIT, || {
        Ok((!alive() && !Path::new(directory).exists()).then_some(()))
    })
    .unwrap();
}

#[test]
fn a_line_is_found_whether_it_came_before_or_comes_after_the_question() {
    let directory = places::scratch("jwthttpapi-lines-").unwrap();
    let script = "echo port 1; echo port 2 >&2; read _ < /dev/zero";
    let child = Launch::new("sh", directory.path().join("log"))
        .args(["-c", script])
        .spawn()
        .unwrap();
    for port in ["port 1", "port 2", "port 1"] {
        child
            .wait_for_line(port, LIMIT, |line| (line == port).then_some(()))
            .unwrap();
    }
}

#[test]
fn waiting_for_a_program_that_ended_is_an_error_that_quotes_it() {
    let directory = places::scratch("jwthttpapi-ended-").unwrap();
    let mut child = Launch::new("sh", directory.path().join("log"))
        .args(["-c", "echo no such flag >&2; exit 2"])
        .spawn()
        .unwrap();
    let error = child
        .wait_for_line("a line", LIMIT, |line| (line == "ready").then_some(()))
        .unwrap_err();
    assert!(error.to_string().contains("no such flag"), "{error}");
    let error = child
        .wait_until("readiness", LIMIT, || Ok(None::<()>))
        .unwrap_err();
    assert!(
        matches!(&error, Error::Ended { .. }) && error.to_string().contains("no such flag"),
        "{error}"
    );
    assert_eq!(child.wait(LIMIT).unwrap(), 2);
}

#[test]
fn a_program_ends_by_request_or_by_force() {
    let directory = places::scratch("jwthttpapi-end-").unwrap();
    let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 1 & wait; done";
    let start = || {
        let child = Launch::new("sh", directory.path().join("log"))
            .args(["-c", script])
            .spawn()
            .unwrap();
        child
            .wait_for_line("ready", LIMIT, |line| (line == "ready").then_some(()))
            .unwrap();
        child
    };
    let mut asked = start();
    asked.terminate();
    assert_eq!(asked.wait(LIMIT).unwrap(), 7);
    let mut forced = start();
    forced.kill().unwrap();
    assert_eq!(forced.wait(LIMIT).unwrap(), 128 + 9);
}
