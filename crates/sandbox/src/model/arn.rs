//! ARNs, as far as requests are checked against them.

/// The three ways to name a function (D): name, partial ARN (`<account>:function:<name>`), full ARN; each
/// with or without a qualifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionReference {
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) name: String,
    pub(crate) qualifier: Option<String>,
}

impl FunctionReference {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (account, region, name, qualifier) = match parts.as_slice() {
            [name] => (None, None, *name, None),
            [name, qualifier] => (None, None, *name, Some(*qualifier)),
            [account, "function", name] => (Some(*account), None, *name, None),
            [account, "function", name, qualifier] => (Some(*account), None, *name, Some(*qualifier)),
            ["arn", _, "lambda", region, account, "function", name] => {
                (Some(*account), Some(*region), *name, None)
            }
            ["arn", _, "lambda", region, account, "function", name, qualifier] => {
                (Some(*account), Some(*region), *name, Some(*qualifier))
            }
            _ => return None,
        };
        let valid = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        };
        let known = |text: &str| text == "$LATEST" || valid(text);
        (valid(name) && qualifier.is_none_or(known)).then(|| Self {
            account: account.map(str::to_owned),
            region: region.map(str::to_owned),
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }
}

/// A function's ARN, or the long form around it (D). Stage variables are allowed in either (D).
pub(crate) fn is_lambda_uri(uri: &str) -> bool {
    is_function_arn(invoked_function(uri).unwrap_or(uri))
}

/// The function ARN in `arn:<partition>:apigateway:<region>:lambda:path/2015-03-31/functions/<arn>/invocations`.
pub(crate) fn invoked_function(uri: &str) -> Option<&str> {
    let (gateway, rest) = uri.split_once(":lambda:path/2015-03-31/functions/")?;
    gateway
        .contains(":apigateway:")
        .then(|| rest.strip_suffix("/invocations"))
        .flatten()
}

fn is_function_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(
        parts.as_slice(),
        ["arn", _, "lambda", _, _, "function", name] | ["arn", _, "lambda", _, _, "function", name, _] if !name.is_empty()
    )
}

/// A role, or the pattern that passes the caller's own identity on (D).
pub(crate) fn is_role_or_user(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, resource] => match resource.split_once('/') {
            Some(("role", name)) => !name.is_empty() && account.len() == 12,
            Some(("user", name)) => name == "*",
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_in_three_ways() {
        for text in [
            "hello",
            "123456789012:function:hello",
            "arn:aws:lambda:eu-central-1:123456789012:function:hello",
        ] {
            let plain = FunctionReference::parse(text).unwrap();
            assert_eq!((plain.name.as_str(), plain.qualifier), ("hello", None), "{text}");
            let qualified = FunctionReference::parse(&format!("{text}:live")).unwrap();
            assert_eq!(
                (qualified.name.as_str(), qualified.qualifier.as_deref()),
                ("hello", Some("live")),
                "{text}"
            );
        }
        for text in ["", "a b", "arn:aws:s3:::bucket", "hello:", "a:b:c:d:e"] {
            assert_eq!(FunctionReference::parse(text), None, "{text}");
        }
    }

    #[test]
    fn both_forms_of_a_lambda_uri_are_known() {
        let arn = "arn:aws-cn:lambda:cn-north-1:123456789012:function:hello:live";
        let long =
            format!("arn:aws-cn:apigateway:cn-north-1:lambda:path/2015-03-31/functions/{arn}/invocations");
        assert!(is_lambda_uri(arn) && is_lambda_uri(&long));
        assert_eq!(invoked_function(&long), Some(arn));
        assert!(
            !is_lambda_uri("https://example.com")
                && !is_lambda_uri("arn:aws:sqs:eu-central-1:123456789012:q")
        );
    }

    #[test]
    fn credentials_are_a_role_or_the_callers() {
        assert!(is_role_or_user("arn:aws:iam::123456789012:role/jwthttpapi/name"));
        assert!(is_role_or_user("arn:aws:iam::*:user/*"));
        assert!(!is_role_or_user("arn:aws:iam::123456789012:user/me") && !is_role_or_user("role"));
    }
}
