//! Which reader for which file.

use super::build::{Builder, dims_in_name};
use super::model::{Scheme, Target};
use super::{brackets, json, scalar, tables};
use crate::Error;
use crate::poly::Rational;
use crate::tensor::Tensor;

/// The catalogue formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemeFormat {
    /// Objects with U, V, W: sparse triples or dense rows.
    Json,
    /// Nested lists in braces.
    Mathematica,
    /// `Triad([Matrix(..), ..])`.
    Maple,
    /// One product of three sums in each line.
    Products,
    /// Three tables of Laurent polynomials.
    Laurent,
}

impl SchemeFormat {
    /// The format that belongs to a file extension.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "m" => Some(Self::Mathematica),
            "mpl" => Some(Self::Maple),
            "exp" => Some(Self::Products),
            "txt" => Some(Self::Laurent),
            _ => None,
        }
    }
}

/// Reads all schemes of a text; `name` is that of the file, whose `2x3x4` may tell the sizes.
///
/// # Errors
/// `Parse`, `InvalidInput` or `Shape` with the place when the text is not what `format` says.
pub fn read_schemes(text: &str, format: SchemeFormat, name: &str) -> Result<Vec<Scheme>, Error> {
    let mut schemes = match format {
        SchemeFormat::Json => json::read(text)?,
        SchemeFormat::Mathematica => vec![brackets::read_mathematica(text)?],
        SchemeFormat::Maple => vec![brackets::read_maple(text)?],
        SchemeFormat::Products => vec![tables::read_products(text)?],
        SchemeFormat::Laurent => vec![tables::read_laurent(text)?],
    };
    schemes.iter_mut().for_each(|s| tables::guess(s, name));
    Ok(schemes)
}

/// Reads the three matrices of an LRP scheme.
///
/// # Errors
/// As [`read_schemes`].
pub fn read_lrp(l: &str, r: &str, p: &str, name: &str) -> Result<Scheme, Error> {
    let mut scheme = tables::read_sms([l, r, p])?;
    tables::guess(&mut scheme, name);
    Ok(scheme)
}

/// Schemes from named arrays: `u`, `v`, `w` (or `a`, `b`, `c`, or `factor_0`, `factor_1`, ..) of `size x rank`,
/// several schemes under prefixes such as `2,3,4_u`; a `3 x size x rank` array alone is a square one.
///
/// # Errors
/// `InvalidInput` when no scheme is found, `Shape`, `NonFinite`.
pub fn schemes_from_arrays(arrays: &[(String, Tensor)], name: &str) -> Result<Vec<Scheme>, Error> {
    let op = "scheme arrays";
    let mut groups: Vec<(String, Vec<(usize, Vec<usize>, Vec<f64>)>)> = Vec::new();
    let mut place = |prefix: &str, k: usize, dims: &[usize], data: Vec<f64>| {
        let item = (k, dims.to_vec(), data);
        match groups.iter_mut().find(|(p, _)| p == prefix) {
            Some((_, list)) => list.push(item),
            None => groups.push((prefix.to_owned(), vec![item])),
        }
    };
    for (key, array) in arrays {
        array.view().require_finite(op)?;
        let (prefix, last) = match key.rfind(['_', '/', '.', '-', ':']) {
            Some(i) => (&key[..i], &key[i + 1..]),
            None => ("", &key[..]),
        };
        let letter = match last {
            "u" | "U" | "a" | "A" | "0" => Some(0),
            "v" | "V" | "b" | "B" | "1" => Some(1),
            "w" | "W" | "c" | "C" | "2" => Some(2),
            other => other.parse().ok().filter(|&k: &usize| k < 16),
        };
        match (letter, array.dims()) {
            (Some(k), dims @ [_, _]) => place(
                prefix.trim_end_matches("factor"),
                k,
                dims,
                array.as_slice().to_vec(),
            ),
            (_, &[3, size, rank]) => {
                for k in 0..3 {
                    let slice = (0..size * rank)
                        .map(|i| array.as_slice()[k + 3 * i])
                        .collect();
                    place(key, k, &[size, rank], slice);
                }
            }
            _ => {
                let problem = format!(
                    "the array {key} of shape {:?} is no factor: expected u, v, w or factor_0, factor_1, ..",
                    array.dims()
                );
                return Err(Error::invalid(op, problem));
            }
        }
    }
    let mut schemes = Vec::new();
    for (prefix, mut list) in groups {
        list.sort_by_key(|(k, ..)| *k);
        if list.iter().enumerate().any(|(i, (k, ..))| i != *k) {
            return Err(Error::invalid(
                op,
                format!(
                    "the factors of {} must be numbered 0, 1, 2, ..",
                    crate::error::quoted(&prefix)
                ),
            ));
        }
        let mut builder = Builder::new(prefix.clone(), list.len());
        builder.modulo_two = [&prefix[..], name]
            .iter()
            .any(|s| s.contains("mod2") || s.contains("_f2") || s.contains("F2"));
        if let Some(dims) = dims_in_name(&prefix).filter(|_| list.len() == 3) {
            builder.target = Some(Target::Matmul(dims));
        }
        for (k, dims, data) in &list {
            builder.at_least(*k, dims[0], dims[1]);
            for (flat, value) in data.iter().enumerate().filter(|(_, v)| **v != 0.0) {
                let value = Rational::from_f64(*value).unwrap_or_default();
                builder.value(*k, flat % dims[0], flat / dims[0], scalar::constant(value))?;
            }
        }
        let mut scheme = builder.finish()?;
        tables::guess(&mut scheme, name);
        schemes.push(scheme);
    }
    if schemes.is_empty() {
        return Err(Error::invalid(op, "there is no array"));
    }
    Ok(schemes)
}
