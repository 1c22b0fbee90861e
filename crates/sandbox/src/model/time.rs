//! Moments, as the wire protocols write them.

use std::fmt;

use serde::{Serialize, Serializer};

const MILLIS_PER_DAY: u64 = 86_400_000;

/// Milliseconds since 1970-01-01T00:00:00Z. On the wire AWS shows whole seconds (O), and so does [`fmt::Display`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The moment `millis` milliseconds later.
    #[must_use]
    pub fn after(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The form that Lambda gives to `LastModified`.
    pub(crate) fn lambda(self) -> String {
        let (date, time) = self.date_and_time();
        format!("{date}T{time}.{:03}+0000", self.0 % 1000)
    }

    /// The form of access logs and of the requests that functions see, such as `12/Mar/2020:19:03:58 +0000`.
    pub(crate) fn access_log(self) -> String {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let (year, month, day) = civil(self.0 / MILLIS_PER_DAY);
        let month = usize::try_from(month)
            .ok()
            .and_then(|month| MONTHS.get(month.checked_sub(1)?));
        let (_, time) = self.date_and_time();
        format!(
            "{day:02}/{}/{year:04}:{time} +0000",
            month.copied().unwrap_or_default()
        )
    }

    fn date_and_time(self) -> (String, String) {
        let (year, month, day) = civil(self.0 / MILLIS_PER_DAY);
        let second = self.0 % MILLIS_PER_DAY / 1000;
        let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        (format!("{year:04}-{month:02}-{day:02}"), time)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = self.date_and_time();
        write!(f, "{date}T{time}Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The Gregorian date of a day counted from 1970-01-01. Years begin in March here, so that a leap day comes last.
fn civil(day: u64) -> (u64, u64, u64) {
    let from_march_of_year_zero = day + 719_468;
    let era = from_march_of_year_zero / 146_097;
    let day_of_era = from_march_of_year_zero % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    (year, month, day_of_month)
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
}
