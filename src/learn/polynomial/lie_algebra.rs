//! The quadrics that vanish on the samples, and the linear vector fields that keep them.

use super::OP;
use super::requirements::Requirements;
use crate::Error;
use crate::fit::Check;
use crate::linalg::{symmetric_eigen, thin_svd};
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Equations for each unknown of the Lie algebra, when not all are used.
const EQUATIONS: usize = 6;

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
        let m = y.ncols();
        let pairs: Vec<(usize, usize)> =
            (0..m).flat_map(|j| (0..=j).map(move |i| (i, j))).collect();
        let root2 = 2f64.sqrt();
        // Rows of zeros make the thin decomposition a full one.
        let design = Mat::from_fn(y.nrows().max(pairs.len()), pairs.len(), |k, p| {
            let (i, j) = pairs[p];
            match k < y.nrows() {
                true if i == j => y[(k, i)] * y[(k, i)],
                true => root2 * y[(k, i)] * y[(k, j)],
                false => 0.0,
            }
        });
        let svd = thin_svd(OP, design.as_ref())?;
        let outside = needs.samples.min(pairs.len());
        let matrix = |column: usize| {
            let mut q = Mat::<f64>::zeros(m, m);
            for (p, &(i, j)) in pairs.iter().enumerate() {
                let v = svd.v[(p, column)];
                let v = if i == j { v } else { v / root2 };
                q[(i, j)] = v;
                q[(j, i)] = v;
            }
            q
        };
        let complement: Vec<Mat<f64>> = (0..outside).map(matrix).collect();
        let ideal: Vec<Mat<f64>> = (outside..pairs.len()).map(matrix).collect();
        let mut checks = Vec::new();
        if let (Some(last), Some(first)) = (svd.s.get(outside - 1), svd.s.get(outside)) {
            let share = if *last > 0.0 {
                first / last
            } else {
                f64::INFINITY
            };
            let name = "quadrics that vanish on the samples: first singular value of theirs over the last of the others";
            checks.push(Check::reported("polynomial.quadrics-gap", name, share));
        }
        let normal = equations(&ideal, &complement, m, rng);
        let e = symmetric_eigen(OP, normal.as_ref())?;
        let dim = needs.variables() * needs.variables();
        let level = |k: usize| e.values.get(k).map_or(f64::INFINITY, |x| x.max(0.0).sqrt());
        let gap = level(dim - 1) / level(dim);
        checks.push(Check::reported(
            "polynomial.lie-algebra-gap",
            "Lie algebra of the variety: last singular value of gl over the first beyond",
            gap,
        ));
        if !(gap < 0.5) {
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
