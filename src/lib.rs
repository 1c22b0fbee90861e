//! The operator: the shell around the pure core. What it finds in Kubernetes and in AWS it gives to the core as values, and
//! what the core plans it carries out.

pub mod aws;
pub mod fence;
