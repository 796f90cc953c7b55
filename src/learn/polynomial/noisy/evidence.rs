//! Held-out samples against fresh draws of the law that was learned, noise included.
//!
//! Three figures of each sample that the model knows how to read (its likelihood, the squared distance from the variety in units
//! of the noise, and the squared length of its latent) must be distributed as they are for draws; and the whole law is
//! compared with all samples ([`LawTest`]).

use super::modes::{Atlas, Model};
use super::posterior::{Rules, Told};
use super::scoring::Rows;
use crate::Error;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::learn::quadratic::checks::noisy_law::detectable;
use crate::run::Observer;
use crate::stats::distances::ks_of_sorted;
use crate::stats::goodness::law_test::LawTest;
use crate::stats::goodness::rows::some_rows;
use faer::MatRef;
use rand::Rng;

const OP: &str = "Polynomial::learn";
/// Bound on the z-score of the mean log-likelihood, whose tails are those of `|x|^2`.
const MAX_Z: f64 = 6.0;
/// Kolmogorov's distance of each of three figures in units of `(n m / (n + m))^(1/2)`: false alarm `2 exp(-2 t^2) = 7e-6` each.
const MAX_DISTANCE: f64 = 2.5;
/// Noise beyond which nothing but the shape of the law tells it from the map.
const MOST_NOISE: f64 = 0.5;

/// Log-likelihoods, squared distances and squared lengths of the latents of rows, in their order.
fn figures(
    model: &Model,
    rows: Rows<'_>,
    tools: (&Atlas, &Rules),
    observer: Observer<'_>,
) -> Result<[Vec<f64>; 3], Error> {
    let (mut all, r) = ([const { Vec::new() }; 3], model.latent());
    let fold = |told: &[Told]| -> Vec<[f64; 3]> {
        let one = |t: &Told| {
            let length = (0..r).map(|i| t.square[i * r + i]).sum();
            [t.log, t.gaps.iter().sum(), length]
        };
        told.iter().map(one).collect()
    };
    let take = |part: Vec<[f64; 3]>| {
        for one in part {
            all.iter_mut().zip(one).for_each(|(v, x)| v.push(x));
        }
    };
    let done = model.tell(rows, tools, "held-out samples", observer, fold, take);
    done.ok_or(Error::Stopped { op: OP })?;
    Ok(all)
}

/// Held-out rows (in the units of the model) against as many draws.
pub(super) fn held_out(
    model: &Model,
    (held, learned): (Rows<'_>, usize),
    tools: (&Atlas, &Rules),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<Vec<Check>, Error> {
    let drawn = model.draw(held.count(), rng)?;
    let fresh = Rows {
        entries: &drawn,
        columns: held.columns,
    };
    let own = figures(model, held, tools, &mut *observer)?;
    let drawn = figures(model, fresh, tools, observer)?;
    // What the map errs by, the sample's own law would err by too.
    let inflation = (1.0 + held.count() as f64 / learned.max(1) as f64).sqrt();
    let z = z_score(&own[0], &drawn[0]) / inflation;
    let mut checks = vec![
        Check::reported(
            "polynomial.held-out-samples",
            "held-out samples",
            held.count() as f64,
        ),
        Check::sampling(
            "polynomial.likelihood-z",
            "log-likelihood of held-out samples against fresh draws: z-score",
            z,
            MAX_Z,
        ),
    ];
    let names = [
        (
            "polynomial.likelihood-distance",
            "log-likelihood of held-out samples against fresh draws: distance of their distributions, in standard units",
        ),
        (
            "polynomial.gap-distance",
            "distance from the variety of held-out samples against fresh draws, likewise",
        ),
        (
            "polynomial.latent-distance",
            "length of the latents of held-out samples against fresh draws, likewise",
        ),
    ];
    for ((key, label), (a, b)) in names.into_iter().zip(own.into_iter().zip(drawn)) {
        let distance = kolmogorov(a, b) / inflation;
        checks.push(Check::sampling(key, label, distance, MAX_DISTANCE));
    }
    Ok(checks)
}

/// Latents of rows that were learned from against those of as many draws: rows enough to see that inputs are not normal, which
/// a map of few parameters cannot hide.
pub(super) fn learned_latents(
    model: &Model,
    rows: Rows<'_>,
    tools: (&Atlas, &Rules),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<Check, Error> {
    let drawn = model.draw(rows.count(), rng)?;
    let fresh = Rows {
        entries: &drawn,
        columns: rows.columns,
    };
    let [.., own] = figures(model, rows, tools, &mut *observer)?;
    let [.., drawn] = figures(model, fresh, tools, observer)?;
    Ok(Check::sampling(
        "polynomial.learned-latents",
        "length of the latents of samples learned from against fresh draws: distance of their distributions, in standard units",
        kolmogorov(own, drawn),
        MAX_DISTANCE,
    ))
}

/// All samples against draws of the law; `units` divide the outputs of the model into those of the samples.
pub(super) fn whole_law<G: Rng>(
    samples: &Samples,
    (model, units): (&Model, &[f64]),
    learned: usize,
    rng: &mut G,
    observer: Observer<'_>,
) -> Result<Vec<Check>, Error> {
    let (rows, d) = (some_rows(samples)?, samples.columns());
    let rows = MatRef::from_row_major_slice(&rows, rows.len() / d, d);
    let mut draw = |n: usize, rng: &mut G| {
        let mut z = model.draw(n, rng)?;
        z.iter_mut()
            .enumerate()
            .for_each(|(k, z)| *z /= units[k % d]);
        Ok(z)
    };
    let test = LawTest::run(rows, (learned, 1.0), &mut draw, rng, observer)?;
    Ok(vec![
        test.check("polynomial.law", "all samples"),
        detectable(&test, "polynomial.detectable"),
    ])
}

/// Whether noise that was estimated can be told from a map at all.
pub(super) fn noise_is_told(share: f64) -> Check {
    let label = "estimated noise, as a share of the standard deviation: beyond this nothing tells it from the map";
    Check::power("polynomial.noise-told", label, share, MOST_NOISE)
}

/// Of the difference of two means.
fn z_score(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let spread = |x: &[f64]| {
        let m = mean(x);
        x.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (x.len() as f64).powi(2)
    };
    (mean(a) - mean(b)).abs() / (spread(a) + spread(b)).sqrt()
}

/// Kolmogorov's distance of two samples of one size, times the root of half of it.
fn kolmogorov(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let size = a.len() as f64 * b.len() as f64 / (a.len() + b.len()).max(1) as f64;
    ks_of_sorted(&a, &b) * size.sqrt()
}
