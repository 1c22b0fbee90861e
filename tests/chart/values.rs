//! `values.yaml` as people read it: each value with its description and the flag that it becomes.

use std::fs;

use serde_json::Value;

use crate::ground::{at, chart, defaults};

/// One value that can be set.
#[derive(Debug)]
pub(crate) struct Row {
    /// Names with dots between them.
    pub(crate) path: String,
    pub(crate) default: Value,
    pub(crate) description: String,
    /// Without the dashes.
    pub(crate) flag: Option<String>,
}

/// Every value. A key with a comment is one, whatever is in it; a key without one is a group of values.
pub(crate) fn rows() -> Vec<Row> {
    let defaults = defaults();
    let text = fs::read_to_string(chart().join("values.yaml")).unwrap();
    let (mut rows, mut groups, mut comment) = (Vec::new(), Vec::<String>::new(), Vec::new());
    // How deep the last value is: what is deeper belongs to it.
    let mut within = None;
    for line in text.lines() {
        let words = line.trim_start();
        let depth = (line.len() - words.len()) / 2;
        if within.is_some_and(|value| depth > value) {
            continue;
        }
        if let Some(words) = words.strip_prefix("# ") {
            comment.push(words);
            continue;
        }
        let Some((key, inline)) = words.split_once(':') else {
            // The text at the top belongs to no value.
            assert!(words.is_empty(), "what is {line:?}?");
            comment.clear();
            continue;
        };
        groups.truncate(depth);
        groups.push(key.to_owned());
        within = None;
        if comment.is_empty() {
            assert!(inline.is_empty(), "{} wants a description", groups.join("."));
            continue;
        }
        within = Some(depth);
        let path = groups.join(".");
        let words = std::mem::take(&mut comment).join(" ");
        let (description, flag) = match words.rsplit_once(" [--") {
            Some((description, flag)) => (description.to_owned(), flag.strip_suffix(']')),
            None => (words.clone(), None),
        };
        rows.push(Row {
            default: at(&defaults, &path).unwrap().clone(),
            path,
            description,
            flag: flag.map(str::to_owned),
        });
    }
    rows
}
