//! The rules of API Gateway, one test each.

mod clearing;
mod creation;
mod deployment;
mod lists;
mod references;
