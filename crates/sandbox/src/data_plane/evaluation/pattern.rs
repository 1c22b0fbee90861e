//! IAM's wildcards.

/// Whether a text matches a pattern in which `*` stands for any characters, `/` and `:` included, and `?` for one.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // Where to go on when the characters after the last `*` turn out not to fit: one further than the last time.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&character) = text.get(read) {
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                retry = Some((at, read));
            }
            Some(&wanted) if wanted == '?' || wanted == character => {
                at += 1;
                read += 1;
            }
            Some(_) | None => {
                let Some((after_star, tried)) = retry else {
                    return false;
                };
                at = after_star;
                read = tried + 1;
                retry = Some((after_star, read));
            }
        }
    }
    pattern.iter().skip(at).all(|&rest| rest == '*')
}

/// Whether an ARN matches a pattern, part by part: a wildcard does not reach over one of the first five colons.
pub(super) fn matches_arn(pattern: &str, arn: &str) -> bool {
    const PARTS: usize = 6;
    let (patterns, parts): (Vec<_>, Vec<_>) = (
        pattern.splitn(PARTS, ':').collect(),
        arn.splitn(PARTS, ':').collect(),
    );
    patterns.len() == PARTS
        && parts.len() == PARTS
        && patterns
            .iter()
            .zip(&parts)
            .all(|(pattern, part)| matches(pattern, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_a_question_mark_for_one() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b:c", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("a*b*c", "a-b-b-c", true),
            ("*a*a*", "a", false),
            ("?", "", false),
            ("?", "ä", true),
            ("a?c", "abc", true),
            ("a**", "a", true),
            ("A", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn the_parts_of_an_arn_are_matched_one_by_one() {
        let arn = "arn:aws:execute-api:eu-west-1:1:api/$default/GET/a";
        assert!(matches_arn("arn:*:execute-api:*:1:api/*", arn));
        assert!(!matches_arn("arn:aws:execute-api:*", arn));
        assert!(!matches_arn("*", arn));
    }
}
