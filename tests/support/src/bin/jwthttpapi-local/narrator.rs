//! What the user reads.

use std::{
    cell::Cell,
    io::{Write, stdout},
    time::Instant,
};

use jwthttpapi_test_support::Answer;

/// Says things on standard output, with the time since the start.
pub(crate) struct Narrator {
    start: Instant,
    step: Cell<u32>,
}

impl Default for Narrator {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            step: Cell::new(0),
        }
    }
}

impl Narrator {
    /// A new part of the story.
    pub(crate) fn step(&self, title: &str) {
        self.step.set(self.step.get() + 1);
        self.say(&format!(
            "\n[{:5.1} s]  {}. {title}",
            self.start.elapsed().as_secs_f64(),
            self.step.get()
        ));
    }

    /// A line of explanation.
    pub(crate) fn tell(&self, text: &str) {
        for line in text.lines() {
            self.say(&format!("           {line}"));
        }
    }

    /// A command as one would type it.
    pub(crate) fn command(&self, line: &str) {
        self.tell(&format!("$ {line}"));
    }

    /// A request through the API and its answer.
    pub(crate) fn exchange(&self, request: &str, answer: &Answer) {
        self.tell(&format!("> {request}"));
        self.tell(&format!("< {} {}", answer.status, answer.body.trim()));
    }

    /// A line as it is.
    #[expect(
        clippy::unused_self,
        reason = "the one place that writes; its callers need not know that it keeps nothing"
    )]
    pub(crate) fn say(&self, line: &str) {
        // A reader who has left, as `head` does, is no reason to stop what was begun.
        let _ = writeln!(stdout(), "{line}");
    }
}
