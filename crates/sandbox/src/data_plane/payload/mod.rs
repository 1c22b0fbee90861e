//! Between HTTP and a Lambda function: the event that a function is given, and what its result means.
//!
//! Both formats are those of the developer guide (D where not said otherwise).

pub mod event;
pub mod response;

/// The formats that an integration may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Close to that of REST APIs.
    V1,
    /// That of HTTP APIs.
    V2,
}

impl Format {
    /// Reads an integration's `payloadFormatVersion`; anything but `2.0` is 1.0, as when it is left out (O).
    pub fn parse(version: &str) -> Self {
        if version == "2.0" { Self::V2 } else { Self::V1 }
    }
}
