//! What expectation maximisation costs: `em_times sweep|fit ROWS.npy COMPONENTS FAMILY NUMBER`.
//!
//! `sweep`: a climb of `NUMBER` sweeps from a fixed start. `fit`: a whole fit with `NUMBER` starts. Prints processor seconds of a sweep,
//! of everything and of the search alone, without the tests of the fit; sweeps, and the mean log-likelihood.

mod process;

use faer::MatRef;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use wickring::Error;
use wickring::io::samples::Samples;
use wickring::learn::mixture::{Component, CovarianceKind, Em, GaussianMixture};

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |k: usize| words.get(k).map_or("", String::as_str);
    let samples = Samples::open(&[Path::new(word(1))])?;
    let (n, d) = (samples.rows(), samples.columns());
    let mut rows = Vec::with_capacity(n * d);
    for chunk in samples.chunks(4096) {
        rows.extend(chunk?.data);
    }
    let x = MatRef::from_row_major_slice(&rows, n, d);
    let k: usize = word(2).parse().unwrap_or(3);
    let kind = CovarianceKind::from_name(word(3)).unwrap_or(CovarianceKind::Full);
    let number: usize = word(4).parse().unwrap_or(10);
    let clock = || process::fine_seconds().unwrap_or(f64::NAN);
    // Seconds in all, and those of the search: up to the last report before the tests.
    let timed = |em: &Em| -> Result<(f64, f64, f64, f64), Error> {
        let begun = clock();
        let (mut first, mut last) = (f64::NAN, f64::NAN);
        let fit = em.learn_observed(x, &mut ChaCha8Rng::seed_from_u64(0), &mut |p| {
            if p.stage == "mixture em" {
                last = clock();
                first = if first.is_nan() { last } else { first };
            }
            ControlFlow::Continue(())
        })?;
        let mean = fit.model.log_likelihood / n as f64;
        Ok((clock() - begun, last - first, fit.work.sweeps as f64, mean))
    };
    let em = Em::new(k).kinds(&[kind]);
    let (seconds, search, sweeps, mean) = if word(0) == "fit" {
        timed(&em.starts(number))?
    } else {
        // The start that the other side is given too: rows evenly spaced, covariance one.
        let unit: Vec<f64> = (0..d * d)
            .map(|i| f64::from(u8::from(i % (d + 1) == 0)))
            .collect();
        let component = |j: usize| Component {
            weight: 1.0 / k as f64,
            mean: rows[j * (n / k) * d..(j * (n / k) + 1) * d].to_vec(),
            covariance: unit.clone(),
        };
        let start = GaussianMixture::new(d, (0..k).map(component).collect())?;
        let em = em.starting_at(start).tol(1e-300).max_sweeps(number);
        timed(&em)?
    };
    let sweep = search / sweeps;
    writeln!(
        std::io::stdout(),
        "{sweep} {seconds} {search} {sweeps} {mean}"
    )
    .ok();
    Ok(())
}
