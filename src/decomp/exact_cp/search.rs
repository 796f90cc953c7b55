//! Exact CP decompositions of small tensors: from random starts to rational factors.
//!
//! Many tensors of computer algebra (matrix and polynomial products, group algebras) have rational
//! decompositions of a rank that no algebraic method reaches. The way there: a homotopy in a ridge, solved by
//! Levenberg-Marquardt from random starts, finds a numeric solution; unknowns are fixed at 0, 1, -1 and other
//! small rationals while the rest follows along the manifold of solutions; once two factors are rational, the
//! third solves a linear system over Q. What comes out is exact or it is not called converged.

use super::descent::{Descent, Run};
use super::fixing::{Plan, Point, SOLVED};
use super::plane_cubic::five_terms;
use super::rational_solve::{exact_residual, rational_mode, solve_mode};
use super::system::CpSystem;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::linalg::split_power_of_two;
use crate::poly::Rational;
use crate::run::{Observer, Progress};
use crate::tensor::TensorView;
use crate::{Error, Status};
use num_traits::Zero;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

const OP: &str = "ExactCp::decompose";

/// `T = sum_r a_r (x) b_r (x) c_r` with rational entries.
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
        Ok(start(&mut Descent::new(&system), rng))
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
        t.require_finite(OP)?;
        // Thresholds are absolute, so the entries are brought below 2 by a power of two, and back in the end.
        let largest = t.as_slice().iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let (one, two) = if largest > 0.0 {
            split_power_of_two(largest)
        } else {
            (1.0, 1.0)
        };
        let scaled: Vec<f64> = t.as_slice().iter().map(|v| v / one / two).collect();
        let view = TensorView::new(t.dims(), &scaled)?;
        let system = CpSystem::new(OP, view, self.rank)?;
        if self.starts == 0 || self.effort == 0 {
            return Err(Error::invalid(
                OP,
                "needs at least one start and an effort of at least 1",
            ));
        }
        let exact = |v: f64| Rational::from_f64(v).unwrap_or_default();
        let scale = &exact(one) * &exact(two);
        let inverse = scale.recip().unwrap_or_default();
        let target: Vec<Rational> = t.as_slice().iter().map(|v| &exact(*v) * &inverse).collect();
        let norm = view.norm();
        let mut descent = Descent::new(&system);
        let (mut work, mut history) = (Work::default(), vec![1.0]);
        let mut best: Option<(Rational, RationalCp)> = None;
        let mut stopped = false;
        // Solutions of general tensors form families whose members are rarely rational; some are, by construction.
        let constructed = match (t.dims(), self.rank) {
            ([3, 3, 3], 5) => five_terms(&target),
            _ => None,
        };
        if let Some(columns) = constructed {
            best = Some((Rational::zero(), RationalCp::from_columns(&columns)));
        }
        let starts = if best.is_some() { 0 } else { self.starts };
        for n in 0..starts {
            if observer(&Progress::of("random starts", n as u64, self.starts as u64)).is_break() {
                stopped = true;
                break;
            }
            let (x, residual) = start(&mut descent, rng);
            work.starts += 1;
            history.push(residual / norm.max(f64::MIN_POSITIVE));
            work.sweeps += 1;
            if residual > SOLVED {
                continue;
            }
            for plan in 0..PLANS.len() {
                if observer(&Progress::of(
                    "rational plans",
                    plan as u64,
                    PLANS.len() as u64,
                ))
                .is_break()
                {
                    stopped = true;
                    break;
                }
                let (gap, model) = self.rationalise(&mut descent, &target, &x, plan);
                let exact = gap.is_zero();
                if best.as_ref().is_none_or(|b| gap < b.0) {
                    best = Some((gap, model));
                }
                if exact {
                    break;
                }
            }
            if stopped || best.as_ref().is_some_and(|b| b.0.is_zero()) {
                break;
            }
        }
        let Some((gap, mut model)) = best else {
            if stopped {
                return Err(Error::Stopped { op: OP });
            }
            let closest = history.iter().copied().fold(f64::INFINITY, f64::min);
            return Err(Error::degenerate(
                OP,
                "a numeric solution of this rank (closest relative residual)",
                closest,
            ));
        };
        model.factors[2]
            .iter_mut()
            .flatten()
            .for_each(|v| *v *= &scale);
        let exact = gap.is_zero();
        let rel_residual = gap.to_f64().sqrt() / if norm > 0.0 { norm } else { 1.0 };
        let checks = vec![Check::accuracy(
            "exact.exact-residual",
            "exact squared residual over Q, entries scaled below 2",
            gap.to_f64(),
            0.0,
        )];
        let status = match (exact, stopped) {
            (true, _) => Status::Converged,
            (false, true) => Status::Stopped,
            (false, false) => Status::Stalled,
        };
        let evidence = Evidence {
            rel_residual,
            condition: 1.0,
            checks,
        };
        Ok(Fit {
            model,
            status,
            history,
            work,
            evidence,
        })
    }

    fn rationalise(
        &self,
        descent: &mut Descent<'_, '_>,
        target: &[Rational],
        x: &[f64],
        plan: usize,
    ) -> (Rational, RationalCp) {
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
                return (gap, RationalCp::from_columns(&columns));
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
        (gap, RationalCp::from_columns(&rounded))
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

fn start(descent: &mut Descent<'_, '_>, rng: &mut impl Rng) -> (Vec<f64>, f64) {
    let normal = |rng: &mut _| -> f64 {
        0.5 * <StandardNormal as Distribution<f64>>::sample(&StandardNormal, rng)
    };
    let unknowns = descent.system.place.len();
    let mut x: Vec<f64> = (0..unknowns).map(|_| normal(rng)).collect();
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
        residual = descent.minimise(&mut x, &free, run);
        if ridge <= 1e-2 && residual > HOPELESS {
            return (x, residual);
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
        residual = descent.minimise(&mut x, &free, run);
    }
    (x, residual)
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
