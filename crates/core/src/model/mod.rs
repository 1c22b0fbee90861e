//! What AWS should look like, and what it looks like.

mod archive;
mod build;
pub mod desired;
pub mod document;
pub mod function;
mod hash;
pub mod name;
pub mod observed;
mod organisation;
pub mod owner;
mod pattern;
mod standing;

pub use build::{Policy, Rejection, Violation, build};
pub use desired::Desired;
pub use observed::Observed;
pub use organisation::{DefaultTags, PolicyArn, RolePath};
pub use owner::{Owner, Proof};
pub use pattern::Rank;
pub(crate) use pattern::meet;
