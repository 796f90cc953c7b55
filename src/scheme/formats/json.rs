//! The JSON variants: sparse triples or dense rows, one scheme or several named ones.

use crate::Error;
use crate::scheme::build::{Builder, dims_in_name};
use crate::scheme::model::{Scheme, Target};
use serde_json::{Map, Value};

const OP: &str = "JSON scheme";

pub(crate) fn read(text: &str) -> Result<Vec<Scheme>, Error> {
    let json: Value = serde_json::from_str(text).map_err(|e| Error::invalid(OP, e.to_string()))?;
    let top = json
        .as_object()
        .ok_or_else(|| Error::invalid(OP, "must be an object with U, V and W"))?;
    if factors(top).is_some() {
        return Ok(vec![scheme("", top)?]);
    }
    let named = top
        .iter()
        .filter_map(|(k, v)| Some((k, v.as_object().filter(|o| factors(o).is_some())?)));
    let schemes: Vec<Scheme> = named.map(|(k, o)| scheme(k, o)).collect::<Result<_, _>>()?;
    if schemes.is_empty() {
        return Err(Error::invalid(
            OP,
            "there is no object with the fields U, V and W (or u, v and w)",
        ));
    }
    Ok(schemes)
}

fn factors(map: &Map<String, Value>) -> Option<[&Value; 3]> {
    let find = |upper: &str| map.get(upper).or_else(|| map.get(&upper.to_lowercase()));
    let letters = |[a, b, c]: [&str; 3]| Some([find(a)?, find(b)?, find(c)?]);
    letters(["U", "V", "W"]).or_else(|| letters(["A", "B", "C"]))
}

fn scheme(name: &str, map: &Map<String, Value>) -> Result<Scheme, Error> {
    let place = if name.is_empty() {
        String::new()
    } else {
        format!("scheme {name}: ")
    };
    let fault = |what: String| Error::invalid(OP, format!("{place}{what}"));
    let mut builder = Builder::new(name, 3);
    let listed = map.get("n").and_then(Value::as_array).map(|list| {
        list.iter()
            .filter_map(|n| n.as_u64().map(|n| n as usize))
            .collect::<Vec<_>>()
    });
    let listed = listed.and_then(|n| <[usize; 3]>::try_from(n).ok());
    let listed = listed.filter(|n| n.iter().all(|n| (1..=4096).contains(n)));
    let dims = listed.or_else(|| dims_in_name(name));
    let sizes = dims.map(|[n, m, p]| [n * m, m * p, n * p]);
    builder.target = dims.map(Target::Matmul);
    builder.modulo_two = map.get("z2") == Some(&Value::Bool(true))
        || map
            .get("field")
            .and_then(Value::as_str)
            .is_some_and(|f| matches!(f, "F2" | "Z2" | "GF(2)" | "F_2"));
    let rank = ["rank", "m"]
        .iter()
        .find_map(|k| map.get(*k)?.as_u64())
        .map(|r| r as usize);
    let three = factors(map).ok_or_else(|| fault("needs U, V and W".into()))?;
    for (k, factor) in three.into_iter().enumerate() {
        let letter = ["U", "V", "W"][k];
        let list = factor
            .as_array()
            .ok_or_else(|| fault(format!("{letter} must be a list")))?;
        if let (Some(sizes), Some(rank)) = (sizes, rank) {
            builder.at_least(k, sizes[k], rank);
        }
        // [row, term, "value"] with the value as a text; in dense rows all entries are of one kind.
        let sparse = |item: &Value| {
            item.as_array()
                .is_some_and(|t| t.len() == 3 && t[0].is_u64() && t[1].is_u64() && t[2].is_string())
        };
        let is_sparse = list.iter().all(sparse);
        let size = sizes.map(|s| s[k]);
        let rows: Vec<&Vec<Value>> = list.iter().filter_map(Value::as_array).collect();
        let width = rows.first().map_or(0, |r| r.len());
        if rows.len() != list.len() || (!is_sparse && rows.iter().any(|r| r.len() != width)) {
            return Err(fault(format!(
                "{letter} must be triples [row, term, \"value\"] or rows of equal length"
            )));
        }
        // Dense factors list the terms, each with all its entries, unless the sizes say otherwise.
        let by_terms = rank.map_or_else(|| size.is_none_or(|s| s == width), |r| r == rows.len());
        for (i, row) in rows.iter().enumerate() {
            if is_sparse {
                let at = |k: usize| {
                    row[k]
                        .as_u64()
                        .map_or(usize::MAX, |n| n as usize)
                        .min(1 << 30)
                };
                let text = row[2].as_str().unwrap_or("");
                let value = builder.text(k, at(0), at(1), text);
                value.map_err(|e| fault(format!("item {i} of {letter}: {e}")))?;
                continue;
            }
            for (j, entry) in row.iter().enumerate() {
                let text = match entry {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => {
                        return Err(fault(format!(
                            "entry {j} of row {i} of {letter} must be a number or a text"
                        )));
                    }
                };
                let (position, term) = if by_terms { (j, i) } else { (i, j) };
                let value = builder.text(k, position, term, &text);
                value.map_err(|e| fault(format!("entry {j} of row {i} of {letter}: {e}")))?;
            }
        }
    }
    builder.finish().map_err(|e| fault(e.to_string()))
}
