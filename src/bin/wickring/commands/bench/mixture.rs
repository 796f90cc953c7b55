//! Samples of Gaussian mixtures, fitted by maximum likelihood from ten starts; answers by the mean log-likelihood.

use super::{Answer, Case};
use faer::MatRef;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::json;
use std::path::Path;
use wickring::Error;
use wickring::io::npy;
use wickring::io::write_whole;
use wickring::learn::mixture::{CovarianceKind, Em};

/// Rows, columns, components.
const CASES: [(usize, usize, usize); 2] = [(3000, 2, 3), (3000, 5, 4)];
/// Random starts of both sides.
const STARTS: usize = 10;

/// Components with centres at distance about five and covariances of their own.
///
/// # Errors
/// `File` when a sample cannot be written.
pub fn cases(folder: &Path, seed: u64) -> Result<Vec<Case>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x31);
    let listed = CASES.iter().enumerate();
    listed
        .map(|(k, &(n, dim, components))| {
            let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
            let means: Vec<f64> = (0..components * dim).map(|_| 4.0 * normal()).collect();
            let scales: Vec<f64> = (0..components * dim)
                .map(|_| (0.3 * normal()).exp())
                .collect();
            let mut rows = Vec::with_capacity(n * dim);
            for _ in 0..n {
                let c = rng.random_range(0..components) * dim;
                for i in 0..dim {
                    let x: f64 = StandardNormal.sample(&mut rng);
                    rows.push(means[c + i] + scales[c + i] * x);
                }
            }
            let path = folder.join(format!("mixture-{k}.npy"));
            write_whole(&path, &npy::encode(&[n, dim], false, &rows))?;
            let request = json!({
                "file": path, "components": components, "starts": STARTS, "seed": seed % (1 << 32),
            });
            let work = move || {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let x = MatRef::from_row_major_slice(&rows, n, dim);
                let em = Em::new(components)
                    .kinds(&[CovarianceKind::Full])
                    .starts(STARTS);
                let fit = em.learn(x, &mut rng)?;
                let total = fit.model.log_likelihood;
                Ok(Answer::LogLikelihood(total / n as f64))
            };
            Ok(Case {
                name: format!("{n} rows in {dim} dimensions, {components} components"),
                request,
                work: Box::new(work),
            })
        })
        .collect()
}
