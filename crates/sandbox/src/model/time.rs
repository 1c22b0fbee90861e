//! Moments, as the wire protocols write them.

use std::fmt;

use jiff::{civil::DateTime, fmt::rfc2822, tz::TimeZone};
use serde::{Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z. On the wire AWS shows whole seconds (O), and so does [`fmt::Display`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

/// How a signature writes when it was made (D: elements of an AWS API request signature).
const SIGNED: &str = "%Y%m%dT%H%M%SZ";

impl Timestamp {
    /// The moment `millis` milliseconds later.
    #[must_use]
    pub fn after(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The moment `millis` milliseconds earlier.
    #[must_use]
    pub(crate) fn before(self, millis: u64) -> Self {
        Self(self.0.saturating_sub(millis))
    }

    /// The form that Lambda gives to `LastModified`.
    pub(crate) fn lambda(self) -> String {
        self.form("%Y-%m-%dT%H:%M:%S.%3f+0000")
    }

    /// The form of access logs and of the requests that functions see, such as `12/Mar/2020:19:03:58 +0000`.
    pub(crate) fn access_log(self) -> String {
        self.form("%d/%b/%Y:%H:%M:%S +0000")
    }

    /// The form of `X-Amz-Date`.
    pub(crate) fn signed(self) -> String {
        self.form(SIGNED)
    }

    /// Reads the form of `X-Amz-Date`.
    pub(crate) fn from_signed(text: &str) -> Option<Self> {
        let date = DateTime::strptime(SIGNED, text).ok()?;
        let moment = TimeZone::UTC.to_timestamp(date).ok()?;
        u64::try_from(moment.as_millisecond()).ok().map(Self)
    }

    /// The form of the header `Date`.
    pub(crate) fn http_date(self) -> String {
        let printer = rfc2822::DateTimePrinter::new();
        printer
            .timestamp_to_rfc9110_string(&self.moment())
            .unwrap_or_default()
    }

    fn form(self, format: &str) -> String {
        self.moment().strftime(format).to_string()
    }

    fn moment(self) -> jiff::Timestamp {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.form("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_days_and_turns_of_years_are_dated_right() {
        let dates = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_999, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_798_761_599_000, "2026-12-31T23:59:59Z"),
            (1_798_761_600_000, "2027-01-01T00:00:00Z"),
        ];
        for (millis, text) in dates {
            assert_eq!(Timestamp(millis).to_string(), text);
        }
    }

    #[test]
    fn lambda_writes_milliseconds_and_an_offset() {
        assert_eq!(
            Timestamp(951_782_400_007).lambda(),
            "2000-02-29T00:00:00.007+0000"
        );
    }

    #[test]
    fn access_logs_name_the_month() {
        assert_eq!(
            Timestamp(951_782_399_999).access_log(),
            "28/Feb/2000:23:59:59 +0000"
        );
        assert_eq!(
            Timestamp(1_798_761_599_000).access_log(),
            "31/Dec/2026:23:59:59 +0000"
        );
    }

    #[test]
    fn what_a_signature_says_is_read_as_it_is_written() {
        let signed = Timestamp(951_782_399_000);
        assert_eq!(signed.signed(), "20000228T235959Z");
        assert_eq!(Timestamp::from_signed("20000228T235959Z"), Some(signed));
        assert_eq!(Timestamp::from_signed("2000-02-28"), None);
    }

    #[test]
    fn the_header_of_an_answer_names_the_day_of_the_week() {
        assert_eq!(
            Timestamp(951_782_399_000).http_date(),
            "Mon, 28 Feb 2000 23:59:59 GMT"
        );
    }
}
