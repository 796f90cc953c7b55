//! Factor models in JSON: `{"factors": [..], "weights": [..]}` or `{"cores": [..]}`, numbers or texts.

use super::tables;
use crate::Error;
use crate::certify::json::Json;
use crate::poly::Rational;
use crate::scheme::build::Builder;
use crate::scheme::model::Scheme;
use crate::scheme::ring::RationalRing;

const OP: &str = "read_models";

/// The schemes and rings of a JSON text that holds `factors` (each `n x R`, row by row) or `cores` (each
/// `R x n x R'`); `None` when it holds neither. Decimals are exact.
///
/// # Errors
/// `InvalidInput` with the place, `Shape`.
pub fn read_models(text: &str) -> Result<Option<(Vec<Scheme>, Vec<RationalRing>)>, Error> {
    let json = Json::read(text, OP)?;
    if let Some(factors) = json.field("factors") {
        let factors = list(factors, "factors", |f, at| {
            list(f, at, |row, at| list(row, at, number))
        })?;
        let weights = match json.field("weights") {
            Some(weights) => Some(list(weights, "weights", number)?),
            None => None,
        };
        return Ok(Some((vec![scheme(&factors, weights)?], Vec::new())));
    }
    if let Some(cores) = json.field("cores") {
        let slices =
            |c: &Json<'_>, at: &str| list(c, at, |s, at| list(s, at, |r, at| list(r, at, number)));
        let cores = list(cores, "cores", slices)?;
        return Ok(Some((Vec::new(), vec![RationalRing::new("", &cores)?])));
    }
    Ok(None)
}

fn list<T>(
    value: &Json<'_>,
    at: &str,
    item: impl Fn(&Json<'_>, &str) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let Json::List(items) = value else {
        return Err(Error::invalid(OP, format!("{at} must be a list")));
    };
    let each = items.iter().enumerate();
    each.map(|(i, v)| item(v, &format!("{at}[{i}]"))).collect()
}

fn number(value: &Json<'_>, at: &str) -> Result<Rational, Error> {
    let text = value.number_text().unwrap_or("");
    // What is written with a power of ten must be of the size of floats, or it would not fit into memory.
    let plain = !text.contains(['e', 'E']);
    let small = text.len() < 1 << 14 && (plain || text.parse::<f64>().is_ok_and(f64::is_normal));
    let parsed = if small { text.parse().ok() } else { None };
    let what = || {
        Error::invalid(
            OP,
            format!("{at} must be a number or a text such as \"-3/4\""),
        )
    };
    parsed.ok_or_else(what)
}

fn scheme(factors: &[Vec<Vec<Rational>>], weights: Option<Vec<Rational>>) -> Result<Scheme, Error> {
    let rank = factors.first().and_then(|f| f.first()).map_or(0, Vec::len);
    let uneven = factors.iter().flatten().any(|row| row.len() != rank);
    if uneven || weights.as_ref().is_some_and(|w| w.len() != rank) {
        let expected = format!("{rank} entries in every row of every factor, and as many weights");
        return Err(Error::shape(OP, expected, "others"));
    }
    let mut builder = Builder::new("", factors.len());
    for (k, factor) in factors.iter().enumerate() {
        builder.at_least(k, factor.len(), rank);
        for (i, row) in factor.iter().enumerate() {
            for (r, value) in row.iter().enumerate() {
                let weight = weights.as_ref().filter(|_| k + 1 == factors.len());
                let value = weight.map_or_else(|| value.clone(), |w| value * &w[r]);
                builder.value(k, i, r, super::entry::constant(value))?;
            }
        }
    }
    let mut scheme = builder.finish()?;
    tables::guess(&mut scheme, "");
    Ok(scheme)
}
