//! A strict model of AWS.
