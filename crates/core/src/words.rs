//! Sentences that several rooms make alike.

/// How many of many things a message names.
const SHOWN: usize = 5;

/// The first of them, and how many more there are: bounded, and the same each time.
pub fn listed(things: &[String], separator: &str) -> String {
    let shown: Vec<&str> = things.iter().take(SHOWN).map(String::as_str).collect();
    let shown = shown.join(separator);
    match things.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}{separator}and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_are_named_and_the_rest_is_counted() {
        let things: Vec<String> = (1..8).map(|n| n.to_string()).collect();
        assert_eq!(listed(&things[..0], ", "), "");
        assert_eq!(listed(&things[..5], ", "), "1, 2, 3, 4, 5");
        assert_eq!(listed(&things, "; "), "1; 2; 3; 4; 5; and 2 more");
    }
}
