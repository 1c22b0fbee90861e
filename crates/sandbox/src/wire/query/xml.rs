//! Values as XML: members become elements, the items of a list become `member` elements.

use serde_json::Value;

pub(super) fn write(out: &mut String, name: &str, value: &Value) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    match value {
        Value::Null => {}
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => out.push_str(&escaped(text)),
        Value::Array(items) => items.iter().for_each(|item| write(out, "member", item)),
        Value::Object(members) => members.iter().for_each(|(name, value)| write(out, name, value)),
    }
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_become_members_and_text_is_escaped() {
        let mut out = String::new();
        write(&mut out, "R", &json!({"A": ["<", true], "B": {"C": 1}}));
        assert_eq!(
            out,
            "<R><A><member>&lt;</member><member>true</member></A><B><C>1</C></B></R>"
        );
    }
}
