//! The closed equations of online learning, in Stein form.
//!
//! With the averages `J` and `S` (see `averages.rs`), `G = J diag(v) + diag(S)` and
//! `H = J_teacher diag(A) / sqrt(delta)`, every bin of the spectrum obeys
//!
//! ```text
//! dr = lr diag(v) (-rho G r + H tt)
//! dq = h + h' + lr^2 rho v v' E[g' g' e^2],   h = lr diag(v) (-rho G q + H r')
//! dv = -lr_second s . I2
//! ```
//!
//! The published form solves a two by two system for each pair of units and divides by its determinant,
//! which vanishes for two identical units; Stein's lemma gives the same drift without a division.

use super::averages::Averages;
use super::learner::{OnlineSgd, Problem};
use super::modes::Modes;
use super::ode::System;
use crate::theory::generator::neuron::StudentActivation;

/// The right-hand side for one problem; holds the scratch memory of an evaluation.
#[derive(Clone, Debug)]
pub(in crate::theory) struct Equations<'a> {
    modes: &'a Modes,
    neuron: &'a StudentActivation,
    rate_first: f64,
    rate_second: f64,
    label_noise: f64,
    k: usize,
    m: usize,
    /// Students' then teachers' output weights, the latter negative: the error is `sum_i s_i g_i`.
    s: Vec<f64>,
    teacher_second: Vec<f64>,
    /// Covariance of all fields, `n x n`.
    c: Vec<f64>,
    averages: Averages,
    ends: Vec<usize>,
}

impl<'a> Equations<'a> {
    pub(in crate::theory) fn new(options: &'a OnlineSgd, problem: &Problem<'a>) -> Self {
        let (k, m) = (
            problem.lesson.student.units(),
            problem.lesson.teacher.units(),
        );
        let (n, bins) = (k + m, problem.modes.bins());
        let mut c = vec![0.0; n * n];
        for i in 0..m {
            (0..m).for_each(|j| c[(k + i) * n + k + j] = problem.overlap[i * m + j]);
        }
        let mut s = vec![0.0; k];
        s.extend(problem.lesson.teacher.second().iter().map(|a| -a));
        let blocks = k * (k + 1) / 2 + k * m;
        let mut ends: Vec<usize> = (1..=blocks).map(|b| b * bins).collect();
        ends.push(blocks * bins + k);
        Self {
            modes: problem.modes,
            neuron: &options.neuron,
            rate_first: options.rate_first,
            rate_second: options.rate_second,
            label_noise: options.label_noise,
            k,
            m,
            s,
            teacher_second: problem.lesson.teacher.second().to_vec(),
            c,
            averages: Averages::new(k, m),
            ends,
        }
    }

    /// The state `(q, r, v)` at the start.
    pub(in crate::theory) fn start(&self, second: &[f64]) -> Vec<f64> {
        [&self.modes.q, &self.modes.r, second].concat()
    }

    /// Where `q_kl` begins.
    fn q_at(&self, k: usize, l: usize) -> usize {
        let (low, high) = (k.min(l), k.max(l));
        (low + high * (high + 1) / 2) * self.modes.bins()
    }

    /// Where `r_km` begins.
    fn r_at(&self, k: usize, m: usize) -> usize {
        (self.k * (self.k + 1) / 2 + k * self.m + m) * self.modes.bins()
    }

    /// Reads the covariance of the fields and the output weights off a state.
    fn read(&mut self, y: &[f64]) {
        let (bins, n) = (self.modes.bins(), self.k + self.m);
        let delta = self.modes.latents as f64 / self.modes.inputs as f64;
        for k in 0..self.k {
            for l in 0..=k {
                let q = &y[self.q_at(k, l)..][..bins];
                let sum: f64 = q
                    .iter()
                    .zip(&self.modes.eigenvalues)
                    .map(|(q, e)| q * e)
                    .sum();
                self.c[k * n + l] = sum;
                self.c[l * n + k] = sum;
            }
            for m in 0..self.m {
                let r = &y[self.r_at(k, m)..][..bins];
                let sum = r.iter().sum::<f64>() / delta.sqrt();
                self.c[k * n + self.k + m] = sum;
                self.c[(self.k + m) * n + k] = sum;
            }
        }
        self.s[..self.k].copy_from_slice(&y[y.len() - self.k..]);
    }

    /// `(Q, R, error)` of a state, by rows.
    pub(in crate::theory) fn observe(&mut self, y: &[f64]) -> (Vec<f64>, Vec<f64>, f64) {
        self.read(y);
        self.averages.pairs(self.neuron, &self.c);
        let (k, n) = (self.k, self.k + self.m);
        let part =
            |from: usize, to: usize| (0..k).flat_map(move |i| (from..to).map(move |j| i * n + j));
        let q = part(0, k).map(|at| self.c[at]).collect();
        let r = part(k, n).map(|at| self.c[at]).collect();
        (q, r, self.averages.error(&self.s))
    }

    /// `lr v_k G_kj` and `lr v_k H_km`, by rows.
    fn drift(&self) -> (Vec<f64>, Vec<f64>) {
        let (k, m, n) = (self.k, self.m, self.k + self.m);
        let delta = self.modes.latents as f64 / self.modes.inputs as f64;
        let (mut g, mut h) = (vec![0.0; k * k], vec![0.0; k * m]);
        for a in 0..k {
            let speed = self.rate_first * self.s[a];
            for b in 0..k {
                g[a * k + b] = speed * self.averages.j2[a * n + b] * self.s[b];
            }
            g[a * k + a] += speed * self.averages.bend[a];
            for b in 0..m {
                let pull = self.averages.j2[a * n + k + b] * self.teacher_second[b];
                h[a * m + b] = speed * pull / delta.sqrt();
            }
        }
        (g, h)
    }
}

impl System for Equations<'_> {
    fn blocks(&self) -> &[usize] {
        &self.ends
    }

    fn rate(&mut self, y: &[f64], rate: &mut [f64]) {
        self.read(y);
        self.averages
            .update(self.neuron, &self.c, &self.s, self.label_noise);
        let (g, h) = self.drift();
        let (k, m, n, bins) = (self.k, self.m, self.k + self.m, self.modes.bins());
        let rho = &self.modes.eigenvalues;
        let forget = |out: &mut [f64], weight: f64, from: &[f64]| {
            let pairs = out.iter_mut().zip(from.iter().zip(rho));
            pairs.for_each(|(o, (x, e))| *o -= weight * e * x);
        };
        let pull = |out: &mut [f64], weight: f64, from: &[f64]| {
            out.iter_mut().zip(from).for_each(|(o, x)| *o += weight * x);
        };
        for a in 0..k {
            for b in 0..m {
                let at = self.r_at(a, b);
                let out = &mut rate[at..][..bins];
                out.fill(0.0);
                for j in 0..k {
                    forget(out, g[a * k + j], &y[self.r_at(j, b)..][..bins]);
                }
                for p in 0..m {
                    let image = &self.modes.teacher[(p * m + b) * bins..][..bins];
                    pull(out, h[a * m + p], image);
                }
            }
            for l in 0..=a {
                let at = self.q_at(l, a);
                let out = &mut rate[at..][..bins];
                let both = self.rate_first * self.rate_first * self.s[a] * self.s[l];
                let noise = both * self.averages.noise[a * k + l];
                let spread = rho.iter().zip(&self.modes.shares);
                out.iter_mut()
                    .zip(spread)
                    .for_each(|(o, (e, share))| *o = noise * e * share);
                for j in 0..k {
                    forget(out, g[a * k + j], &y[self.q_at(j, l)..][..bins]);
                    forget(out, g[l * k + j], &y[self.q_at(j, a)..][..bins]);
                }
                for p in 0..m {
                    pull(out, h[a * m + p], &y[self.r_at(l, p)..][..bins]);
                    pull(out, h[l * m + p], &y[self.r_at(a, p)..][..bins]);
                }
            }
        }
        let tail = y.len() - k;
        for a in 0..k {
            let pull: f64 = (0..n)
                .map(|j| self.s[j] * self.averages.i2[a * n + j])
                .sum();
            rate[tail + a] = -self.rate_second * pull;
        }
    }
}
