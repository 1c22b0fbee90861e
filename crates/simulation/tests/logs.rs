//! What the operator writes to its log, at every level and from every crate. A binary of its own: the log is the process's.

use jwthttpapi_simulation::{
    deed::Deed,
    fault::{Fault, Schedule, Side},
    ground, life,
    scenario::Scenario,
};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_level_of_the_log_shows_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let ground = ground();
    for (number, fault) in [
        (9, Fault::Status(Side::After, 500)),
        (11, Fault::Half),
        (13, Fault::Panic),
        (
            14,
            Fault::Deed(Deed::Switch(r#"{"expired_keys": ["AKIDOPERATOR"]}"#, 90)),
        ),
    ] {
        let schedule = Schedule::from([(number, fault)]);
        let outcome = life::live(&ground, &Scenario::bare(), &schedule, 1);
        assert_eq!(outcome.violations, []);
    }
    for scenario in [Scenario::role(), Scenario::functions()] {
        let outcome = life::live(&ground, &scenario, &Schedule::new(), 1);
        assert_eq!(outcome.violations, [], "{}", scenario.name);
    }
    let logged = log.0.lock().unwrap();
    let logged = String::from_utf8_lossy(&logged);
    assert!(logged.contains("created the API"), "{} bytes", logged.len());
    assert!(logged.contains("aws_sigv4"), "the SDK logged nothing");
    assert!(
        !logged.contains("canary-secret-access-key"),
        "the log shows the secret key"
    );
}
