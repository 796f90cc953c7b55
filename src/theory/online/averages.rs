//! All Gaussian averages of one instant: what the right-hand side of the equations of motion reads.

use crate::theory::generator::neuron::{AverageKind, StudentActivation};
use crate::theory::straight_line::{LANES, Lanes};

/// The averages for `k` students and `m` teachers with one activation; reused from instant to instant.
///
/// Fields are numbered students first; `n = k + m`. The output error is `e = sum_i s_i g(z_i) + noise` with
/// `s = (v, -A)`.
#[derive(Clone, Debug)]
pub(in crate::theory) struct Averages {
    k: usize,
    n: usize,
    /// `E g(z_i) g(z_j)`, `n x n`.
    pub i2: Vec<f64>,
    /// `E g'(z_i) g'(z_j)`, students by all, `k x n` by rows.
    pub j2: Vec<f64>,
    /// `E g''(z_i) sum_j s_j g(z_j)` for each student.
    pub bend: Vec<f64>,
    /// `E g'(z_i) g'(z_j) e^2`, `k x k`.
    pub noise: Vec<f64>,
    registers: Vec<Lanes>,
}

impl Averages {
    pub(in crate::theory) fn new(k: usize, m: usize) -> Self {
        let n = k + m;
        Self {
            k,
            n,
            i2: vec![0.0; n * n],
            j2: vec![0.0; k * n],
            bend: vec![0.0; k],
            noise: vec![0.0; k * k],
            registers: Vec::new(),
        }
    }

    /// Half the mean squared error without label noise.
    pub(in crate::theory) fn error(&self, s: &[f64]) -> f64 {
        let terms = self.i2.iter().enumerate();
        0.5 * terms
            .map(|(at, i2)| s[at / self.n] * s[at % self.n] * i2)
            .sum::<f64>()
    }

    /// Only the two-point functions `i2`, enough for the error.
    pub(in crate::theory) fn pairs(&mut self, g: &StudentActivation, c: &[f64]) {
        let n = self.n;
        let Self { i2, registers, .. } = self;
        let lower = (0..n).flat_map(|i| (0..=i).map(move |j| (i, j)));
        over_pairs(
            g,
            AverageKind::I2,
            (c, n),
            registers,
            lower,
            |i, j, value| {
                i2[i * n + j] = value;
                i2[j * n + i] = value;
            },
        );
    }

    /// Everything, for the covariance `c` (`n x n`) and the output weights `s`.
    pub(in crate::theory) fn update(
        &mut self,
        g: &StudentActivation,
        c: &[f64],
        s: &[f64],
        label_noise: f64,
    ) {
        let (k, n) = (self.k, self.n);
        self.pairs(g, c);
        let rows = || (0..k).flat_map(|a| (0..n).map(move |b| (a, b)));
        let Self {
            j2,
            bend,
            registers,
            ..
        } = self;
        let (slopes, bends) = (AverageKind::J2, AverageKind::K2);
        over_pairs(g, slopes, (c, n), registers, rows(), |a, b, x| {
            j2[a * n + b] = x;
        });
        bend.fill(0.0);
        over_pairs(g, bends, (c, n), registers, rows(), |a, b, x| {
            bend[a] += s[b] * x;
        });
        for a in 0..k {
            for b in 0..=a {
                let value = self.quadruple(g, c, s, a, b) + label_noise * self.j2[a * n + b];
                self.noise[a * k + b] = value;
                self.noise[b * k + a] = value;
            }
        }
    }

    /// `sum_ij s_i s_j I4(a, b, i, j)`, eight pairs `i <= j` at a time.
    fn quadruple(
        &mut self,
        g: &StudentActivation,
        c: &[f64],
        s: &[f64],
        a: usize,
        b: usize,
    ) -> f64 {
        let n = self.n;
        let at = |i: usize, j: usize| c[i * n + j];
        let mut point: [Lanes; 10] = [[0.0; LANES]; 10];
        let mut weights: Lanes = [0.0; LANES];
        let (mut lane, mut sum) = (0, 0.0);
        for i in 0..n {
            for j in i..n {
                let entries = [
                    at(a, a),
                    at(a, b),
                    at(b, b),
                    at(a, i),
                    at(b, i),
                    at(i, i),
                    at(a, j),
                    at(b, j),
                    at(i, j),
                    at(j, j),
                ];
                (0..10).for_each(|e| point[e][lane] = entries[e]);
                weights[lane] = s[i] * s[j] * if i == j { 1.0 } else { 2.0 };
                lane += 1;
                if lane == LANES || (i, j) == (n - 1, n - 1) {
                    // Lanes left over hold old covariances, with weight zero.
                    weights[lane..].fill(0.0);
                    let values = g.i4_lanes(&mut point, &mut self.registers);
                    sum += (0..LANES).map(|l| weights[l] * values[l]).sum::<f64>();
                    lane = 0;
                }
            }
        }
        sum
    }
}

/// Calls `put(i, j, average)` for each of `pairs` of fields with covariance `c`, eight at a time.
fn over_pairs(
    g: &StudentActivation,
    which: AverageKind,
    (c, n): (&[f64], usize),
    registers: &mut Vec<Lanes>,
    pairs: impl Iterator<Item = (usize, usize)>,
    mut put: impl FnMut(usize, usize, f64),
) {
    let mut pairs = pairs.peekable();
    let mut places = [(0, 0); LANES];
    // Lanes left over at the end repeat an earlier pair; their values are not used.
    let mut point: [Lanes; 3] = [[0.0; LANES]; 3];
    while pairs.peek().is_some() {
        let mut lane = 0;
        for (i, j) in pairs.by_ref().take(LANES) {
            places[lane] = (i, j);
            let entries = [c[i * n + i], c[i * n + j], c[j * n + j]];
            (0..3).for_each(|e| point[e][lane] = entries[e]);
            lane += 1;
        }
        let values = g.pair_lanes(which, &point, registers);
        (0..lane).for_each(|l| put(places[l].0, places[l].1, values[l]));
    }
}
