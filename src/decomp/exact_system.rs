//! The equations `sum_r a_r (x) b_r (x) c_r = T` of a small tensor, and Levenberg-Marquardt on some of the
//! unknowns while the others stay fixed.

use crate::Error;
use crate::linalg::cholesky_solve;
use crate::tensor::TensorView;
use faer::Mat;

/// A tensor of order three and a number of terms. Unknowns are numbered mode by mode, term by term.
pub(super) struct CpSystem<'a> {
    pub(super) dims: [usize; 3],
    pub(super) rank: usize,
    pub(super) target: &'a [f64],
    /// Mode, row and term of each unknown.
    pub(super) place: Vec<(usize, usize, usize)>,
    /// Where each mode begins.
    pub(super) start: [usize; 4],
}

/// Options of one run.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) iterations: usize,
    /// Weight of `|x|^2 / 2`.
    pub(super) ridge: f64,
    pub(super) damping: f64,
    /// Norm of the residual at which to stop.
    pub(super) goal: f64,
    /// Relative decrease at which to stop.
    pub(super) tol: f64,
}

impl<'a> CpSystem<'a> {
    pub(super) fn new(op: &'static str, t: TensorView<'a>, rank: usize) -> Result<Self, Error> {
        let dims = <[usize; 3]>::try_from(t.dims());
        let dims =
            dims.map_err(|_| Error::shape(op, "a tensor of order 3", format!("{:?}", t.dims())))?;
        t.require_finite(op)?;
        let unknowns = rank.saturating_mul(dims.iter().sum());
        if rank == 0 || dims.contains(&0) || unknowns > 4000 {
            let wanted = "a rank of at least 1, no empty mode, and at most 4000 unknowns";
            return Err(Error::invalid(
                op,
                format!("needs {wanted}; rank {rank}, shape {dims:?}"),
            ));
        }
        let mut start = [0; 4];
        let mut place = Vec::with_capacity(unknowns);
        for (k, &n) in dims.iter().enumerate() {
            start[k + 1] = start[k] + n * rank;
            place.extend((0..rank).flat_map(|r| (0..n).map(move |i| (k, i, r))));
        }
        Ok(Self {
            dims,
            rank,
            target: t.as_slice(),
            place,
            start,
        })
    }

    pub(super) fn column<'x>(&self, x: &'x [f64], mode: usize, r: usize) -> &'x [f64] {
        let n = self.dims[mode];
        &x[self.start[mode] + r * n..][..n]
    }

    /// Model minus target, first index fastest.
    pub(super) fn gap(&self, x: &[f64]) -> Vec<f64> {
        let mut gap: Vec<f64> = self.target.iter().map(|t| -t).collect();
        let (n, m) = (self.dims[0], self.dims[1]);
        for r in 0..self.rank {
            let [a, b, c] = [0, 1, 2].map(|k| self.column(x, k, r));
            for (k, ck) in c.iter().enumerate().filter(|(_, c)| **c != 0.0) {
                for (j, bj) in b.iter().enumerate() {
                    let w = bj * ck;
                    let line = &mut gap[n * (j + m * k)..][..n];
                    line.iter_mut().zip(a).for_each(|(g, ai)| *g += ai * w);
                }
            }
        }
        gap
    }

    fn gradient(&self, x: &[f64], gap: &[f64]) -> Vec<f64> {
        let [n, m, p] = self.dims;
        let mut g = vec![0.0; x.len()];
        for r in 0..self.rank {
            let [a, b, c] = [0, 1, 2].map(|k| self.column(x, k, r));
            let [ga, gb, gc] = [0, 1, 2].map(|k| self.start[k] + r * self.dims[k]);
            for k in 0..p {
                for j in 0..m {
                    let line = &gap[n * (j + m * k)..][..n];
                    let along: f64 = line.iter().zip(a).map(|(e, ai)| e * ai).sum();
                    g[gb + j] += along * c[k];
                    g[gc + k] += along * b[j];
                    let w = b[j] * c[k];
                    for (i, e) in line.iter().enumerate() {
                        g[ga + i] += e * w;
                    }
                }
            }
        }
        g
    }

    /// `J'J` over the unknowns `free`; the inner products of rank-one derivatives are products of Gram entries.
    pub(super) fn normal_matrix(&self, x: &[f64], free: &[usize]) -> Mat<f64> {
        let rank = self.rank;
        let gram = [0, 1, 2].map(|k| {
            let dot = |r: usize, s: usize| -> f64 {
                let (a, b) = (self.column(x, k, r), self.column(x, k, s));
                a.iter().zip(b).map(|(a, b)| a * b).sum()
            };
            (0..rank * rank)
                .map(|q| dot(q / rank, q % rank))
                .collect::<Vec<f64>>()
        });
        let at = |mode: usize, i: usize, r: usize| x[self.start[mode] + r * self.dims[mode] + i];
        let entry = |p: usize, q: usize| {
            let ((k, i, r), (l, j, s)) = (self.place[p], self.place[q]);
            let pair = r * rank + s;
            if k != l {
                at(k, i, s) * at(l, j, r) * gram[3 - k - l][pair]
            } else if i == j {
                gram[(k + 1) % 3][pair] * gram[(k + 2) % 3][pair]
            } else {
                0.0
            }
        };
        let n = free.len();
        Mat::from_fn(
            n,
            n,
            |p, q| if p >= q { entry(free[p], free[q]) } else { 0.0 },
        )
    }

    /// Moves the unknowns `free` of `x`; answers the norm of the residual.
    pub(super) fn minimise(&self, x: &mut Vec<f64>, free: &[usize], run: Run) -> f64 {
        let square = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>();
        let cost = |gap: &[f64], x: &[f64]| 0.5 * (square(gap) + run.ridge * square(x));
        let mut gap = self.gap(x);
        let mut f = cost(&gap, x);
        let (mut mu, mut nu) = (run.damping, 2.0);
        for _ in 0..run.iterations {
            if square(&gap).sqrt() <= run.goal || free.is_empty() {
                break;
            }
            let g = self.gradient(x, &gap);
            let g = Mat::from_fn(free.len(), 1, |p, _| g[free[p]] + run.ridge * x[free[p]]);
            let h = self.normal_matrix(x, free);
            let mut accepted = None;
            for _ in 0..10 {
                let mut damped = h.clone();
                for p in 0..free.len() {
                    damped[(p, p)] += mu + run.ridge;
                }
                let Some(step) = cholesky_solve(damped.as_ref(), g.as_ref()) else {
                    mu = (mu * 4.0).max(1e-14);
                    continue;
                };
                let mut y = x.clone();
                let mut predicted = 0.0;
                for (p, &q) in free.iter().enumerate() {
                    y[q] -= step[(p, 0)];
                    predicted += 0.5 * step[(p, 0)] * (mu * step[(p, 0)] + g[(p, 0)]);
                }
                let new_gap = self.gap(&y);
                let value = cost(&new_gap, &y);
                if value < f {
                    // Nielsen's update of the damping.
                    let rho = (f - value) / predicted.max(f64::MIN_POSITIVE);
                    mu = (mu * (1.0 - (2.0 * rho - 1.0).powi(3)).max(1.0 / 3.0)).max(1e-15);
                    nu = 2.0;
                    accepted = Some((y, new_gap, value));
                    break;
                }
                mu *= nu;
                nu *= 2.0;
            }
            let Some((y, new_gap, value)) = accepted else {
                break;
            };
            let decrease = f - value;
            (*x, gap, f) = (y, new_gap, value);
            if decrease <= run.tol * f {
                break;
            }
        }
        square(&gap).sqrt()
    }
}
