//! A real gauge for a core that was found over the complex numbers.
//!
//! If the tensor is real and has a real ring of the same ranks, the core found, `A` (square, columns
//! `(b, a)`), and its conjugate differ by a gauge: `conj(A) = A (X (x) Y)`. Then `X conj(X) = c I` with real
//! `c`, and `Y conj(Y) = I / c`; when `c > 0` every `Q = Z + X conj(Z) / sqrt(c)` is fixed by `X conj(.)`,
//! so that `A (Q_b (x) Q_a)` is real. When `c < 0` the ring is quaternionic: no real ring has these ranks.

use crate::Error;
use crate::linalg::complex_frobenius;
use crate::linalg::{complex_solve, complex_svd};
use crate::tensor::Scalar;
use faer::Mat;
use num_complex::Complex;
use rand::Rng;

type C = Complex<f64>;

/// Sweeps of alternating projection for the Kronecker factors: the product is exact for exact data, and
/// the second singular value decides how much each sweep gains otherwise.
const SWEEPS: usize = 12;
/// Random choices of `Z` among which the best conditioned `Q` is taken.
const CHOICES: usize = 4;

/// The real core and what was left over.
pub(in crate::decomp::ring) struct RealCore {
    pub(in crate::decomp::ring) core: Mat<f64>,
    /// `||imaginary part|| / ||core||`, dropped.
    pub(in crate::decomp::ring) imaginary: f64,
}

/// A real version of `core` (square, columns `(b, a)`, `a` fastest, `a < outer`).
pub(in crate::decomp::ring) fn real_core(
    op: &'static str,
    core: &Mat<C>,
    outer: usize,
    rng: &mut impl Rng,
) -> Result<RealCore, Error> {
    let n = core.nrows();
    let left = n / outer;
    let conjugate = Mat::from_fn(n, n, |i, j| core[(i, j)].conj());
    let k = complex_solve(op, core.as_ref(), conjugate.as_ref())?;
    let (mut x, mut y) = kronecker_factors(&k, left, outer);
    let mean = |m: &Mat<C>| {
        let size = m.nrows();
        let square = m * Mat::from_fn(size, size, |i, j| m[(i, j)].conj());
        (0..size).map(|i| square[(i, i)].re).sum::<f64>() / size as f64
    };
    let (cx, cy) = (mean(&x), mean(&y));
    let hypothesis = "a real ring of these ranks (sign of the conjugation; ask for complex cores)";
    let positive = cx > 0.0 && cy > 0.0;
    if !positive {
        return Err(Error::degenerate(op, hypothesis, cx.min(cy)));
    }
    for (m, c) in [(&mut x, cx), (&mut y, cy)] {
        let factor = 1.0 / c.sqrt();
        *m = Mat::from_fn(m.nrows(), m.ncols(), |i, j| m[(i, j)] * factor);
    }
    let (qb, qa) = (fixed(op, &x, rng)?, fixed(op, &y, rng)?);
    let gauge = Mat::from_fn(n, n, |i, j| {
        qb[(i / outer, j / outer)] * qa[(i % outer, j % outer)]
    });
    let turned = core * &gauge;
    let imaginary = Mat::from_fn(n, n, |i, j| C::new(turned[(i, j)].im, 0.0));
    let imaginary = complex_frobenius(imaginary.as_ref()) / complex_frobenius(turned.as_ref());
    let core = Mat::from_fn(n, n, |i, j| turned[(i, j)].re);
    Ok(RealCore { core, imaginary })
}

/// The best `x (x) y` for `k`: alternating projections from the greatest entry.
fn kronecker_factors(k: &Mat<C>, left: usize, outer: usize) -> (Mat<C>, Mat<C>) {
    let entry = |b: usize, b2: usize, a: usize, a2: usize| k[(b * outer + a, b2 * outer + a2)];
    let mut pivot = (0, 0);
    for (i, j) in (0..k.nrows()).flat_map(|i| (0..k.nrows()).map(move |j| (i, j))) {
        if k[(i, j)].norm() > k[pivot].norm() {
            pivot = (i, j);
        }
    }
    let (a, a2) = (pivot.0 % outer, pivot.1 % outer);
    let mut x = Mat::from_fn(left, left, |b, b2| entry(b, b2, a, a2));
    let mut y = Mat::zeros(outer, outer);
    for _ in 0..SWEEPS {
        let size: f64 = complex_frobenius(x.as_ref()).powi(2);
        y = Mat::from_fn(outer, outer, |a, a2| {
            let mut sum = C::new(0.0, 0.0);
            for (b, b2) in (0..left).flat_map(|b| (0..left).map(move |b2| (b, b2))) {
                sum += x[(b, b2)].conj() * entry(b, b2, a, a2);
            }
            sum / size
        });
        let size: f64 = complex_frobenius(y.as_ref()).powi(2);
        x = Mat::from_fn(left, left, |b, b2| {
            let mut sum = C::new(0.0, 0.0);
            for (a, a2) in (0..outer).flat_map(|a| (0..outer).map(move |a2| (a, a2))) {
                sum += y[(a, a2)].conj() * entry(b, b2, a, a2);
            }
            sum / size
        });
    }
    (x, y)
}

/// A well-conditioned `Q` with `X conj(Q) = Q`.
fn fixed(op: &'static str, x: &Mat<C>, rng: &mut impl Rng) -> Result<Mat<C>, Error> {
    let n = x.nrows();
    let mut best: Option<(f64, Mat<C>)> = None;
    for _ in 0..CHOICES {
        let z = Mat::from_fn(n, n, |_, _| C::gaussian(rng));
        let conjugate = Mat::from_fn(n, n, |i, j| z[(i, j)].conj());
        let q = &z + x * conjugate;
        let s = complex_svd(op, q.as_ref())?.s;
        let ratio = match (s.first(), s.last()) {
            (Some(&first), Some(&last)) if first > 0.0 => last / first,
            _ => 0.0,
        };
        if best.as_ref().is_none_or(|(b, _)| ratio > *b) {
            best = Some((ratio, q));
        }
    }
    let hypothesis = "a real gauge that is invertible";
    let none = Error::degenerate(op, hypothesis, 0.0);
    best.map(|(_, q)| q).ok_or(none)
}
