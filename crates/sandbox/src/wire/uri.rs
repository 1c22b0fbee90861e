//! Paths, query strings and forms.

use percent_encoding::percent_decode_str;

/// The segments of a path, decoded one by one, so that an encoded slash does not separate.
pub(crate) fn segments(path: &str) -> Vec<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').map(decoded).collect()
}

/// The parameters of a query string or form, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let form = |text: &str| decoded(&text.replace('+', " "));
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(k, v)| (form(k), form(v)))
                .collect(),
        )
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .collect()
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_slash_stays_within_its_segment() {
        assert_eq!(
            segments("/v2/tags/arn%3Aaws%2Fapis%2Fx"),
            ["v2", "tags", "arn:aws/apis/x"]
        );
        assert_eq!(segments("/2015-03-31/functions/"), ["2015-03-31", "functions"]);
    }

    #[test]
    fn forms_and_repeated_parameters_are_read() {
        let parameters = Parameters::parse("a=1+2&tagKeys=x%3Dy&tagKeys=z&empty");
        assert_eq!(parameters.get("a"), Some("1 2"));
        assert_eq!(parameters.all("tagKeys"), ["x=y", "z"]);
        assert_eq!(parameters.get("empty"), Some(""));
    }
}
