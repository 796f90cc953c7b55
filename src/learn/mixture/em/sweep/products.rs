//! A sweep as two matrix products.
//!
//! The joint log-density of a row and a component is linear in products of the entries of the row, `log w_j p_j(x) = theta_j . f(x)`
//! with `f(x) = (x_a, x_a x_b, 1)`, and the M-step needs nothing but sums of shares times the same `f(x)`. So a block of rows takes
//! one product with the parameters of all components and one with the shares of all of them, half of the operations that a solve and
//! a scatter for each component take, in a form that the hardware is best at. Diagonal and spherical components need only squares or
//! lengths in `f`, components of one covariance none: theirs is common to all, and so is the scatter of the rows.
//!
//! Terms cancel where a component is much narrower than the sample: `f(x)` is of the size of the sample, which has covariance one or so
//! in the coordinates that climbs are made in, and the error is about `eps` times `tr P_j (1 + |mu_j|^2)` with the precision `P_j`.
//! Beyond [`NARROW`] the sweep is the one about the means of the components.

use super::e_step::{Factor, normalise};
use super::m_step::{Part, Scatter, Statistics};
use crate::learn::mixture::gaussian::{Component, GaussianMixture};
use crate::linalg::gemm;
use faer::traits::pulp::Arch;
use faer::{Mat, MatMut, MatRef};
use rayon::prelude::{ParallelIterator, ParallelSlice};

/// `tr P (1 + |mu|^2)` at most: log-densities are then exact to about 1e-8, their sum over a million rows to 1e-5.
const NARROW: f64 = 1e7;
/// Columns at most: products of more no longer stay near the processor.
const MOST_COLUMNS: usize = 64;
/// Numbers of a block of `f`: a megabyte.
const BLOCK_SIZE: usize = 1 << 17;
/// Rows of a block, at most and at least, a multiple of [`LANES`]; and of a task at least, with so many tasks at most.
const ROWS: (usize, usize) = (32, 256);
const LANES: usize = 8;
const TASK: usize = 2048;
const TASKS: usize = 64;
/// Shares below `exp` of this are no shares: less than the rounding of one.
const NEGLIGIBLE: f64 = -40.0;

/// What `f` has beside the entries and the constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Features {
    /// Nothing: all components have one covariance.
    Entries,
    Length,
    Squares,
    Products,
}

impl Features {
    /// What both the densities of the mixture and the sums of the family need.
    fn of(m: &GaussianMixture, scatter: Scatter) -> Self {
        let (dim, all) = (m.dim(), m.components());
        if scatter == Scatter::Pooled && all.iter().all(|c| c.covariance == all[0].covariance) {
            return Self::Entries;
        }
        let off =
            |c: &Component| (0..dim * dim).any(|i| i % (dim + 1) != 0 && c.covariance[i] != 0.0);
        let round = |c: &Component| (0..dim).all(|a| c.covariance[a * dim + a] == c.covariance[0]);
        let densities = if all.iter().any(off) {
            Self::Products
        } else if all.iter().all(round) {
            Self::Length
        } else {
            Self::Squares
        };
        densities.max(match scatter {
            Scatter::Trace => Self::Length,
            Scatter::Diagonal => Self::Squares,
            Scatter::Full | Scatter::Pooled => Self::Products,
        })
    }

    /// Numbers beside entries and constant.
    fn extra(self, dim: usize) -> usize {
        match self {
            Self::Entries => 0,
            Self::Length => 1,
            Self::Squares => dim,
            Self::Products => dim * (dim + 1) / 2,
        }
    }
}

/// The parameters of a mixture as the products want them.
struct Sweep {
    dim: usize,
    features: Features,
    /// `f` by components.
    theta: Mat<f64>,
    /// Transposed inverse of the factor of the common covariance.
    common: Option<Mat<f64>>,
    scatter: Scatter,
}

/// Buffers of a task, and its sums.
struct Buffers {
    rows: usize,
    features: Vec<f64>,
    joint: Vec<f64>,
    whitened: Vec<f64>,
    lines: [Vec<f64>; 3],
    log_likelihood: f64,
    /// `f` by components.
    sums: Mat<f64>,
    /// Of all rows, where it is common.
    scatter: Mat<f64>,
}

/// The sums of a sweep, unless a component is too narrow or there are too many columns; over fixed tasks whose sums are added in
/// order.
pub(super) fn statistics(
    rows: &[f64],
    m: &GaussianMixture,
    scatter: Scatter,
) -> Option<Statistics> {
    let (dim, count) = (m.dim(), rows.len() / m.dim());
    let sweep = Sweep::of(m, scatter)?;
    let size = sweep.theta.nrows();
    let block = (BLOCK_SIZE / size / LANES * LANES).clamp(ROWS.0, ROWS.1);
    let task = TASK.max(count.div_ceil(TASKS)).next_multiple_of(block);
    let done: Vec<Buffers> = rows
        .par_chunks(task * dim)
        .map(|rows| {
            let mut buffers = Buffers::new(&sweep, block);
            rows.chunks(block * dim)
                .for_each(|b| sweep.add(b, &mut buffers));
            buffers
        })
        .collect();
    let mut total = Buffers::new(&sweep, LANES);
    for b in &done {
        total.log_likelihood += b.log_likelihood;
        total.sums += &b.sums;
        total.scatter += &b.scatter;
    }
    Some(Statistics::of(
        total.log_likelihood,
        sweep.parts(m, &total),
        count as f64,
    ))
}

impl Buffers {
    fn new(sweep: &Sweep, rows: usize) -> Self {
        let (size, components, dim) = (sweep.theta.nrows(), sweep.theta.ncols(), sweep.dim);
        let common = if sweep.common.is_some() { dim } else { 0 };
        Self {
            rows,
            features: vec![0.0; rows * size],
            joint: vec![0.0; rows * components],
            whitened: vec![0.0; rows * common],
            lines: std::array::from_fn(|_| vec![0.0; rows]),
            log_likelihood: 0.0,
            sums: Mat::zeros(size, components),
            scatter: Mat::zeros(common, common),
        }
    }
}

impl Sweep {
    fn of(m: &GaussianMixture, scatter: Scatter) -> Option<Self> {
        let dim = m.dim();
        if dim > MOST_COLUMNS {
            return None;
        }
        let features = Features::of(m, scatter);
        let mut theta = Mat::zeros(dim + features.extra(dim) + 1, m.len());
        let mut common = None;
        for (j, (c, factor)) in m.components().iter().zip(m.factors()).enumerate() {
            let inverse = factor.inverse(dim);
            let precision = precision(&inverse, dim);
            let trace: f64 = (0..dim).map(|a| precision[a * dim + a]).sum();
            let length: f64 = c.mean.iter().map(|x| x * x).sum();
            if !(trace * (1.0 + length) <= NARROW) {
                return None;
            }
            write(&mut theta, j, (&precision, &c.mean), factor, features);
            if features == Features::Entries && j == 0 {
                common = Some(Mat::from_fn(dim, dim, |a, b| inverse[b * dim + a]));
            }
        }
        Some(Self {
            dim,
            features,
            theta,
            common,
            scatter,
        })
    }

    /// Adds a block of rows.
    fn add(&self, rows: &[f64], to: &mut Buffers) {
        let (dim, stride) = (self.dim, to.rows);
        let here = rows.len() / dim;
        let lanes = here.next_multiple_of(LANES);
        self.fill(rows, to);
        let size = self.theta.nrows();
        let f = MatRef::from_column_major_slice(&to.features, stride, size).subrows(0, lanes);
        let joint = MatMut::from_column_major_slice_mut(&mut to.joint, stride, self.theta.ncols());
        gemm::into(
            joint.subrows_mut(0, lanes),
            false,
            f,
            self.theta.as_ref(),
            1.0,
        );
        let [most, total, log_density] = &mut to.lines;
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let lines = (
                    &mut most[..lanes],
                    &mut total[..lanes],
                    &mut log_density[..lanes],
                );
                normalise(&mut to.joint, stride, lines, NEGLIGIBLE);
            },
        );
        if let Some(common) = &self.common {
            let x = f.subcols(0, dim);
            let z = MatMut::from_column_major_slice_mut(&mut to.whitened, stride, dim);
            gemm::into(z.subrows_mut(0, lanes), false, x, common.as_ref(), 1.0);
            for z in to.whitened.chunks_exact(stride) {
                for (l, z) in log_density.iter_mut().zip(&z[..here]) {
                    *l -= 0.5 * z * z;
                }
            }
            gemm::into(to.scatter.as_mut(), true, x.transpose(), x, 1.0);
        }
        to.log_likelihood += log_density[..here].iter().sum::<f64>();
        // Rows that fill up the last lanes take no part.
        for share in to.joint.chunks_exact_mut(stride) {
            share[here..lanes].fill(0.0);
        }
        let shares = MatRef::from_column_major_slice(&to.joint, stride, self.theta.ncols());
        let shares = shares.subrows(0, lanes);
        gemm::into(to.sums.as_mut(), true, f.transpose(), shares, 1.0);
    }

    /// `f` of a block of rows; rows that fill up the last lanes are zero.
    fn fill(&self, rows: &[f64], to: &mut Buffers) {
        let (dim, stride) = (self.dim, to.rows);
        let here = rows.len() / dim;
        let lanes = here.next_multiple_of(LANES);
        let (entries, rest) = to.features.split_at_mut(dim * stride);
        for (a, column) in entries.chunks_exact_mut(stride).enumerate() {
            for (x, row) in column.iter_mut().zip(rows.chunks_exact(dim)) {
                *x = row[a];
            }
            column[here..lanes].fill(0.0);
        }
        let column = |a: usize| &entries[a * stride..a * stride + lanes];
        let (extra, one) = rest.split_at_mut(self.features.extra(dim) * stride);
        one[..lanes].fill(1.0);
        Arch::new().dispatch(
            #[inline(always)]
            || match self.features {
                Features::Entries => {}
                Features::Length => {
                    extra[..lanes].fill(0.0);
                    (0..dim).for_each(|a| add_products(&mut extra[..lanes], column(a), column(a)));
                }
                Features::Squares => {
                    extra.fill(0.0);
                    for (a, out) in extra.chunks_exact_mut(stride).enumerate() {
                        add_products(&mut out[..lanes], column(a), column(a));
                    }
                }
                Features::Products => {
                    extra.fill(0.0);
                    let mut out = extra.chunks_exact_mut(stride);
                    for a in 0..dim {
                        for (b, out) in (0..=a).zip(&mut out) {
                            add_products(&mut out[..lanes], column(a), column(b));
                        }
                    }
                }
            },
        );
    }

    /// The sums of each component about its old mean.
    fn parts(&self, m: &GaussianMixture, total: &Buffers) -> Vec<Part> {
        let dim = self.dim;
        let last = self.theta.nrows() - 1;
        let mut pooled = total.scatter.clone();
        let mut parts = Vec::with_capacity(m.len());
        for (j, c) in m.components().iter().enumerate() {
            let sums = total.sums.col_as_slice(j);
            let (count, first) = (sums[last], &sums[..dim]);
            let shift = first
                .iter()
                .zip(&c.mean)
                .map(|(s, m)| s - count * m)
                .collect();
            let about = |a: usize, b: usize, raw: f64| {
                raw - c.mean[a] * first[b] - first[a] * c.mean[b] + count * c.mean[a] * c.mean[b]
            };
            let mut scatter = vec![0.0; dim * dim];
            match self.features {
                Features::Entries => {
                    for a in 0..dim {
                        (0..=a).for_each(|b| pooled[(a, b)] = about(a, b, pooled[(a, b)]));
                    }
                }
                Features::Length => {
                    // The trace is all that is asked for; it stands in the first place.
                    let raw: Vec<f64> = (0..dim).map(|a| about(a, a, 0.0)).collect();
                    scatter[0] = sums[dim] + raw.iter().sum::<f64>();
                }
                Features::Squares => {
                    (0..dim).for_each(|a| scatter[a * dim + a] = about(a, a, sums[dim + a]));
                }
                Features::Products => {
                    let pairs = (0..dim).flat_map(|a| (0..=a).map(move |b| (a, b)));
                    for ((a, b), raw) in pairs.zip(&sums[dim..]) {
                        scatter[a * dim + b] = about(a, b, *raw);
                    }
                }
            }
            parts.push(Part::of(count, shift, scatter));
        }
        if self.features == Features::Entries && self.scatter == Scatter::Pooled {
            // Only the sum over the components is asked for.
            let entry = |i: usize| pooled[(i / dim, i % dim)];
            parts[0].add_scatter(&(0..dim * dim).map(entry).collect::<Vec<f64>>());
        }
        parts
    }
}

#[inline(always)]
fn add_products(out: &mut [f64], x: &[f64], y: &[f64]) {
    for ((o, x), y) in out.iter_mut().zip(x).zip(y) {
        *o += x * y;
    }
}

/// `P = L^-T L^-1`, from the rows of the inverse.
fn precision(inverse: &[f64], dim: usize) -> Vec<f64> {
    let mut p = vec![0.0; dim * dim];
    for row in inverse.chunks_exact(dim).enumerate() {
        let (c, row) = row;
        for a in 0..=c {
            for b in 0..=a {
                p[a * dim + b] += row[a] * row[b];
            }
        }
    }
    for a in 0..dim {
        (0..a).for_each(|b| p[b * dim + a] = p[a * dim + b]);
    }
    p
}

/// The parameters of component `j`.
fn write(
    theta: &mut Mat<f64>,
    j: usize,
    (precision, mean): (&[f64], &[f64]),
    factor: &Factor,
    features: Features,
) {
    let dim = mean.len();
    let turned: Vec<f64> = (0..dim)
        .map(|a| (0..dim).map(|b| precision[a * dim + b] * mean[b]).sum())
        .collect();
    let square: f64 = turned.iter().zip(mean).map(|(t, m)| t * m).sum();
    let last = theta.nrows() - 1;
    let column = theta.col_as_slice_mut(j);
    column[..dim].copy_from_slice(&turned);
    column[last] = factor.log_scale() - 0.5 * square;
    let extra = &mut column[dim..last];
    match features {
        Features::Entries => {}
        Features::Length => extra[0] = -0.5 * precision[0],
        Features::Squares => (0..dim).for_each(|a| extra[a] = -0.5 * precision[a * dim + a]),
        Features::Products => {
            let pairs = (0..dim).flat_map(|a| (0..=a).map(move |b| (a, b)));
            for (e, (a, b)) in extra.iter_mut().zip(pairs) {
                *e = if a == b { -0.5 } else { -1.0 } * precision[a * dim + b];
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::m_step::centred;
    use super::*;
    use crate::learn::mixture::em::covariance_kind::CovarianceKind;
    use crate::learn::mixture::em::floor::Floor;

    fn entry(i: usize) -> f64 {
        ((i * i + 3 * i) as f64 * 0.61).sin()
    }

    /// Components of a family, not far from each other.
    fn mixture(kind: CovarianceKind, dim: usize, count: usize, width: f64) -> GaussianMixture {
        let covariance = |j: usize| -> Vec<f64> {
            let one = if kind.is_own() { j } else { 0 };
            let size = width * (1.0 + 0.3 * entry(one));
            let at = |i: usize| match (i / dim, i % dim) {
                (a, b) if kind.scatter() == Scatter::Trace => f64::from(u8::from(a == b)),
                (a, b) if a == b => 1.0 + 0.5 * entry(a + 10 * one).abs(),
                _ if kind.scatter() == Scatter::Diagonal => 0.0,
                (a, b) => 0.3 / dim as f64 * entry(a * b + one),
            };
            (0..dim * dim).map(|i| size * at(i)).collect()
        };
        let component = |j: usize| Component {
            weight: 1.0 + 0.5 * entry(j),
            mean: (0..dim).map(|a| 2.0 * entry(a + 31 * j)).collect(),
            covariance: covariance(j),
        };
        GaussianMixture::new(dim, (0..count).map(component).collect()).unwrap()
    }

    /// The next mixture is that of the sums about the means, whatever the family, the number of rows, and the family before.
    #[test]
    fn products_are_the_sums_about_the_means() {
        for (dim, count, n) in [(1, 1, 40), (2, 3, 1000), (5, 12, 3001), (20, 4, 517)] {
            let rows: Vec<f64> = (0..n * dim).map(|i| 2.0 * entry(i + i / 7)).collect();
            let floor = Floor::spherical(dim, 1e-9);
            for kind in CovarianceKind::ALL {
                for from in [kind, CovarianceKind::Full] {
                    let m = mixture(from, dim, count, 0.3);
                    let fast = statistics(&rows, &m, kind.scatter()).unwrap();
                    let slow = centred(&rows, &m, kind.scatter());
                    let gap = (fast.log_likelihood - slow.log_likelihood).abs();
                    assert!(gap <= 1e-9 * n as f64, "{kind} {dim} {gap}");
                    let a = fast.update(&m, kind, &floor).unwrap().mixture;
                    let b = slow.update(&m, kind, &floor).unwrap().mixture;
                    for (a, b) in a.components().iter().zip(b.components()) {
                        let numbers = |c: &Component| {
                            let all = c.mean.iter().chain(&c.covariance).copied();
                            all.chain([c.weight]).collect::<Vec<f64>>()
                        };
                        for (x, y) in numbers(a).iter().zip(numbers(b)) {
                            assert!((x - y).abs() <= 1e-9, "{kind} {from} {dim}: {x} {y}");
                        }
                    }
                }
            }
        }
        // A component far narrower than the sample, and more columns than a block holds.
        let rows: Vec<f64> = (0..200).map(entry).collect();
        let thin = mixture(CovarianceKind::Full, 2, 2, 1e-9);
        assert!(statistics(&rows, &thin, Scatter::Full).is_none());
        let wide = mixture(CovarianceKind::Spherical, 65, 1, 1.0);
        assert!(statistics(&rows, &wide, Scatter::Trace).is_none());
    }
}
