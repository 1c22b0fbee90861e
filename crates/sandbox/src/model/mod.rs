//! The model: AWS as a pure state machine.

pub mod deployment;
pub mod time;
