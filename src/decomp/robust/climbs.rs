//! The alternatives: climbs on the sphere, and eigenvectors of random contractions.

use super::flattening::{Flattening, OP};
use crate::Error;
use crate::decomp::overcomplete::landscape::{Landscape, distinct, unit_starts, unpacked};
use crate::linalg::symmetric_eigen;
use faer::Mat;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Starts for every component asked for.
const STARTS: usize = 20;
/// Two unit vectors whose inner product has a greater square are the same component.
const SAME: f64 = 0.8;

/// The summits of the projection onto the top eigenvectors.
pub(super) fn subspace_power(
    t: &Flattening,
    m: usize,
    rng: &mut impl Rng,
) -> Result<Mat<f64>, Error> {
    let landscape = Landscape {
        basis: t.top(m)?.vectors,
        weights: vec![1.0; m],
    };
    let mut x = unit_starts(t.n, STARTS * m, rng);
    let values = landscape.ascend(&mut x, 0.5, 200, 1e-9);
    Ok(columns(&x, &distinct(&x, &values, SAME, m)))
}

/// The summits of the form, shifted by twice the error so that it stays convex where that is negative.
pub(super) fn shifted_power(
    t: &Flattening,
    m: usize,
    shift: f64,
    rng: &mut impl Rng,
) -> Result<Mat<f64>, Error> {
    let eigen = symmetric_eigen(OP, t.matrix.as_ref())?;
    let landscape = Landscape {
        basis: eigen.vectors,
        weights: eigen.values,
    };
    let mut x = unit_starts(t.n, STARTS * m, rng);
    let values = landscape.ascend(&mut x, shift, 300, 1e-9);
    Ok(columns(&x, &distinct(&x, &values, SAME, m)))
}

/// Top eigenvectors of `sum_kl g_kl T_kl` for random `g`, boosted once.
pub(super) fn jennrich(t: &Flattening, m: usize, rng: &mut impl Rng) -> Result<Mat<f64>, Error> {
    let trials = 10 * m.max(2);
    let g = Mat::<f64>::from_fn(t.matrix.nrows(), trials, |_, _| StandardNormal.sample(rng));
    let w = &t.matrix * &g;
    let mut x = Mat::zeros(t.n, trials);
    for c in 0..trials {
        let eigen = symmetric_eigen(OP, unpacked(w.col_as_slice(c), t.n).as_ref())?;
        let last = t.n - 1;
        let far = if eigen.values[0].abs() > eigen.values[last].abs() {
            0
        } else {
            last
        };
        (0..t.n).for_each(|i| x[(i, c)] = eigen.vectors[(i, far)]);
    }
    let x = t.boost(&x)?;
    let values = t.values(&x);
    Ok(columns(&x, &distinct(&x, &values, SAME, m)))
}

pub(super) fn columns(x: &Mat<f64>, kept: &[usize]) -> Mat<f64> {
    Mat::from_fn(x.nrows(), kept.len(), |i, c| x[(i, kept[c])])
}
