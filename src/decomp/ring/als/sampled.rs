//! Alternating least squares on sampled rows, for tensors too large to pass over in every sweep.

use super::decomposition::{Run, certified};
use crate::decomp::ring::algebraic::decomposition::{checked_ranks, zero_fit};
use crate::decomp::ring::scale::in_scale;
use crate::fit::{Fit, Work};
use crate::run::{Observer, Progress};
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView, norm};
use crate::{Error, Status};
use faer::Mat;
use rand::{Rng, RngExt};

const OP: &str = "RingSampledAls::decompose";

/// Tensor ring of given ranks by least squares on rows sampled uniformly: every update of a core looks at a
/// fixed number of fibres, whatever the size of the tensor. Kept as a named alternative: for data that fit
/// into memory two full passes ([`RingAls`](super::decomposition::RingAls)) are usually better spent.
#[derive(Clone, Debug, PartialEq)]
pub struct RingSampledAls {
    ranks: Vec<usize>,
    tol: f64,
    rows: usize,
    max_sweeps: usize,
    starts: usize,
}

impl RingSampledAls {
    /// Asks for ranks `R_0, .., R_{m-1}` (one entry stands for all). Defaults: tolerance `1e-8`, four rows
    /// for each unknown of a slice, 100 sweeps, 5 starts.
    pub fn new(ranks: &[usize]) -> Self {
        Self {
            ranks: ranks.to_vec(),
            tol: 1e-8,
            rows: 4,
            max_sweeps: 100,
            starts: 5,
        }
    }

    /// Relative residual at most which the fit is `Converged`; in `(0, 1)`.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    /// Rows sampled for each unknown of a slice, in `1..=1000`.
    #[must_use]
    pub fn rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    /// Sweeps for each start, in `1..=1_000_000`.
    #[must_use]
    pub fn max_sweeps(self, max_sweeps: usize) -> Self {
        Self { max_sweeps, ..self }
    }

    /// Random starts, in `1..=10_000`.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Fits a ring.
    ///
    /// # Shapes
    /// `t` of any order `m >= 1`; the model has cores `R_k x n_k x R_{k+1}`.
    ///
    /// # Errors
    /// `InvalidInput`: an option or the number of ranks. `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// `O(rows R^2 (n + m R + R^4))` for each core of a sweep; the whole tensor is read once at the end.
    /// Here `n` is the length of the longest mode and `R` the greatest rank.
    ///
    /// # Accuracy
    /// As [`RingAls`](super::decomposition::RingAls), but with noise the sampled optimum is only near the full one.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::RingSampledAls;
    /// use wickring::tensor::TensorRing;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(2);
    /// let t = TensorRing::<f64>::gaussian(&[9, 9, 9], &[2, 2, 2], &mut rng)?.to_dense()?;
    /// let mut watch = wickring::run::unobserved;
    /// let fit = RingSampledAls::new(&[2]).decompose(t.view(), &mut rng, &mut watch)?;
    /// assert!(fit.evidence.rel_residual < 1e-6);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Malik and Becker 2021, with uniform in place of leverage-score sampling.
    pub fn decompose<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        in_scale(t, |t| self.search(t, rng, observer))
    }

    /// Refuses options outside of their domain.
    fn require(&self) -> Result<(), Error> {
        let counts = (1..=1000).contains(&self.rows)
            && (1..=1_000_000).contains(&self.max_sweeps)
            && (1..=10_000).contains(&self.starts);
        if !(self.tol > 0.0 && self.tol < 1.0 && counts) {
            let text =
                "tol in (0, 1), rows in 1..=1000, sweeps in 1..=1000000, starts in 1..=10000";
            return Err(Error::invalid(OP, text));
        }
        Ok(())
    }

    fn search<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        self.require()?;
        let ranks = checked_ranks(OP, &self.ranks, t)?;
        if t.as_slice().iter().all(|x| *x == T::zero()) {
            return zero_fit(t.dims(), &ranks);
        }
        let mut best: Option<Run<T>> = None;
        let (mut sweeps, mut starts, mut stopped) = (0, 0, false);
        'starts: while starts < self.starts && !stopped {
            starts += 1;
            let mut ring = TensorRing::gaussian(t.dims(), &ranks, rng)?;
            let mut history = vec![1.0];
            for sweep in 0..self.max_sweeps {
                let mut seen = 0.0f64;
                for k in 0..t.order() {
                    (ring, seen) = match self.updated(t, ring, k, rng) {
                        Err(Error::NonFinite { .. }) => continue 'starts,
                        updated => updated?,
                    };
                }
                ring = ring.balanced();
                history.push(seen);
                let progress = Progress::open("sweeps", sweep as u64 + 1).with_figure(seen);
                stopped = observer(&progress).is_break();
                if stopped || seen <= self.tol * 0.1 {
                    break;
                }
            }
            sweeps += history.len() - 1;
            let last = |r: &Run<T>| r.history.last().copied().unwrap_or(f64::INFINITY);
            let status = match stopped {
                true => Status::Stopped,
                false => Status::IterationLimit,
            };
            let run = Run {
                ring,
                history,
                status,
            };
            if best.as_ref().is_none_or(|b| last(&run) < last(b)) {
                best = Some(run);
            }
            if best.as_ref().is_some_and(|b| last(b) <= self.tol) {
                break;
            }
        }
        let hypothesis = "sampled rows that keep the cores inside the range of numbers";
        let run = best.ok_or(Error::degenerate(OP, hypothesis, 0.0))?;
        let work = Work {
            sweeps,
            starts,
            ..Work::default()
        };
        certified(OP, t, run, self.tol, work)
    }

    /// Core `k` fitted to sampled rows, and the relative residual on them before the update: the rows are
    /// fresh, so it is an honest estimate.
    ///
    /// # Errors
    /// `NonFinite` where the rows happen to be so small that the core leaves the range: a start that leads nowhere.
    fn updated<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        ring: TensorRing<T>,
        k: usize,
        rng: &mut impl Rng,
    ) -> Result<(TensorRing<T>, f64), Error> {
        let m = ring.order();
        let core = &ring.cores()[k];
        let (c, n, d) = (core.dims()[0], core.dims()[1], core.dims()[2]);
        let count = self.rows.saturating_mul(c * d);
        let stride: usize = t.dims()[..k].iter().product();
        let mut design = Mat::<T>::zeros(count, c * d);
        let mut values = Mat::<T>::zeros(count, n);
        for row in 0..count {
            let index: Vec<usize> = t.dims().iter().map(|&n| rng.random_range(0..n)).collect();
            let mut walk: Option<Mat<T>> = None;
            for step in 1..m {
                let j = (k + step) % m;
                let slice = ring.slice(j, index[j]);
                walk = Some(match walk {
                    None => slice.to_owned(),
                    Some(w) => T::product(w.as_ref(), slice),
                });
            }
            for ab in 0..c * d {
                let (a, b) = (ab % c, ab / c);
                design[(row, ab)] = match &walk {
                    Some(w) => w[(b, a)],
                    None if a == b => T::one(),
                    None => T::zero(),
                };
            }
            let mut base = 0;
            for (mode, &i) in index.iter().enumerate().rev() {
                base = base * t.dims()[mode] + if mode == k { 0 } else { i };
            }
            for i in 0..n {
                values[(row, i)] = t.as_slice()[base + stride * i];
            }
        }
        let old = Mat::from_fn(c * d, n, |ab, i| {
            core.as_slice()[ab % c + c * (i + n * (ab / c))]
        });
        let gap = &values - T::product(design.as_ref(), old.as_ref());
        let size = norm(&crate::tensor::columns(values.as_ref()));
        let gap = norm(&crate::tensor::columns(gap.as_ref()));
        let residual = if size > 0.0 { gap / size } else { gap };
        let fresh = T::lstsq(OP, design.as_ref(), values.as_ref())?;
        let mut cores = ring.into_cores();
        cores[k] = Tensor::from_fn(&[c, n, d], |i| fresh[(i[0] + c * i[2], i[1])])?;
        Ok((TensorRing::new(cores)?, residual))
    }
}
