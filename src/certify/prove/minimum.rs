//! That a computed fit is close to one critical point of the squared distance, a strict local minimum.

use super::Proof;
use super::entries::{Entries, exact_product, fixed, product};
use super::near::{MAX_UNKNOWNS, SCALE, cores, digits, largest, matrix, moved, radius};
use crate::Error;
use crate::certify::certificate::Claim;
use crate::certify::format::Limits;
use crate::certify::numbers::OP;
use crate::linalg::{solve, symmetric_eigen};
use crate::poly::{Integer, Rational};
use faer::Mat;
use serde_json::json;
use std::collections::BTreeMap;

/// Eigenvalues below this, relative to the largest, count as zero.
const ZERO: f64 = 1e-13;

/// Parameters that take the freedom of scaling: in all modes but the last the largest entry of each column, or the
/// weights of a symmetric model.
fn held(entries: &Entries) -> Vec<usize> {
    let (rank, mut start, mut held) = (entries.rank, 0, Vec::new());
    let blocks = match entries.model {
        "symmetric" => 1,
        _ => entries.cores.len() - 1,
    };
    for [_, n, _] in &entries.cores[..blocks] {
        for r in 0..rank {
            let column = (0..*n).map(|i| start + i * rank + r);
            let size = |p: &usize| entries.parameters[*p].abs();
            held.extend(column.max_by(|a, b| size(a).total_cmp(&size(b))));
        }
        start += n * rank;
    }
    held
}

/// First derivatives of an entry, and the second ones, by parameters.
type Derivatives = (BTreeMap<usize, f64>, BTreeMap<(usize, usize), f64>);

fn derivatives(monomials: &[Vec<usize>], x: &[f64], place: &[Option<usize>]) -> Derivatives {
    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    for factors in monomials {
        for (k, &v) in factors.iter().enumerate() {
            let Some(u) = place[v] else { continue };
            *first.entry(u).or_insert(0.0) += product(factors, x, &[k]);
            for (l, &w) in factors.iter().enumerate().filter(|(l, _)| *l != k) {
                if let Some(v) = place[w] {
                    *second.entry((u, v)).or_insert(0.0) += product(factors, x, &[k, l]);
                }
            }
        }
    }
    (first, second)
}

/// Where Newton's method for the critical point ends: the point, the Hessian there, and its step.
struct Critical {
    x: Vec<Integer>,
    hessian: Mat<f64>,
    gradient: Vec<f64>,
}

/// Gradient in integers and Hessian in floats at a point.
fn critical(
    entries: &Entries,
    x: &[Integer],
    place: &[Option<usize>],
    n: usize,
) -> (Vec<f64>, Mat<f64>) {
    let unit = Integer::from(1) << SCALE;
    let float = |x: &Integer| {
        Rational::from_integers(x.clone(), unit.clone()).map_or(f64::NAN, |x| x.to_f64())
    };
    let floats: Vec<f64> = x.iter().map(float).collect();
    let mut gradient = vec![Integer::from(0); n];
    let mut hessian = Mat::zeros(n, n);
    for (e, monomials) in entries.monomials.iter().enumerate() {
        let gap = entries.gap(e, x, SCALE);
        for factors in monomials {
            for (k, &v) in factors.iter().enumerate() {
                if let Some(u) = place[v] {
                    gradient[u] += &gap * exact_product(factors, x, k);
                }
            }
        }
        let gap = entries.float(gap, entries.degree * SCALE);
        let (first, second) = derivatives(monomials, &floats, place);
        for (&u, j) in &first {
            for (&v, k) in &first {
                hessian[(u, v)] += j * k;
            }
        }
        for (&(u, v), s) in &second {
            hessian[(u, v)] += gap * s;
        }
    }
    let bits = (2 * entries.degree - 1) * SCALE;
    let gradient = gradient
        .into_iter()
        .map(|g| entries.float(g, bits))
        .collect();
    (gradient, hessian)
}

/// The critical point of the squared distance near the model, and its character.
pub(super) fn minimum(entries: &Entries, limits: Limits) -> Result<Proof, Error> {
    let held = held(entries);
    let unknowns: Vec<usize> = (0..entries.parameters.len())
        .filter(|p| !held.contains(p))
        .collect();
    let n = unknowns.len();
    if n > MAX_UNKNOWNS || n == 0 {
        let why = format!(
            "that the fit is a local minimum: {n} unknowns, and 1 to {MAX_UNKNOWNS} are possible"
        );
        return Ok(Proof::refusal(why));
    }
    if held.iter().any(|&p| entries.parameters[p] == 0.0) {
        return Ok(Proof::refusal(
            "that the fit is a local minimum: a component is zero",
        ));
    }
    let mut place = vec![None; entries.parameters.len()];
    unknowns
        .iter()
        .enumerate()
        .for_each(|(k, &u)| place[u] = Some(k));
    let at = climbed(entries, &unknowns, &place);
    let spectrum = symmetric_eigen(OP, at.hessian.as_ref())?;
    let values = &spectrum.values;
    let top = largest(values);
    let zeros = values.iter().filter(|v| v.abs() <= ZERO * top).count();
    let negative = values.iter().filter(|v| **v < -ZERO * top).count();
    if zeros > 0 || negative > 0 || !(top > 0.0) {
        return Ok(Proof::refusal(character(zeros, negative, n)));
    }
    let Some(l) = inverse_root(&at.hessian) else {
        return Ok(Proof::refusal(
            "that the fit is a local minimum: the Hessian is singular to working precision",
        ));
    };
    let precision = digits(&l, &at.hessian, n);
    let radius = radius(4.0 * reach(&l, &at.gradient));
    let data = json!({
        "target": entries.claimed().json(), "scale": SCALE, "cores": cores(entries, &at.x), "unknowns": unknowns,
        "scaleL": precision, "L": matrix(&l, precision), "radius": radius,
    });
    let words = format!(
        "within 2^{} of the cores in the certificate, {}, the squared distance of rank {} has exactly one critical \
         point up to scaling, a strict local minimum",
        radius[1],
        moved(entries, &at.x),
        entries.rank
    );
    let kind = if entries.model == "cp" {
        "cp-minimiser"
    } else {
        "symmetric-minimiser"
    };
    Proof::replayed(vec![Claim::new(kind, data)], words, limits)
}

/// The critical point that a few steps of Newton's method lead to.
fn climbed(entries: &Entries, unknowns: &[usize], place: &[Option<usize>]) -> Critical {
    let n = unknowns.len();
    let x: Vec<Integer> = entries
        .parameters
        .iter()
        .map(|x| fixed(*x, SCALE))
        .collect();
    let (gradient, hessian) = critical(entries, &x, place, n);
    let mut at = Critical {
        x,
        hessian,
        gradient,
    };
    for _ in 0..12 {
        let column = Mat::from_fn(n, 1, |i, _| at.gradient[i]);
        let Ok(step) = solve(OP, at.hessian.as_ref(), column.as_ref()) else {
            break;
        };
        let step: Vec<f64> = (0..n).map(|i| step[(i, 0)]).collect();
        let length = largest(&step);
        if !(length < 0.1) || length < 2f64.powi(2 - SCALE as i32) {
            break;
        }
        for (&u, d) in unknowns.iter().zip(&step) {
            at.x[u] -= fixed(*d, SCALE);
        }
        (at.gradient, at.hessian) = critical(entries, &at.x, place, n);
    }
    at
}

/// The longest entry of Newton's step `L L' g`, bounded by rows.
fn reach(l: &Mat<f64>, gradient: &[f64]) -> f64 {
    let n = gradient.len();
    let widest = (0..n)
        .map(|i| (0..n).map(|j| l[(i, j)].abs()).sum())
        .fold(0.0, f64::max);
    let step = (0..n).map(|j| (0..n).map(|i| l[(i, j)] * gradient[i]).sum::<f64>().abs());
    widest * step.fold(0.0, f64::max)
}

/// Why a point is no strict minimum.
fn character(zeros: usize, negative: usize, n: usize) -> String {
    match (zeros, negative) {
        (_, 1..) => format!(
            "that the fit is a local minimum: {negative} of {n} eigenvalues of the Hessian are negative; it is no \
             minimum"
        ),
        _ => format!(
            "that the fit is a strict local minimum: {zeros} of {n} eigenvalues of the Hessian vanish to rounding, \
             scaling aside, as where a family of dimension {zeros} passes through the point"
        ),
    }
}

/// Upper triangular `l` with `l' h l = 1`, from Cholesky's factor.
fn inverse_root(h: &Mat<f64>) -> Option<Mat<f64>> {
    let n = h.nrows();
    let mut g = Mat::<f64>::zeros(n, n);
    for j in 0..n {
        for i in j..n {
            let known: f64 = (0..j).map(|k| g[(i, k)] * g[(j, k)]).sum();
            let rest = h[(i, j)] - known;
            if i == j && !(rest > 0.0) {
                return None;
            }
            g[(i, j)] = if i == j {
                rest.sqrt()
            } else {
                rest / g[(j, j)]
            };
        }
    }
    // Columns of the transposed inverse, from below.
    let mut l = Mat::<f64>::zeros(n, n);
    for j in 0..n {
        for i in (0..=j).rev() {
            let unit = if i == j { 1.0 } else { 0.0 };
            let known: f64 = (i + 1..=j).map(|k| g[(k, i)] * l[(k, j)]).sum();
            l[(i, j)] = (unit - known) / g[(i, i)];
        }
    }
    Some(l)
}
