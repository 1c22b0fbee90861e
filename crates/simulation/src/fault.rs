//! What can befall a request, and schedules of it.

use crate::{
    deed::{Deed, denials},
    outage::{Outage, Shape},
};
use std::{collections::BTreeMap, fmt};

/// Before or after a request is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It is not carried out.
    Before,
    /// It was carried out.
    After,
}

/// What becomes of who sent a request that arrives late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sender {
    /// It dies.
    Dies,
    /// It has waited for as long as it waits for an answer.
    GivesUp,
    /// Its connection breaks.
    IsCutOff,
}

/// What befalls one request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The process that sent it dies.
    Crash(Side),
    /// The connection breaks.
    Reset(Side),
    /// No answer ever comes.
    Hang(Side),
    /// The service answers with an error.
    Status(Side, u16),
    /// Half of the answer comes.
    Half,
    /// The answer is none.
    Garbage,
    /// It is carried out only when its sender knows nothing of it any more.
    Late(Sender),
    /// The process sleeps right after sending, and its request arrives when it wakes.
    Pause {
        /// How long.
        seconds: u64,
    },
    /// The task that sent it panics.
    Panic,
    /// The process is asked to stop.
    Terminate,
    /// The service is in trouble from now on.
    Outage(Outage),
    /// The time of day jumps.
    Skew(i64),
    /// Somebody else does something.
    Deed(Deed),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deed(deed) => write!(f, "{deed}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// Faults by the number of the request that they befall.
pub type Schedule = BTreeMap<usize, Fault>;

impl Fault {
    /// The kind that tables show.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Crash(_) => "crash",
            Self::Reset(_) => "connection lost",
            Self::Hang(_) => "no answer",
            Self::Status(..) => "error answered",
            Self::Half => "half an answer",
            Self::Garbage => "no document",
            Self::Late(_) => "arrives late",
            Self::Pause { .. } => "process sleeps",
            Self::Panic => "panic",
            Self::Terminate => "SIGTERM",
            Self::Outage(outage) if outage.shape == Shape::Refused => "service away",
            Self::Outage(_) => "service in trouble",
            Self::Skew(_) => "clock jumps",
            Self::Deed(deed) => deed.kind(),
        }
    }

    /// Faults of the process and of the wire: what pairs and triples are made of.
    pub fn of_the_wire() -> Vec<Self> {
        use Side::{After, Before};
        vec![
            Self::Crash(Before),
            Self::Crash(After),
            Self::Late(Sender::Dies),
            Self::Reset(Before),
            Self::Reset(After),
            Self::Hang(Before),
            Self::Hang(After),
            Self::Late(Sender::GivesUp),
            Self::Late(Sender::IsCutOff),
            Self::Status(Before, 503),
            Self::Status(After, 500),
            Self::Half,
            Self::Garbage,
        ]
    }

    /// All of them.
    pub fn all() -> Vec<Self> {
        let mut all = Self::of_the_wire();
        all.extend(Self::of_the_world());
        all
    }

    /// One of each kind that is tried in all pairs.
    pub fn in_pairs() -> Vec<Self> {
        let mut pairs = Self::in_triples();
        pairs.extend([
            Self::Hang(Side::After),
            Self::Panic,
            Self::Terminate,
            Self::Deed(Deed::Delete),
            Self::Deed(Deed::Replace),
            Self::Deed(Deed::StripFinalizer),
        ]);
        let creations =
            |deed: &Deed| matches!(deed, Deed::Switch(patch, _) if patch.contains("\"apigateway:POST\""));
        pairs.extend(denials().into_iter().find(creations).map(Self::Deed));
        pairs
    }

    /// Deaths and lost answers, which are tried in all triples.
    pub fn in_triples() -> Vec<Self> {
        vec![
            Self::Crash(Side::Before),
            Self::Crash(Side::After),
            Self::Reset(Side::After),
        ]
    }

    /// All others.
    pub fn of_the_world() -> Vec<Self> {
        vec![
            Self::Status(Side::Before, 429),
            Self::Pause { seconds: 60 },
            Self::Panic,
            Self::Terminate,
            Self::Skew(600),
            Self::Skew(-600),
        ]
        .into_iter()
        .chain(Outage::ALL.map(Self::Outage))
        .chain(Deed::all().into_iter().map(Self::Deed))
        .collect()
    }
}
