//! Bugs that can be planted, one at a time, to see that the simulation catches each.
//!
//! All of this exists in builds with `--cfg planted` alone, which `make sweep` and `make known-bugs` make. Elsewhere
//! [`planted!`](crate::planted!) is `false`, and a test holds the names of the bugs out of the operator's binary.

use std::{cell::Cell, hint::black_box};

macro_rules! bugs {
    ($($bug:ident: $source:literal, $what:literal;)+) => {
        /// A bug that can be planted: a rule of the protocol removed, or a mistake that other operators made.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each says what it is in `what`")]
        pub enum Bug {
            $($bug,)+
        }

        impl Bug {
            /// All of them: the rules of the protocol in their order, then what happened to others.
            pub const ALL: [Self; [$(stringify!($bug)),+].len()] = [$(Self::$bug),+];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$bug => concat!("planted:", stringify!($bug))),+ }
            }

            /// The rule that it removes, or where it happened.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$bug => $source),+ }
            }

            /// What the operator does wrong.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$bug => $what),+ }
            }
        }

        static NAMES: [&str; Bug::ALL.len()] = [$(Bug::$bug.name()),+];
    };
}

bugs! {
    StaleObject: "rule 1", "acts on the cached object and writes without its resource version";
    NameIsProof: "rule 2", "takes what carries the object's namespace and name for its own";
    NoIntent: "rule 3", "creates the API without a finalizer, an intent or a nonce in status";
    EachCreates: "rule 3, several processes", "lets each process create that has waited for an intent";
    AnyPlace: "rule 4", "acts in whatever account and Region it is in";
    NoListBeforeRelease: "rule 5", "lets a deleted object go without a look at the list of APIs";
    KeepDuplicates: "rule 6", "never removes a duplicate";
    LeftBehind: "rule 6, reclaim", "takes over what a namesake left and forgets whose it was";
    OrphansAtOnce: "rule 6, orphans", "deletes an orphan as soon as one list lacks its object";
    UnwrittenGrants: "rule 7", "adds a statement to a function's policy before status says so";
    BelievesAtOnce: "rule 7, answers that are lost", "looks at AWS before a write without an answer can have arrived";
    AnyOrder: "rule 8", "changes routes and authorizers in any order";
    SwitchOvertakes: "rule 8, the endpoint's switch", "switches the endpoint on while deployments are on their way";
    RepointsAtOnce: "decision 10", "leads a route to a function that its role may not invoke yet";
    GoesAtOnce: "decision 10", "takes a permission or a function away that the last deployment still needs";
    EndsFirst: "decision 10", "deletes a route before those are there that take its callers over";
    AbsentAtOnce: "rule 9, reads that lag", "takes what AWS does not show yet for gone";
    DeletedForGood: "rule 9, processes that died", "takes what it deleted for gone while a write of the process before it may be on its way";
    UnknownIsEmpty: "rule 9", "takes a role that it may not read for one that is not there";
    EveryTextIsAFailure: "rule 10", "takes the text of a successful deployment for a failure";
    NoIamWait: "rule 11", "says Ready before a new role works";
    FinalizerFirst: "rule 12", "takes the finalizer off before AWS is empty";
    NoFence: "rule 13", "writes without a look at the lease";
    NoBudget: "rule 14", "sends as many requests as it likes";
    AckShape: "ACK apigatewayv2, aws-controllers-k8s/community #2062 and #2066", "the creation protocol of ACK: identity in status alone, the SDK's retries, the finalizer dropped on an error";
    CreatesWithoutLook: "ACK, aws-controllers-k8s/community #894", "creates whenever status holds no id";
    SdkRetries: "Rainmaker (NSDI 2023); AWS SDK defaults", "lets the SDK send a create again by itself";
    FinalizerDropped: "ACK runtime, createResource", "takes the finalizer off when a create fails";
    NeverTryAgain: "Crossplane, crossplane-runtime #340", "stops for ever when it finds an intent";
    OmitToClear: "CloudFormation, coverage-roadmap #2184; ACK", "leaves out what is to be cleared";
    CorsStays: "ACK apigatewayv2, updateApiInput", "never removes CORS";
    TagsFrozen: "ACK apigatewayv2, api delta", "never changes tags after creation";
    HeaderCase: "cdk-real-drift #257; ACK", "compares CORS header names in the case that the user wrote";
    DeleteThenCreate: "CloudFormation, replacement of routes", "changes a route by deleting and creating it";
    OpenThenProtect: "Serverless #8592", "creates a route open and protects it afterwards";
    LeftoversFirst: "SST #5586, Terraform #14812", "deletes authorizers and integrations before routes have left them";
    TerminalForever: "ACK, aws-controllers-k8s/community #1844 and #2098", "never tries again what a person had to put right";
    DeafToAnnotations: "ACK, aws-controllers-k8s/community #1905", "is woken by nothing but a generation";
    NoTimeouts: "AWS SDK for Rust and kube defaults", "waits for ever for an answer";
    PanicEndsAll: "kube-rs, Controller unwraps its tasks", "lets a panic in one reconcile end the process";
    ReleasedTooEarly: "Cilium #42920", "gives the lease back while a write is under way";
    LeadsOn: "Kyverno #14984", "goes on writing after the lease was lost";
    SameName: "Sieve (OSDI 2022), MongoDB operators", "takes its namesake's API for its own";
    AuthorizerIdAlone: "Terraform #35821", "sends an authorizer's id without the type";
    ReadyAtOnce: "ACK, aws-controllers-k8s/community #1583; provider-aws #1581", "says Ready of what is not there yet";
    BothTrue: "kstatus, the first of Reconciling and Stalled wins", "says Reconciling and Stalled together";
    RawText: "k8ssandra-operator #1396, CVE-2025-7445", "copies the text of an error into status";
    StampEveryPass: "ACK, useless updates at every resync", "writes a time into status in each pass";
    FirstPageOnly: "reliability of list calls, MaxResults and NextToken", "reads the first page of a list";
    HastyRelease: "ablation: no settle wait before the finalizer goes", "lets a deleted object go while a create may be on its way";
    NoSettleWait: "ablation: no settle wait before a second create", "believes an empty list at once";
    TrustedId: "status as identity, threat of an injected status", "believes the id in status without proof";
    TextualDocuments: "Terraform, order of keys and scalars in policies", "compares IAM documents as texts";
    ScopesForgotten: "SAM #2688", "drops the scopes that a route inherits";
    ExtrasStay: "ACK apigatewayv2, children are never listed", "leaves routes alone that nobody asked for";
    DeafToFailures: "rule 10, deployments that fail", "does not hear of a deployment that failed";
    NeverReclaims: "rule 6, reclaim", "makes an API anew beside the one that its namesake left";
    FirstDeployment: "its own, found by a walk", "takes the next deployment for that of its last write";
    NeverBack: "kube-rs, predicate_filter", "sleeps through an object that a list lacked and that is back unchanged";
    WaitEndsFailures: "its own, found by an outage of writes", "forgets how often it failed while it waits for what may have arrived";
    WritesSuspended: "rule 12, suspend", "writes for an object that is suspended";
    DeletesSuspended: "rule 12, suspend", "deletes for an object that is suspended";
    DeletesRetained: "rule 12, Retain", "deletes what is to be retained";
    RetainsTagged: "rule 12, Retain", "lets an object go and leaves its tags on what is retained";
    WokenByItself: "controllers without a predicate", "is woken by its own writes";
}

impl Bug {
    /// The bugs that it is made of.
    const fn parts(self) -> &'static [Self] {
        match self {
            Self::AckShape => &[
                Self::EachCreates,
                Self::CreatesWithoutLook,
                Self::SdkRetries,
                Self::FinalizerDropped,
                Self::TrustedId,
                Self::NoListBeforeRelease,
                Self::HastyRelease,
                Self::KeepDuplicates,
            ],
            Self::LeadsOn => &[Self::NoFence],
            _ => &[],
        }
    }

    /// The bug of a name, with or without its prefix.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.strip_prefix("planted:").unwrap_or(name);
        Self::ALL
            .into_iter()
            .find(|bug| bug.name().strip_prefix("planted:") == Some(name))
    }
}

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Plants a bug in everything that this thread runs from now on, or none.
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// Whether a bug is planted in this thread.
pub fn is(bug: Bug) -> bool {
    // Whatever an optimiser makes of the rest: a binary in which a bug can be planted holds the names of all, as the test of
    // the operator's own binary expects. `#[used]` would not do, since the linker collects what nothing refers to.
    black_box(&NAMES);
    PLANTED
        .get()
        .is_some_and(|planted| planted == bug || planted.parts().contains(&bug))
}
