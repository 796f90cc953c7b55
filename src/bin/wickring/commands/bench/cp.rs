//! Planted tensors as sums of components; answers by the relative residual that each side states and we recompute.

use super::{Answer, Case};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::json;
use std::path::Path;
use wickring::Error;
use wickring::decomp::Cp;
use wickring::io::npy;
use wickring::tensor::{CpTensor, Factor, Tensor};

/// Name, dimensions, rank, cosine between components, noise as a share of the norm.
const CASES: [(&str, &[usize], usize, f64, f64); 4] = [
    ("30 x 30 x 30, rank 5", &[30, 30, 30], 5, 0.0, 0.0),
    ("12 x 12 x 12 x 12, rank 6", &[12, 12, 12, 12], 6, 0.0, 0.0),
    (
        "20 x 20 x 20, rank 4, cosines 0.9",
        &[20, 20, 20],
        4,
        0.9,
        0.0,
    ),
    (
        "20 x 20 x 20, rank 4, 10% noise",
        &[20, 20, 20],
        4,
        0.0,
        0.1,
    ),
];

/// Tensors of components that are orthogonal on average, or near to each other, with and without noise.
///
/// # Errors
/// `File` when a tensor cannot be written.
pub fn cases(folder: &Path, seed: u64) -> Result<Vec<Case>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xc9);
    let listed = CASES.iter().enumerate();
    listed
        .map(|(k, &(name, dims, rank, cosine, noise))| {
            let tensor = planted(dims, rank, cosine, noise, &mut rng)?;
            let path = folder.join(format!("cp-{k}.npy"));
            npy::write(&path, tensor.view())?;
            let request =
                json!({ "kind": "cp", "file": path, "rank": rank, "seed": seed % (1 << 32) });
            let work = move || {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let fit = Cp::new(rank).decompose(tensor.view(), &mut rng)?;
                Ok(Answer::Residual(fit.evidence.rel_residual))
            };
            Ok(Case {
                name: name.to_owned(),
                request,
                work: Box::new(work),
            })
        })
        .collect()
}

/// Columns `sqrt(1-c) g_r + sqrt(c) g` with normal `g`: cosines near `c`.
fn planted(
    dims: &[usize],
    rank: usize,
    cosine: f64,
    noise: f64,
    rng: &mut impl Rng,
) -> Result<Tensor, Error> {
    let mut normal = || -> f64 { StandardNormal.sample(rng) };
    let mut factors = Vec::new();
    for &n in dims {
        let common: Vec<f64> = (0..n).map(|_| normal()).collect();
        let own: Vec<f64> = (0..n * rank).map(|_| normal()).collect();
        factors.push(Factor::from_fn(n, rank, |i, r| {
            (1.0 - cosine).sqrt() * own[r * n + i] + cosine.sqrt() * common[i]
        }));
    }
    let clean = CpTensor::from_factors(factors)?.to_dense()?;
    let error: Vec<f64> = clean.as_slice().iter().map(|_| normal()).collect();
    let norm = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>().sqrt();
    let scale = noise * norm(clean.as_slice()) / norm(&error);
    let entries = clean.as_slice().iter().zip(&error);
    Tensor::from_vec(dims, entries.map(|(x, e)| x + scale * e).collect())
}
