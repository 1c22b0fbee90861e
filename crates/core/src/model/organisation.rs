//! What an organisation asks of everything that is made in its account: where roles live, what bounds them, which tags are on
//! all things.

use super::name::is_account;
use super::owner::is_ownership_tag;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// The path under which roles are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePath(String);

impl RolePath {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `/jwthttpapi/`, so that one IAM pattern covers every role that the operator makes.
impl Default for RolePath {
    fn default() -> Self {
        Self("/jwthttpapi/".to_owned())
    }
}

impl FromStr for RolePath {
    type Err = &'static str;

    /// By IAM's grammar: a slash, or printable characters between two, 512 at most (D, botocore).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let between = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'))
            .is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic()));
        if (text == "/" || between) && text.len() <= 512 {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "a path begins and ends with a slash and has up to 512 printable characters without spaces, such as /team/",
            )
        }
    }
}

/// ARN of a managed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyArn(String);

impl PolicyArn {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PolicyArn {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let is_policy = matches!(parts.as_slice(), ["arn", partition, "iam", "", account, resource]
        if partition.starts_with("aws") && (*account == "aws" || is_account(account))
            && resource.strip_prefix("policy/").is_some_and(|name| {
                !name.is_empty() && !name.ends_with('/') && name.bytes().all(|b| b.is_ascii_graphic() && b != b'*')
            }));
        if is_policy && text.len() <= 2_048 {
            Ok(Self(text.to_owned()))
        } else {
            Err("write the ARN of one managed policy, such as arn:aws:iam::123456789012:policy/boundary")
        }
    }
}

/// How many tags are left beside the six of ownership: AWS allows 50 of a thing (D).
pub(crate) const MOST_TAGS: usize = 44;

/// Tags that are put on everything taggable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultTags(BTreeMap<String, String>);

impl DefaultTags {
    /// With those of a spec, which win. IAM takes keys that differ in case for one (D, IAM user guide), so that a key of the
    /// spec displaces one in every case.
    pub(super) fn beneath(&self, spec: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let displaced = |key: &String| spec.keys().any(|wanted| wanted.eq_ignore_ascii_case(key));
        let kept = self.0.iter().filter(|(key, _)| !displaced(key));
        kept.chain(spec)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl FromStr for DefaultTags {
    type Err = String;

    /// `KEY=VALUE` and further ones after commas, which no tag may have (D, the services' grammars for tags).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut tags = BTreeMap::new();
        let mut keys = BTreeSet::new();
        for part in text.split(',') {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| format!("{part:?} is no tag; write KEY=VALUE, and a comma between two"))?;
            check(key, value).map_err(|wrong| format!("the tag {part:?}: {wrong}"))?;
            if !keys.insert(key.to_lowercase()) {
                return Err(format!(
                    "the key {key:?} is there twice, and IAM does not tell upper from lower case; keep one of them"
                ));
            }
            tags.insert(key.to_owned(), value.to_owned());
        }
        if tags.len() > MOST_TAGS {
            return Err(format!(
                "these are {} tags and {MOST_TAGS} fit beside the operator's own; remove some",
                tags.len()
            ));
        }
        Ok(Self(tags))
    }
}

/// The rules of `spec.tags`.
fn check(key: &str, value: &str) -> Result<(), &'static str> {
    let allowed = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || " .:+=@_/-".contains(c))
    };
    if !(1..=128).contains(&key.len()) {
        Err("a key has 1 to 128 characters")
    } else if value.len() > 256 {
        Err("a value has at most 256 characters")
    } else if !allowed(key) || !allowed(value) {
        Err("keys and values have letters, digits, spaces and . : + = @ _ / - only")
    } else if is_ownership_tag(key) || key.to_ascii_lowercase().starts_with("aws:") {
        Err("keys beginning with jwthttpapi.dev/ or aws: are reserved; choose another key")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_path_begins_and_ends_with_a_slash_and_is_printable_and_short() {
        for good in ["/", "/team/", "/a/b/", &format!("/{}/", "x".repeat(510))] {
            assert_eq!(good.parse::<RolePath>().unwrap().as_str(), good);
        }
        for bad in ["", "//", "team", "/team", "team/", "/a b/", "/é/", "/a\u{7f}/"] {
            assert!(bad.parse::<RolePath>().is_err(), "{bad}");
        }
        assert!(format!("/{}/", "x".repeat(511)).parse::<RolePath>().is_err());
        assert_eq!(RolePath::default().as_str(), "/jwthttpapi/");
    }

    #[test]
    fn a_boundary_is_the_arn_of_one_managed_policy() {
        for good in [
            "arn:aws:iam::123456789012:policy/boundary",
            "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
            "arn:aws-us-gov:iam::123456789012:policy/a/b",
        ] {
            assert_eq!(good.parse::<PolicyArn>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "boundary",
            "arn:aws:iam::123456789012:policy/",
            "arn:aws:iam::123456789012:policy/a/",
            "arn:aws:iam::123456789012:policy/*",
            "arn:aws:iam::123456789012:role/a",
            "arn:aws:iam::12345678901:policy/a",
            "arn:evil:iam::123456789012:policy/a",
        ] {
            assert!(bad.parse::<PolicyArn>().is_err(), "{bad}");
        }
    }

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn default_tags_are_pairs_that_aws_takes_and_nobody_reserves() {
        let parsed: DefaultTags = "team=shop,cost centre=a=b,empty=".parse().unwrap();
        let wanted = tags(&[("team", "shop"), ("cost centre", "a=b"), ("empty", "")]);
        assert_eq!(parsed.beneath(&BTreeMap::new()), wanted);
        let most: Vec<String> = (0..MOST_TAGS).map(|number| format!("k{number}=v")).collect();
        assert!(most.join(",").parse::<DefaultTags>().is_ok());
        let longest = format!("{}={}", "k".repeat(128), "v".repeat(256));
        assert!(longest.parse::<DefaultTags>().is_ok());
        let more = format!("{},one=more", most.join(","));
        for (bad, says) in [
            ("", "write KEY=VALUE"),
            ("team", "write KEY=VALUE"),
            ("a=1,", "write KEY=VALUE"),
            ("=v", "1 to 128"),
            (&format!("{}=v", "k".repeat(129)), "1 to 128"),
            (&format!("k={}", "v".repeat(257)), "at most 256"),
            ("k=a*b", "letters, digits"),
            ("jwthttpapi.dev/uid=u", "reserved"),
            ("AWS:a=u", "reserved"),
            ("Team=a,team=b", "twice"),
            (&more, "44 fit"),
        ] {
            let error = bad.parse::<DefaultTags>().unwrap_err();
            assert!(error.contains(says), "{bad}: {error}");
        }
    }

    #[test]
    fn tags_of_the_spec_win_over_default_ones_in_every_case() {
        let defaults: DefaultTags = "Team=all,stage=test".parse().unwrap();
        let spec = tags(&[("team", "shop")]);
        let wanted = tags(&[("team", "shop"), ("stage", "test")]);
        assert_eq!(defaults.beneath(&spec), wanted);
    }
}
