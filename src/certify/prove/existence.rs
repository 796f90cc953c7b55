//! That an exact decomposition exists near a computed one.

use super::Proof;
use super::entries::{Entries, fixed, product};
use super::near::{MAX_UNKNOWNS, SCALE, cores, digits, freedom, largest, matrix, moved, radius};
use crate::Error;
use crate::certify::certificate::Claim;
use crate::certify::format::Limits;
use crate::certify::numbers::OP;
use crate::linalg::solve;
use crate::poly::Integer;
use faer::Mat;
use serde_json::{Value, json};

/// The rows of the Jacobian of the entries that are kept, all parameters.
fn jacobian(entries: &Entries, x: &[f64]) -> Vec<Vec<f64>> {
    let kept = entries
        .monomials
        .iter()
        .zip(&entries.first)
        .filter(|e| *e.1);
    kept.map(|(monomials, _)| {
        let mut row = vec![0.0; x.len()];
        for factors in monomials {
            for (k, &v) in factors.iter().enumerate() {
                row[v] += product(factors, x, &[k]);
            }
        }
        row
    })
    .collect()
}

/// Columns that a pivoted Gram-Schmidt process takes, at most as many as there are rows.
fn pivots(rows: &[Vec<f64>]) -> Vec<usize> {
    let width = rows.first().map_or(0, Vec::len);
    let mut columns: Vec<Vec<f64>> = (0..width)
        .map(|j| rows.iter().map(|r| r[j]).collect())
        .collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let (mut taken, mut first) = (Vec::new(), 0.0);
    while taken.len() < rows.len() {
        let norms = columns.iter().map(|c| dot(c, c));
        let Some((at, norm)) = norms.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)) else {
            break;
        };
        if taken.is_empty() {
            first = norm;
        }
        if !(norm > 1e-20 * first) {
            break;
        }
        let unit: Vec<f64> = columns[at].iter().map(|x| x / norm.sqrt()).collect();
        for column in &mut columns {
            let along = dot(column, &unit);
            column
                .iter_mut()
                .zip(&unit)
                .for_each(|(x, u)| *x -= along * u);
        }
        columns[at].fill(0.0);
        taken.push(at);
    }
    taken
}

/// Newton-Kantorovich for "model = tensor" in as many unknowns as entries, the others held.
pub(super) fn existence(entries: &Entries, count: usize, limits: Limits) -> Result<Proof, Error> {
    let total = entries.parameters.len();
    if count > total {
        return Ok(Proof::refusal(format!(
            "an exact decomposition: {count} equations and {total} parameters; below the generic rank a small \
             residual proves none, however small"
        )));
    }
    if count > MAX_UNKNOWNS {
        let why = format!("an exact decomposition: {count} unknowns, more than {MAX_UNKNOWNS}");
        return Ok(Proof::refusal(why));
    }
    let rows = jacobian(entries, &entries.parameters);
    let unknowns = pivots(&rows);
    if unknowns.len() < count {
        return Ok(dependent(entries, count, unknowns.len()));
    }
    let square = Mat::from_fn(count, count, |e, k| rows[e][unknowns[k]]);
    let Ok(inverse) = solve(
        OP,
        square.as_ref(),
        Mat::<f64>::identity(count, count).as_ref(),
    ) else {
        return Ok(Proof::refusal(
            "an exact decomposition: the Jacobian is singular to working precision",
        ));
    };
    let (x, step) = newton(entries, &unknowns, &inverse);
    let precision = digits(&inverse, &square, count);
    let rows: Vec<Value> = matrix(&inverse, precision);
    let radius = radius(4.0 * largest(&step));
    let data = json!({
        "target": entries.claimed().json(), "scale": SCALE, "cores": cores(entries, &x), "unknowns": unknowns,
        "scaleC": precision, "C": rows, "radius": radius,
    });
    let family = total - count - freedom(entries).min(total - count);
    let beside = match family {
        0 => String::new(),
        n => format!("; such ones form a family of dimension {n}"),
    };
    let (kind, what) = match entries.model {
        "cp" => ("cp-exists", "decomposition"),
        "symmetric" => ("symmetric-exists", "decomposition"),
        _ => ("ring-exists", "ring"),
    };
    let words = format!(
        "a real {what} of rank {} exists within 2^{} of the cores in the certificate, {}{beside}",
        entries.rank,
        radius[1],
        moved(entries, &x)
    );
    Proof::replayed(vec![Claim::new(kind, data)], words, limits)
}

/// The refusal where equations depend on each other.
fn dependent(entries: &Entries, count: usize, rank: usize) -> Proof {
    let family = entries
        .parameters
        .len()
        .saturating_sub(rank + freedom(entries));
    Proof::refusal(format!(
        "an exact decomposition: the Jacobian has rank {rank} for {count} equations, so Newton's method proves \
         nothing here; were the point exact and smooth, a family of dimension {family} would pass through it"
    ))
}

/// The parameters after a few steps of Newton's method with one inverse, and the step that would come next.
fn newton(entries: &Entries, unknowns: &[usize], inverse: &Mat<f64>) -> (Vec<Integer>, Vec<f64>) {
    let n = unknowns.len();
    let mut x: Vec<Integer> = entries
        .parameters
        .iter()
        .map(|x| fixed(*x, SCALE))
        .collect();
    let kept: Vec<usize> = (0..entries.first.len())
        .filter(|&e| entries.first[e])
        .collect();
    let bits = entries.degree * SCALE;
    let next = |x: &[Integer]| -> Vec<f64> {
        let gaps: Vec<f64> = kept
            .iter()
            .map(|&e| entries.float(entries.gap(e, x, SCALE), bits))
            .collect();
        (0..n)
            .map(|k| (0..n).map(|e| inverse[(k, e)] * gaps[e]).sum())
            .collect()
    };
    let mut step = next(&x);
    for _ in 0..8 {
        let largest = largest(&step);
        if !(largest < 1.0) || largest < 2f64.powi(2 - SCALE as i32) {
            break;
        }
        for (&u, d) in unknowns.iter().zip(&step) {
            x[u] -= fixed(*d, SCALE);
        }
        step = next(&x);
    }
    (x, step)
}
