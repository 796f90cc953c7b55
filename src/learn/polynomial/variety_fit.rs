//! Gauss-Newton on the coefficients with the latents eliminated.
//!
//! Minimises `sum_i min_x |y_i - C phi(x)|^2`. With `J_i = C phi'(x_i)` and `P_i` the projection off the columns
//! of `J_i`, a step `D` solves `sum_i P_i D phi_i phi_i' = sum_i P_i e_i phi_i'`: its matrix is
//! `sum_i (phi_i phi_i') (x) P_i`, one product of two tables with a row per sample. The gauge `GL(v)` is left
//! to the damping. Quadratic convergence on exact samples; under noise this is least squares in all unknowns.

use super::OP;
use super::latents::LatentSolver;
use crate::Error;
use crate::linalg::{cholesky_solve, frobenius, lstsq, thin_qr};
use crate::run::{Observer, Progress};
use crate::tensor::MonomialBasis;
use faer::{Mat, MatRef};
use rayon::prelude::*;

const MAX_STEPS: usize = 40;
/// Raises of the damping before the fit has settled.
const RAISES: usize = 8;
/// Rows whose tables are formed at a time.
const BLOCK: usize = 256;

/// Coefficients and latents that fit some rows.
pub(super) struct VarietyFit {
    /// `m x m`.
    pub(super) coefficients: Mat<f64>,
    /// Relative residual.
    pub(super) residual: f64,
    pub(super) steps: usize,
    pub(super) stopped: bool,
}

impl VarietyFit {
    /// From latents of the rows `order` of `y` (`n x m`).
    pub(super) fn of(
        y: MatRef<'_, f64>,
        basis: &MonomialBasis,
        latents: MatRef<'_, f64>,
        order: &[usize],
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        let m = basis.len();
        if order.len() < m {
            let hypothesis = "latents for as many samples as there are monomials (samples)";
            return Err(Error::degenerate(OP, hypothesis, order.len() as f64));
        }
        let v = basis.variables();
        let chosen = Mat::from_fn(order.len(), v, |i, j| latents[(order[i], j)]);
        let target = Mat::from_fn(order.len(), m, |i, j| y[(order[i], j)]);
        let c = lstsq(OP, basis.design(chosen.as_ref()).as_ref(), target.as_ref())?;
        Self::from_coefficients(y, basis, c.transpose().to_owned(), observer)
    }

    /// From coefficients near a fit.
    pub(super) fn from_coefficients(
        y: MatRef<'_, f64>,
        basis: &MonomialBasis,
        c: Mat<f64>,
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        let m = basis.len();
        let mut state = State::at(y, basis, c, None)?;
        let norm = frobenius(y).max(f64::MIN_POSITIVE);
        let (mut damping, mut steps, mut stopped) = (1e-9, 0, false);
        'steps: while steps < MAX_STEPS && state.residual() > 1e-14 * norm {
            steps += 1;
            let p = Progress::of("variety", steps as u64, MAX_STEPS as u64);
            if observer(&p.with_figure(state.residual() / norm)).is_break() {
                stopped = true;
                break;
            }
            let (normal, rhs) = state.equations(y, basis)?;
            let mean = (0..m * m).map(|k| normal[(k, k)]).sum::<f64>() / (m * m) as f64;
            for _ in 0..RAISES {
                let mut damped = normal.clone();
                (0..m * m).for_each(|k| damped[(k, k)] += damping * mean);
                let step = cholesky_solve(damped.as_ref(), rhs.as_ref());
                let next = step.and_then(|d| {
                    let c = Mat::from_fn(m, m, |i, j| state.c[(i, j)] + d[(i + m * j, 0)]);
                    State::at(y, basis, c, Some(&state.x)).ok()
                });
                match next {
                    Some(next) if next.residual() < state.residual() => {
                        let little = next.residual() > 0.999 * state.residual();
                        state = next;
                        damping = (damping / 10.0).max(1e-13);
                        if little {
                            break 'steps;
                        }
                        continue 'steps;
                    }
                    _ => damping *= 20.0,
                }
            }
            break;
        }
        Ok(Self {
            residual: state.residual() / norm,
            coefficients: state.c,
            steps,
            stopped,
        })
    }
}

struct State {
    c: Mat<f64>,
    /// Latents, row by row, with the squared residual.
    x: Vec<(Vec<f64>, f64)>,
}

impl State {
    /// The best latents for `c`: from the given ones and from the linear inverse.
    fn at(
        y: MatRef<'_, f64>,
        basis: &MonomialBasis,
        c: Mat<f64>,
        near: Option<&[(Vec<f64>, f64)]>,
    ) -> Result<Self, Error> {
        let solver = LatentSolver::new(OP, basis, c.as_ref())?;
        let one = |i: usize| {
            let target: Vec<f64> = (0..y.ncols()).map(|k| y[(i, k)]).collect();
            let steps = if near.is_some() { 6 } else { 20 };
            let mut fresh = solver.first(&target);
            let value = solver.descend(&target, &mut fresh, steps);
            let Some(old) = near else {
                return (fresh, value);
            };
            let mut x = old[i].0.clone();
            let kept = solver.descend(&target, &mut x, steps);
            if kept <= value {
                (x, kept)
            } else {
                (fresh, value)
            }
        };
        let x = (0..y.nrows())
            .into_par_iter()
            .with_min_len(16)
            .map(one)
            .collect();
        drop(solver);
        Ok(Self { c, x })
    }

    fn residual(&self) -> f64 {
        self.x.iter().map(|x| x.1).sum::<f64>().sqrt()
    }

    fn equations(
        &self,
        y: MatRef<'_, f64>,
        basis: &MonomialBasis,
    ) -> Result<(Mat<f64>, Mat<f64>), Error> {
        let (n, m, v) = (y.nrows(), basis.len(), basis.variables());
        let pairs: Vec<(usize, usize)> =
            (0..m).flat_map(|j| (0..=j).map(move |i| (i, j))).collect();
        let blocks: Vec<(Mat<f64>, Mat<f64>)> = (0..n.div_ceil(BLOCK))
            .into_par_iter()
            .map(|b| {
                let rows = BLOCK * b..n.min(BLOCK * (b + 1));
                let count = rows.len();
                let (mut left, mut right) = (
                    Mat::<f64>::zeros(count, pairs.len()),
                    Mat::<f64>::zeros(count, pairs.len()),
                );
                let mut rhs = Mat::<f64>::zeros(m, m);
                let (mut phi, mut slopes) = (vec![0.0; m], vec![0.0; m * v]);
                for (at, i) in rows.enumerate() {
                    let x = &self.x[i].0;
                    basis.eval(x, &mut phi);
                    basis.jacobian(x, &mut slopes);
                    let tangent = &self.c * MatRef::from_row_major_slice(&slopes, m, v);
                    let (q, _) = thin_qr(OP, tangent.as_ref())?;
                    let value = |k: usize| (0..m).map(|l| self.c[(k, l)] * phi[l]).sum::<f64>();
                    let e = Mat::from_fn(m, 1, |k, _| y[(i, k)] - value(k));
                    let off = &e - &q * (q.transpose() * &e);
                    for (p, &(k, l)) in pairs.iter().enumerate() {
                        let along: f64 = (0..v).map(|j| q[(k, j)] * q[(l, j)]).sum();
                        left[(at, p)] = phi[k] * phi[l];
                        right[(at, p)] = f64::from(u8::from(k == l)) - along;
                    }
                    for l in 0..m {
                        (0..m).for_each(|k| rhs[(k, l)] += off[(k, 0)] * phi[l]);
                    }
                }
                Ok((left.transpose() * right, rhs))
            })
            .collect::<Result<_, Error>>()?;
        let mut table = Mat::<f64>::zeros(pairs.len(), pairs.len());
        let mut rhs = Mat::<f64>::zeros(m, m);
        for (t, r) in blocks {
            table += t;
            rhs += r;
        }
        let place = |i: usize, j: usize| i.max(j) * (i.max(j) + 1) / 2 + i.min(j);
        // Unknown (k, l) of D stands at k + m l: rows of C fastest.
        let normal = Mat::from_fn(m * m, m * m, |s, t| {
            table[(place(s / m, t / m), place(s % m, t % m))]
        });
        let rhs = Mat::from_fn(m * m, 1, |s, _| rhs[(s % m, s / m)]);
        Ok((normal, rhs))
    }
}
