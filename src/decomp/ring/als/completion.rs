//! Rings of tensors with missing entries: alternating least squares on the entries that are there.

use crate::decomp::ring::algebraic::decomposition::checked_ranks;
use crate::decomp::ring::scale::in_scale;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::run::{Observer, Progress};
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView};
use crate::{Error, Status};
use faer::Mat;
use rand::Rng;

const OP: &str = "RingCompletion::decompose";
/// One entry in this many is held out to tell a fit from an interpolation.
const HELD_OUT: usize = 20;
/// What the error on them is called.
pub(in crate::decomp::ring) const HELD_ERROR: &str = "ring.held-out-error";
/// Greatest relative error on entries held out of a model that predicts them.
const PREDICTED: f64 = 0.5;
/// Three of them at least, or nothing is known about the others.
const FEWEST_HELD: f64 = 1.0 / 3.0;
/// Damping of the normal equations of a slice relative to their mean diagonal; it acts on the correction, so
/// directions that no entry sees keep their value.
const DAMPING: f64 = 1e-12;
/// Sweeps without enough progress before a start is given up.
const PATIENCE: usize = 5;

/// Tensor ring of given ranks from part of the entries.
#[derive(Clone, Debug, PartialEq)]
pub struct RingCompletion {
    /// `None`: to be chosen.
    pub(in crate::decomp::ring) ranks: Option<Vec<usize>>,
    pub(in crate::decomp::ring) tol: f64,
    pub(in crate::decomp::ring) starts: usize,
    pub(in crate::decomp::ring) max_sweeps: usize,
}

/// One observed entry.
struct Entry<T> {
    index: Vec<usize>,
    value: T,
}

impl RingCompletion {
    /// Asks for ranks `R_0, .., R_{m-1}` (one entry stands for all), tolerance `1e-8`, 10 starts and 500
    /// sweeps for each.
    pub fn new(ranks: &[usize]) -> Self {
        let ranks = Some(ranks.to_vec());
        Self {
            ranks,
            ..Self::auto()
        }
    }

    /// Chooses the ranks: the least equal ones that predict the entries held out as well as any (at most 8),
    /// then the least unequal ones if the observed entries are reproduced exactly.
    pub fn auto() -> Self {
        Self {
            ranks: None,
            tol: 1e-8,
            starts: 10,
            max_sweeps: 500,
        }
    }

    /// Relative residual on the observed entries at most which a start ends the search; in `(0, 1)`.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    /// Random starts, in `1..=10_000`.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Sweeps for each start, in `1..=1_000_000`.
    #[must_use]
    pub fn max_sweeps(self, max_sweeps: usize) -> Self {
        Self { max_sweeps, ..self }
    }

    /// Fits a ring to the entries for which `observed` is true; the others are never read and may be NaN.
    ///
    /// # Shapes
    /// `observed` has one flag for each entry of `t`, in the same order.
    ///
    /// # Errors
    /// `InvalidInput`: an option or the number of ranks. `Shape`: the number of flags. `NonFinite`: an
    /// observed entry. `Degenerate`: fewer observed entries than parameters (measured: entries for each).
    ///
    /// # Complexity
    /// `O(E (m R^3 + R^4) + n R^6)` for each mode of a sweep, with `E` observed entries.
    /// Here `n` is the length of the longest mode, `m` the number of modes and `R` the greatest rank.
    ///
    /// # Accuracy
    /// Local optimisation from random starts. `Converged` needs a residual within the tolerance on all
    /// observed entries, or a stationary one, and in both cases a similar error on entries held out.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::RingCompletion;
    /// use wickring::tensor::TensorRing;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(4);
    /// let t = TensorRing::<f64>::gaussian(&[8, 8, 8], &[2, 2, 2], &mut rng)?.to_dense()?;
    /// let seen: Vec<bool> = (0..512).map(|i| i % 3 != 0).collect();
    /// let mut watch = wickring::run::unobserved;
    /// let fit = RingCompletion::new(&[2]).decompose(t.view(), &seen, &mut rng, &mut watch)?;
    /// // The entries that were not seen are recovered too.
    /// assert!(fit.converged()?.rel_residual(t.view())? < 1e-6);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn decompose<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        observed: &[bool],
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        if observed.len() != t.as_slice().len() {
            let expected = format!("{} flags", t.as_slice().len());
            return Err(Error::shape(OP, expected, observed.len().to_string()));
        }
        let seen = t.as_slice().iter().zip(observed);
        let seen = seen.map(|(&x, &seen)| if seen { x } else { T::zero() });
        let filled = Tensor::from_vec(t.dims(), seen.collect())?;
        in_scale(filled.view(), |t| match self.ranks {
            Some(_) => self.search(t, observed, rng, observer),
            None => self.choose(t, observed, rng, observer),
        })
    }

    pub(in crate::decomp::ring) fn search<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        observed: &[bool],
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let (ranks, mut entries) = self.door(t, observed)?;
        let size = root(entries.iter().map(|e| e.value.squared()).sum());
        if size == 0.0 {
            return crate::decomp::ring::algebraic::decomposition::zero_fit(t.dims(), &ranks);
        }
        // The held-out part is a random choice: a fixed stride would follow the modes.
        let held: Vec<bool> = entries
            .iter()
            .map(|_| (rng.next_u64() as usize).is_multiple_of(HELD_OUT))
            .collect();
        let mut keep = held.iter().map(|h| !h);
        let mut train = Vec::with_capacity(entries.len());
        let mut test = Vec::new();
        for e in entries.drain(..) {
            if keep.next().unwrap_or(true) {
                train.push(e);
            } else {
                test.push(e);
            }
        }
        let mean = size / ((train.len() + test.len()) as f64).sqrt();
        let mut best: Option<(TensorRing<T>, Vec<f64>, Status)> = None;
        let (mut sweeps, mut starts) = (0, 0);
        for _ in 0..self.starts {
            starts += 1;
            let mut start = TensorRing::gaussian(t.dims(), &ranks, rng)?;
            let natural = start.norm() / (t.as_slice().len() as f64).sqrt();
            start = start.scaled(T::from_real(mean / natural)).balanced();
            let (ring, history, status) = self.run(start, &train, observer)?;
            sweeps += history.len() - 1;
            let last = *history.last().unwrap_or(&f64::INFINITY);
            let better = best
                .as_ref()
                .is_none_or(|b| last < *b.1.last().unwrap_or(&f64::INFINITY));
            if better {
                best = Some((ring, history, status));
            }
            if last <= self.tol || status == Status::Stopped {
                break;
            }
        }
        let (ring, history, status) = best.ok_or(Error::Stopped { op: OP })?;
        let work = Work {
            sweeps,
            starts,
            ..Work::default()
        };
        Ok(self.fit(ring, history, status, work, &train, &test))
    }

    /// The checks on entries that were held out, `count` of them; `ratio` is entries for each parameter.
    fn held_checks(&self, [residual, unseen]: [f64; 2], count: usize, ratio: f64) -> [Check; 3] {
        // Entries held out may be few: their error is allowed ten times that of the others, but it has to be
        // clearly below that of no model at all, which a fit of noise does not reach.
        let allowed = (10.0 * residual.max(self.tol)).min(PREDICTED);
        let held = Check::sampling(
            HELD_ERROR,
            "relative error on held-out entries",
            unseen,
            allowed,
        );
        let few = 1.0 / count as f64;
        let told = Check::sampling(
            "ring.held-out-count",
            "reciprocal of the number held out",
            few,
            FEWEST_HELD,
        );
        let fewer = Check::sampling(
            "ring.parameters-per-entry",
            "parameters for each observed entry",
            1.0 / ratio,
            1.0,
        );
        [held, told, fewer]
    }

    fn fit<T: Scalar>(
        &self,
        model: TensorRing<T>,
        mut history: Vec<f64>,
        status: Status,
        work: Work,
        train: &[Entry<T>],
        test: &[Entry<T>],
    ) -> Fit<TensorRing<T>> {
        let residual = misfit(&model, train.iter().chain(test));
        let unseen = misfit(&model, test);
        if let Some(last) = history.last_mut() {
            *last = residual;
        }
        let ratio = train.len() as f64 / model.parameters() as f64;
        let [held, told, fewer] = self.held_checks([residual, unseen], test.len(), ratio);
        let exact = residual <= self.tol;
        let settled = exact || (status == Status::Stalled && residual <= 0.4);
        let status = match status {
            Status::Stopped => Status::Stopped,
            _ if settled && held.holds() && told.holds() && fewer.holds() => Status::Converged,
            Status::Converged => Status::Stalled,
            other => other,
        };
        let checks = vec![
            Check::reported(
                "ring.residual-observed",
                "relative residual on observed entries",
                residual,
            ),
            held,
            told,
            fewer,
        ];
        let evidence = Evidence {
            rel_residual: residual,
            condition: 1.0,
            checks,
        };
        Fit {
            model,
            status,
            history,
            work,
            evidence,
        }
    }

    fn run<T: Scalar>(
        &self,
        start: TensorRing<T>,
        entries: &[Entry<T>],
        observer: Observer<'_>,
    ) -> Result<(TensorRing<T>, Vec<f64>, Status), Error> {
        let mut ring = start;
        let mut history = vec![misfit(&ring, entries)];
        let (mut idle, mut status) = (0, Status::IterationLimit);
        for sweep in 0..self.max_sweeps {
            for k in 0..ring.order() {
                ring = updated(ring, k, entries)?;
            }
            ring = ring.balanced();
            let (last, residual) = (history[history.len() - 1], misfit(&ring, entries));
            history.push(residual);
            let progress = Progress::open("sweeps", sweep as u64 + 1).with_figure(residual);
            if observer(&progress).is_break() {
                status = Status::Stopped;
                break;
            }
            if residual <= self.tol * 0.1 {
                status = Status::Converged;
                break;
            }
            let moved = last - residual > 1e-6 * last;
            idle = if moved { 0 } else { idle + 1 };
            if idle >= PATIENCE {
                status = Status::Stalled;
                break;
            }
        }
        Ok((ring, history, status))
    }

    fn door<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        observed: &[bool],
    ) -> Result<(Vec<usize>, Vec<Entry<T>>), Error> {
        let counts =
            (1..=1_000_000).contains(&self.max_sweeps) && (1..=10_000).contains(&self.starts);
        if !(self.tol > 0.0 && self.tol < 1.0 && counts) {
            let text = "tol in (0, 1), sweeps in 1..=1000000, starts in 1..=10000";
            return Err(Error::invalid(OP, text));
        }
        let ranks = checked_ranks(OP, self.ranks.as_deref().unwrap_or(&[1]), t)?;
        let mut entries = Vec::new();
        for (flat, &value) in t.as_slice().iter().enumerate() {
            if !observed[flat] {
                continue;
            }
            let mut rest = flat;
            let index = t.dims().iter().map(|&n| {
                let i = rest % n;
                rest /= n;
                i
            });
            let index = index.collect();
            entries.push(Entry { index, value });
        }
        let m = ranks.len();
        let parameters: usize = (0..m)
            .map(|k| ranks[k] * t.dims()[k] * ranks[(k + 1) % m])
            .sum();
        let ratio = entries.len() as f64 / parameters as f64;
        let hypothesis = "at least as many observed entries as parameters (entries for each)";
        if ratio < 1.0 {
            return Err(Error::degenerate(OP, hypothesis, ratio));
        }
        Ok((ranks, entries))
    }
}

/// Square root that keeps NaN visible.
fn root(x: f64) -> f64 {
    x.sqrt()
}

/// Relative residual on some entries.
fn misfit<'a, T: Scalar>(
    ring: &TensorRing<T>,
    entries: impl IntoIterator<Item = &'a Entry<T>>,
) -> f64 {
    let (mut gap, mut size) = (0.0, 0.0);
    for e in entries {
        let model = ring.entry(&e.index).unwrap_or(T::zero());
        gap += (model - e.value).squared();
        size += e.value.squared();
    }
    if size > 0.0 {
        root(gap / size)
    } else {
        root(gap)
    }
}

/// The ring with core `k` fitted to the entries, each slice by its own normal equations.
fn updated<T: Scalar>(
    ring: TensorRing<T>,
    k: usize,
    entries: &[Entry<T>],
) -> Result<TensorRing<T>, Error> {
    let core = &ring.cores()[k];
    let (c, n, d) = (core.dims()[0], core.dims()[1], core.dims()[2]);
    let size = c * d;
    let mut normals = vec![Mat::<T>::zeros(size, size); n];
    let mut right = vec![Mat::<T>::zeros(size, 1); n];
    let mut h = vec![T::zero(); size];
    for e in entries {
        around(&ring, k, &e.index, &mut h);
        let i = e.index[k];
        let (normal, rhs) = (&mut normals[i], &mut right[i]);
        for q in 0..size {
            let column = h[q];
            for p in 0..size {
                normal[(p, q)] += h[p].conjugate() * column;
            }
            rhs[(q, 0)] += column.conjugate() * e.value;
        }
    }
    let mut fresh = core.clone();
    for i in 0..n {
        let old = Mat::from_fn(size, 1, |row, _| {
            core.as_slice()[row % c + c * (i + n * (row / c))]
        });
        let gradient = &right[i] - T::product(normals[i].as_ref(), old.as_ref());
        let trace: f64 = (0..size).map(|p| normals[i][(p, p)].real()).sum();
        // A slice without entries keeps its value.
        if trace > 0.0 {
            let mut damped = normals[i].clone();
            for p in 0..size {
                damped[(p, p)] += T::from_real(DAMPING * trace / size as f64);
            }
            if let Some(step) = T::definite_solve(damped.as_ref(), gradient.as_ref()) {
                for row in 0..size {
                    let flat = row % c + c * (i + n * (row / c));
                    fresh.as_mut_slice()[flat] += step[(row, 0)];
                }
            }
        }
    }
    let mut cores = ring.into_cores();
    cores[k] = fresh;
    TensorRing::new(cores)
}

/// The weight of each entry of a slice of core `k` in the entry of the tensor at `index`.
fn around<T: Scalar>(ring: &TensorRing<T>, k: usize, index: &[usize], h: &mut [T]) {
    let (m, c) = (ring.order(), ring.cores()[k].dims()[0]);
    let mut walk: Option<Mat<T>> = None;
    for step in 1..m {
        let j = (k + step) % m;
        let slice = ring.slice(j, index[j]);
        walk = Some(match walk {
            None => slice.to_owned(),
            Some(w) => small_product(&w, slice),
        });
    }
    // The entry is sum G[a, b] S[b, a].
    for (row, x) in h.iter_mut().enumerate() {
        let (a, b) = (row % c, row / c);
        *x = match &walk {
            Some(w) => w[(b, a)],
            None if a == b => T::one(),
            None => T::zero(),
        };
    }
}

/// Products of matrices of a few rows: a general kernel would spend its time on set-up.
fn small_product<T: Scalar>(a: &Mat<T>, b: faer::MatRef<'_, T>) -> Mat<T> {
    Mat::from_fn(a.nrows(), b.ncols(), |i, j| {
        (0..a.ncols()).map(|k| a[(i, k)] * b[(k, j)]).sum()
    })
}
