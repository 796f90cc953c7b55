//! The quadrics that vanish on the samples, and the linear vector fields that keep them.

use super::OP;
use super::requirements::Requirements;
use crate::Error;
use crate::fit::Check;
use crate::linalg::{symmetric_eigen, thin_qr, thin_svd};
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Equations for each unknown of the Lie algebra, when not all are used.
const EQUATIONS: usize = 6;
/// The last singular value in the Lie algebra over the first beyond.
const CLEAR_GAP: f64 = 0.5;

/// A basis of the Lie algebra `{A : A'Q + QA in the ideal for every Q in it}`, which is `gl_v`.
pub(super) struct LieAlgebra {
    pub(super) fields: Vec<Mat<f64>>,
    pub(super) checks: Vec<Check>,
}

impl LieAlgebra {
    /// From tamed rows in white coordinates (`n x m`).
    pub(super) fn of(
        y: MatRef<'_, f64>,
        needs: &Requirements,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let quadrics = Quadrics::exact(y, needs)?;
        Self::keeping(&quadrics, (y.ncols(), CLEAR_GAP), needs, rng)
    }

    /// From noisy rows whose entries have the given variances (`n x m`, up to a common factor).
    pub(super) fn of_noisy(
        y: MatRef<'_, f64>,
        variances: MatRef<'_, f64>,
        needs: &Requirements,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let quadrics = Quadrics::noisy(y, variances, needs)?;
        // What is found is only where a likelihood is climbed from: the spectrum of the fields decides.
        Self::keeping(&quadrics, (y.ncols(), f64::INFINITY), needs, rng)
    }

    /// The fields that keep the quadrics.
    fn keeping(
        quadrics: &Quadrics,
        (m, clear): (usize, f64),
        needs: &Requirements,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let (ideal, complement) = (&quadrics.ideal, &quadrics.complement);
        let mut checks = quadrics.checks.clone();
        let normal = equations(ideal, complement, m, rng);
        let e = symmetric_eigen(OP, normal.as_ref())?;
        let dim = needs.variables() * needs.variables();
        let level = |k: usize| e.values.get(k).map_or(f64::INFINITY, |x| x.max(0.0).sqrt());
        let gap = level(dim - 1) / level(dim);
        checks.push(Check::reported(
            "polynomial.lie-algebra-gap",
            "Lie algebra of the variety: last singular value of gl over the first beyond",
            gap,
        ));
        if !(gap < clear) {
            let hypothesis = "samples on the image of a polynomial map of that degree: a Lie algebra of dimension v^2 (last singular value in it over the first beyond)";
            return Err(Error::degenerate(OP, hypothesis, gap));
        }
        let field = |k: usize| Mat::from_fn(m, m, |i, j| e.vectors[(i + m * j, k)]);
        let fields = (0..dim).map(field).collect();
        Ok(Self { fields, checks })
    }

    /// A random element.
    pub(super) fn element(&self, rng: &mut impl Rng) -> Mat<f64> {
        let m = self.fields[0].nrows();
        let mut a = Mat::<f64>::zeros(m, m);
        for f in &self.fields {
            let g: f64 = StandardNormal.sample(&mut *rng);
            a += faer::Scale(g) * f;
        }
        a
    }
}

/// The quadrics that vanish on the samples, as symmetric matrices, and the orthogonal complement of their space.
struct Quadrics {
    ideal: Vec<Mat<f64>>,
    complement: Vec<Mat<f64>>,
    checks: Vec<Check>,
}

impl Quadrics {
    /// By singular values.
    fn exact(y: MatRef<'_, f64>, needs: &Requirements) -> Result<Self, Error> {
        let pairs = pairs(y.ncols());
        // Rows of zeros make the thin decomposition a full one.
        let design = design(y, y.nrows().max(pairs.len()));
        let svd = thin_svd(OP, design.as_ref())?;
        let outside = needs.samples.min(pairs.len());
        let matrix = |column: usize| symmetric(&svd.v, column, &pairs, y.ncols());
        let (last, first) = (svd.s.get(outside - 1), svd.s.get(outside));
        Ok(Self {
            complement: (0..outside).map(matrix).collect(),
            ideal: (outside..pairs.len()).map(matrix).collect(),
            checks: gap(last, first),
        })
    }

    /// By generalised eigenvalues, `sum q(y)^2` over the variance that the noise gives to `q(y)`: the noise moves the eigenvalues
    /// and, to first order, leaves the vectors where they are.
    ///
    /// Source: G. Taubin, *Estimation of planar curves, surfaces and nonplanar space curves defined by implicit equations* (1991).
    fn noisy(
        y: MatRef<'_, f64>,
        variances: MatRef<'_, f64>,
        needs: &Requirements,
    ) -> Result<Self, Error> {
        let (m, pairs) = (y.ncols(), pairs(y.ncols()));
        let (count, outside) = (pairs.len(), needs.samples.min(pairs.len()));
        let design = design(y, y.nrows());
        let signal = design.transpose() * &design;
        let noise = noise_of_quadrics(y, variances);
        let e = symmetric_eigen(OP, noise.as_ref())?;
        let top = e.values[count - 1].max(f64::MIN_POSITIVE);
        let white = Mat::from_fn(count, count, |i, k| {
            e.vectors[(i, k)] / e.values[k].max(1e-12 * top).sqrt()
        });
        let ratio = symmetric_eigen(OP, (white.transpose() * signal * &white).as_ref())?;
        let vectors = white * &ratio.vectors;
        // The first columns span the ideal; orthonormal columns after them its complement.
        let (q, _) = thin_qr(OP, vectors.as_ref())?;
        let matrix = |column: usize| symmetric(&q, column, &pairs, m);
        let edge = count - outside;
        let root = |k: usize| ratio.values.get(k).map(|v| v.max(0.0).sqrt());
        let below = edge.checked_sub(1).and_then(root);
        Ok(Self {
            ideal: (0..edge).map(matrix).collect(),
            complement: (edge..count).map(matrix).collect(),
            checks: gap(root(edge).as_ref(), below.as_ref()),
        })
    }
}

/// Unordered pairs of `m` indices.
fn pairs(m: usize) -> Vec<(usize, usize)> {
    (0..m).flat_map(|j| (0..=j).map(move |i| (i, j))).collect()
}

/// Quadratic monomials of the rows in an orthonormal basis of symmetric matrices, with rows of zeros up to `rows`.
fn design(y: MatRef<'_, f64>, rows: usize) -> Mat<f64> {
    let (pairs, root2) = (pairs(y.ncols()), 2f64.sqrt());
    Mat::from_fn(rows, pairs.len(), |k, p| {
        let (i, j) = pairs[p];
        match k < y.nrows() {
            true if i == j => y[(k, i)] * y[(k, i)],
            true => root2 * y[(k, i)] * y[(k, j)],
            false => 0.0,
        }
    })
}

/// The sum over rows of the covariance, to first order in the noise, of the quadratic monomials.
fn noise_of_quadrics(y: MatRef<'_, f64>, variances: MatRef<'_, f64>) -> Mat<f64> {
    let (m, count) = (y.ncols(), y.ncols() * (y.ncols() + 1) / 2);
    let place = |i: usize, j: usize| i.max(j) * (i.max(j) + 1) / 2 + i.min(j);
    let mut noise = Mat::<f64>::zeros(count, count);
    for k in 0..m {
        // Derivatives by y_k: 2 y_k of y_k^2, root 2 y_l of root 2 y_k y_l.
        let slopes = Mat::from_fn(y.nrows(), m, |i, l| {
            let factor = if l == k { 2.0 } else { 2f64.sqrt() };
            factor * y[(i, l)] * variances[(i, k)].sqrt()
        });
        let gram = slopes.transpose() * &slopes;
        for a in 0..m {
            (0..m).for_each(|b| noise[(place(k, a), place(k, b))] += gram[(a, b)]);
        }
    }
    noise
}

/// A column as a symmetric matrix.
fn symmetric(v: &Mat<f64>, column: usize, pairs: &[(usize, usize)], m: usize) -> Mat<f64> {
    let root2 = 2f64.sqrt();
    let mut q = Mat::<f64>::zeros(m, m);
    for (p, &(i, j)) in pairs.iter().enumerate() {
        let v = v[(p, column)];
        let v = if i == j { v } else { v / root2 };
        q[(i, j)] = v;
        q[(j, i)] = v;
    }
    q
}

/// What separates the quadrics that vanish from the others.
fn gap(last: Option<&f64>, first: Option<&f64>) -> Vec<Check> {
    let (Some(last), Some(first)) = (last, first) else {
        return Vec::new();
    };
    let share = if *last > 0.0 {
        first / last
    } else {
        f64::INFINITY
    };
    let name = "quadrics that vanish on the samples: first singular value of theirs over the last of the others";
    vec![Check::reported("polynomial.quadrics-gap", name, share)]
}

/// The normal matrix of `<R, QA> = 0` for `Q` in the ideal (all of it, or enough random combinations) and `R` in
/// its complement, over the entries of `A` column by column.
fn equations(
    ideal: &[Mat<f64>],
    complement: &[Mat<f64>],
    m: usize,
    rng: &mut impl Rng,
) -> Mat<f64> {
    let wanted = (EQUATIONS * m * m).div_ceil(complement.len().max(1));
    let mut normal = Mat::<f64>::zeros(m * m, m * m);
    for q in 0..ideal.len().min(wanted) {
        let chosen = if ideal.len() <= wanted {
            ideal[q].clone()
        } else {
            let mut sum = Mat::<f64>::zeros(m, m);
            for one in ideal {
                let g: f64 = StandardNormal.sample(&mut *rng);
                sum += faer::Scale(g) * one;
            }
            sum
        };
        let products: Vec<Mat<f64>> = complement.iter().map(|r| &chosen * r).collect();
        let rows = Mat::from_fn(m * m, products.len(), |ab, k| products[k][(ab % m, ab / m)]);
        normal += &rows * rows.transpose();
    }
    normal
}
