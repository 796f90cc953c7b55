//! Each output as a sum of few powers of linear forms: `p_a(x) = sum_t c_t <u_t, x>^w`.
//!
//! The Hessians of the form are `w(w-1) sum_t c_t <u_t, x>^(w-2) u_t u_t'`: for `L <= v` terms two random
//! combinations of them share the `u_t` (Jennrich); for more terms, least squares from random starts. The
//! coefficients follow by linear least squares, and Gauss-Newton removes what rounding left.

use super::OP;
use crate::Error;
use crate::linalg::{cholesky_solve, eigen, lstsq, norm2, symmetric_eigen};
use crate::tensor::MonomialBasis;
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

const STARTS: usize = 30;
const STEPS: usize = 120;
/// Relative residual at which the terms are found.
pub(super) const EXACT: f64 = 1e-8;

/// Sums of powers of linear forms, output by output.
///
/// # Example
/// ```
/// use wickring::learn::polynomial::PowerSums;
/// // x^2 - y^2, and x y = ((x + y) / sqrt 2)^2 / 2 - ((x - y) / sqrt 2)^2 / 2.
/// let h = 0.5f64.sqrt();
/// let squares = vec![(1.0, vec![1.0, 0.0]), (-1.0, vec![0.0, 1.0])];
/// let product = vec![(0.5, vec![h, h]), (-0.5, vec![h, -h])];
/// let sums = PowerSums { terms: vec![squares, product], residuals: vec![0.0, 1e-16] };
/// assert_eq!(sums.worst(), 1e-16);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PowerSums {
    /// For each output the terms: coefficient `c_t` and unit vector `u_t`. For maps with lower degrees the vector
    /// has one entry more, the first, which stands for the constant: `<u, (1, x)>`.
    pub terms: Vec<Vec<(f64, Vec<f64>)>>,
    /// Relative residual of each output, in the norm of symmetric tensors.
    pub residuals: Vec<f64>,
}

impl PowerSums {
    /// Of forms of degree `w` with the monomials `basis` (all of one degree), row by row of `coefficients`.
    pub(super) fn of(
        basis: &MonomialBasis,
        coefficients: MatRef<'_, f64>,
        count: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let (mut terms, mut residuals) = (Vec::new(), Vec::new());
        let problem = Problem::new(basis);
        for a in 0..coefficients.nrows() {
            let row: Vec<f64> = (0..basis.len()).map(|k| coefficients[(a, k)]).collect();
            let (found, residual) = problem.solve(&row, count, rng)?;
            terms.push(found);
            residuals.push(residual);
        }
        Ok(Self { terms, residuals })
    }

    /// The greatest relative residual.
    pub fn worst(&self) -> f64 {
        self.residuals
            .iter()
            .copied()
            .fold(0.0, |a, b| if a > b { a } else { b })
    }
}

struct Problem<'a> {
    basis: &'a MonomialBasis,
    /// Square roots of multinomial coefficients: dividing by them makes the norm that of symmetric tensors.
    weights: Vec<f64>,
}

impl<'a> Problem<'a> {
    fn new(basis: &'a MonomialBasis) -> Self {
        let factorial = |k: u32| (1..=k).map(f64::from).product::<f64>();
        let weight = |e: &Vec<u32>| {
            let all: f64 = e.iter().map(|&k| factorial(k)).product();
            (factorial(e.iter().sum()) / all).sqrt()
        };
        let weights = basis.exponents().iter().map(weight).collect();
        Self { basis, weights }
    }

    /// Coordinates of `<u, x>^w`: monomial `e` has the coefficient `multinomial(e) u^e`.
    fn power(&self, u: &[f64]) -> Vec<f64> {
        let mut phi = vec![0.0; self.basis.len()];
        self.basis.eval(u, &mut phi);
        phi.iter().zip(&self.weights).map(|(p, w)| p * w).collect()
    }

    fn solve(
        &self,
        row: &[f64],
        count: usize,
        rng: &mut impl Rng,
    ) -> Result<(Vec<(f64, Vec<f64>)>, f64), Error> {
        let target: Vec<f64> = row.iter().zip(&self.weights).map(|(c, w)| c / w).collect();
        let norm = norm2(&target);
        if norm == 0.0 {
            return Ok((Vec::new(), 0.0));
        }
        let target: Vec<f64> = target.iter().map(|t| t / norm).collect();
        let v = self.basis.variables();
        let mut best: Option<(Vec<(f64, Vec<f64>)>, f64)> = None;
        for start in 0..STARTS {
            let directions = match self.shared(row, count, rng)? {
                Some(u) if count <= v => u,
                _ if start == 0 && count <= v => continue,
                _ => (0..count)
                    .map(|_| (0..v).map(|_| StandardNormal.sample(&mut *rng)).collect())
                    .collect(),
            };
            let found = self.descend(&target, directions)?;
            let done = found.1 <= 1e-3 * EXACT;
            if best.as_ref().is_none_or(|b| found.1 < b.1) {
                best = Some(found);
            }
            if done {
                break;
            }
        }
        let (mut terms, residual) = best.unwrap_or((Vec::new(), 1.0));
        terms.iter_mut().for_each(|t| t.0 *= norm);
        Ok((terms, residual))
    }

    /// Directions that random combinations of Hessians share, within their range.
    fn shared(
        &self,
        row: &[f64],
        count: usize,
        rng: &mut impl Rng,
    ) -> Result<Option<Vec<Vec<f64>>>, Error> {
        let v = self.basis.variables();
        let mut combination = || {
            let mut h = Mat::<f64>::zeros(v, v);
            for _ in 0..4 {
                let x: Vec<f64> = (0..v).map(|_| StandardNormal.sample(&mut *rng)).collect();
                let g: f64 = StandardNormal.sample(&mut *rng);
                h += faer::Scale(g) * self.hessian(row, &x);
            }
            h
        };
        let (one, other) = (combination(), combination());
        let squares = &one * one.transpose() + &other * other.transpose();
        let range = symmetric_eigen(OP, squares.as_ref())?;
        let kept = count.min(v);
        let u = range.vectors.subcols(v - kept, kept);
        if self.basis.degree() == 2 {
            // One Hessian only: any eigenbasis will do.
            let e = symmetric_eigen(OP, (u.transpose() * &one * u).as_ref())?;
            let all = u * e.vectors;
            let column = |j: usize| (0..v).map(|i| all[(i, j)]).collect();
            return Ok(Some((0..kept).map(column).collect()));
        }
        let (a, b) = (u.transpose() * &one * u, u.transpose() * &other * u);
        let Ok(pencil) = crate::linalg::solve(OP, b.as_ref(), a.as_ref()) else {
            return Ok(None);
        };
        // inv(B) A = inv(U') diag U': eigenvectors of the transpose are the directions.
        let Ok(e) = eigen(OP, pencil.transpose()) else {
            return Ok(None);
        };
        let size = e.values.iter().map(|l| l.norm()).fold(0.0, f64::max);
        if e.values.iter().any(|l| l.im.abs() > 1e-6 * size) {
            return Ok(None);
        }
        let inner = Mat::from_fn(kept, kept, |i, j| e.vectors[(i, j)].re);
        let all = u * inner;
        let column = |j: usize| (0..v).map(|i| all[(i, j)]).collect();
        Ok(Some((0..kept).map(column).collect()))
    }

    fn hessian(&self, row: &[f64], x: &[f64]) -> Mat<f64> {
        let v = x.len();
        let mut h = Mat::<f64>::zeros(v, v);
        for (e, c) in self.basis.exponents().iter().zip(row) {
            for i in 0..v {
                for j in 0..=i {
                    let lowered: Option<Vec<i32>> = (0..v)
                        .map(|k| {
                            let cut = u32::from(k == i) + u32::from(k == j);
                            e[k].checked_sub(cut).map(|p| p as i32)
                        })
                        .collect();
                    let Some(lowered) = lowered else { continue };
                    let weight = if i == j {
                        e[i] * (e[i] - 1)
                    } else {
                        e[i] * e[j]
                    };
                    let value: f64 = lowered.iter().zip(x).map(|(&p, x)| x.powi(p)).product();
                    h[(i, j)] += c * f64::from(weight) * value;
                    if i != j {
                        h[(j, i)] += c * f64::from(weight) * value;
                    }
                }
            }
        }
        h
    }

    /// Coefficients by linear least squares at each step, Levenberg-Marquardt on coefficients and directions.
    fn descend(
        &self,
        target: &[f64],
        directions: Vec<Vec<f64>>,
    ) -> Result<(Vec<(f64, Vec<f64>)>, f64), Error> {
        let (m, v) = (self.basis.len(), self.basis.variables());
        let mut u: Vec<Vec<f64>> = directions;
        let mut state = self.coefficients(target, &mut u)?;
        let mut damping = 1e-6;
        let l = u.len();
        for _ in 0..STEPS {
            if state.1 <= 1e-15 || l * v > 400 {
                break;
            }
            // d(c <u, .>^w) = <u, .>^w dc + c w <u, .>^(w-1) <du, .>.
            let mut jacobian = Mat::<f64>::zeros(m, l * v);
            let mut slopes = vec![0.0; m * v];
            for (t, u) in u.iter().enumerate() {
                self.basis.jacobian(u, &mut slopes);
                for k in 0..m {
                    for j in 0..v {
                        jacobian[(k, t * v + j)] = state.0[t] * self.weights[k] * slopes[k * v + j];
                    }
                }
            }
            let gap = self.gap(target, &u, &state.0);
            let mut normal = jacobian.transpose() * &jacobian;
            let rhs = jacobian.transpose() * Mat::from_fn(m, 1, |k, _| gap[k]);
            for s in 0..l * v {
                normal[(s, s)] += damping * normal[(s, s)] + 1e-14;
            }
            let Some(step) = cholesky_solve(normal.as_ref(), rhs.as_ref()) else {
                damping *= 10.0;
                continue;
            };
            let mut trial = u.clone();
            for (t, u) in trial.iter_mut().enumerate() {
                (0..v).for_each(|j| u[j] += step[(t * v + j, 0)]);
            }
            let next = self.coefficients(target, &mut trial)?;
            if next.1 < state.1 {
                let little = next.1 > 0.9999 * state.1;
                (u, state) = (trial, next);
                damping = (damping / 5.0).max(1e-14);
                if little && state.1 < 1e-12 {
                    break;
                }
            } else {
                damping *= 10.0;
                if damping > 1e8 {
                    break;
                }
            }
        }
        let terms = state.0.iter().copied().zip(u).collect();
        Ok((terms, state.1))
    }

    /// Unit directions, the best coefficients for them, and the residual.
    fn coefficients(&self, target: &[f64], u: &mut [Vec<f64>]) -> Result<(Vec<f64>, f64), Error> {
        for u in u.iter_mut() {
            let length = norm2(u).max(f64::MIN_POSITIVE);
            u.iter_mut().for_each(|x| *x /= length);
        }
        let m = self.basis.len();
        if u.len() > m {
            let text = format!(
                "at most {m} terms for forms with {m} monomials, got {}",
                u.len()
            );
            return Err(Error::invalid(OP, text));
        }
        let powers: Vec<Vec<f64>> = u.iter().map(|u| self.power(u)).collect();
        let design = Mat::from_fn(m, u.len(), |k, t| powers[t][k]);
        let rhs = Mat::from_fn(m, 1, |k, _| target[k]);
        let c = lstsq(OP, design.as_ref(), rhs.as_ref())?;
        let c: Vec<f64> = (0..u.len()).map(|t| c[(t, 0)]).collect();
        let residual = norm2(&self.gap(target, u, &c));
        Ok((c, residual))
    }

    fn gap(&self, target: &[f64], u: &[Vec<f64>], c: &[f64]) -> Vec<f64> {
        let mut gap = target.to_vec();
        for (u, c) in u.iter().zip(c) {
            let power = self.power(u);
            gap.iter_mut().zip(power).for_each(|(g, p)| *g -= c * p);
        }
        gap
    }
}
