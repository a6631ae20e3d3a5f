//! A view shows a document to a reader: JSON with a line for each entry, and an anchor at every number that the page
//! links to.

use std::collections::BTreeSet;

use minijinja::HtmlEscape;
use serde_json::Value;

/// Lists longer than this are shown in part: their first entries, and those that are linked to.
const LONG: usize = 24;
/// Number of first entries of a long list that are shown.
const FIRST: usize = 3;
/// What fits in a line of so many characters stands in one.
const LINE: usize = 96;

const STYLE: &str = include_str!("../../../assets/view.css");

/// Turns the place of a number, `data/<file>.json#<pointer>`, into the link to it.
pub(super) fn href(place: &str) -> String {
    place.replacen(".json#", ".html#", 1)
}

/// Writes the view of a document; the anchors are JSON pointers.
pub(super) fn view(name: &str, document: &Value, anchors: &BTreeSet<String>) -> String {
    let mut writer = Writer {
        html: String::new(),
        anchors,
        file: name,
    };
    writer.write(document, "", 0);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{name}.json</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <p><a href=\"../report.html\">The report</a> · the whole document: <a href=\"{name}.json\">{name}.json</a></p>\n\
         <pre>{}</pre>\n</body>\n</html>\n",
        writer.html
    )
}

struct Writer<'a> {
    html: String,
    anchors: &'a BTreeSet<String>,
    file: &'a str,
}

impl Writer<'_> {
    /// Tells whether something in a part of the document is linked to.
    fn is_linked_within(&self, pointer: &str) -> bool {
        let below = format!("{pointer}/");
        let mut next = self.anchors.range(below.clone()..);
        next.next().is_some_and(|a| a.starts_with(&below))
    }

    fn write(&mut self, value: &Value, pointer: &str, depth: usize) {
        let is_linked = self.anchors.contains(pointer);
        if is_linked {
            self.html += &format!("<b id=\"{}\">", HtmlEscape(pointer));
        }
        let text = match value {
            Value::Array(list) if list.len() > LONG => None,
            Value::Array(_) | Value::Object(_) if self.is_linked_within(pointer) => None,
            value => Some(value.to_string()),
        };
        let is_leaf = !(value.is_array() || value.is_object());
        match text.filter(|text| is_leaf || text.chars().count() <= LINE) {
            Some(text) => self.html += &HtmlEscape(&text).to_string(),
            None => self.write_entries(value, pointer, depth),
        }
        if is_linked {
            self.html += "</b>";
        }
    }

    /// Writes a line for each entry of a list or of an object.
    fn write_entries(&mut self, value: &Value, pointer: &str, depth: usize) {
        let (open, close, entries): (_, _, Vec<(String, String, &Value)>) = match value {
            Value::Array(list) => {
                let entries = list.iter().enumerate();
                let entries = entries.map(|(k, v)| (String::new(), format!("{pointer}/{k}"), v));
                ('[', ']', entries.collect())
            }
            Value::Object(map) => {
                let entries = map.iter().map(|(name, v)| {
                    let below = name.replace('~', "~0").replace('/', "~1");
                    (
                        format!("{}: ", Value::from(name.as_str())),
                        format!("{pointer}/{below}"),
                        v,
                    )
                });
                ('{', '}', entries.collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
        };
        let indent = "  ".repeat(depth + 1);
        let is_long = value.is_array() && entries.len() > LONG;
        self.html.push(open);
        let (all, mut left_out) = (entries.len(), 0);
        for (k, (name, place, entry)) in entries.into_iter().enumerate() {
            let is_shown =
                k < FIRST || self.anchors.contains(&place) || self.is_linked_within(&place);
            if is_long && !is_shown {
                left_out += 1;
                continue;
            }
            self.tell_of(&mut left_out, &indent);
            self.html += &format!("\n{indent}{}", HtmlEscape(&name));
            self.write(entry, &place, depth + 1);
            if k + 1 < all {
                self.html.push(',');
            }
        }
        self.tell_of(&mut left_out, &indent);
        self.html += &format!("\n{}{close}", "  ".repeat(depth));
    }

    fn tell_of(&mut self, left_out: &mut usize, indent: &str) {
        if *left_out > 0 {
            let file = self.file;
            self.html += &format!("\n{indent}<i>… {left_out} more in {file}.json</i>");
            *left_out = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pre(document: &Value, anchors: &[&str]) -> String {
        let anchors = anchors.iter().map(|a| a.to_string()).collect();
        let html = view("file", document, &anchors).replace("&#x2f;", "/");
        let (_, rest) = html.split_once("<pre>").unwrap();
        rest.split_once("</pre>").unwrap().0.replace("&quot;", "'")
    }

    #[test]
    fn what_is_short_stands_in_a_line_and_numbers_have_anchors() {
        let document = json!({"a": {"x": 1.5, "y": [1, 2]}, "a-b": "<", "n": null});
        assert_eq!(
            pre(&document, &[]),
            "{'a':{'x':1.5,'y':[1,2]},'a-b':'&lt;','n':null}"
        );
        assert_eq!(
            pre(&document, &["/a/x", "/n"]),
            "{\n  'a': {\n    'x': <b id=\"/a/x\">1.5</b>,\n    'y': [1,2]\n  },\n  'a-b': '&lt;',\n  'n': <b id=\"/n\">null</b>\n}"
        );
    }

    #[test]
    fn of_long_lists_the_first_entries_and_those_linked_to_are_shown() {
        let list: Vec<u32> = (0..100).collect();
        let text = pre(&json!({ "list": list }), &["/list/50"]);
        assert_eq!(
            text,
            "{\n  'list': [\n    0,\n    1,\n    2,\n    <i>… 47 more in file.json</i>\n    <b id=\"/list/50\">50</b>,\n    <i>… 49 more in file.json</i>\n  ]\n}"
        );
        assert_eq!(href("data/file.json#/list/50"), "data/file.html#/list/50");
    }
}
