//! Rings from a few queried entries.
//!
//! The modes are grouped into three runs, `T[i,j,k] = Tr(A_i B_j C_k)` with multi-indices `i, j, k`. A small
//! block (`R_a R_b` random `i`, four `j`, `R_c R_a` random `k`) gives `A`, `B` and `C` at these by the algebraic
//! method. After that `A` can be evaluated anywhere: `A_i` solves a small linear system whose right-hand side
//! is one entry for each of some pairs `(j, k)` of the block; likewise `B` and `C`. Each run is then cut into
//! its cores from `O(n_k)` such evaluations for mode `k`.

use super::algebraic::decomposition::{RingAlgebraic, checked_ranks};
use super::algebraic::grouping::Plan;
use super::chain_segments::{Run, multi_indices};
use crate::fit::{Check, Evidence, Fit, Work};
use crate::tensor::{Scalar, Tensor, TensorRing};
use crate::{Error, Status};
use faer::Mat;
use rand::{Rng, RngExt};

const OP: &str = "RingQueries::decompose";
/// Middle indices of the block: three combinations must be independent, one is spare.
const MIDDLE: usize = 4;
/// Rows and columns of the block, and equations of each slice, beyond the number of unknowns.
const SPARE: usize = 4;
/// Greatest rank: the block has about `4 R^4` entries.
const MAX_RANK: usize = 64;
/// Random entries that were not used, on which the answer is tested.
const TESTS: usize = 32;

/// Tensor ring from `O((n_0 + .. + n_{m-1}) R^2)` queried entries and a block of `4 (R^2 + 4)^2`.
#[derive(Clone, Debug, PartialEq)]
pub struct RingQueries {
    ranks: Vec<usize>,
    tol: f64,
}

impl RingQueries {
    /// Asks for ranks `R_0, .., R_{m-1}` (one entry stands for all), with tolerance `1e-8`.
    pub fn new(ranks: &[usize]) -> Self {
        let (ranks, tol) = (ranks.to_vec(), 1e-8);
        Self { ranks, tol }
    }

    /// Relative residual on fresh random entries at most which the fit is `Converged`; in `(0, 1)`.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    fn checks(&self, residual: f64, inside: f64) -> Vec<Check> {
        let fresh = "relative residual on fresh random entries";
        let mut checks = vec![Check::sampling(
            "ring.fresh-entries",
            fresh,
            residual,
            self.tol,
        )];
        checks.push(Check::reported(
            "ring.residual-of-block",
            "relative residual of the block",
            inside,
        ));
        checks
    }

    /// Recovers the ring behind `entry`, which is asked for single entries of a tensor of shape `dims`.
    ///
    /// # Shapes
    /// `dims` has at least three entries, and some grouping of neighbouring modes into three runs has outer
    /// sizes at least the products of their two ranks and three middle slices, as for [`RingAlgebraic`].
    ///
    /// # Errors
    /// `InvalidInput`: an option or the number of ranks. `Shape`: order below three. `NonFinite`: an entry (its
    /// index counts queries). `Degenerate`, `Backend`: as [`RingAlgebraic`] on the block, or a slice that the
    /// entries chosen do not determine.
    ///
    /// # Complexity
    /// For equal ranks `4 (R^2 + 4)^2 + c_k n_k (R^2 + 4)` queries summed over the modes, `c_k = 1` when the mode
    /// is a run of its own and a small number otherwise (at most 9 for equal ranks), and the same number of flops times `R^2`.
    ///
    /// # Accuracy
    /// That of [`RingAlgebraic`] on the block, times the condition of the fibre systems. The residual in the
    /// certificate is measured on 32 fresh random entries, not on all.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::RingQueries;
    /// use wickring::tensor::TensorRing;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// // Eight million entries, of which some 5000 are looked at.
    /// let hidden = TensorRing::<f64>::gaussian(&[200, 200, 200], &[2, 2, 2], &mut rng)?;
    /// let mut look = |i: &[usize]| hidden.entry(i).unwrap_or(f64::NAN);
    /// let fit = RingQueries::new(&[2]).decompose(&[200, 200, 200], &mut look, &mut rng)?;
    /// assert!(fit.work.samples < 6000);
    /// let ring = fit.converged()?;
    /// assert!((ring.entry(&[3, 1, 4]).unwrap() - hidden.entry(&[3, 1, 4]).unwrap()).abs() < 1e-8);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// The count of H. Chen, S. Chen and A. Zhang (arXiv 2512.01016); the choice of entries is this project's.
    pub fn decompose<T: Scalar>(
        &self,
        dims: &[usize],
        entry: &mut dyn FnMut(&[usize]) -> T,
        rng: &mut impl Rng,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let (plan, ranks) = self.plan(dims)?;
        let mut queries = Queries {
            entry,
            dims,
            plan: &plan,
            count: 0,
        };
        // The block, and the ring of order three behind it.
        let [ra, rb, rc] = plan.ranks;
        let wide = |a: usize, b: usize| a.saturating_mul(b).saturating_add(SPARE);
        let wanted = [wide(ra, rb), MIDDLE, wide(rc, ra)];
        let mut places = Vec::with_capacity(3);
        for (run, &count) in wanted.iter().enumerate() {
            places.push(multi_indices(&queries.sizes(run), count, rng));
        }
        let block = queries.block(&places)?;
        checked_ranks(OP, &plan.ranks, block.view())?;
        let algebraic = RingAlgebraic::new(&plan.ranks).tol(self.tol);
        let fit = algebraic.decompose(block.view(), rng)?;

        let mut cores = Vec::with_capacity(dims.len());
        for run in 0..3 {
            let found = run_cores(run, &fit.model, &places, &mut queries, &ranks, rng)?;
            cores.extend(found);
        }
        let m = dims.len();
        let ring = TensorRing::new(cores)?;
        let ring = ring.rotated((m - plan.first % m) % m).balanced();

        let residual = queries.residual(&ring, rng)?;
        let checks = self.checks(residual, fit.evidence.rel_residual);
        let status = match checks.iter().all(Check::holds) {
            true => Status::Converged,
            false => Status::IllConditioned,
        };
        Ok(Fit {
            model: ring,
            status,
            history: vec![residual],
            work: Work {
                samples: queries.count,
                ..fit.work
            },
            evidence: Evidence {
                rel_residual: residual,
                checks,
                ..fit.evidence
            },
        })
    }

    fn plan(&self, dims: &[usize]) -> Result<(Plan, Vec<usize>), Error> {
        let m = dims.len();
        if m < 3 || dims.contains(&0) {
            let found = format!("{dims:?}");
            return Err(Error::shape(OP, "at least three modes and an entry", found));
        }
        if !(self.tol > 0.0 && self.tol < 1.0) {
            let text = format!("tol in (0, 1), got {}", self.tol);
            return Err(Error::invalid(OP, text));
        }
        let ranks = match self.ranks[..] {
            [r] => vec![r; m],
            ref several => several.to_vec(),
        };
        if ranks.len() != m || ranks.iter().any(|r| !(1..=MAX_RANK).contains(r)) {
            let text = format!("one rank in 1..={MAX_RANK}, or {m} of them, got {ranks:?}");
            return Err(Error::invalid(OP, text));
        }
        let room = "room for the ranks: runs of modes at least as large as products of their ranks (ratio)";
        let plan = Plan::choose(dims, &ranks).map_err(|lack| Error::degenerate(OP, room, lack))?;
        Ok((plan, ranks))
    }
}

/// Single entries, asked for by the multi-indices of the three runs, and counted.
struct Queries<'a, T> {
    entry: &'a mut dyn FnMut(&[usize]) -> T,
    dims: &'a [usize],
    plan: &'a Plan,
    count: u64,
}

impl<T: Scalar> Queries<'_, T> {
    /// The modes of a run.
    fn modes(&self, run: usize) -> Vec<usize> {
        let start = self.plan.first + self.plan.counts[..run].iter().sum::<usize>();
        let m = self.dims.len();
        (start..start + self.plan.counts[run])
            .map(|k| k % m)
            .collect()
    }

    fn sizes(&self, run: usize) -> Vec<usize> {
        self.modes(run).iter().map(|&k| self.dims[k]).collect()
    }

    fn look(&mut self, parts: [&[usize]; 3]) -> Result<T, Error> {
        let mut at = vec![0; self.dims.len()];
        for (run, part) in parts.iter().enumerate() {
            for (mode, &i) in self.modes(run).into_iter().zip(part.iter()) {
                at[mode] = i;
            }
        }
        self.at(&at)
    }

    fn at(&mut self, at: &[usize]) -> Result<T, Error> {
        self.count += 1;
        let x = (self.entry)(at);
        let index = self.count as usize;
        if x.finite() {
            Ok(x)
        } else {
            Err(Error::NonFinite { op: OP, index })
        }
    }

    /// The block of the tensor at these places of the three runs.
    fn block(&mut self, places: &[Vec<Vec<usize>>]) -> Result<Tensor<T>, Error> {
        let shape = [places[0].len(), places[1].len(), places[2].len()];
        let mut data = Vec::with_capacity(shape.iter().product());
        for k in &places[2] {
            for j in &places[1] {
                for i in &places[0] {
                    data.push(self.look([i, j, k])?);
                }
            }
        }
        Tensor::from_vec(&shape, data)
    }

    /// The relative residual of a ring on fresh random entries.
    fn residual(&mut self, ring: &TensorRing<T>, rng: &mut impl Rng) -> Result<f64, Error> {
        let (mut gap, mut size) = (0.0, 0.0);
        for _ in 0..TESTS {
            let at = self.dims.iter().map(|&n| rng.random_range(0..n));
            let at: Vec<usize> = at.collect();
            let x = self.at(&at)?;
            gap += (x - ring.entry(&at).unwrap_or(T::zero())).squared();
            size += x.squared();
        }
        Ok(if size > 0.0 {
            (gap / size).sqrt()
        } else {
            gap.sqrt()
        })
    }
}

/// The cores of one run: it is evaluated at any multi-index through pairs of the block in the other two.
fn run_cores<T: Scalar>(
    run: usize,
    small: &TensorRing<T>,
    places: &[Vec<Vec<usize>>],
    queries: &mut Queries<'_, T>,
    ranks: &[usize],
    rng: &mut impl Rng,
) -> Result<Vec<Tensor<T>>, Error> {
    let (next, after) = ((run + 1) % 3, (run + 2) % 3);
    let (left, right) = (queries.plan.ranks[run], queries.plan.ranks[next]);
    let sizes = [places[next].len(), places[after].len()];
    let pairs = multi_indices(&sizes, left * right + SPARE, rng);
    // T = sum A[a, b] M[b, a] with M the product of the other two slices.
    let mut design = Mat::<T>::zeros(pairs.len(), left * right);
    for (row, pair) in pairs.iter().enumerate() {
        let m = T::product(small.slice(next, pair[0]), small.slice(after, pair[1]));
        for ab in 0..left * right {
            design[(row, ab)] = m[(ab / left, ab % left)];
        }
    }
    let inverse = T::lstsq(
        OP,
        design.as_ref(),
        Mat::<T>::identity(pairs.len(), pairs.len()).as_ref(),
    )?;
    let modes = queries.modes(run);
    let dims = queries.sizes(run);
    let mut bonds: Vec<usize> = modes.iter().map(|&k| ranks[k]).collect();
    bonds.push(right);
    let mut evaluate = |index: &[usize]| -> Result<Mat<T>, Error> {
        let mut values = Mat::<T>::zeros(pairs.len(), 1);
        for (row, pair) in pairs.iter().enumerate() {
            let mut parts: [&[usize]; 3] = [&[]; 3];
            parts[run] = index;
            parts[next] = &places[next][pair[0]];
            parts[after] = &places[after][pair[1]];
            values[(row, 0)] = queries.look(parts)?;
        }
        let flat = T::product(inverse.as_ref(), values.as_ref());
        Ok(Mat::from_fn(left, right, |a, b| flat[(a + left * b, 0)]))
    };
    let cut = Run {
        dims: &dims,
        bonds: &bonds,
    };
    cut.cores(OP, &mut evaluate, rng)
}
