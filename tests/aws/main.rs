//! The AWS side against the sandbox: the real SDK, in memory, on a paused clock.

mod clearing;
mod faults;
mod ground;
mod lanes;
mod life;
