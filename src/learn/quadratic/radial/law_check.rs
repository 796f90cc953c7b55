//! Is the sample that of a rotation-invariant input? All rows against the law, and all latents against the sphere.

use super::held_out::latents_of;
use super::map::RadialMap;
use crate::Error;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::learn::quadratic::checks::noisy_law::detectable;
use crate::learn::quadratic::whitened::map::WhiteMap;
use crate::learn::quadratic::whitened::third_cumulants::WhiteRows;
use crate::linalg::norm2;
use crate::run::Observer;
use crate::stats::goodness::law_test::LawTest;
use crate::stats::goodness::rows::some_rows;
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Mean and covariance are met through raw moments and quantiles of `|x|`, not as well as by the empirical law.
const LOOSE: f64 = 5.0;
/// Variance of the outputs outside the span of the map that is let pass, as a share of the whole: rounding.
const MOST_LEFT_OUT: f64 = 1e-6;

/// The share of the outputs' spread that the map does not span.
///
/// A quadratic map without linear part of `r` latents fills `r (r + 1) / 2` dimensions of raw second moments; what else
/// the outputs do was not modelled, and no test of the model would see it.
pub(in crate::learn) fn left_out(second: &Mat<f64>, values: &[f64], keep: usize) -> Check {
    let total = (0..second.nrows()).map(|i| second[(i, i)]).sum::<f64>();
    let left: f64 = values.iter().skip(keep).map(|v| v.max(0.0)).sum();
    let name = "root of the share of the outputs' second moments outside the span of the map";
    let share = (left / total.max(f64::MIN_POSITIVE)).sqrt();
    Check::accuracy("radial.left-out", name, share, MOST_LEFT_OUT.sqrt())
}

/// All rows against the law of a map learned from so many of them, where that is known, and their latents, where these are
/// seen, against the sphere.
pub(in crate::learn) fn follows<G: Rng>(
    samples: &Samples,
    (map, learned): (&RadialMap, usize),
    latents: Option<(&WhiteRows, &WhiteMap)>,
    rng: &mut G,
    observer: Observer<'_>,
) -> Result<Vec<Check>, Error> {
    let mut checks = Vec::new();
    if !map.radii.is_empty() {
        // Moments err about twice as much as the empirical law does.
        let learned = if latents.is_some() {
            learned
        } else {
            learned / 5
        };
        checks.extend(outputs_follow(samples, map, learned, rng, &mut *observer)?);
    }
    if let Some(latents) = latents {
        checks.extend(directions_follow(samples, latents, rng, observer)?);
    }
    Ok(checks)
}

/// The law of the map against all rows.
fn outputs_follow<G: Rng>(
    samples: &Samples,
    map: &RadialMap,
    learned: usize,
    rng: &mut G,
    observer: Observer<'_>,
) -> Result<Vec<Check>, Error> {
    let rows = some_rows(samples)?;
    let d = samples.columns();
    let rows = MatRef::from_row_major_slice(&rows, rows.len() / d, d);
    let mut draw = |n: usize, rng: &mut G| map.sample(n, rng);
    let test = LawTest::run(rows, (learned, LOOSE), &mut draw, rng, observer)?;
    Ok(vec![
        test.check("radial.law", "all samples"),
        detectable(&test, "radial.detectable"),
    ])
}

/// The directions of the latents of all rows, which must be uniform: their products `u_i u_j` against those of the sphere.
///
/// The covariance of the products is the fourth-order tensor of the directions, so this is the test of Giné by
/// harmonics of degrees two and four, beside the distribution along directions.
fn directions_follow<G: Rng>(
    samples: &Samples,
    (rows, white): (&WhiteRows, &WhiteMap),
    rng: &mut G,
    observer: Observer<'_>,
) -> Result<Option<Check>, Error> {
    let r = white.rank;
    if r < 2 {
        return Ok(None);
    }
    let data = some_rows(samples)?;
    let d = samples.columns();
    let z = MatRef::from_row_major_slice(&data, data.len() / d, d);
    let x = latents_of(z, rows, white, r)?;
    let places = WhiteMap::places(r);
    let products = |x: &[f64]| -> Vec<f64> {
        let square = norm2(x).powi(2).max(f64::MIN_POSITIVE);
        places.iter().map(|&(a, b)| x[a] * x[b] / square).collect()
    };
    let m = places.len();
    let own: Vec<f64> = x.chunks_exact(r).flat_map(products).collect();
    let mut draw = |n: usize, rng: &mut G| {
        let mut out = Vec::with_capacity(n * m);
        for _ in 0..n {
            let u: Vec<f64> = (0..r).map(|_| StandardNormal.sample(&mut *rng)).collect();
            out.extend(products(&u));
        }
        Ok(out)
    };
    let own = MatRef::from_row_major_slice(&own, own.len() / m, m);
    // The frame of the latents was fixed by these rows, which brings their second moments nearer to those of the sphere.
    let test = LawTest::run(own, (own.nrows(), 1.0), &mut draw, rng, observer)?;
    Ok(Some(test.check(
        "radial.directions-law",
        "products of the directions of all latents",
    )))
}
