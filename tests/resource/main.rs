//! The resource as users meet it: what the real API server accepts and refuses, the examples, and the documents.

mod definition;
mod documents;
mod examples;
mod good;
mod ground;
mod refused;
mod updates;
