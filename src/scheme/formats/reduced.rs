//! Schemes after elimination of common sums, as JSON: `u_fresh`, `v_fresh`, `w_fresh`, `u`, `v`, `w` are lists of sparse
//! forms `[{"index": i, "value": c}, ..]`.
//!
//! An index beyond the entries (`n m`, `m p`; for w the products) means a fresh form, which may use earlier ones. `u` and
//! `v` have a form for each product; `w` has one for each entry of the transposed product, over the products. Forms are
//! expanded, so what is verified is the scheme; the counts of additions in the file are not held against it.

use super::entry;
use crate::Error;
use crate::certify::json::Json;
use crate::poly::Rational;
use crate::scheme::build::Builder;
use crate::scheme::model::{MAX_RANK, Scheme, Target};
use num_traits::Zero;
use std::collections::BTreeMap;

const OP: &str = "read_schemes";
/// Entries that are added in all while forms are expanded.
const MAX_WORK: usize = 1 << 26;
const MAX_BITS: usize = 1 << 12;

type Form = BTreeMap<usize, Rational>;

/// Whether an object is of this format.
pub(crate) fn is_reduced(json: &Json<'_>) -> bool {
    ["u_fresh", "v_fresh", "w_fresh"]
        .iter()
        .any(|f| json.field(f).is_some())
}

fn whole(json: &Json<'_>, most: usize) -> Option<usize> {
    let Json::Number(text) = json else {
        return None;
    };
    text.parse().ok().filter(|n| (1..=most).contains(n))
}

pub(crate) fn read(json: &Json<'_>) -> Result<Scheme, Error> {
    let ([n, m, p], rank) = sizes(json)?;
    let mut work = 0;
    let mut forms = |letter: &str, width: usize, rows: usize| {
        let fresh = list(json, &format!("{letter}_fresh"))?;
        let wanted = list(json, letter)?;
        if wanted.len() != rows {
            let found = wanted.len();
            return Err(Error::invalid(
                OP,
                format!("{letter} has {found} forms, expected {rows}"),
            ));
        }
        let (mut known, mut found) = (Vec::<Form>::new(), Vec::new());
        for (k, form) in fresh.iter().chain(wanted).enumerate() {
            let form = expand(form, width, &known, &mut work).map_err(|e| match e {
                Error::InvalidInput { requirement, .. } => {
                    Error::invalid(OP, format!("form {k} of {letter}: {requirement}"))
                }
                other => other,
            })?;
            match k < fresh.len() {
                true => known.push(form),
                false => found.push(form),
            }
        }
        Ok::<_, Error>(found)
    };
    let (u, v, w) = (
        forms("u", n * m, rank)?,
        forms("v", m * p, rank)?,
        forms("w", rank, p * n)?,
    );
    let mut builder = Builder::new("", 3);
    builder.target = Some(Target::Matmul([n, m, p]));
    builder.modulo_two = json.field("z2") == Some(&Json::Bool(true));
    for (k, size) in [n * m, m * p, n * p].into_iter().enumerate() {
        builder.at_least(k, size, rank);
    }
    for (k, forms) in [u, v].into_iter().enumerate() {
        for (r, form) in forms.into_iter().enumerate() {
            for (at, value) in form {
                builder.value(k, at, r, entry::constant(value))?;
            }
        }
    }
    for (at, form) in w.into_iter().enumerate() {
        for (r, value) in form {
            builder.value(2, at % n * p + at / n, r, entry::constant(value))?;
        }
    }
    builder.finish()
}

/// The sizes of the matrix product and the number of products.
fn sizes(json: &Json<'_>) -> Result<([usize; 3], usize), Error> {
    let sizes = match json.field("n") {
        Some(Json::List(list)) => list.iter().map(|n| whole(n, 4096)).collect(),
        _ => None,
    };
    let sizes = sizes.and_then(|s: Vec<usize>| <[usize; 3]>::try_from(s).ok());
    let rank = json.field("m").and_then(|m| whole(m, MAX_RANK));
    let what = "needs n, three sizes, and m, the number of products";
    sizes.zip(rank).ok_or_else(|| Error::invalid(OP, what))
}

fn list<'a, 'b>(json: &'a Json<'b>, name: &str) -> Result<&'a [Json<'b>], Error> {
    match json.field(name) {
        Some(Json::List(items)) => Ok(items),
        _ => Err(Error::invalid(OP, format!("needs a list {name:?}"))),
    }
}

fn expand(json: &Json<'_>, width: usize, known: &[Form], work: &mut usize) -> Result<Form, Error> {
    let wrong = |what: &str| Err(Error::invalid(OP, what.to_owned()));
    let Json::List(items) = json else {
        return wrong("must be a list of {\"index\", \"value\"}");
    };
    let mut form = Form::new();
    for item in items {
        let index = match item.field("index") {
            Some(Json::Number(text)) => text.parse::<usize>().ok(),
            _ => None,
        };
        let value = item.field("value").and_then(Json::number_text);
        let plain = |t: &&str| t.len() <= 1024 && t.bytes().all(|b| b"-/.0123456789".contains(&b));
        let value: Option<Rational> = value.filter(plain).and_then(|t| t.parse().ok());
        let (Some(index), Some(value)) = (index, value) else {
            return wrong("must be a list of {\"index\", \"value\"} with exact values");
        };
        let add = |form: &mut Form, at: usize, c: &Rational| {
            *form.entry(at).or_default() += c;
        };
        if index < width {
            *work += 1;
            add(&mut form, index, &value);
            continue;
        }
        let Some(fresh) = known.get(index - width) else {
            return wrong("uses a fresh form that does not come before it");
        };
        *work += fresh.len();
        for (at, c) in fresh {
            let product = c * &value;
            if product.bits() > MAX_BITS || *work > MAX_WORK {
                return Err(Error::limit(OP, "work to expand forms", MAX_WORK as u64));
            }
            add(&mut form, *at, &product);
        }
    }
    form.retain(|_, c| !c.is_zero());
    Ok(form)
}
