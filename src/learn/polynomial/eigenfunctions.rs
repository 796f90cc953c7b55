//! Latents up to `GL(v)` from the eigenfunctions of a random linear vector field.
//!
//! A field `dx = g x` with real eigenvalues `a_1 > a_2 > ..` and left eigenvectors `xi_i` acts on monomials
//! of degree `w` with eigenvalues `a_i1 + .. + a_iw` and eigenfunctions `xi_i1 .. xi_iw`. The greatest is
//! `w a_1`; the greatest that is not yet a sum of known ones is `(w - 1) a_1 + a_next`.

use super::OP;
use super::lie_algebra::LieAlgebra;
use super::requirements::Requirements;
use crate::Error;
use crate::fit::Check;
use crate::linalg::eigen;
use crate::tensor::MonomialBasis;
use faer::{Mat, MatRef};
use rand::Rng;

/// Random fields tried for a real spectrum, and real ones compared.
const TRIES: usize = 3000;
const COMPARED: usize = 24;

/// Latents of some rows.
pub(super) struct Peeled {
    /// `n x v`, up to a linear change, and up to the sign of each row when the degree is even.
    pub(super) latents: Mat<f64>,
    /// The rows where the first latent is large enough to divide by, best first.
    pub(super) order: Vec<usize>,
    pub(super) checks: Vec<Check>,
}

/// Of the range: how far an eigenvalue may be from its sum, without noise and with it.
pub(super) const EXACT_SUMS: f64 = 0.02;
pub(super) const NOISY_SUMS: f64 = 0.2;

struct Spectrum {
    /// Least gap of the eigenvalues over their range.
    separation: f64,
    /// Greatest distance of an eigenvalue from its sum, over the range.
    misfit: f64,
    /// Columns: `xi_1^w`, then `xi_1^(w-1) xi_j`.
    functions: Mat<f64>,
}

impl Peeled {
    /// From tamed rows in white coordinates; eigenvalues may miss their sums by `tolerance` of their range.
    pub(super) fn of(
        y: MatRef<'_, f64>,
        algebra: &LieAlgebra,
        needs: &Requirements,
        tolerance: f64,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let (v, w) = (needs.variables(), needs.degree);
        let best = Spectrum::best(algebra, (v, w), tolerance, rng)?;
        let f = y * &best.functions;
        let n = y.nrows();
        let positive = (0..n).filter(|&i| f[(i, 0)] > 0.0).count();
        let sign = if w % 2 == 0 && 2 * positive < n {
            -1.0
        } else {
            1.0
        };
        let mut latents = Mat::<f64>::zeros(n, v);
        let mut trust: Vec<(f64, usize)> = Vec::with_capacity(n);
        for i in 0..n {
            let first = sign * f[(i, 0)];
            let root =
                first
                    .abs()
                    .powf(1.0 / w as f64)
                    .copysign(if w % 2 == 0 { 1.0 } else { first });
            latents[(i, 0)] = root;
            let divisor = root.powi(w as i32 - 1);
            for j in 1..v {
                latents[(i, j)] = sign * f[(i, j)] / divisor;
            }
        }
        let typical = medians(&latents);
        for i in 0..n {
            let size = |j: usize| latents[(i, j)].abs() / typical[j];
            let others = (1..v).map(size).fold(0.0, f64::max);
            let first = size(0);
            // The wrong sign of an even power is noise.
            let usable = w % 2 == 1 || sign * f[(i, 0)] > 0.0;
            if usable && first > 0.0 && others.is_finite() {
                trust.push((others / first, i));
            }
        }
        trust.sort_by(|a, b| a.0.total_cmp(&b.0));
        let keep = (4 * trust.len()).div_ceil(5);
        let order = trust[..keep].iter().map(|t| t.1).collect();
        for j in 0..v {
            let s = if typical[j] > 0.0 {
                1.0 / typical[j]
            } else {
                1.0
            };
            latents.col_as_slice_mut(j).iter_mut().for_each(|x| *x *= s);
        }
        let checks = vec![Check::reported(
            "polynomial.eigenvalue-gap",
            "eigenvalues of the vector field: least gap over range",
            best.separation,
        )];
        Ok(Self {
            latents,
            order,
            checks,
        })
    }
}

/// The median size of each column.
fn medians(latents: &Mat<f64>) -> Vec<f64> {
    let median = |j: usize| {
        let mut c: Vec<f64> = latents.col_as_slice(j).iter().map(|x| x.abs()).collect();
        c.sort_by(f64::total_cmp);
        c[c.len() / 2]
    };
    (0..latents.ncols()).map(median).collect()
}

impl Spectrum {
    /// Of several random fields the one whose eigenvalues lie apart, in comparison to how far they are from their sums.
    fn best(
        algebra: &LieAlgebra,
        (v, w): (usize, usize),
        tolerance: f64,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let mut best: Option<Self> = None;
        let mut real = 0;
        for _ in 0..TRIES {
            if let Some(found) = spectrum(&algebra.element(rng), (v, w), tolerance)? {
                real += 1;
                if best.as_ref().is_none_or(|b| found.rank() > b.rank()) {
                    best = Some(found);
                }
            }
            if real >= COMPARED {
                break;
            }
        }
        let hypothesis =
            "a vector field with a real spectrum of sums of eigenvalues (fields found)";
        best.ok_or(Error::degenerate(OP, hypothesis, 0.0))
    }

    /// Misfits of rounding do not count.
    fn rank(&self) -> f64 {
        self.separation / (self.misfit + 1e-4)
    }
}

/// The spectrum of a field, if it is real and consists of sums of `v` numbers.
fn spectrum(
    a: &Mat<f64>,
    (v, w): (usize, usize),
    tolerance: f64,
) -> Result<Option<Spectrum>, Error> {
    let m = a.nrows();
    // Functionals move by the transpose.
    let e = match eigen(OP, a.transpose()) {
        Ok(e) => e,
        Err(Error::Backend { .. }) => return Ok(None),
        Err(e) => return Err(e),
    };
    let size = e.values.iter().map(|l| l.norm()).fold(0.0, f64::max);
    if !(e.values.iter().all(|l| l.im.abs() <= 1e-7 * size)) {
        return Ok(None);
    }
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&i, &j| e.values[j].re.total_cmp(&e.values[i].re));
    let values: Vec<f64> = order.iter().map(|&k| e.values[k].re).collect();
    let range = (values[0] - values[m - 1]).max(f64::MIN_POSITIVE);
    let gap = values
        .windows(2)
        .map(|p| p[0] - p[1])
        .fold(f64::INFINITY, f64::min);
    let separation = if m > 1 { gap / range } else { 1.0 };
    let (mut alphas, mut columns) = (vec![values[0] / w as f64], vec![0]);
    while alphas.len() < v {
        let Some((left, _)) = unexplained(&values, &alphas, w, tolerance * range)? else {
            return Ok(None);
        };
        let Some(&next) = left.first() else {
            return Ok(None);
        };
        columns.push(next);
        alphas.push(values[next] - (w as f64 - 1.0) * alphas[0]);
    }
    let misfit = match unexplained(&values, &alphas, w, tolerance * range)? {
        Some((left, misfit)) if left.is_empty() => misfit / range,
        _ => return Ok(None),
    };
    let functions = Mat::from_fn(m, v, |i, j| e.vectors[(i, order[columns[j]])].re);
    Ok(Some(Spectrum {
        separation,
        misfit,
        functions,
    }))
}

/// The eigenvalues that are no sum of `w` of the `alphas`, each sum used once, and how far the others are
/// from theirs; `None` when a sum is missing.
fn unexplained(
    values: &[f64],
    alphas: &[f64],
    w: usize,
    tolerance: f64,
) -> Result<Option<(Vec<usize>, f64)>, Error> {
    let basis = MonomialBasis::homogeneous(alphas.len(), w)?;
    let (mut left, mut misfit): (Vec<usize>, f64) = ((0..values.len()).collect(), 0.0);
    for e in basis.exponents() {
        let sum: f64 = e.iter().zip(alphas).map(|(&k, a)| f64::from(k) * a).sum();
        let nearest = left.iter().enumerate().min_by(|x, y| {
            (values[*x.1] - sum)
                .abs()
                .total_cmp(&(values[*y.1] - sum).abs())
        });
        match nearest {
            Some((at, &k)) if (values[k] - sum).abs() <= tolerance => {
                misfit = misfit.max((values[k] - sum).abs());
                left.remove(at);
            }
            _ => return Ok(None),
        }
    }
    Ok(Some((left, misfit)))
}
