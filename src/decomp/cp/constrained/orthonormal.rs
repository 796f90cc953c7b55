//! A mode with orthonormal columns.
//!
//! With `A'A = I` the squared length of the model does not depend on `A`, so that the best `A` is the frame with the greatest
//! inner product with `M`, the data contracted with the other modes: the orthogonal factor of the polar decomposition of `M`
//! (the Procrustes problem; exact, no iteration).
//!
//! Source: Schoenemann 1966; Sorensen, De Lathauwer, Comon, Icart, Deneire 2012 (in CP).

use crate::Error;
use crate::linalg::{polar_orthogonal, small};
use crate::tensor::Factor;

/// The frame nearest to the columns of `m`; columns that these do not determine are chosen at right angles.
pub(in crate::decomp) fn frame(op: &'static str, m: &Factor) -> Result<Factor, Error> {
    let (q, least, most) = polar_orthogonal(op, m.as_mat())?;
    let (rows, cols) = (m.rows(), m.cols());
    let found = Factor::from_fn(rows, cols, |i, r| q[(i, r)]);
    if least > 1e-13 * most {
        return Ok(found);
    }
    // Directions without data: any frame that holds the others is a solution.
    let units = Factor::from_fn(rows, rows, |i, j| f64::from(i == j));
    let all = [found.as_slice(), units.as_slice()].concat();
    let basis = small::orthonormal(&all, rows, 1e-6);
    Factor::new(rows, cols, basis[..rows * cols].to_vec())
}

/// The part of a slope `g` at the frame `a` that moves along frames: `g - a (a'g + g'a) / 2`.
pub(in crate::decomp) fn along(a: &Factor, g: &Factor) -> Factor {
    let rank = a.cols();
    let cross = Factor::from_fn(rank, rank, |r, s| small::dot(a.column(r), g.column(s)));
    let mut out = g.clone();
    for s in 0..rank {
        for r in 0..rank {
            let both = 0.5 * (cross.column(s)[r] + cross.column(r)[s]);
            small::axpy(out.column_mut(s), -both, a.column(r));
        }
    }
    out
}

/// `max |a'a - 1|`.
pub(in crate::decomp) fn violation(a: &Factor) -> f64 {
    let gram = a.gram();
    let rank = a.cols();
    let off = |(k, x): (usize, &f64)| (x - f64::from(k % (rank + 1) == 0)).abs();
    gram.as_slice()
        .iter()
        .enumerate()
        .map(off)
        .fold(0.0, f64::max)
}
