//! Exact CP decompositions of small tensors: from random starts to rational factors.
//!
//! Many tensors of computer algebra (matrix and polynomial products, group algebras) have rational
//! decompositions of a rank that no algebraic method reaches. The way there: a homotopy in a ridge, solved by
//! Levenberg-Marquardt from random starts, finds a numeric solution; unknowns are fixed at 0, 1, -1 and other
//! small rationals while the rest follows along the manifold of solutions; once two factors are rational, the
//! third solves a linear system over Q. What comes out is exact or it is not called converged.

use super::descent::{Descent, Run};
use super::finished::{Columns, Ended, digest_of};
use super::fixing::{Plan, Point, SOLVED};
use super::found::{Found, Scaled};
use super::plane_cubic::five_terms;
use super::rational_solve::{exact_residual, rational_mode, solve_mode};
use super::system::CpSystem;
use crate::Error;
use crate::fit::Fit;
use crate::poly::Rational;
use crate::run::{Checkpoint, Observer, Progress};
use crate::tensor::TensorView;
use num_traits::Zero;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

pub(super) const OP: &str = "ExactCp::decompose";

/// `T = sum_r a_r (x) b_r (x) c_r` with rational entries.
///
/// See [`ExactCp::decompose`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct RationalCp {
    /// The factors, each `size x rank` row by row.
    pub factors: Vec<Vec<Vec<Rational>>>,
}

/// Random starts, ridge homotopy, rational fixing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExactCp {
    rank: usize,
    starts: usize,
    effort: usize,
}

/// The homotopy: weight of the ridge and iterations. Larger first steps find solutions more rarely.
const RIDGES: [(f64, usize); 4] = [(3e-2, 60), (1e-2, 40), (3e-3, 40), (1e-3, 60)];

/// Residual after the second step of the homotopy above which a start is given up: local minima stay at one
/// or more, and of 24 starts for `<3,3,3;23>` one of twelve that succeeded had passed through such a value.
const HOPELESS: f64 = 0.9;

impl ExactCp {
    /// A decomposition with `rank` terms.
    pub fn new(rank: usize) -> Self {
        Self {
            rank,
            starts: 200,
            effort: 400,
        }
    }

    /// Random starts at most; 200 by default, at least 1.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.starts = starts;
        self
    }

    /// Runs of the solver that each attempt to fix unknowns may take; 400 by default, at least 1.
    #[must_use]
    pub fn effort(mut self, effort: usize) -> Self {
        self.effort = effort;
        self
    }

    /// One start: a numeric solution with its residual (absolute), after the homotopy in the ridge.
    ///
    /// # Errors
    /// `Shape` when the tensor is not of order 3, `InvalidInput`, `NonFinite`.
    pub fn search(&self, t: TensorView<'_>, rng: &mut impl Rng) -> Result<(Vec<f64>, f64), Error> {
        let system = CpSystem::new(OP, t, self.rank)?;
        let mut x = draw(&system, rng);
        let residual = descend(&mut Descent::new(&system), &mut x);
        Ok((x, residual))
    }

    /// Decomposes `t` exactly over Q.
    ///
    /// The entries of `t` are taken for the rationals that the floats are. `Converged` means exact; otherwise
    /// the model is the best rounding found, and the certificate holds its exact residual.
    ///
    /// # Shapes
    /// `t` has order 3 and at most 4000 unknowns `rank * (n1 + n2 + n3)`; factors are `n_k x rank`.
    ///
    /// # Errors
    /// `Shape`, `InvalidInput`, `NonFinite`; `Stopped` when asked to stop before the first numeric solution;
    /// `Degenerate` when no start leads to a numeric solution of this rank.
    ///
    /// # Complexity
    /// Each iteration costs `O(N^3)` with `N = rank * (n1 + n2 + n3)`; a start has about 300, fixing as many.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::Status;
    /// use wickring::decomp::ExactCp;
    /// use wickring::run::unobserved;
    /// use wickring::tensor::Tensor;
    /// // Karatsuba: (a0 + a1 x)(b0 + b1 x) in three products.
    /// let t = Tensor::from_fn(&[2, 2, 3], |i| f64::from(u8::from(i[0] + i[1] == i[2])))?;
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// let fit = ExactCp::new(3).decompose(t.view(), &mut rng, &mut unobserved)?;
    /// assert_eq!(fit.status, Status::Converged);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Bounded factors for hard tensors: Tichavsky, Phan, Cichocki 2016; the order in which unknowns are fixed
    /// and the linear solve for the last factor are ours. Five terms of a `3 x 3 x 3` tensor are first constructed
    /// from rational points of the plane cubic of its singular slices, where small ones exist (ours).
    pub fn decompose(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<RationalCp>, Error> {
        self.decompose_kept(t, rng, observer, &mut Checkpoint::none())
    }

    /// As [`ExactCp::decompose`], keeping finished starts and going on from those that are kept: the result is that of one
    /// run without interruption. More starts than before may be asked for.
    ///
    /// # Errors
    /// As [`ExactCp::decompose`]; `InvalidInput` for a checkpoint of another tensor, rank, effort or seed.
    pub fn decompose_kept(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
        kept: &mut Checkpoint<'_>,
    ) -> Result<Fit<RationalCp>, Error> {
        let scaled = Scaled::of(t)?;
        let view = TensorView::new(t.dims(), &scaled.entries)?;
        let system = CpSystem::new(OP, view, self.rank)?;
        if self.starts == 0 || self.effort == 0 {
            return Err(Error::invalid(
                OP,
                "needs at least one start and an effort of at least 1",
            ));
        }
        // Solutions of general tensors form families whose members are rarely rational; some are, by construction.
        let constructed = match (t.dims(), self.rank) {
            ([3, 3, 3], 5) => five_terms(&scaled.target),
            _ => None,
        };
        let mut found = Found::default();
        if let Some(columns) = constructed {
            found.best = Some((Rational::zero(), RationalCp::from_columns(&columns)));
        } else {
            let task = self.task(t);
            self.search_starts((&system, &scaled, &task), &mut found, rng, (observer, kept))?;
            kept.flush()?;
        }
        found.fit(&scaled)
    }

    /// Starts one after the other, those that are kept first, until one leads to exact factors.
    fn search_starts(
        &self,
        (system, scaled, task): (&CpSystem<'_>, &Scaled, &str),
        found: &mut Found,
        rng: &mut impl Rng,
        (observer, kept): (Observer<'_>, &mut Checkpoint<'_>),
    ) -> Result<(), Error> {
        let mut descent = Descent::new(system);
        let finished = match kept.is_kept() {
            true => kept.begin(task)?.to_vec(),
            false => Vec::new(),
        };
        for n in 0..self.starts {
            if observer(&Progress::of("random starts", n as u64, self.starts as u64)).is_break() {
                found.stopped = true;
                break;
            }
            let mut x = draw(system, rng);
            let (ended, halted) = match finished.get(n) {
                Some(unit) => (Ended::read(unit, (system, &scaled.target), &x)?, false),
                None => self.one_start(&mut descent, &scaled.target, &mut x, observer, kept)?,
            };
            found
                .residuals
                .push(ended.residual / scaled.norm.max(f64::MIN_POSITIVE));
            if let Some((gap, columns)) = ended.rounded
                && found.best.as_ref().is_none_or(|b| gap < b.0)
            {
                found.best = Some((gap, RationalCp::from_columns(&columns)));
            }
            found.stopped = halted;
            if halted || found.best.as_ref().is_some_and(|b| b.0.is_zero()) {
                break;
            }
        }
        Ok(())
    }

    /// All that a start depends on besides the seed; the seed shows in what it draws.
    fn task(&self, t: TensorView<'_>) -> String {
        let data = digest_of(t.as_slice());
        let (rank, effort) = (self.rank, self.effort);
        format!(
            "exact CP of {:?} {data:016x} rank {rank} effort {effort}",
            t.dims()
        )
    }

    /// Carries the start at `x` to its end and keeps it, unless it was asked to stop on the way.
    fn one_start(
        &self,
        descent: &mut Descent<'_, '_>,
        target: &[Rational],
        x: &mut Vec<f64>,
        observer: Observer<'_>,
        kept: &mut Checkpoint<'_>,
    ) -> Result<(Ended, bool), Error> {
        let drawn = digest_of(x);
        let residual = descend(descent, x);
        let mut ended = Ended {
            drawn,
            residual,
            rounded: None,
        };
        let plans = if residual > SOLVED { 0 } else { PLANS.len() };
        for plan in 0..plans {
            let progress = Progress::of("rational plans", plan as u64, plans as u64);
            if observer(&progress).is_break() {
                return Ok((ended, true));
            }
            let (gap, columns) = self.rationalise(descent, target, x, plan);
            let exact = gap.is_zero();
            if ended.rounded.as_ref().is_none_or(|b| gap < b.0) {
                ended.rounded = Some((gap, columns));
            }
            if exact {
                break;
            }
        }
        if kept.is_kept() {
            kept.push(&ended.write())?;
        }
        Ok((ended, false))
    }

    fn rationalise(
        &self,
        descent: &mut Descent<'_, '_>,
        target: &[Rational],
        x: &[f64],
        plan: usize,
    ) -> (Rational, Columns) {
        let (greedy, null_modes) = PLANS[plan];
        let system = descent.system;
        let mut point = Point::normalised(system, x, self.effort);
        if let Some(greedy) = greedy {
            point.fix_greedily(descent, greedy);
        }
        point.fix_null_space(descent, null_modes);
        point.polish(descent);
        let modes = [0, 1, 2].map(|k| rational_mode(system, &point.x, k, 1 << 12));
        for last in [2, 1, 0] {
            let others: Vec<usize> = (0..3).filter(|k| *k != last).collect();
            let (Some(a), Some(b)) = (&modes[others[0]], &modes[others[1]]) else {
                continue;
            };
            let Some(c) = solve_mode(system.dims, target, last, [a, b]) else {
                continue;
            };
            let mut columns = [a.clone(), b.clone(), c];
            // Back into the order of the modes.
            columns[last..].rotate_right(1);
            let gap = exact_residual(system.dims, target, &columns);
            if gap.is_zero() {
                return (gap, columns);
            }
        }
        let rounded = [0, 1, 2].map(|k| {
            let column = |r| -> Vec<Rational> {
                let entries = system.column(&point.x, k, r).iter();
                entries
                    .map(|v| Rational::from_f64((v * 4096.0).round() / 4096.0).unwrap_or_default())
                    .collect()
            };
            (0..system.rank).map(column).collect::<Vec<_>>()
        });
        let gap = exact_residual(system.dims, target, &rounded);
        (gap, rounded)
    }
}

/// The portfolio: what the greedy phase fixes, and in which modes the null space is used up.
const PLANS: [(Option<Plan>, usize); 5] = [
    (
        Some(Plan {
            values: &[0.0, 1.0, -1.0],
            modes: 3,
            failures: 25,
        }),
        3,
    ),
    (
        Some(Plan {
            values: &[0.0, 1.0, -1.0],
            modes: 2,
            failures: 15,
        }),
        2,
    ),
    (
        Some(Plan {
            values: &[0.0],
            modes: 2,
            failures: 15,
        }),
        2,
    ),
    (None, 1),
    (None, 2),
];

/// Where a start begins.
fn draw(system: &CpSystem<'_>, rng: &mut impl Rng) -> Vec<f64> {
    let normal = |rng: &mut _| -> f64 {
        0.5 * <StandardNormal as Distribution<f64>>::sample(&StandardNormal, rng)
    };
    (0..system.place.len()).map(|_| normal(rng)).collect()
}

/// Moves `x` through the homotopy in the ridge; answers the norm of the residual.
fn descend(descent: &mut Descent<'_, '_>, x: &mut Vec<f64>) -> f64 {
    let free: Vec<usize> = (0..x.len()).collect();
    let mut residual = f64::INFINITY;
    for (ridge, iterations) in RIDGES {
        let run = Run {
            iterations,
            ridge,
            damping: 0.1,
            goal: 0.0,
            tol: 1e-6,
            pace: 0,
        };
        residual = descent.minimise(x, &free, run);
        if ridge <= 1e-2 && residual > HOPELESS {
            return residual;
        }
    }
    // Local minima stay at a residual of about one; the others are within reach.
    if residual < 0.25 {
        let run = Run {
            iterations: 200,
            ridge: 0.0,
            damping: 1e-2,
            goal: 1e-12,
            tol: 1e-13,
            pace: 30,
        };
        residual = descent.minimise(x, &free, run);
    }
    residual
}

impl RationalCp {
    fn from_columns(columns: &[Vec<Vec<Rational>>; 3]) -> Self {
        let rows = |columns: &Vec<Vec<Rational>>| {
            let n = columns.first().map_or(0, Vec::len);
            (0..n)
                .map(|i| columns.iter().map(|c| c[i].clone()).collect())
                .collect()
        };
        Self {
            factors: columns.iter().map(rows).collect(),
        }
    }
}
