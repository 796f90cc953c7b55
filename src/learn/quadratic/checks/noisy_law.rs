//! Does the law of a map with noise describe the sample? All rows against fresh draws.
//!
//! With noise the samples are on no variety, and cumulants along a few directions see little of a law of another kind whose
//! noise was made up to meet them; so the whole law is compared ([`LawTest`]).

use crate::Error;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::learn::quadratic::noisy::noisy_samples::add_noise;
use crate::run::Observer;
use crate::stats::goodness::law_test::LawTest;
use crate::stats::goodness::rows::some_rows;
use crate::tensor::QuadraticMap;
use faer::MatRef;
use rand::Rng;

/// Kolmogorov's distance that may go unnoticed.
pub(in crate::learn) const UNNOTICED: f64 = 0.15;
/// Share of noise beyond which nothing but the shape of the law tells it from the map, where no output is spare.
const MOST_NOISE: f64 = 0.3;

/// The law of `map` with Gaussian noise of the given standard deviations against the sample.
pub(in crate::learn) fn noisy_law<G: Rng>(
    samples: &Samples,
    (map, noise): (&QuadraticMap, &[f64]),
    learned: usize,
    rng: &mut G,
    observer: Observer<'_>,
) -> Result<Vec<Check>, Error> {
    let rows = some_rows(samples)?;
    let d = samples.columns();
    let rows = MatRef::from_row_major_slice(&rows, rows.len() / d, d);
    let mut draw = |n: usize, rng: &mut G| {
        let mut z = map.sample(n, rng);
        add_noise(&mut z, noise, rng);
        Ok(z)
    };
    let test = LawTest::run(rows, (learned, 1.0), &mut draw, rng, observer)?;
    Ok(vec![
        test.check("quadratic.law", "all samples"),
        detectable(&test, "quadratic.detectable"),
    ])
}

/// The least distance that the test would have noticed.
pub(in crate::learn) fn detectable(test: &LawTest, key: &'static str) -> Check {
    let label = "Kolmogorov's distance that so many rows would have shown, nine times in ten";
    Check::power(key, label, test.detectable, UNNOTICED)
}

/// Whether noise of this variance (as a share of that of each output), estimated without spare outputs, can be told from a
/// map at all.
pub(in crate::learn) fn noise_is_told(variance: f64) -> Check {
    let label = "noise that nothing but the shape of the law tells from the map, as a share of the standard deviation: more outputs than r(r+1)/2 would";
    Check::power("quadratic.noise-told", label, variance.sqrt(), MOST_NOISE)
}
