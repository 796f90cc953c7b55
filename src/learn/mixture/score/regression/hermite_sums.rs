//! Normal equations of gradients of Hermite products from sums of Hermite products.
//!
//! The Gram of the features `d_a h_e = sqrt(e_a) h_{e - 1_a}` needs `sum_i h_k(z_i) h_l(z_i)`, and
//! `h_k h_l = sum_j sqrt(k! l! (k+l-2j)!) / (j! (k-j)! (l-j)!) h_{k+l-2j}` in each coordinate. So what is summed
//! over points is one number for each product of twice the degree, instead of one for each pair of features: for
//! four coordinates and potentials of degree five 495 instead of 31000. All the coefficients are positive and
//! small, so what is lost to rounding is what the Gram loses anyway, up to a small factor.

use super::hermite_products::{Gradients, Products};
use super::normal_equations::NormalEquations;
use crate::linalg::dot;

/// Sums over the points of one cell.
#[derive(Clone, Debug)]
pub(in crate::learn::mixture) struct HermiteSums {
    /// Of each product of degree at most `2 (degree - 1)`.
    moments: Vec<f64>,
    /// Of each product of degree at most `degree - 1` times each coordinate of the target.
    against: Vec<f64>,
    square: f64,
    points: usize,
}

/// What turns [`HermiteSums`] into normal equations, for potentials of degree at most `degree`.
#[derive(Clone, Debug)]
pub(in crate::learn::mixture) struct Linearisation {
    pub(in crate::learn::mixture) high: Products,
    dim: usize,
    gradients: Gradients,
    /// For each pair `k >= l` of low products: where its terms end.
    ends: Vec<usize>,
    /// High product and coefficient.
    terms: Vec<(u32, f64)>,
}

impl HermiteSums {
    pub(in crate::learn::mixture) fn new(by: &Linearisation) -> Self {
        Self {
            moments: vec![0.0; by.high.len()],
            against: vec![0.0; by.gradients.low.len() * by.dim],
            square: 0.0,
            points: 0,
        }
    }

    /// Adds `count` points; `values` are their high products, `target` is coordinate-major.
    pub(in crate::learn::mixture) fn add(&mut self, values: &[f64], target: &[f64], count: usize) {
        let dim = target.len() / count.max(1);
        let columns = values.chunks_exact(count.max(1));
        for (m, column) in self.moments.iter_mut().zip(columns.clone()) {
            *m += total(column);
        }
        for (sums, column) in self.against.chunks_exact_mut(dim).zip(columns) {
            for (s, aimed) in sums.iter_mut().zip(target.chunks_exact(count)) {
                *s += dot(column, aimed);
            }
        }
        self.square += dot(target, target);
        self.points += count;
    }

    pub(in crate::learn::mixture) fn merge(&mut self, other: &Self) {
        let add = |a: &mut [f64], b: &[f64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        add(&mut self.moments, &other.moments);
        add(&mut self.against, &other.against);
        self.square += other.square;
        self.points += other.points;
    }
}

/// The sum of a column, in the partial sums of [`dot`].
fn total(column: &[f64]) -> f64 {
    const ONES: [f64; 256] = [1.0; 256];
    column.chunks(256).map(|c| dot(c, &ONES[..c.len()])).sum()
}

impl Linearisation {
    pub(in crate::learn::mixture) fn new(dim: usize, degree: usize) -> Self {
        let most = degree.saturating_sub(1);
        let high = Products::new(dim, 2 * most);
        let low = Products::new(dim, most);
        let of = |p: &Products, i: usize| p.exponents[i * dim..(i + 1) * dim].to_vec();
        let (mut ends, mut terms) = (Vec::new(), Vec::new());
        for k in 0..low.len() {
            for l in 0..=k {
                expand(&of(&low, k), &of(&low, l), &high, &mut terms);
                ends.push(terms.len());
            }
        }
        Self {
            gradients: Gradients::new(dim, degree),
            high,
            dim,
            ends,
            terms,
        }
    }

    /// Number of features.
    pub(in crate::learn::mixture) fn features(&self) -> usize {
        self.gradients.features()
    }

    /// The normal equations for coordinates that are scaled by `scale` (of each derivative).
    pub(in crate::learn::mixture) fn equations(
        &self,
        sums: &HermiteSums,
        scale: &[f64],
    ) -> NormalEquations {
        let mut pairs = Vec::with_capacity(self.ends.len());
        let mut start = 0;
        for &end in &self.ends {
            let terms = self.terms[start..end].iter();
            pairs.push(
                terms
                    .map(|&(m, c)| c * sums.moments[m as usize])
                    .sum::<f64>(),
            );
            start = end;
        }
        let pair = |k: u32, l: u32| {
            let (k, l) = (k.max(l) as usize, k.min(l) as usize);
            pairs[k * (k + 1) / 2 + l]
        };
        let size = self.features();
        let (mut gram, mut rhs) = (vec![0.0; size * size], vec![0.0; size]);
        for e in 0..size {
            for &(a, k, x) in self.gradients.of(e) {
                let s = scale[a as usize];
                rhs[e] += s * x * sums.against[k as usize * self.dim + a as usize];
                for f in 0..=e {
                    for &(b, l, y) in self.gradients.of(f) {
                        if a == b {
                            gram[e * size + f] += s * s * x * y * pair(k, l);
                        }
                    }
                }
            }
            for f in 0..e {
                gram[f * size + e] = gram[e * size + f];
            }
        }
        NormalEquations::from_sums(gram, rhs, sums.square, sums.points)
    }
}

/// Appends the expansion of `h_k h_l`.
fn expand(k: &[u8], l: &[u8], high: &Products, terms: &mut Vec<(u32, f64)>) {
    let factorial = |n: u8| (1..=n).map(f64::from).product::<f64>();
    let coefficient = |k: u8, l: u8, j: u8| {
        (factorial(k) * factorial(l) * factorial(k + l - 2 * j)).sqrt()
            / (factorial(j) * factorial(k - j) * factorial(l - j))
    };
    let mut j = vec![0u8; k.len()];
    loop {
        let exponents: Vec<u8> = (0..k.len()).map(|a| k[a] + l[a] - 2 * j[a]).collect();
        let c = (0..k.len())
            .map(|a| coefficient(k[a], l[a], j[a]))
            .product();
        if let Some(m) = high.index(&exponents) {
            terms.push((m as u32, c));
        }
        // The next choice of contractions, as an odometer.
        let Some(a) = (0..k.len()).find(|&a| j[a] < k[a].min(l[a])) else {
            return;
        };
        j[a] += 1;
        j[..a].fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of products of gradients, by the definition.
    #[test]
    fn equations_are_those_of_the_design() {
        let by = Linearisation::new(3, 4);
        let low = Products::new(3, 3);
        let count = 40;
        let z: Vec<f64> = (0..3 * count)
            .map(|i| ((i * i) as f64 * 0.37).sin() * 3.0)
            .collect();
        let target: Vec<f64> = (0..3 * count).map(|i| (i as f64 * 0.7).cos()).collect();
        let (mut tables, mut values, mut small) = (vec![], vec![], vec![]);
        by.high.evaluate(&z, count, &mut tables, &mut values);
        low.evaluate(&z, count, &mut tables, &mut small);
        let mut sums = HermiteSums::new(&by);
        sums.add(&values, &target, count);
        let scale = [1.0, 0.5, 2.0];
        let got = by.equations(&sums, &scale);
        let column = |e: usize| {
            let mut column = vec![0.0; 3 * count];
            for &(a, k, x) in by.gradients.of(e) {
                let (a, k) = (a as usize, k as usize);
                for i in 0..count {
                    column[a * count + i] = scale[a] * x * small[k * count + i];
                }
            }
            column
        };
        let plain = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        for e in 0..by.features() {
            let here = column(e);
            let own = plain(&here, &here).sqrt();
            assert!((got.rhs()[e] - plain(&here, &target)).abs() <= 1e-12 * own * 10.0);
            for f in 0..by.features() {
                let other = column(f);
                let want = plain(&here, &other);
                // Coefficients of the expansions sum to less than 1000 here.
                let allowed = 1e3 * f64::EPSILON * (own * plain(&other, &other).sqrt() + 1.0);
                let found = got.gram()[e * by.features() + f];
                assert!((found - want).abs() <= allowed, "{e} {f} {found} {want}");
            }
        }
    }
}
