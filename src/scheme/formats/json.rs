//! The JSON variants: sparse triples or dense rows, one scheme or several named ones.

use crate::Error;
use crate::certify::json::Json;
use crate::scheme::build::{Builder, dims_in_name};
use crate::scheme::model::{Scheme, Target};

const OP: &str = "read_schemes";

pub(crate) fn read(text: &str) -> Result<Vec<Scheme>, Error> {
    let top = Json::read(text, OP)?;
    let Json::Object(fields) = &top else {
        return Err(Error::invalid(OP, "must be an object with U, V and W"));
    };
    if super::reduced::is_reduced(&top) {
        return Ok(vec![super::reduced::read(&top)?]);
    }
    if factors(&top).is_some() {
        return Ok(vec![scheme("", &top)?]);
    }
    let named = fields.iter().filter(|(_, v)| factors(v).is_some());
    let schemes: Vec<Scheme> = named.map(|(k, o)| scheme(k, o)).collect::<Result<_, _>>()?;
    if schemes.is_empty() {
        return Err(Error::invalid(
            OP,
            "there is no object with the fields U, V and W (or u, v and w)",
        ));
    }
    Ok(schemes)
}

/// A whole number that is not negative.
fn whole(json: &Json<'_>) -> Option<usize> {
    match json {
        Json::Number(text) => text.parse().ok(),
        _ => None,
    }
}

fn factors<'a, 'b>(map: &'a Json<'b>) -> Option<[&'a Json<'b>; 3]> {
    let find = |upper: &str| {
        map.field(upper)
            .or_else(|| map.field(&upper.to_lowercase()))
    };
    let letters = |[a, b, c]: [&str; 3]| Some([find(a)?, find(b)?, find(c)?]);
    letters(["U", "V", "W"]).or_else(|| letters(["A", "B", "C"]))
}

/// The tensor that an object or its name says it is of, and the lengths of the factors if they are known.
fn tensor(map: &Json<'_>, name: &str) -> (Option<Target>, Option<[usize; 3]>) {
    let listed = match map.field("n") {
        Some(Json::List(list)) => list.iter().map(whole).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    let listed = listed.and_then(|n| <[usize; 3]>::try_from(n).ok());
    let listed = listed.filter(|n| n.iter().all(|n| (1..=4096).contains(n)));
    let dims = listed.or_else(|| dims_in_name(name));
    // What a search or a conversion writes for other tensors than matrix products; a file name says nothing here.
    let named = map.field("tensor").and_then(|t| t.text().ok());
    let named = named.and_then(|t| Target::parse(t).ok());
    let shape = named.as_ref().map(Target::shape);
    let sizes = match shape.as_deref() {
        Some(&[a, b, c]) => Some([a, b, c]),
        _ => dims.map(|[n, m, p]| [n * m, m * p, n * p]),
    };
    (named.or(dims.map(Target::Matmul)), sizes)
}

fn scheme(name: &str, map: &Json<'_>) -> Result<Scheme, Error> {
    let place = if name.is_empty() {
        String::new()
    } else {
        format!("scheme {name}: ")
    };
    let fault = |what: String| Error::invalid(OP, format!("{place}{what}"));
    let mut builder = Builder::new(name, 3);
    let (target, sizes) = tensor(map, name);
    builder.target = target;
    let field = map.field("field").and_then(|f| f.text().ok());
    builder.modulo_two = map.field("z2") == Some(&Json::Bool(true))
        || field.is_some_and(|f| matches!(f, "F2" | "Z2" | "GF(2)" | "F_2"));
    let rank = ["rank", "m"].iter().find_map(|k| whole(map.field(k)?));
    let three = factors(map).ok_or_else(|| fault("needs U, V and W".into()))?;
    for (k, factor) in three.into_iter().enumerate() {
        let letter = ["U", "V", "W"][k];
        let Json::List(list) = factor else {
            return Err(fault(format!("{letter} must be a list")));
        };
        if let (Some(sizes), Some(rank)) = (sizes, rank) {
            builder.at_least(k, sizes[k], rank);
        }
        let is_sparse = list.iter().all(is_triple);
        let size = sizes.map(|s| s[k]);
        let rows: Vec<&[Json<'_>]> = list.iter().filter_map(|row| row.list().ok()).collect();
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
                let at = |k: usize| whole(&row[k]).unwrap_or(usize::MAX).min(1 << 30);
                let text = row[2].number_text().unwrap_or("");
                let value = builder.text(k, at(0), at(1), text);
                value.map_err(|e| fault(format!("item {i} of {letter}: {e}")))?;
                continue;
            }
            for (j, entry) in row.iter().enumerate() {
                let text = entry.number_text().ok_or_else(|| {
                    let what = "must be a number or a text";
                    fault(format!("entry {j} of row {i} of {letter} {what}"))
                })?;
                let (position, term) = if by_terms { (j, i) } else { (i, j) };
                let value = builder.text(k, position, term, text);
                value.map_err(|e| fault(format!("entry {j} of row {i} of {letter}: {e}")))?;
            }
        }
    }
    builder.finish().map_err(|e| fault(e.to_string()))
}

/// `[row, term, "value"]` with the value as a text; in dense rows all entries are of one kind.
fn is_triple(item: &Json<'_>) -> bool {
    match item {
        Json::List(t) => match &t[..] {
            [row, term, Json::Text(_)] => whole(row).and(whole(term)).is_some(),
            _ => false,
        },
        _ => false,
    }
}
