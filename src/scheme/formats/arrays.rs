//! Schemes and rings from named arrays.

use super::tables;
use crate::Error;
use crate::poly::Rational;
use crate::scheme::build::{Builder, dims_in_name};
use crate::scheme::gaussian::Gaussian;
use crate::scheme::model::{Scheme, Target};
use crate::scheme::ring::RationalRing;
use crate::tensor::Tensor;
use num_complex::Complex;
use num_traits::Zero;

/// Rings from arrays `core_0`, `core_1`, .. of `R_k x n_k x R_(k+1)`; empty when no array is named like that.
///
/// # Errors
/// `InvalidInput` when the numbers have gaps or other arrays lie beside them, `Shape`, `NonFinite`.
pub fn rings_from_arrays(arrays: &[(String, Tensor)]) -> Result<Vec<RationalRing>, Error> {
    let op = "rings_from_arrays";
    if !arrays.iter().any(|(name, _)| name.starts_with("core_")) {
        return Ok(Vec::new());
    }
    let mut cores: Vec<(usize, &Tensor)> = Vec::new();
    for (name, array) in arrays {
        let number = name.strip_prefix("core_").and_then(|k| k.parse().ok());
        let expected = match name.ends_with("_imag") {
            true => "complex cores are not verified, only real ones",
            false => "expected core_0, core_1, ..",
        };
        let wrong = || {
            let name = crate::error::quoted(name);
            Error::invalid(op, format!("the array {name} is no core: {expected}"))
        };
        cores.push((number.ok_or_else(wrong)?, array));
    }
    cores.sort_by_key(|c| c.0);
    if cores.iter().enumerate().any(|(i, c)| i != c.0) {
        return Err(Error::invalid(op, "the cores must be numbered 0, 1, 2, .."));
    }
    let cores: Vec<&Tensor> = cores.into_iter().map(|c| c.1).collect();
    Ok(vec![RationalRing::from_tensors("", &cores)?])
}

/// Schemes from named arrays: `u`, `v`, `w` (or `a`, `b`, `c`, or `factor_0`, `factor_1`, ..) of `size x rank`,
/// several schemes under prefixes such as `2,3,4_u`; a `3 x size x rank` array alone is a square one. `weights`
/// with an entry for each term multiply the last factor, exactly. Imaginary parts stand under the name with `_imag`.
///
/// # Errors
/// `InvalidInput` when no scheme is found, `Shape`, `NonFinite`.
pub fn schemes_from_arrays(arrays: &[(String, Tensor)], name: &str) -> Result<Vec<Scheme>, Error> {
    let mut joined = Vec::new();
    for (key, t) in arrays {
        if key.ends_with("_imag") && arrays.iter().any(|(k, _)| is_imaginary(key, k)) {
            continue;
        }
        let imaginary = arrays.iter().find(|(k, _)| is_imaginary(k, key));
        if imaginary.is_some_and(|(_, i)| i.dims() != t.dims()) {
            let expected = format!("imaginary parts of shape {:?}", t.dims());
            return Err(Error::shape(OP, expected, "others"));
        }
        let zeros = vec![0.0; t.as_slice().len()];
        let imaginary = imaginary.map_or(&zeros[..], |(_, i)| i.as_slice());
        let pairs = t.as_slice().iter().zip(imaginary);
        let data = pairs.map(|(re, im)| Complex::new(*re, *im)).collect();
        joined.push((key.clone(), Tensor::from_vec(t.dims(), data)?));
    }
    let arrays = joined;
    assemble(&arrays, name)
}

/// Whether one name is that of the imaginary parts of the other array.
fn is_imaginary(name: &str, of: &str) -> bool {
    name.strip_suffix("_imag") == Some(of)
}

/// The same for complex arrays with entries in `Z[i]/256`, over `Q(i)`; others are taken for rounded numbers.
///
/// # Errors
/// As [`schemes_from_arrays`], and `InvalidInput` when an entry is no multiple of 1/256.
pub fn schemes_from_complex(
    arrays: &[(String, Tensor<Complex<f64>>)],
    name: &str,
) -> Result<Vec<Scheme>, Error> {
    for (key, array) in arrays {
        let parts = array.as_slice().iter().flat_map(|z| [z.re, z.im]);
        if let Some(x) = parts.into_iter().find(|x| (x * 256.0).fract() != 0.0) {
            let key = crate::error::quoted(key);
            let what = format!(
                "the complex array {key} holds {x}, no multiple of 1/256: rounded factors are no exact scheme; round \
                 them to the exact values first, or hold a real model against its tensor with --tensor and --tol"
            );
            return Err(Error::invalid(OP, what));
        }
    }
    assemble(arrays, name)
}

const OP: &str = "schemes_from_arrays";

/// Factors of one scheme, each with its number, its shape and its entries.
type Numbered = Vec<(usize, Vec<usize>, Vec<Complex<f64>>)>;
/// Factors and weights of schemes by the beginning of the names of their arrays.
type Sorted<'a> = (Vec<(String, Numbered)>, Vec<(&'a str, Vec<Complex<f64>>)>);

fn assemble(arrays: &[(String, Tensor<Complex<f64>>)], name: &str) -> Result<Vec<Scheme>, Error> {
    let (groups, weights) = sorted(arrays)?;
    let mut schemes = Vec::new();
    for (prefix, list) in groups {
        let weights = weights.iter().find(|(p, _)| *p == prefix).map(|w| &w.1[..]);
        schemes.push(built(&prefix, list, weights, name)?);
    }
    if schemes.is_empty() {
        return Err(Error::invalid(OP, "there is no array"));
    }
    Ok(schemes)
}

/// Sorts arrays by the schemes that their names say they belong to.
fn sorted(arrays: &[(String, Tensor<Complex<f64>>)]) -> Result<Sorted<'_>, Error> {
    let mut groups: Vec<(String, Numbered)> = Vec::new();
    let mut place = |prefix: &str, k: usize, dims: &[usize], data: Vec<Complex<f64>>| {
        let item = (k, dims.to_vec(), data);
        match groups.iter_mut().find(|(p, _)| p == prefix) {
            Some((_, list)) => list.push(item),
            None => groups.push((prefix.to_owned(), vec![item])),
        }
    };
    let mut weights: Vec<(&str, Vec<Complex<f64>>)> = Vec::new();
    for (key, array) in arrays {
        let finite = |z: &Complex<f64>| z.re.is_finite() && z.im.is_finite();
        if let Some(index) = array.as_slice().iter().position(|z| !finite(z)) {
            return Err(Error::NonFinite { op: OP, index });
        }
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
            (None, [_]) if matches!(last, "weights" | "weight" | "lambda") => {
                weights.push((prefix, array.as_slice().to_vec()));
            }
            (Some(k), dims @ [_, _]) => place(
                prefix.trim_end_matches("factor").trim_end_matches('_'),
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
                return Err(no_factor(key, last, array.dims()));
            }
        }
    }
    Ok((groups, weights))
}

/// Why an array is no part of a scheme.
fn no_factor(key: &str, last: &str, dims: &[usize]) -> Error {
    let expected = match last {
        "imag" => "there is no array with the real parts",
        _ => "expected u, v, w, or weights, factor_0, factor_1, .., or core_0, core_1, ..",
    };
    let key = crate::error::quoted(key);
    let problem = format!(
        "the array {key} of shape {:?} is no factor: {expected}",
        dims
    );
    Error::invalid(OP, problem)
}

/// The scheme of numbered factors.
fn built(
    prefix: &str,
    mut list: Numbered,
    weights: Option<&[Complex<f64>]>,
    name: &str,
) -> Result<Scheme, Error> {
    list.sort_by_key(|(k, ..)| *k);
    if list.iter().enumerate().any(|(i, (k, ..))| i != *k) {
        return Err(Error::invalid(
            OP,
            format!(
                "the factors of {} must be numbered 0, 1, 2, ..",
                crate::error::quoted(prefix)
            ),
        ));
    }
    let mut builder = Builder::new(prefix, list.len());
    builder.modulo_two = [prefix, name]
        .iter()
        .any(|s| s.contains("mod2") || s.contains("_f2") || s.contains("F2"));
    if let Some(dims) = dims_in_name(prefix).filter(|_| list.len() == 3) {
        builder.target = Some(Target::Matmul(dims));
    }
    let rank = list.first().map_or(0, |f| f.1[1]);
    if let Some(found) = weights.map(<[_]>::len).filter(|n| *n != rank) {
        return Err(Error::shape(
            OP,
            format!("{rank} weights"),
            found.to_string(),
        ));
    }
    let last = list.len() - 1;
    for (k, dims, data) in &list {
        builder.at_least(*k, dims[0], dims[1]);
        let exact = |x: f64| Rational::from_f64(x).unwrap_or_default();
        let gaussian = |z: &Complex<f64>| Gaussian {
            re: exact(z.re),
            im: exact(z.im),
        };
        for (flat, z) in data.iter().enumerate() {
            let mut value = gaussian(z);
            if let Some(w) = weights.filter(|_| *k == last) {
                value = value.times(&gaussian(&w[flat / dims[0]]));
            }
            if !value.im.is_zero() {
                builder.adjoin_i();
            }
            let value = value.scalar();
            if !value.is_empty() {
                builder.value(*k, flat % dims[0], flat / dims[0], value)?;
            }
        }
    }
    let mut scheme = builder.finish()?;
    tables::guess(&mut scheme, name);
    Ok(scheme)
}
