//! Expectations over the latent given its sample, `p(x | u)` for `u = A phi(x) + e`.
//!
//! Around each of the most probable latents the law is integrated by a rule for the normal law with precision `J'J + I`:
//! first a rule of degree five with `2 r^2 + 1` points, which is enough where the law is nearly normal. Where it is not
//! (small latents, which noise drowns) the rule is moved to the mean and the covariance that it finds itself, and the tensor
//! product of Gauss-Hermite rules is used. Several modes count with their evidence; those that the moved rules have
//! brought together count once.
//!
//! Source: A. H. Stroud, *Approximate calculation of multiple integrals* (1971), the formula `E_r^(r^2): 5-2`;
//! J. C. Naylor and A. F. M. Smith, *Applications of a method for the efficient computation of posterior distributions* (1982).

use super::modes::{Atlas, Model, Scratch};
use crate::Error;
use crate::poly::gaussian::gauss_hermite;

/// Variance of the logarithm of the weights up to which a law counts as normal: the rule of degree five errs by its square
/// root cubed.
const NORMAL: f64 = 1e-3;
/// Moves of the rule.
const MOVES: usize = 3;
/// Weights below this share are nothing.
const NOTHING: f64 = 1e-14;
/// Squared distance, in the metric of the covariance, of modes that are one.
const ONE: f64 = 9.0;

/// Points and weights for `N(0, I_r)`.
struct Rule {
    points: Vec<f64>,
    weights: Vec<f64>,
}

/// The rules that the laws are integrated with.
pub(super) struct Rules {
    small: Rule,
    full: Rule,
}

/// What one sample says.
pub(super) struct Told {
    /// `log p(u)`, without `-(d/2) log 2 pi`.
    pub(super) log: f64,
    /// `E x`.
    pub(super) mean: Vec<f64>,
    /// `E x x'`, `r x r`.
    pub(super) square: Vec<f64>,
    /// `E e phi(x)'` with `e = u - A phi(x)`, `d x m` row by row.
    pub(super) cross: Vec<f64>,
    /// `E e_a^2`.
    pub(super) gaps: Vec<f64>,
}

/// Points of a rule moved to a law, with what the map does there.
#[derive(Default)]
struct Cloud {
    points: Vec<f64>,
    phi: Vec<f64>,
    gap: Vec<f64>,
    logs: Vec<f64>,
    weights: Vec<f64>,
    /// `log` of the sum of weights, with the volume.
    log: f64,
}

impl Rules {
    pub(super) fn new(r: usize) -> Result<Self, Error> {
        Ok(Self {
            small: degree_five(r),
            full: product(r)?,
        })
    }
}

/// Stroud's rule of degree five; all weights are nonnegative for `r <= 4`.
fn degree_five(r: usize) -> Rule {
    let n = r as f64;
    let mut rule = Rule {
        points: vec![0.0; r],
        weights: vec![2.0 / (n + 2.0)],
    };
    let mut push = |place: &[(usize, f64)], weight: f64| {
        let mut x = vec![0.0; r];
        place.iter().for_each(|&(j, v)| x[j] = v);
        rule.points.extend(x);
        rule.weights.push(weight);
    };
    let axis = (n + 2.0).sqrt();
    let diagonal = (0.5 * (n + 2.0)).sqrt();
    for i in 0..r {
        for s in [-1.0, 1.0] {
            push(&[(i, s * axis)], (4.0 - n) / (2.0 * (n + 2.0).powi(2)));
            for j in 0..i {
                for t in [-1.0, 1.0] {
                    push(&[(i, s * diagonal), (j, t * diagonal)], (n + 2.0).powi(-2));
                }
            }
        }
    }
    rule
}

/// The tensor product of Gauss-Hermite rules.
fn product(r: usize) -> Result<Rule, Error> {
    let (x, w) = gauss_hermite(if r <= 2 { 9 } else { 5 })?;
    let q = x.len();
    let count = (0..r).fold(1, |c, _| c * q);
    let mut rule = Rule {
        points: Vec::with_capacity(count * r),
        weights: Vec::with_capacity(count),
    };
    for k in 0..count {
        let (mut rest, mut weight) = (k, 1.0);
        for _ in 0..r {
            rule.points.push(x[rest % q]);
            weight *= w[rest % q];
            rest /= q;
        }
        rule.weights.push(weight);
    }
    Ok(rule)
}

impl Model {
    /// What a sample `u` (in units of the noise) says.
    pub(super) fn told(&self, u: &[f64], atlas: &Atlas, rules: &Rules, s: &mut Scratch) -> Told {
        let modes = self.modes(u, atlas, s);
        let mut found: Vec<(Told, Vec<f64>)> = Vec::with_capacity(modes.len());
        for mode in modes {
            if let Some(one) = self.around(u, &mode, rules, s) {
                let place = found.partition_point(|f| f.0.log >= one.0.log);
                found.insert(place, one);
            }
        }
        let mut apart: Vec<(Told, Vec<f64>)> = Vec::with_capacity(found.len());
        for one in found {
            if apart
                .iter()
                .all(|f| distance(f, &one.0.mean, self.even()) > ONE)
            {
                apart.push(one);
            }
        }
        average(apart.into_iter().map(|f| f.0).collect(), self)
    }

    /// The law around one latent, with a factor of its covariance.
    fn around(
        &self,
        u: &[f64],
        mode: &[f64],
        rules: &Rules,
        s: &mut Scratch,
    ) -> Option<(Told, Vec<f64>)> {
        let r = self.latent();
        self.residual(u, mode, s);
        self.slopes(s);
        let mut root = inverse_root(self.precision(s), r)?;
        let mut cloud = Cloud::default();
        self.spread(u, (mode, &root), &rules.small, &mut cloud, s);
        let spread = variance(&cloud.logs, &rules.small.weights);
        if !(spread <= NORMAL) {
            let mut centre = mode.to_vec();
            for step in 0..=MOVES {
                self.spread(u, (&centre, &root), &rules.full, &mut cloud, s);
                if step < MOVES {
                    let (mean, square) = moments(&cloud, r);
                    if let Some(better) = covariance_root(&mean, &square, &root, r) {
                        (centre, root) = (mean, better);
                    }
                }
            }
        }
        let (mean, square) = moments(&cloud, r);
        let (cross, gaps) = self.products(&cloud);
        let log = cloud.log;
        let told = Told {
            log,
            mean,
            square,
            cross,
            gaps,
        };
        log.is_finite().then_some((told, root))
    }

    /// Puts a rule at `centre + root n` and weighs its points.
    fn spread(
        &self,
        u: &[f64],
        (centre, root): (&[f64], &[f64]),
        rule: &Rule,
        cloud: &mut Cloud,
        s: &mut Scratch,
    ) {
        let r = self.latent();
        cloud.points.clear();
        cloud.phi.clear();
        cloud.gap.clear();
        cloud.logs.clear();
        let mut x = vec![0.0; r];
        for n in rule.points.chunks_exact(r) {
            for (i, x) in x.iter_mut().enumerate() {
                let row = &root[i * r..(i + 1) * r];
                *x = centre[i] + row.iter().zip(n).map(|(l, n)| l * n).sum::<f64>();
            }
            let square = self.residual(u, &x, s);
            let prior: f64 = x.iter().map(|x| x * x).sum();
            let normal: f64 = n.iter().map(|n| n * n).sum();
            cloud.logs.push(0.5 * (normal - square - prior));
            cloud.points.extend(&x);
            cloud.phi.extend(&s.phi);
            cloud.gap.extend(&s.gap);
        }
        let top = cloud.logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weigh = |(l, w): (&f64, &f64)| (l - top).exp() * w;
        cloud.weights = cloud.logs.iter().zip(&rule.weights).map(weigh).collect();
        let total: f64 = cloud.weights.iter().sum();
        cloud.weights.iter_mut().for_each(|w| *w /= total);
        let volume: f64 = (0..r).map(|i| root[i * r + i].abs().ln()).sum();
        cloud.log = top + total.ln() + volume;
    }

    /// `E e phi'` and `E e_a^2`.
    fn products(&self, cloud: &Cloud) -> (Vec<f64>, Vec<f64>) {
        let (d, m) = (self.outputs(), self.basis.len());
        let (mut cross, mut gaps) = (vec![0.0; d * m], vec![0.0; d]);
        let all = cloud.phi.chunks_exact(m).zip(cloud.gap.chunks_exact(d));
        for ((phi, gap), w) in all.zip(&cloud.weights) {
            if *w < NOTHING {
                continue;
            }
            for ((row, e), square) in cross.chunks_exact_mut(m).zip(gap).zip(&mut gaps) {
                let we = w * e;
                row.iter_mut().zip(phi).for_each(|(c, p)| *c += we * p);
                *square += we * e;
            }
        }
        (cross, gaps)
    }
}

/// The average of laws that lie apart, each with its evidence.
fn average(mut parts: Vec<Told>, model: &Model) -> Told {
    let (r, d, m) = (model.latent(), model.outputs(), model.basis.len());
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let top = parts.first().map_or(f64::NEG_INFINITY, |p| p.log);
    let total: f64 = parts.iter().map(|p| (p.log - top).exp()).sum();
    let mut all = Told {
        log: if parts.is_empty() {
            top
        } else {
            top + total.ln()
        },
        mean: vec![0.0; r],
        square: vec![0.0; r * r],
        cross: vec![0.0; d * m],
        gaps: vec![0.0; d],
    };
    for p in parts {
        let w = (p.log - top).exp() / total;
        let add = |to: &mut [f64], from: &[f64]| {
            to.iter_mut().zip(from).for_each(|(t, f)| *t += w * f);
        };
        add(&mut all.mean, &p.mean);
        add(&mut all.square, &p.square);
        add(&mut all.cross, &p.cross);
        add(&mut all.gaps, &p.gaps);
    }
    all
}

/// Mean and second moments of a cloud.
fn moments(cloud: &Cloud, r: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut mean, mut square) = (vec![0.0; r], vec![0.0; r * r]);
    for (x, w) in cloud.points.chunks_exact(r).zip(&cloud.weights) {
        for i in 0..r {
            mean[i] += w * x[i];
            (0..r).for_each(|j| square[i * r + j] += w * x[i] * x[j]);
        }
    }
    (mean, square)
}

/// Weighted variance.
fn variance(x: &[f64], w: &[f64]) -> f64 {
    let mean: f64 = x.iter().zip(w).map(|(x, w)| x * w).sum();
    x.iter().zip(w).map(|(x, w)| w * (x - mean).powi(2)).sum()
}

/// Lower triangular `L` with `L L' = H`, in place; false when there is none.
fn cholesky(h: &mut [f64], r: usize) -> bool {
    for j in 0..r {
        for i in j..r {
            let s: f64 = (0..j).map(|k| h[i * r + k] * h[j * r + k]).sum();
            h[i * r + j] -= s;
        }
        let d = h[j * r + j];
        if !(d > 0.0 && d.is_finite()) {
            return false;
        }
        let root = d.sqrt();
        (j..r).for_each(|i| h[i * r + j] /= root);
    }
    for i in 0..r {
        (i + 1..r).for_each(|j| h[i * r + j] = 0.0);
    }
    true
}

/// `R` with `R R' = H^-1`: the inverse transpose of the Cholesky factor, upper triangular.
fn inverse_root(mut h: Vec<f64>, r: usize) -> Option<Vec<f64>> {
    if !cholesky(&mut h, r) {
        return None;
    }
    let mut inverse = vec![0.0; r * r];
    for c in 0..r {
        // Column c of L^-1 is row c of the result.
        for i in c..r {
            let s: f64 = (c..i).map(|k| h[i * r + k] * inverse[c * r + k]).sum();
            inverse[c * r + i] = (f64::from(u8::from(i == c)) - s) / h[i * r + i];
        }
    }
    Some(inverse)
}

/// A factor of the covariance of a cloud, unless the cloud has collapsed or is wider than the normal law that it began from
/// could be.
fn covariance_root(mean: &[f64], square: &[f64], old: &[f64], r: usize) -> Option<Vec<f64>> {
    let mut cov: Vec<f64> = (0..r * r)
        .map(|k| square[k] - mean[k / r] * mean[k % r])
        .collect();
    let size = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
    let trace: f64 = (0..r).map(|i| cov[i * r + i]).sum();
    let before = size(old);
    if !(trace > 1e-6 * before) || !cholesky(&mut cov, r) {
        return None;
    }
    let least = (0..r).map(|i| cov[i * r + i]).fold(f64::INFINITY, f64::min);
    (least * least > 1e-8 * before).then_some(cov)
}

/// Squared distance of a mean from a law, in the metric of its covariance.
fn distance((law, root): &(Told, Vec<f64>), mean: &[f64], even: bool) -> f64 {
    let r = mean.len();
    let solved = |sign: f64| -> f64 {
        let gap: Vec<f64> = mean
            .iter()
            .zip(&law.mean)
            .map(|(a, b)| sign * a - b)
            .collect();
        solve_triangular(root, gap, r).iter().map(|x| x * x).sum()
    };
    let near = solved(1.0);
    if even { near.min(solved(-1.0)) } else { near }
}

/// `R^-1 x` for a triangular `R`, upper or lower.
fn solve_triangular(root: &[f64], mut x: Vec<f64>, r: usize) -> Vec<f64> {
    let upper = (1..r).all(|i| (0..i).all(|j| root[i * r + j] == 0.0));
    for step in 0..r {
        let i = if upper { r - 1 - step } else { step };
        let others = (0..r).filter(|&k| if upper { k > i } else { k < i });
        let s: f64 = others.map(|k| root[i * r + k] * x[k]).sum();
        x[i] = (x[i] - s) / root[i * r + i];
    }
    x
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rules_have_their_degree() {
        for r in 1..=4 {
            for (rule, degree) in [(degree_five(r), 5), (product(r).unwrap(), 9)] {
                let mean = |f: &dyn Fn(&[f64]) -> f64| -> f64 {
                    let all = rule.points.chunks_exact(r).zip(&rule.weights);
                    all.map(|(x, w)| w * f(x)).sum()
                };
                assert!((mean(&|_| 1.0) - 1.0).abs() < 1e-12);
                assert!(
                    (mean(&|x| x[0].powi(4)) - 3.0).abs() < 1e-12,
                    "{r} {degree}"
                );
                let last = r - 1;
                let mixed = if r > 1 { 1.0 } else { 3.0 };
                assert!((mean(&|x| x[0].powi(2) * x[last].powi(2)) - mixed).abs() < 1e-12);
                assert!(rule.weights.iter().all(|w| *w >= 0.0));
            }
        }
    }

    #[test]
    fn roots_are_roots() {
        let h = vec![4.0, 0.0, 0.0, 1.0, 3.0, 0.0, -0.5, 0.7, 2.0];
        let full = |i: usize, j: usize| if i >= j { h[i * 3 + j] } else { h[j * 3 + i] };
        let root = inverse_root(h.clone(), 3).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                // H R R' = I.
                let rr = |a: usize, b: usize| {
                    (0..3)
                        .map(|k| root[a * 3 + k] * root[b * 3 + k])
                        .sum::<f64>()
                };
                let one: f64 = (0..3).map(|k| full(i, k) * rr(k, j)).sum();
                assert!((one - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
    }
}
