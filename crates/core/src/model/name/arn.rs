//! ARNs: the place that is in all of them, and those of functions.

use super::{Invalid, RoleName, invalid};
use std::fmt;

/// Where the operator acts: partition, account and Region, as STS and the configuration say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// Twelve digits.
    pub account: String,
    /// Such as `eu-central-1`.
    pub region: String,
}

impl Place {
    /// The place of an identity's ARN, as `sts:GetCallerIdentity` answers it.
    ///
    /// # Errors
    /// When the text is not an ARN with a twelve-digit account.
    pub fn of_identity(arn: &str, region: &str) -> Result<Self, Invalid> {
        let mut parts = arn.split(':');
        let (scheme, partition, account) = (parts.next(), parts.next(), parts.nth(2));
        match (scheme, partition, account) {
            (Some("arn"), Some(partition), Some(account)) if is_account(account) && !partition.is_empty() => {
                Ok(Self {
                    partition: partition.to_owned(),
                    account: account.to_owned(),
                    region: region.to_owned(),
                })
            }
            _ => Err(invalid(arn, "the ARN of an identity with an account")),
        }
    }

    /// ARN by which an API is tagged. It carries no account (D, API Gateway tagging guide).
    pub fn api_arn(&self, api_id: &str) -> String {
        format!(
            "arn:{}:apigateway:{}::/apis/{api_id}",
            self.partition, self.region
        )
    }

    /// The source that a Lambda permission admits: every route of one API (O).
    pub fn execute_api_arn(&self, api_id: &str) -> String {
        format!(
            "arn:{}:execute-api:{}:{}:{api_id}/*/*",
            self.partition, self.region, self.account
        )
    }

    /// ARN of a function of this account and Region.
    pub fn function_arn(&self, name: &str) -> String {
        format!(
            "arn:{}:lambda:{}:{}:function:{name}",
            self.partition, self.region, self.account
        )
    }

    /// ARN of a log group, without the `:*` that stands for its streams.
    pub fn log_group_arn(&self, log_group: &str) -> String {
        format!(
            "arn:{}:logs:{}:{}:log-group:{log_group}",
            self.partition, self.region, self.account
        )
    }

    /// ARN of a role of this account.
    pub fn role_arn(&self, role: &RoleName) -> String {
        format!(
            "arn:{}:iam::{}:role{}{}",
            self.partition, self.account, role.path, role.name
        )
    }
}

pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// ARN of a Lambda function, perhaps with an alias or version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionArn {
    unqualified: String,
    qualifier: Option<String>,
}

impl FunctionArn {
    const EXPECTED: &'static str =
        "the ARN of a function such as arn:aws:lambda:eu-central-1:123456789012:function:hello";

    /// The ARN of a function of one place, by its name.
    ///
    /// # Errors
    /// When the name or the qualifier has characters that Lambda does not allow (D).
    pub fn of_name(place: &Place, name: &str, qualifier: Option<&str>) -> Result<Self, Invalid> {
        Self::parse(&place.function_arn(name), qualifier)
    }

    /// Parses an ARN; a qualifier may stand in it or beside it, not both. No wildcard passes.
    ///
    /// # Errors
    /// When the text is not a function's ARN, or a qualifier is malformed or given twice.
    pub fn parse(text: &str, qualifier: Option<&str>) -> Result<Self, Invalid> {
        let refused = || invalid(text, Self::EXPECTED);
        let parts: Vec<&str> = text.split(':').collect();
        let (head, inner) = match parts.as_slice() {
            [
                "arn",
                partition,
                "lambda",
                region,
                account,
                "function",
                name,
                rest @ ..,
            ] => {
                let plain = partition.starts_with("aws")
                    && is_word(partition)
                    && is_word(region)
                    && is_account(account);
                let named = is_word(name) && name.len() <= 64;
                let inner = match rest {
                    [] => None,
                    [qualifier] => Some(*qualifier),
                    _ => return Err(refused()),
                };
                if !plain || !named {
                    return Err(refused());
                }
                (
                    format!("arn:{partition}:lambda:{region}:{account}:function:{name}"),
                    inner,
                )
            }
            _ => return Err(refused()),
        };
        let qualifier = match (inner, qualifier) {
            (Some(_), Some(_)) => return Err(refused()),
            (one, other) => one.or(other),
        };
        if qualifier.is_some_and(|q| !is_word(q) || q.len() > 128) {
            return Err(refused());
        }
        Ok(Self {
            unqualified: head,
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// The ARN without alias or version.
    pub fn unqualified(&self) -> &str {
        &self.unqualified
    }

    /// Alias or version.
    pub fn qualifier(&self) -> Option<&str> {
        self.qualifier.as_deref()
    }

    /// Name of the function.
    pub fn name(&self) -> &str {
        self.field(6)
    }

    /// Whether the function is where the API is: API Gateway and the operator's calls stay in one account and Region.
    pub fn is_in(&self, place: &Place) -> bool {
        self.field(1) == place.partition && self.field(3) == place.region && self.field(4) == place.account
    }

    fn field(&self, index: usize) -> &str {
        self.unqualified.split(':').nth(index).unwrap_or_default()
    }
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.unqualified)?;
        match &self.qualifier {
            Some(qualifier) => write!(f, ":{qualifier}"),
            None => Ok(()),
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_from_the_callers_arn() {
        let place =
            Place::of_identity("arn:aws-cn:sts::123456789012:assumed-role/x/y", "cn-north-1").unwrap();
        assert_eq!(
            (place.partition.as_str(), place.account.as_str()),
            ("aws-cn", "123456789012")
        );
        for bad in [
            "nonsense",
            "arn:aws:sts::12345678901:user/x",
            "arn:aws:sts::12345678901x:user/x",
            "arn::sts::123456789012:user/x",
            "urn:aws:sts::123456789012:user/x",
        ] {
            assert!(Place::of_identity(bad, "x").is_err(), "{bad}");
        }
    }

    #[test]
    fn arns_of_a_place_are_of_its_partition_region_and_account() {
        let place = Place {
            partition: "aws-cn".into(),
            account: "123456789012".into(),
            region: "cn-north-1".into(),
        };
        let role = RoleName {
            path: "/jwthttpapi/".into(),
            name: "r".into(),
        };
        assert_eq!(place.api_arn("a1"), "arn:aws-cn:apigateway:cn-north-1::/apis/a1");
        assert_eq!(
            place.execute_api_arn("a1"),
            "arn:aws-cn:execute-api:cn-north-1:123456789012:a1/*/*"
        );
        assert_eq!(
            place.role_arn(&role),
            "arn:aws-cn:iam::123456789012:role/jwthttpapi/r"
        );
        assert_eq!(
            place.log_group_arn("/aws/lambda/f"),
            "arn:aws-cn:logs:cn-north-1:123456789012:log-group:/aws/lambda/f"
        );
    }

    #[test]
    fn function_arns_render_as_they_were_parsed_and_hold_no_wildcard() {
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:hello";
        assert_eq!(
            FunctionArn::parse(arn, Some("live")).unwrap().to_string(),
            format!("{arn}:live")
        );
        assert_eq!(
            FunctionArn::parse(&format!("{arn}:live"), None)
                .unwrap()
                .qualifier(),
            Some("live")
        );
        assert_eq!(FunctionArn::parse(arn, None).unwrap().name(), "hello");
        for bad in ["*", "he?lo", "a:b:c", "${aws:x}", "", "a\"b"] {
            let text = format!("arn:aws:lambda:eu-central-1:123456789012:function:{bad}");
            assert!(FunctionArn::parse(&text, None).is_err(), "{text}");
        }
        assert!(FunctionArn::parse(&format!("{arn}:live"), Some("live")).is_err());
        assert!(FunctionArn::parse(arn, Some("$LATEST")).is_err());
        assert!(FunctionArn::parse("arn:evil:lambda:eu-central-1:123456789012:function:a", None).is_err());
    }

    #[test]
    fn each_part_of_a_functions_arn_keeps_to_its_bounds() {
        let parse = |partition: &str, region: &str, account: &str, name: &str, qualifier: &str| {
            let text = format!("arn:{partition}:lambda:{region}:{account}:function:{name}");
            FunctionArn::parse(&text, Some(qualifier)).is_ok()
        };
        let account = "123456789012";
        let long = |length| "a".repeat(length);
        assert!(parse("aws-us-gov", "r-1", account, "a_b-c", "v_1-x"));
        assert!(parse("aws", "r", account, &long(64), &long(128)));
        assert!(!parse("aws", "r", account, &long(65), "v"));
        assert!(!parse("aws", "r", account, "a", &long(129)));
        assert!(!parse("aws*", "r", account, "a", "v"));
        assert!(!parse("aws", "*", account, "a", "v"));
        assert!(!parse("aws", "", account, "a", "v"));
        assert!(!parse("aws", "r", "12345678901", "a", "v"));
        assert!(!parse("aws", "r", "1234567890123", "a", "v"));
        assert!(!parse("aws", "r", "12345678901x", "a", "v"));
        assert!(!parse("aws", "r", account, "a", "*"));
        assert!(!parse("aws", "r", account, "a", ""));
        assert!(FunctionArn::parse("arn:aws:lambda:r:123456789012:function:a:b:c", None).is_err());
    }

    #[test]
    fn a_function_is_in_a_place_of_its_partition_region_and_account() {
        let place = Place {
            partition: "aws".into(),
            account: "123456789012".into(),
            region: "eu-central-1".into(),
        };
        let function = FunctionArn::of_name(&place, "hello", Some("live")).unwrap();
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:hello";
        assert_eq!(
            (function.unqualified(), function.qualifier()),
            (arn, Some("live"))
        );
        assert!(function.is_in(&place));
        for elsewhere in [
            Place {
                partition: "aws-cn".into(),
                ..place.clone()
            },
            Place {
                account: "123456789013".into(),
                ..place.clone()
            },
            Place {
                region: "eu-central-2".into(),
                ..place.clone()
            },
        ] {
            assert!(!function.is_in(&elsewhere), "{elsewhere:?}");
        }
    }
}
