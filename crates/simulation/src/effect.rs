//! Requests: to whom, what they ask, what befell them, and how they ended.

use crate::{fault::Fault, oracle::is_write};
use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// One process of the operator; the first is 1.
pub type Instance = u32;

/// The services that the operator talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The API server.
    Kubernetes,
    /// All of AWS.
    Aws,
}

/// A request that is about to be sent.
#[derive(Clone, Debug)]
pub struct Asked {
    /// To whom.
    pub service: Service,
    /// Which of AWS's services that is.
    pub part: &'static str,
    /// What it asks, without ids that differ from life to life.
    pub name: String,
    /// A digest of all its bytes.
    pub digest: u64,
    /// Whether its client has sent it before, and was not answered well.
    pub again: bool,
}

/// One request of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// When it was sent, since the life began.
    pub at: Duration,
    /// Who sent it.
    pub instance: Instance,
    /// To whom.
    pub service: Service,
    /// What it asks, without ids that differ from life to life.
    pub name: String,
    /// A digest of all its bytes.
    pub digest: u64,
    /// What befell it.
    pub fault: Option<Fault>,
    /// Whether it was carried out.
    pub carried_out: bool,
}

impl Effect {
    /// Whether it is to change something; leases, which are renewed all the time, do not count.
    pub fn is_write(&self) -> bool {
        changes(self.service, &self.name)
    }

    /// Whether it changed something in AWS.
    pub fn is_commit(&self) -> bool {
        self.service == Service::Aws && self.carried_out && self.is_write()
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            instance,
            service,
            name,
            digest: _,
            fault,
            carried_out,
        } = self;
        write!(f, "{:>9.3} s  {instance}  {service:?} {name}", at.as_secs_f64())?;
        if let Some(fault) = fault {
            write!(f, "  !{fault}")?;
        }
        if *carried_out {
            Ok(())
        } else {
            write!(f, "  (not carried out)")
        }
    }
}

/// A digest of several pieces, the same at every run.
pub(crate) fn digest<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let mut hasher = DefaultHasher::new();
    pieces.into_iter().for_each(|piece| piece.hash(&mut hasher));
    hasher.finish()
}

/// Whether a request is to change something; leases, which are renewed all the time, do not count.
pub(crate) fn changes(service: Service, name: &str) -> bool {
    match service {
        Service::Aws => is_write(name),
        Service::Kubernetes => {
            let reads = ["Get ", "List ", "Watch "]
                .iter()
                .any(|verb| name.starts_with(verb));
            !reads && !name.ends_with(" leases")
        }
    }
}

/// How a request ended for its sender.
#[derive(Debug)]
pub enum Delivery<T> {
    /// With its answer.
    Answer(T),
    /// With half of its answer.
    Half(T),
    /// With an answer whose document is none.
    Garbage(T),
    /// With an error of the service.
    Status(u16),
    /// With a broken connection.
    Reset,
}
