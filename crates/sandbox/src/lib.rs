//! A strict model of the parts of AWS that jwthttpapi uses, over the real wire protocols.

pub mod data_plane;
pub mod model;
