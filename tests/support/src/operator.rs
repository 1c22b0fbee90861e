//! The operator's binary, running as the chart would have it run.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use crate::{
    Cluster, Container, Error,
    process::{Launch, Process},
};

/// Far above what a start takes; a follower that waits for the lease is ready too.
const START_LIMIT: Duration = Duration::from_secs(30);
/// What the operator logs once it listens, as a field of any format.
const ADDRESS: &str = "127.0.0.1:";

/// A running operator; it is killed when this is dropped.
#[derive(Debug)]
pub struct Operator {
    process: Process,
    url: String,
}

impl Operator {
    /// Starts the container that the chart describes, as a process with the chart's identity, and waits until it is
    /// ready. Its log is in the file `log`.
    ///
    /// # Errors
    ///
    /// The binary is not built, ends, or is not ready in time.
    pub fn start(cluster: &Cluster, container: &Container, log: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::launch(container.launch(cluster, log)?)
    }

    /// Starts a launch of the operator's binary that was changed for the purpose, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// The program ends or is not ready in time.
    pub fn launch(launch: Launch) -> Result<Self, Error> {
        let mut process = launch.spawn()?;
        let url = process.wait_for_line("its address", START_LIMIT, address)?;
        process.wait_for_http(&format!("{url}/readyz"), START_LIMIT)?;
        Ok(Self { process, url })
    }

    /// Where `/livez`, `/readyz` and `/metrics` are.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every series that `/metrics` shows, with its value.
    ///
    /// # Errors
    ///
    /// The operator does not answer.
    pub fn metrics(&self) -> Result<BTreeMap<String, f64>, Error> {
        let url = format!("{}/metrics", self.url);
        let unread = |error: ureq::Error| Error::document(&url, error.to_string());
        let text = ureq::get(&url)
            .call()
            .and_then(|mut answer| answer.body_mut().read_to_string())
            .map_err(unread)?;
        let series = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            Some((series.to_owned(), value.parse().ok()?))
        };
        Ok(text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(series)
            .collect())
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// The URL in a log line with the field `address`, as JSON or as text.
fn address(line: &str) -> Option<String> {
    let (_, field) = line.split_once("address")?;
    let (between, rest) = field.split_once(ADDRESS)?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    // Only the punctuation of a field may lie between its name and its value.
    let is_field = between.chars().all(|c| "=:\" ".contains(c));
    (is_field && !port.is_empty()).then(|| format!("http://{ADDRESS}{port}"))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_is_read_from_either_format_of_log() {
        let url = Some("http://127.0.0.1:4711".to_owned());
        assert_eq!(
            address(r#"{"fields":{"message":"listening","address":"127.0.0.1:4711"}}"#),
            url
        );
        assert_eq!(address("INFO listening address=127.0.0.1:4711 more=1"), url);
        assert_eq!(
            address(r#"{"message":"no address yet, endpoint http://127.0.0.1:1"}"#),
            None
        );
    }
}
