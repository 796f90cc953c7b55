//! Samples beside a basis of the polynomials of lower degree, which are learnt by projection.

use super::activation::PolynomialActivation;
use crate::Error;
use crate::linalg::{Scalar, small, thin_qr};
use faer::{Mat, MatRef};

/// Inputs, targets and an orthonormal basis of low-degree features at the samples.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// `n x d`.
    pub x: Mat<f64>,
    pub y: Vec<f64>,
    /// `n x p`, orthonormal columns.
    pub low: Mat<f64>,
}

/// The exponents of all monomials of a degree, as nondecreasing lists of variables.
pub(super) fn monomials(d: usize, degree: usize) -> Vec<Vec<usize>> {
    let mut lists: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..degree {
        let next = |list: &Vec<usize>| {
            let from = list.last().copied().unwrap_or(0);
            let list = list.clone();
            (from..d).map(move |j| {
                let mut child = list.clone();
                child.push(j);
                child
            })
        };
        lists = lists.iter().flat_map(next).collect();
    }
    lists
}

/// `C(d + k - 1, k)`, saturating.
pub(super) fn count(d: usize, k: usize) -> usize {
    (1..=k).fold(1usize, |c, j| c.saturating_mul(d + j - 1) / j)
}

/// Degrees below the top one that the network has in its expansion.
pub(super) fn low_degrees(activation: &PolynomialActivation) -> Vec<usize> {
    let m = activation.degree();
    let step = if activation.has_parity() { 2 } else { 1 };
    let mut degrees: Vec<usize> = (0..m).filter(|k| (m - k).is_multiple_of(step)).collect();
    if !degrees.contains(&0) {
        // The targets may stand on a constant.
        degrees.insert(0, 0);
    }
    degrees
}

/// Normalised Hermite polynomials `He_0 .. He_top / sqrt(k!)` of every input, one matrix for each degree.
pub(super) fn univariate(x: MatRef<'_, f64>, top: usize) -> Vec<Mat<f64>> {
    let mut tables = vec![Mat::from_fn(x.nrows(), x.ncols(), |_, _| 1.0)];
    for k in 1..=top {
        let next = Mat::from_fn(x.nrows(), x.ncols(), |i, j| {
            let last = x[(i, j)] * tables[k - 1][(i, j)];
            let before = if k > 1 { tables[k - 2][(i, j)] } else { 0.0 };
            // h_k = (x h_{k-1} - sqrt(k-1) h_{k-2}) / sqrt k
            (last - ((k - 1) as f64).sqrt() * before) / (k as f64).sqrt()
        });
        tables.push(next);
    }
    tables
}

/// The column of the normalised product Hermite polynomial of a monomial at the samples.
pub(super) fn feature(tables: &[Mat<f64>], index: &[usize], out: &mut [f64]) {
    out.fill(1.0);
    let mut from = 0;
    while from < index.len() {
        let run = index[from..]
            .iter()
            .take_while(|j| **j == index[from])
            .count();
        let column = tables[run].col_as_slice(index[from]);
        out.iter_mut().zip(column).for_each(|(o, h)| *o *= h);
        from += run;
    }
}

/// All features of the given degrees at the samples, `n x p`.
pub(super) fn features(x: MatRef<'_, f64>, degrees: &[usize]) -> Mat<f64> {
    let top = degrees.iter().copied().max().unwrap_or(0);
    let tables = univariate(x, top);
    let lists: Vec<Vec<usize>> = degrees
        .iter()
        .flat_map(|&k| monomials(x.ncols(), k))
        .collect();
    let mut out = Mat::zeros(x.nrows(), lists.len());
    for (j, list) in lists.iter().enumerate() {
        feature(&tables, list, out.col_as_slice_mut(j));
    }
    out
}

impl Sample {
    /// The sample with a basis of the features of the given degrees.
    ///
    /// # Errors
    /// `Backend`.
    pub fn new(x: Mat<f64>, y: Vec<f64>, degrees: &[usize]) -> Result<Self, Error> {
        let low = if degrees.is_empty() {
            Mat::zeros(y.len(), 0)
        } else {
            thin_qr(super::OP, features(x.as_ref(), degrees).as_ref())?.0
        };
        Ok(Self { x, y, low })
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Number of inputs.
    pub fn dim(&self) -> usize {
        self.x.ncols()
    }

    /// `v` minus its projection onto the low features.
    pub fn project(&self, v: &mut [f64]) {
        if self.low.ncols() == 0 {
            return;
        }
        let n = v.len();
        let column = Mat::from_fn(n, 1, |i, _| v[i]);
        let parts = self.low.transpose() * &column;
        let mut inside = Mat::zeros(n, 1);
        f64::gemm(
            inside.as_mut(),
            false,
            self.low.as_ref(),
            parts.as_ref(),
            1.0,
        );
        small::axpy(v, -1.0, inside.col_as_slice(0));
    }
}
