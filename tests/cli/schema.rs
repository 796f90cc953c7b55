//! Shapes of JSON: inferred from what commands print, kept in `docs/schemas`, and held against every later output.
//!
//! `WICKRING_SCHEMAS_WRITE=1` writes the documents anew from the runs of the walk over all options.
#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The shape of one value: JSON Schema with `type`, `properties`, `required` and `items`.
pub fn of(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "type": ["null"] }),
        Value::Bool(_) => json!({ "type": ["boolean"] }),
        Value::Number(_) => json!({ "type": ["number"] }),
        Value::String(_) => json!({ "type": ["string"] }),
        Value::Array(all) => {
            let items = all.iter().map(of).reduce(|a, b| merged(&a, &b));
            match items {
                Some(items) => json!({ "type": ["array"], "items": items }),
                None => json!({ "type": ["array"] }),
            }
        }
        Value::Object(all) => {
            let properties: Map<String, Value> =
                all.iter().map(|(k, v)| (k.clone(), of(v))).collect();
            let required: Vec<&String> = all.keys().collect();
            json!({ "type": ["object"], "properties": properties, "required": required })
        }
    }
}

fn list(schema: &Value, key: &str) -> Vec<String> {
    let all = schema[key].as_array().into_iter().flatten();
    all.filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

/// What allows both; only what both require stays required.
pub fn merged(a: &Value, b: &Value) -> Value {
    let mut types = list(a, "type");
    types.extend(list(b, "type"));
    types.sort();
    types.dedup();
    let mut out = json!({ "type": types });
    let either = |key: &str| match (a.get(key), b.get(key)) {
        (Some(x), Some(y)) => Some(merged(x, y)),
        (x, y) => x.or(y).cloned(),
    };
    if let Some(items) = either("items") {
        out["items"] = items;
    }
    let (p, q) = (a["properties"].as_object(), b["properties"].as_object());
    if p.is_some() || q.is_some() {
        let mut all: Map<String, Value> = p.cloned().unwrap_or_default();
        for (key, shape) in q.into_iter().flatten() {
            let both = all
                .get(key)
                .map_or(shape.clone(), |known| merged(known, shape));
            all.insert(key.clone(), both);
        }
        let mut required = list(a, "required");
        if let (Some(_), Some(_)) = (p, q) {
            let others = list(b, "required");
            required.retain(|k| others.contains(k));
        } else if p.is_none() {
            required = list(b, "required");
        }
        out["properties"] = Value::Object(all);
        out["required"] = json!(required);
    }
    out
}

/// What is wrong with a value, with the place; nothing when it has the shape. More keys are allowed.
pub fn faults(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let word = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let types = list(schema, "type");
    if !types.iter().any(|t| t == word) {
        found.push(format!("{place}: {word} instead of {}", types.join(" or ")));
        return;
    }
    if let (Value::Array(all), Some(items)) = (value, schema.get("items")) {
        for (k, v) in all.iter().enumerate() {
            faults(items, v, &format!("{place}[{k}]"), found);
        }
    }
    if let Value::Object(all) = value {
        for key in list(schema, "required") {
            if !all.contains_key(&key) {
                found.push(format!("{place}: the key {key} is missing"));
            }
        }
        for (key, v) in all {
            if let Some(inside) = schema["properties"].get(key) {
                faults(inside, v, &format!("{place}.{key}"), found);
            }
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas")
}

fn path(command: &str) -> PathBuf {
    folder().join(format!("{}.json", command.replace(' ', "-")))
}

/// Holds outputs against the documents, or writes these; every fault on a line of its own.
pub fn judged(outputs: &BTreeMap<String, Vec<Value>>) -> Vec<String> {
    if std::env::var_os("WICKRING_SCHEMAS_WRITE").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        for (command, all) in outputs {
            let shape = all.iter().map(of).reduce(|a, b| merged(&a, &b)).unwrap();
            let mut whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "title": format!("wickring {command} --json"),
            });
            whole
                .as_object_mut()
                .unwrap()
                .extend(shape.as_object().unwrap().clone());
            let text = serde_json::to_string_pretty(&whole).unwrap() + "\n";
            std::fs::write(path(command), text).unwrap();
        }
    }
    let mut found = Vec::new();
    for (command, all) in outputs {
        let Ok(text) = std::fs::read_to_string(path(command)) else {
            found.push(format!("{command}: no document in docs/schemas"));
            continue;
        };
        let schema: Value = serde_json::from_str(&text).unwrap();
        for value in all {
            faults(&schema, value, command, &mut found);
        }
    }
    found
}

#[test]
fn shapes_are_inferred_merged_and_held_against_values() {
    let (one, two) = (
        json!({ "a": 1, "b": [1.5] }),
        json!({ "a": null, "c": "x" }),
    );
    let shape = merged(&of(&one), &of(&two));
    let ends = |value: Value| {
        let mut found = Vec::new();
        faults(&shape, &value, "v", &mut found);
        found
    };
    assert!(ends(one).is_empty() && ends(two).is_empty());
    assert!(ends(json!({ "a": 2, "more": [] })).is_empty());
    assert_eq!(ends(json!({ "b": [1] })), ["v: the key a is missing"]);
    assert_eq!(
        ends(json!({ "a": "x" })),
        ["v.a: string instead of null or number"]
    );
    assert_eq!(
        ends(json!({ "a": 1, "b": [true] })),
        ["v.b[0]: boolean instead of number"]
    );
}
