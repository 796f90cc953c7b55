//! Levenberg-Marquardt on some of the unknowns of a small CP system while the others stay fixed.

use super::system::CpSystem;
use crate::linalg::CholeskySpace;

/// Options of one run.
#[derive(Clone, Copy)]
pub(in crate::decomp) struct Run {
    pub(in crate::decomp) iterations: usize,
    /// Weight of `|x|^2 / 2`.
    pub(in crate::decomp) ridge: f64,
    pub(in crate::decomp) damping: f64,
    /// Norm of the residual at which to stop.
    pub(in crate::decomp) goal: f64,
    /// Relative decrease at which to stop.
    pub(in crate::decomp) tol: f64,
    /// Stop when this many iterations do not reduce the cost to a quarter; 0 for never.
    pub(in crate::decomp) pace: usize,
}

/// A system with memory for its iterations: a start takes hundreds of them.
pub(in crate::decomp) struct Descent<'s, 'a> {
    pub(in crate::decomp) system: &'s CpSystem<'a>,
    space: CholeskySpace,
    matrix: Vec<f64>,
    gap: Vec<f64>,
    new_gap: Vec<f64>,
    gradient: Vec<f64>,
    /// Iterations so far, over all runs.
    pub(in crate::decomp) iterations: u64,
}

fn square(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum()
}

impl<'s, 'a> Descent<'s, 'a> {
    pub(in crate::decomp) fn new(system: &'s CpSystem<'a>) -> Self {
        let gap = vec![0.0; system.target.len()];
        Self {
            system,
            space: CholeskySpace::default(),
            matrix: Vec::new(),
            new_gap: gap.clone(),
            gap,
            gradient: vec![0.0; system.place.len()],
            iterations: 0,
        }
    }

    /// The factor of `J'J + shift` over the unknowns `free`; false when it is not definite.
    fn factor(&mut self, x: &[f64], free: &[usize], shift: f64) -> bool {
        let n = free.len();
        if self.matrix.len() < n * n {
            self.matrix.resize(n * n, 0.0);
        }
        let h = &mut self.matrix[..n * n];
        self.system.normal_matrix(x, free, shift, h);
        self.space.factor(h, n)
    }

    /// Moves the unknowns `free` of `x`; answers the norm of the residual.
    pub(in crate::decomp) fn minimise(
        &mut self,
        x: &mut Vec<f64>,
        free: &[usize],
        run: Run,
    ) -> f64 {
        let cost = |gap: &[f64], x: &[f64]| 0.5 * (square(gap) + run.ridge * square(x));
        self.system.gap(x, &mut self.gap);
        let mut f = cost(&self.gap, x);
        let (mut mu, mut nu) = (run.damping, 2.0);
        let (n, mut y) = (free.len(), x.clone());
        let (mut g, mut step) = (vec![0.0; n], vec![0.0; n]);
        let mut milestone = f;
        for done in 1..=run.iterations {
            if square(&self.gap).sqrt() <= run.goal || free.is_empty() {
                break;
            }
            self.iterations += 1;
            self.system.gradient(x, &self.gap, &mut self.gradient);
            for (g, &q) in g.iter_mut().zip(free) {
                *g = self.gradient[q] + run.ridge * x[q];
            }
            let mut accepted = None;
            for _ in 0..10 {
                step.copy_from_slice(&g);
                let definite = self.factor(x, free, mu + run.ridge);
                if !definite || !self.space.solve(&self.matrix[..n * n], &mut step) {
                    mu = (mu * 4.0).max(1e-14);
                    continue;
                }
                y.copy_from_slice(x);
                let mut predicted = 0.0;
                for ((&q, s), g) in free.iter().zip(&step).zip(&g) {
                    y[q] -= s;
                    predicted += 0.5 * s * (mu * s + g);
                }
                self.system.gap(&y, &mut self.new_gap);
                let value = cost(&self.new_gap, &y);
                if value < f {
                    // Nielsen's update of the damping.
                    let rho = (f - value) / predicted.max(f64::MIN_POSITIVE);
                    mu = (mu * (1.0 - (2.0 * rho - 1.0).powi(3)).max(1.0 / 3.0)).max(1e-15);
                    nu = 2.0;
                    accepted = Some(value);
                    break;
                }
                mu *= nu;
                nu *= 2.0;
            }
            let Some(value) = accepted else {
                break;
            };
            let decrease = f - value;
            std::mem::swap(x, &mut y);
            std::mem::swap(&mut self.gap, &mut self.new_gap);
            f = value;
            if decrease <= run.tol * f {
                break;
            }
            if run.pace > 0 && done % run.pace == 0 {
                if f > 0.25 * milestone {
                    break;
                }
                milestone = f;
            }
        }
        square(&self.gap).sqrt()
    }

    /// How much of each free unknown lies in the null space of the Jacobian: the diagonal of its projector,
    /// as the limit of `shift (J'J + shift)^-1`. `None` when the factorisation fails.
    ///
    /// Singular values of `J` far below `1e-5` of the largest count as zero, far above do not.
    pub(in crate::decomp) fn leverage(&mut self, x: &[f64], free: &[usize]) -> Option<Vec<f64>> {
        let n = free.len();
        let grams = self.system.grams(x);
        let rank = self.system.rank;
        let trace: f64 = (0..rank)
            .map(|r| {
                let [a, b, c] = [0, 1, 2].map(|k| grams[k][r * rank + r]);
                a * b + b * c + c * a
            })
            .sum();
        let shift = 1e-10 * trace / (3.0 * rank as f64);
        if !self.factor(x, free, shift) {
            return None;
        }
        let mut weights = self.space.inverse_diagonal(&self.matrix[..n * n], n);
        weights.iter_mut().for_each(|w| *w *= shift);
        Some(weights)
    }
}
