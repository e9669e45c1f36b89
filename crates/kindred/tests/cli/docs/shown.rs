//! What a page shows of an answer, held against the answer.

use serde_json::{Deserializer, Value};

/// The JSON documents of a text that follow each other; what a page has cut out (`…`, `…28 more…`) is left out.
pub(super) fn documents(text: &str) -> Result<Vec<Value>, serde_json::Error> {
    Deserializer::from_str(&without_cuts(text)).into_iter().collect()
}

/// JSON whose lists and objects end, or go on, where something was cut out of them.
fn without_cuts(text: &str) -> String {
    let mut kept = String::new();
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        if quoted {
            quoted = letter != '"' || escaped;
            escaped = letter == '\\' && !escaped;
            kept.push(letter);
            continue;
        }
        match letter {
            '…' => {
                let counted = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
                rest = counted.strip_prefix(" more…").unwrap_or(rest);
            }
            ',' if kept.trim_end().ends_with(['[', '{', ',']) => {}
            ']' | '}' => {
                kept.truncate(kept.trim_end().trim_end_matches(',').len());
                kept.push(letter);
            }
            letter => {
                quoted = letter == '"';
                kept.push(letter);
            }
        }
    }
    kept
}

/// What is shown and is not in the answer, or is of another type there. Null may stand for anything; of a list, each thing
/// shown is like one of those answered.
pub(super) fn missing(shown: &Value, answer: &Value, at: &str) -> Vec<String> {
    match (shown, answer) {
        (Value::Null, _) | (_, Value::Null) => Vec::new(),
        (Value::Object(shown), Value::Object(answer)) => shown
            .iter()
            .flat_map(|(key, shown)| match answer.get(key) {
                Some(answer) => missing(shown, answer, &format!("{at}.{key}")),
                None => vec![format!("{at}.{key} is not answered")],
            })
            .collect(),
        (Value::Array(shown), Value::Array(answer)) => {
            let unlike = |shown: &Value| {
                let mut each = answer.iter().map(|answer| missing(shown, answer, &format!("{at}[]")));
                let first = each.next().unwrap_or_else(|| vec![format!("{at} is empty")]);
                let alike = first.is_empty() || each.any(|missing| missing.is_empty());
                if alike { Vec::new() } else { first }
            };
            shown.iter().flat_map(unlike).collect()
        }
        _ if kind(shown) == kind(answer) => Vec::new(),
        _ => vec![format!("{at} is {}, and shown as {}", kind(answer), kind(shown))],
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Whether the first line that is shown is one of the answer's, whatever its numbers are and however wide its columns.
pub(super) fn begins_alike(shown: &str, answer: &str) -> bool {
    let words = |line: &str| {
        let words = line.split_whitespace().flat_map(|word| [" ", word]).collect::<String>();
        let numbers = words.split(|letter: char| letter.is_ascii_digit());
        numbers
            .filter(|between| !between.is_empty())
            .collect::<Vec<_>>()
            .join("0")
    };
    let first = shown.lines().find(|line| !line.trim().is_empty()).map(words);
    first.is_some_and(|first| answer.lines().any(|line| words(line) == first))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{begins_alike, documents, missing};

    #[test]
    fn what_was_cut_out_of_an_answer_is_not_asked_for() {
        let text = "{\"a\": [1, …28 more…, 3], \"b\": [1, …], \"c\": [\n  …7 more…,\n null], \"d\": \"x…, y\"}\n{\"e\": {}, …}";
        let expected = [
            json!({ "a": [1, 3], "b": [1], "c": [null], "d": "x…, y" }),
            json!({ "e": {} }),
        ];
        assert_eq!(documents(text).unwrap(), expected);
        assert!(documents("{\"a\": }").is_err());
    }

    #[test]
    fn an_answer_may_hold_more_than_is_shown_and_not_less() {
        let shown = json!({ "a": 1, "b": [{ "c": "x" }], "d": null, "e": 0.5 });
        let answer = json!({ "a": 2.5, "b": [{ "f": 1 }, { "c": "y", "f": 1 }], "d": {}, "e": null, "g": 1 });
        assert_eq!(missing(&shown, &answer, ""), Vec::<String>::new());
        assert_eq!(
            missing(&json!({ "a": { "b": 1, "c": 1 } }), &json!({ "a": { "b": "1" } }), ""),
            [".a.b is a text, and shown as a number", ".a.c is not answered"]
        );
        assert_eq!(missing(&json!([1]), &json!([]), ".a"), [".a is empty"]);
        assert_eq!(
            missing(&json!([{ "b": 1 }]), &json!([{ "c": 1 }, {}]), ".a"),
            [".a[].b is not answered"]
        );
    }

    #[test]
    fn a_table_begins_alike_whatever_its_width() {
        assert!(begins_alike("\n a | b\n---+---\n", "psql\n  a  |   b\n"));
        assert!(begins_alike("10 days, 986 rows", "1 days, 7 rows\n"));
        assert!(!begins_alike("10 days", "ten days"));
        assert!(!begins_alike("a | b", "a\n"));
        assert!(!begins_alike("\n", "\n"));
    }
}
