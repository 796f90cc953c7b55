//! From a fit up to `GL(v)` to a map of `N(0, I_r)`: the latents of all samples, their mean and covariance.

use super::OP;
use super::latents::LatentSolver;
use super::reduction::{Reduction, Subset};
use super::requirements::Form;
use crate::Error;
use crate::fit::Check;
use crate::io::samples::{Chunk, Samples};
use crate::linalg::{norm2, solve, symmetric_eigen, thin_svd};
use crate::run::{Observer, Progress};
use crate::stats::split::Split;
use crate::tensor::{MonomialBasis, PolynomialMap};
use faer::Mat;
use rayon::prelude::*;

const ROWS: usize = 2048;
/// Chunks worked on side by side.
const BATCH: usize = 8;
/// Latents that are kept for the test.
const MAX_KEPT: usize = 200_000;
/// A sample farther from the variety than this share of its length is off it.
pub(super) const OFF: f64 = 1e-5;

/// Coefficients in `m` coordinates: `metric_k (basis' z)_k = sum_l C[k,l] x^(e_l)`.
pub(super) struct Fitted<'a> {
    pub(super) reduction: &'a Reduction,
    pub(super) subset: &'a Subset,
    pub(super) monomials: &'a MonomialBasis,
    pub(super) metric: &'a [f64],
    pub(super) coefficients: &'a Mat<f64>,
}

/// What one pass over all samples tells.
#[derive(Default)]
pub(super) struct Census {
    count: f64,
    sum: Vec<f64>,
    squares: Vec<f64>,
    /// Latents (affine coordinates) of the first rows, up to a great number.
    pub(super) kept: Vec<f64>,
    /// Squared residuals and squared lengths of held-out rows.
    gap: f64,
    length: f64,
    pub(super) held_rows: usize,
    pub(super) off: usize,
}

/// One row: its affine latents, squared residual, squared length.
struct Seen {
    held_out: bool,
    latents: Vec<f64>,
    gap: f64,
    length: f64,
}

/// The linear form that is 1 at every latent of a general map, and its complement.
pub(super) struct Chart {
    /// `v x v`: the form, then orthonormal rows; the identity for homogeneous maps.
    rows: Mat<f64>,
    affine: bool,
}

impl Chart {
    /// For a general map the constant output is the `w`-th power of a linear form: its gradients show the form.
    pub(super) fn of(fitted: &Fitted<'_>) -> Result<(Self, Vec<Check>), Error> {
        let basis = fitted.monomials;
        let v = basis.variables();
        if fitted.reduction.needs.form == Form::Homogeneous {
            let (rows, affine) = (Mat::identity(v, v), false);
            return Ok((Self { rows, affine }, Vec::new()));
        }
        let m = basis.len();
        let weight = |k: usize| fitted.reduction.basis[(0, k)] / fitted.metric[k];
        let c: Vec<f64> = (0..m)
            .map(|l| {
                (0..m)
                    .map(|k| weight(k) * fitted.coefficients[(k, l)])
                    .sum()
            })
            .collect();
        let mut gradients = Mat::<f64>::zeros(4 * v, v);
        let mut slopes = vec![0.0; m * v];
        for t in 0..4 * v {
            // A Weyl sequence: any spread of points will do.
            let x: Vec<f64> = (0..v)
                .map(|j| {
                    let p = (t * v + j + 1) as f64 * 0.618_033_988_749_894_9;
                    2.0 * (p - p.floor()) - 1.0
                })
                .collect();
            basis.jacobian(&x, &mut slopes);
            for j in 0..v {
                gradients[(t, j)] = (0..m).map(|l| c[l] * slopes[l * v + j]).sum();
            }
        }
        let svd = thin_svd(OP, gradients.as_ref())?;
        let spread = svd.s.get(1).copied().unwrap_or(0.0) / svd.s[0];
        let checks = vec![Check::reported(
            "polynomial.constant-is-power",
            "the constant as a power of one linear form: second singular value of its gradients",
            spread,
        )];
        let unit: Vec<f64> = (0..v).map(|j| svd.v[(j, 0)]).collect();
        let mut phi = vec![0.0; m];
        basis.eval(&unit, &mut phi);
        let value: f64 = c.iter().zip(&phi).map(|(c, p)| c * p).sum();
        let degree = basis.degree();
        let root = value.abs().powf(1.0 / f64::from(degree)).copysign(value);
        if !(root.abs() > 0.0) || (degree.is_multiple_of(2) && root < 0.0) {
            let hypothesis =
                "a constant that is a power of a linear form of the latents (its value along it)";
            return Err(Error::degenerate(OP, hypothesis, value));
        }
        let rows = Mat::from_fn(v, v, |i, j| {
            if i == 0 {
                root * unit[j]
            } else {
                svd.v[(j, i)]
            }
        });
        Ok((Self { rows, affine: true }, checks))
    }

    /// Affine coordinates of the latents of one sample.
    fn read(&self, x: &[f64]) -> Vec<f64> {
        let along = |i: usize| -> f64 {
            x.iter()
                .enumerate()
                .map(|(j, x)| self.rows[(i, j)] * x)
                .sum()
        };
        if !self.affine {
            return x.to_vec();
        }
        let t = along(0);
        (1..x.len()).map(|i| along(i) / t).collect()
    }
}

impl Fitted<'_> {
    /// Latents of every sample.
    pub(super) fn census(
        &self,
        samples: &Samples,
        split: Split,
        chart: &Chart,
        observer: Observer<'_>,
    ) -> Result<Census, Error> {
        let solver = LatentSolver::new(OP, self.monomials, self.coefficients.as_ref())?;
        let mut census = Census::default();
        let total = samples.rows() as u64;
        let mut batch: Vec<Chunk> = Vec::with_capacity(BATCH);
        let mut chunks = samples.chunks(ROWS);
        loop {
            let chunk = chunks.next().transpose()?;
            let last = chunk.is_none();
            batch.extend(chunk);
            if last || batch.len() == BATCH {
                let seen: Vec<Vec<Seen>> = batch
                    .par_iter()
                    .map(|chunk| self.read(chunk, split, &solver, chart))
                    .collect();
                seen.into_iter().flatten().for_each(|s| census.add(s));
                if let Some(c) = batch.last() {
                    let p = Progress::of("latents", c.first_row as u64, total);
                    if observer(&p).is_break() {
                        return Err(Error::Stopped { op: OP });
                    }
                }
                batch.clear();
            }
            if last {
                break;
            }
        }
        Ok(census)
    }

    fn read(
        &self,
        chunk: &Chunk,
        split: Split,
        solver: &LatentSolver<'_>,
        chart: &Chart,
    ) -> Vec<Seen> {
        let y = self
            .reduction
            .coordinates(chunk.as_matrix(), &self.subset.scale);
        let m = y.ncols();
        let power = 1.0 / f64::from(self.monomials.degree());
        let one = |i: usize| {
            let row = &chunk.data[i * chunk.columns..(i + 1) * chunk.columns];
            let scaled: Vec<f64> = row
                .iter()
                .zip(&self.subset.scale)
                .map(|(z, s)| z * s)
                .collect();
            let constant = f64::from(u8::from(chart.affine));
            let whole = norm2(&scaled).powi(2) + constant;
            let inside: Vec<f64> = (0..m).map(|k| y[(i, k)]).collect();
            let beyond = |a: usize| {
                let z = match a {
                    0 if chart.affine => 1.0,
                    a => scaled[a - usize::from(chart.affine)],
                };
                let rebuilt: f64 = (0..m)
                    .map(|k| self.reduction.basis[(a, k)] * inside[k])
                    .sum();
                (z - rebuilt).powi(2)
            };
            let outside: f64 = (0..self.reduction.basis.nrows()).map(beyond).sum();
            let target: Vec<f64> = inside.iter().zip(self.metric).map(|(y, w)| y * w).collect();
            let size = norm2(&target).max(f64::MIN_POSITIVE);
            let target: Vec<f64> = target.iter().map(|t| t / size).collect();
            let mut x = solver.first(&target);
            let gap = solver.descend(&target, &mut x, 12);
            x.iter_mut().for_each(|x| *x *= size.powf(power));
            // Relative to the length of the row: within the span, and beyond it.
            let share = outside / whole.max(f64::MIN_POSITIVE);
            Seen {
                held_out: split.holds_out((chunk.first_row + i) as u64),
                latents: chart.read(&x),
                gap: gap + share,
                length: 1.0,
            }
        };
        (0..chunk.rows()).map(one).collect()
    }

    /// The map of `N(0, I_r)`.
    pub(super) fn standardised(
        &self,
        chart: &Chart,
        census: &Census,
    ) -> Result<PolynomialMap, Error> {
        let v = self.monomials.variables();
        let gauge = census.gauge(chart)?;
        let r = gauge.root.nrows();
        let inner = match chart.affine {
            false => gauge.root.clone(),
            true => Mat::from_fn(v, v, |i, j| match (i, j) {
                (0, 0) => 1.0,
                (0, _) => 0.0,
                (i, 0) => gauge.mean[i - 1],
                (i, j) => gauge.root[(i - 1, j - 1)],
            }),
        };
        let b = solve(OP, chart.rows.as_ref(), inner.as_ref())?;
        let in_metric = Mat::from_fn(v_len(self), v_len(self), |k, l| {
            self.coefficients[(k, l)] / self.metric[k]
        });
        let all = &self.reduction.basis * in_metric * self.monomials.substitution(b.as_ref())?;
        let extra = usize::from(chart.affine);
        let d = self.subset.columns;
        let coefficients = Mat::from_fn(d, all.ncols(), |a, k| {
            all[(a + extra, k)] / self.subset.scale[a]
        });
        let exponents = self.monomials.exponents().iter();
        let basis = MonomialBasis::new(r, exponents.map(|e| e[extra..].to_vec()).collect())?;
        PolynomialMap::new(basis, coefficients)
    }
}

fn v_len(f: &Fitted<'_>) -> usize {
    f.monomials.len()
}

/// `u = mean + root x` for affine latents `u` and `x ~ N(0, I)`.
struct Gauge {
    mean: Vec<f64>,
    root: Mat<f64>,
}

impl Census {
    fn add(&mut self, s: Seen) {
        let finite = s.latents.iter().all(|x| x.is_finite());
        let off = !(s.gap.sqrt() <= OFF) || !finite;
        self.off += usize::from(off);
        if finite && self.kept.len() < MAX_KEPT * s.latents.len() {
            self.kept.extend(&s.latents);
        }
        if s.held_out {
            self.held_rows += 1;
            self.gap += s.gap;
            self.length += s.length;
            return;
        }
        // One wild row must not spoil the covariance; it is counted above.
        if !finite {
            return;
        }
        let r = s.latents.len();
        self.sum.resize(r, 0.0);
        self.squares.resize(r * r, 0.0);
        self.count += 1.0;
        for i in 0..r {
            self.sum[i] += s.latents[i];
            for j in 0..r {
                self.squares[i * r + j] += s.latents[i] * s.latents[j];
            }
        }
    }

    /// Relative residual of held-out rows.
    pub(super) fn residual(&self) -> f64 {
        (self.gap / self.length).sqrt()
    }

    /// Rows that the mean and covariance are taken from.
    pub(super) fn learned(&self) -> f64 {
        self.count
    }

    fn gauge(&self, chart: &Chart) -> Result<Gauge, Error> {
        let r = self.sum.len();
        let hypothesis = "latents that fill their space (least eigenvalue of their covariance)";
        if r == 0 {
            return Err(Error::degenerate(OP, hypothesis, 0.0));
        }
        let mean: Vec<f64> = match chart.affine {
            true => self.sum.iter().map(|s| s / self.count).collect(),
            false => vec![0.0; r],
        };
        let cov = Mat::from_fn(r, r, |i, j| {
            0.5 * (self.squares[i * r + j] + self.squares[j * r + i]) / self.count
                - mean[i] * mean[j]
        });
        let e = symmetric_eigen(OP, cov.as_ref())?;
        if !(e.values[0] > 1e-12 * e.values[r - 1]) {
            return Err(Error::degenerate(OP, hypothesis, e.values[0]));
        }
        let root = Mat::from_fn(r, r, |i, j| e.vectors[(i, j)] * e.values[j].sqrt());
        Ok(Gauge { mean, root })
    }
}
