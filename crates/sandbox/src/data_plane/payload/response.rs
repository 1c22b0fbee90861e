//! What the result of a function means.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::Format;
use crate::data_plane::answer::Answer;

/// What a function has to answer with, when its result has no such meaning (D): 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the result of the function is no response: {0}")]
pub struct Malformed(&'static str);

/// Headers about the connection, which API Gateway writes itself (I).
const CONNECTION: [&str; 4] = ["connection", "content-length", "keep-alive", "transfer-encoding"];

/// Reads a function's result.
///
/// Format 2.0 infers: a result without `statusCode` is the body of a 200 in JSON, a string is that body as it is (D).
/// Format 1.0 takes nothing but an object with a `statusCode` (D/O). In both, `statusCode` is a number from 200 to 599
/// and `body` a string or absent; header values may be texts, numbers or booleans (I).
pub fn answer(result: &Value, format: Format) -> Result<Answer, Malformed> {
    match (format, result) {
        (Format::V2, Value::Object(members)) if members.contains_key("statusCode") => {
            explicit(members, format)
        }
        (Format::V2, Value::String(text)) => Ok(inferred(text.clone())),
        (Format::V2, other) => Ok(inferred(other.to_string())),
        (Format::V1, Value::Object(members)) => explicit(members, format),
        (Format::V1, _) => Err(Malformed("not an object")),
    }
}

fn inferred(body: String) -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Bytes::from(body),
    }
}

fn explicit(members: &Map<String, Value>, format: Format) -> Result<Answer, Malformed> {
    let status = members
        .get("statusCode")
        .and_then(Value::as_u64)
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| (200..600).contains(status))
        .ok_or(Malformed("statusCode"))?;
    let mut headers = Vec::new();
    for (name, value) in object(members, "headers")? {
        push_header(&mut headers, name, value)?;
    }
    match format {
        Format::V1 => {
            for (name, values) in object(members, "multiValueHeaders")? {
                // The list replaces the single value of the same name.
                headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                for value in values.as_array().ok_or(Malformed("multiValueHeaders"))? {
                    push_header(&mut headers, name, value)?;
                }
            }
        }
        Format::V2 => {
            for cookie in array(members, "cookies")? {
                push_header(&mut headers, "set-cookie", cookie)?;
            }
        }
    }
    if !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), "text/plain;charset=UTF-8".to_owned()));
    }
    Ok(Answer {
        status,
        headers,
        body: body(members)?,
    })
}

fn body(members: &Map<String, Value>) -> Result<Bytes, Malformed> {
    let text = match members.get("body") {
        None | Some(Value::Null) => return Ok(Bytes::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err(Malformed("body")),
    };
    match members.get("isBase64Encoded") {
        None | Some(Value::Null | Value::Bool(false)) => Ok(Bytes::from(text.clone())),
        Some(Value::Bool(true)) => STANDARD
            .decode(text)
            .map(Bytes::from)
            .map_err(|_| Malformed("body in base64")),
        Some(_) => Err(Malformed("isBase64Encoded")),
    }
}

fn push_header(headers: &mut Vec<(String, String)>, name: &str, value: &Value) -> Result<(), Malformed> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return Err(Malformed("a header's value")),
    };
    let name = HeaderName::try_from(name).map_err(|_| Malformed("a header's name"))?;
    HeaderValue::try_from(text.as_str()).map_err(|_| Malformed("a header's value"))?;
    if !CONNECTION.contains(&name.as_str()) {
        headers.push((name.as_str().to_owned(), text));
    }
    Ok(())
}

/// The members of an object, none when it is absent.
fn object<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, Malformed> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(entries)) => Ok(Some(entries)),
        Some(_) => Err(Malformed(name)),
    }
    .map(|entries| entries.into_iter().flatten())
}

/// The items of a list, none when it is absent.
fn array<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<&'a [Value], Malformed> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(Malformed(name)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Status, content type and body; none when the result is malformed.
    fn summary(result: &Value, format: Format) -> Option<(u16, String, String)> {
        let answer = answer(result, format).ok()?;
        let content_type = answer.header("content-type").unwrap_or_default().to_owned();
        Some((
            answer.status,
            content_type,
            String::from_utf8_lossy(&answer.body).into_owned(),
        ))
    }

    #[test]
    fn format_2_infers_what_format_1_refuses() {
        for (result, body) in [
            (json!({"hello": "you"}), r#"{"hello":"you"}"#),
            (json!("plain"), "plain"),
            (json!([1, 2]), "[1,2]"),
            (json!(5), "5"),
            (json!(null), "null"),
        ] {
            let inferred = (200, "application/json".to_owned(), body.to_owned());
            assert_eq!(summary(&result, Format::V2), Some(inferred), "{result}");
            assert_eq!(summary(&result, Format::V1), None, "{result}");
        }
    }

    #[test]
    fn a_result_with_a_status_code_means_the_same_in_both_formats() {
        let text = "text/plain;charset=UTF-8";
        for (result, expected) in [
            (json!({"statusCode": 204}), (204, text, "")),
            (json!({"statusCode": 200, "body": "b"}), (200, text, "b")),
            (
                json!({"statusCode": 200, "body": null, "headers": null}),
                (200, text, ""),
            ),
            (
                json!({"statusCode": 404, "body": "{}", "headers": {"Content-Type": "application/json"}}),
                (404, "application/json", "{}"),
            ),
            (
                json!({"statusCode": 200, "body": "YmM=", "isBase64Encoded": true}),
                (200, text, "bc"),
            ),
            (
                json!({"statusCode": 200, "body": "YmM=", "isBase64Encoded": false}),
                (200, text, "YmM="),
            ),
        ] {
            let expected = Some((expected.0, expected.1.to_owned(), expected.2.to_owned()));
            for format in [Format::V1, Format::V2] {
                assert_eq!(summary(&result, format), expected, "{result} in {format:?}");
            }
        }
    }

    #[test]
    fn a_result_with_a_status_code_that_is_wrong_otherwise_is_malformed_in_both_formats() {
        for result in [
            json!({"statusCode": "200"}),
            json!({"statusCode": 199}),
            json!({"statusCode": 600}),
            json!({"statusCode": 200.5}),
            json!({"statusCode": null}),
            json!({"statusCode": 200, "body": {"a": 1}}),
            json!({"statusCode": 200, "body": 1}),
            json!({"statusCode": 200, "headers": []}),
            json!({"statusCode": 200, "headers": {"a": {}}}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}),
            json!({"statusCode": 200, "body": "*", "isBase64Encoded": true}),
            json!({"statusCode": 200, "body": "", "isBase64Encoded": "true"}),
        ] {
            for format in [Format::V1, Format::V2] {
                assert!(answer(&result, format).is_err(), "{result} in {format:?}");
            }
        }
    }

    #[test]
    fn repeated_headers_come_as_lists_in_format_1_and_as_cookies_in_format_2() {
        let result = json!({
            "statusCode": 200,
            "headers": {"X-A": "single", "X-Number": 5, "Content-Length": "99"},
            "multiValueHeaders": {"x-a": ["1", "2"]},
            "cookies": ["c=1", "d=2"],
        });
        let values = |format, name: &str| {
            let answer = answer(&result, format).unwrap();
            let values = answer
                .headers
                .into_iter()
                .filter(|(known, _)| known == name)
                .map(|(_, value)| value);
            values.collect::<Vec<_>>().join("|")
        };
        assert_eq!(values(Format::V1, "x-a"), "1|2");
        assert_eq!(values(Format::V2, "x-a"), "single");
        assert_eq!(values(Format::V1, "set-cookie"), "");
        assert_eq!(values(Format::V2, "set-cookie"), "c=1|d=2");
        assert_eq!(values(Format::V2, "x-number"), "5");
        assert_eq!(values(Format::V2, "content-length"), "");
    }
}
