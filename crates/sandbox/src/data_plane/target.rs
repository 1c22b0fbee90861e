//! Which API a request is for, and which part of its path is the API's.

/// The path under which every API can be called whatever the host name: `/_sandbox/invoke/<apiId>/<path>`.
const INVOKE: &str = "/_sandbox/invoke/";

/// A request's API and the path that it asks of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The id of the API.
    pub api_id: String,
    /// The host name of the API, as functions see it.
    pub domain_name: String,
    /// Begins with a slash; the prefix of a named stage is still in it.
    pub path: String,
}

impl Target {
    /// Reads `Host` and the raw path; none when the request is for no deployed API.
    ///
    /// Hosts are `<apiId>.execute-api.<anything>`, with or without a port: `localhost`, or AWS's own names for those
    /// who resolve them to the sandbox.
    pub fn of(host: &str, path: &str) -> Option<Self> {
        if let Some(rest) = path.strip_prefix(INVOKE) {
            let (api_id, path) = rest.split_once('/').unwrap_or((rest, ""));
            return (!api_id.is_empty()).then(|| Self {
                api_id: api_id.to_owned(),
                domain_name: format!("{api_id}.execute-api.localhost"),
                path: format!("/{path}"),
            });
        }
        let domain_name = host.split(':').next()?.to_ascii_lowercase();
        let (api_id, rest) = domain_name.split_once('.')?;
        let is_api = !api_id.is_empty()
            && rest
                .strip_prefix("execute-api.")
                .is_some_and(|zone| !zone.is_empty());
        is_api.then(|| Self {
            api_id: api_id.to_owned(),
            domain_name: domain_name.clone(),
            path: path.to_owned(),
        })
    }
}

/// The first segment of a path, which may be the name of a stage, and the path behind it: `/live/pets` is the stage
/// `live` and the path `/pets`, `/live` the same stage and `/`.
pub fn split_stage(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix('/').unwrap_or(path);
    match rest.find('/') {
        Some(end) => rest.split_at(end),
        None => (rest, "/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_named_by_its_host_or_by_the_invoke_path() {
        for (host, path, expected) in [
            (
                "api1.execute-api.localhost:4566",
                "/a",
                Some(("api1", "api1.execute-api.localhost", "/a")),
            ),
            (
                "API1.execute-api.localhost",
                "/",
                Some(("api1", "api1.execute-api.localhost", "/")),
            ),
            (
                "api1.execute-api.eu-west-1.amazonaws.com",
                "/a",
                Some(("api1", "api1.execute-api.eu-west-1.amazonaws.com", "/a")),
            ),
            (
                "localhost:4566",
                "/_sandbox/invoke/api1/a/b",
                Some(("api1", "api1.execute-api.localhost", "/a/b")),
            ),
            (
                "localhost:4566",
                "/_sandbox/invoke/api1",
                Some(("api1", "api1.execute-api.localhost", "/")),
            ),
            ("localhost:4566", "/_sandbox/invoke/", None),
            ("localhost:4566", "/a", None),
            ("execute-api.localhost", "/a", None),
            (".execute-api.localhost", "/a", None),
            ("api1.execute-api.", "/a", None),
            ("api1.s3.localhost", "/a", None),
        ] {
            let target = Target::of(host, path);
            let found = target.as_ref().map(|target| {
                (
                    target.api_id.as_str(),
                    target.domain_name.as_str(),
                    target.path.as_str(),
                )
            });
            assert_eq!(found, expected, "{host}{path}");
        }
    }

    #[test]
    fn the_first_segment_may_be_a_stage() {
        for (path, expected) in [
            ("/live/pets", ("live", "/pets")),
            ("/live/", ("live", "/")),
            ("/live", ("live", "/")),
            ("/", ("", "/")),
            ("//a", ("", "/a")),
        ] {
            assert_eq!(split_stage(path), expected, "{path}");
        }
    }
}
