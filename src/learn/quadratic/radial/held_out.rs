//! Held-out samples of a rotation-invariant input: moments along directions, and the latents.

use crate::Error;
use crate::io::samples::Samples;
use crate::learn::quadratic::whitened::map::WhiteMap;
use crate::learn::quadratic::whitened::third_cumulants::WhiteRows;
use crate::linalg::{norm2, symmetric_eigen};
use crate::tensor::QuadraticMap;
use faer::{Mat, MatRef};
use rand::Rng;

const OP: &str = "RadialQuadratic::learn";
/// Quantiles of `|x|` that are kept.
const QUANTILES: usize = 101;

/// Held-out rows: outputs along test directions, and latents where the map is exact.
pub(in crate::learn) struct Held {
    directions: Mat<f64>,
    /// `n x m`: outputs along the directions.
    along: Mat<f64>,
    /// `x x'` by the linear inverse, as its eigenvector times the root: `n` rows of `r`.
    x: Vec<f64>,
}

/// The latents of held-out rows.
pub(in crate::learn) struct Latents {
    pub(in crate::learn) directions: f64,
    radii: Vec<f64>,
}

impl Held {
    pub(in crate::learn) fn of(
        samples: &Samples,
        rows: &WhiteRows,
        white: &WhiteMap,
        map: &QuadraticMap,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        const MOST: usize = 100_000;
        let directions = rows.test_directions(samples.columns(), rng);
        let d = samples.columns();
        let mut data = Vec::new();
        for chunk in samples.chunks(4096) {
            let chunk = chunk?;
            for (i, row) in chunk.data.chunks_exact(d).enumerate() {
                let held = rows.split.holds_out((chunk.first_row + i) as u64);
                if held && data.len() < MOST * d {
                    data.extend_from_slice(row);
                }
            }
        }
        let z = MatRef::from_row_major_slice(&data, data.len() / d, d);
        let along = z * &directions;
        let x = latents_of(z, rows, white, map.latent_dim())?;
        Ok(Self {
            directions,
            along,
            x,
        })
    }

    pub(in crate::learn) fn count(&self) -> usize {
        self.along.nrows()
    }

    /// z-scores of raw second and third moments along the directions, and their relative residual.
    pub(in crate::learn) fn moments(
        &self,
        map: &QuadraticMap,
        (four, six): (f64, f64),
    ) -> (f64, f64, f64) {
        let n = self.count() as f64;
        let (mut second, mut third, mut gaps, mut norms) = (0.0f64, 0.0f64, 0.0, 0.0);
        for k in 0..self.directions.ncols() {
            let w: Vec<f64> = (0..self.directions.nrows())
                .map(|a| self.directions[(a, k)])
                .collect();
            let q = map.combination(&w).quadratic;
            let q2 = &q * &q;
            let trace = |m: &Mat<f64>| (0..m.nrows()).map(|i| m[(i, i)]).sum::<f64>();
            let (t, s, t3) = (trace(&q), trace(&q2), trace(&(&q2 * &q)));
            let law = [
                four * (t * t + 2.0 * s),
                six * (t.powi(3) + 6.0 * s * t + 8.0 * t3),
            ];
            for (order, expected) in [(2, law[0]), (3, law[1])] {
                let powers: Vec<f64> = self
                    .along
                    .col_as_slice(k)
                    .iter()
                    .map(|s| s.powi(order))
                    .collect();
                let mean = powers.iter().sum::<f64>() / n;
                let variance = powers.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / n;
                // Half as much again for the error of the model itself.
                let z =
                    (mean - expected).abs() / (2.0 * variance / n).sqrt().max(f64::MIN_POSITIVE);
                let slot = if order == 2 { &mut second } else { &mut third };
                *slot = if z > *slot || z.is_nan() { z } else { *slot };
                let unit = law[0].max(f64::MIN_POSITIVE).powf(-0.5 * f64::from(order));
                gaps += ((mean - expected) * unit).powi(2);
                norms += (mean * unit).powi(2);
            }
        }
        (second, third, (gaps / norms).sqrt())
    }

    pub(in crate::learn) fn latents(&self, r: usize) -> Latents {
        let radii: Vec<f64> = self.x.chunks_exact(r).map(norm2).collect();
        let mut worst = 0.0f64;
        // |u_1| has the distribution function of one coordinate of the sphere; in one dimension nothing is left.
        for k in 0..if r > 1 { 2 * r } else { 0 } {
            let pick = |x: &[f64], radius: f64| -> f64 {
                let s = match k < r {
                    true => x[k],
                    false => (x[k - r] + x[(k - r + 1) % r]) / 2f64.sqrt(),
                };
                if radius > 0.0 {
                    (s / radius).abs()
                } else {
                    0.0
                }
            };
            let mut values: Vec<f64> = self
                .x
                .chunks_exact(r)
                .zip(&radii)
                .map(|(x, &radius)| pick(x, radius))
                .collect();
            values.sort_by(f64::total_cmp);
            let n = values.len() as f64;
            for (i, v) in values.iter().enumerate() {
                let p = cap(r, *v);
                let gap = (p - i as f64 / n).abs().max((p - (i + 1) as f64 / n).abs());
                worst = worst.max(gap * n.sqrt());
            }
        }
        Latents {
            directions: worst,
            radii,
        }
    }
}

/// The latents of rows up to sign, `r` entries each: `x x'` by the linear inverse, as its eigenvector times the root.
pub(in crate::learn) fn latents_of(
    z: MatRef<'_, f64>,
    rows: &WhiteRows,
    white: &WhiteMap,
    r: usize,
) -> Result<Vec<f64>, Error> {
    let (n, f) = (rows.down.ncols(), r * (r + 1) / 2);
    let c = white.coefficients.subcols(0, f);
    let y = Mat::from_fn(n, z.nrows(), |k, i| {
        let scaled = |a: usize| z[(i, rows.active[a])] * rows.scale[a] - rows.mean[a];
        (0..rows.active.len())
            .map(|a| rows.down[(a, k)] * scaled(a))
            .sum::<f64>()
            - white.coefficients[(k, f)]
    });
    let squares = crate::linalg::solve(OP, c, y.as_ref())?;
    let mut x = Vec::with_capacity(r * z.nrows());
    let half = 0.5f64.sqrt();
    for i in 0..z.nrows() {
        let mut square = Mat::<f64>::zeros(r, r);
        for (k, &(a, b)) in WhiteMap::places(r).iter().enumerate() {
            let v = if a == b {
                squares[(k, i)]
            } else {
                half * squares[(k, i)]
            };
            square[(a, b)] = v;
            square[(b, a)] = v;
        }
        let e = symmetric_eigen(OP, square.as_ref())?;
        let root = e.values[r - 1].max(0.0).sqrt();
        x.extend((0..r).map(|j| e.vectors[(j, r - 1)] * root));
    }
    Ok(x)
}

/// `P(|u_1| <= s)` for `u` uniform on the sphere of `R^r`: `2 c int_0^s (1 - v^2)^((r-3)/2) dv`, by substitution
/// `v = sin a` and a recursion over `r`.
fn cap(r: usize, s: f64) -> f64 {
    let a = s.clamp(0.0, 1.0).asin();
    // I_p = int_0^a cos^p, J_p the same up to pi/2, for p = r - 2.
    let p = r - 2;
    let half = std::f64::consts::FRAC_PI_2;
    let (mut i, mut j) = match p % 2 {
        0 => (a, half),
        _ => (a.sin(), 1.0),
    };
    let mut q = p % 2;
    while q < p {
        q += 2;
        let k = q as f64;
        i = (a.cos().powi(q as i32 - 1) * a.sin() + (k - 1.0) * i) / k;
        j *= (k - 1.0) / k;
    }
    (i / j).clamp(0.0, 1.0)
}

impl Latents {
    /// `m_4` and `m_6` at `m_2 = 1`.
    pub(in crate::learn) fn law(&self, r: usize) -> (f64, f64) {
        let n = self.radii.len() as f64;
        let power = |k: i32| self.radii.iter().map(|x| x.powi(k)).sum::<f64>() / n;
        let r = r as f64;
        let two = power(2) / r;
        (
            power(4) / (r * (r + 2.0)) / two.powi(2),
            power(6) / (r * (r + 2.0) * (r + 4.0)) / two.powi(3),
        )
    }

    pub(in crate::learn) fn z_of_fourth(&self, expected: f64, r: usize) -> f64 {
        let n = self.radii.len() as f64;
        let r = r as f64;
        let fourth: Vec<f64> = self
            .radii
            .iter()
            .map(|x| x.powi(4) / (r * (r + 2.0)))
            .collect();
        let mean = fourth.iter().sum::<f64>() / n;
        let variance = fourth.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        // The scale comes from other samples; a law without spread is met up to that.
        let error = (2.0 * variance / n).sqrt() + mean / n.sqrt();
        (mean - expected).abs() / error.max(f64::MIN_POSITIVE)
    }

    pub(in crate::learn) fn quantiles(&self) -> Vec<f64> {
        let mut sorted = self.radii.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        (0..QUANTILES)
            .filter_map(|q| sorted.get(q * last / (QUANTILES - 1)).copied())
            .collect()
    }
}
