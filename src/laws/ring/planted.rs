//! Laws of tensor rings, and generators of planted ones.

use crate::Error;
use crate::fit::Fit;
use crate::laws::broken::{Broken, within};
use crate::tensor::{SymmetricRing, TensorView};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// `d` symmetric matrices with independent Gaussian entries of variance about `1/r`.
///
/// # Errors
/// `Shape` when `rank` is 0.
pub fn random_symmetric_ring(
    d: usize,
    rank: usize,
    rng: &mut impl Rng,
) -> Result<SymmetricRing, Error> {
    let mut cores = Vec::with_capacity(d * rank * rank);
    for _ in 0..d {
        let g: Vec<f64> = (0..rank * rank)
            .map(|_| StandardNormal.sample(&mut *rng))
            .collect();
        let entry = |i: usize, j: usize| 0.5 * (g[i * rank + j] + g[j * rank + i]);
        let scale = 1.0 / (rank as f64).sqrt();
        cores.extend((0..rank * rank).map(|ij| entry(ij / rank, ij % rank) * scale));
    }
    SymmetricRing::new(rank, cores)
}

/// A ring reproduces the exact tensor that it was found from, to `eps * d^(3/2) * cond^(3/2)` up to a
/// constant: the amplification of rounding by whitening.
///
/// # Errors
/// [`Broken`] with the residual, or when the residual cannot be computed.
pub fn reproduces(t: TensorView<'_>, fit: &Fit<SymmetricRing>) -> Result<(), Broken> {
    let d = fit.model.outputs() as f64;
    let allowed = 1e2 * f64::EPSILON * (d * fit.evidence.condition).powf(1.5);
    let residual = fit.model.rel_residual(t).unwrap_or(f64::NAN);
    within("rings::reproduces", residual, allowed)
}

/// The certificate says what an independent computation says.
///
/// # Errors
/// [`Broken`] with the disagreement.
pub fn certificate_is_honest(t: TensorView<'_>, fit: &Fit<SymmetricRing>) -> Result<(), Broken> {
    // The slow definition, entry by entry.
    let (d, r) = (fit.model.outputs(), fit.model.rank());
    let (mut gap, mut norm) = (0.0, 0.0);
    for c in 0..d {
        let qc = fit.model.core(c);
        for b in 0..d {
            let bc = fit.model.core(b) * &qc;
            for a in 0..d {
                let mut trace = 0.0;
                for i in 0..r {
                    for j in 0..r {
                        trace += fit.model.entry(a, i, j) * bc[(j, i)];
                    }
                }
                let entry = t.get(&[a, b, c]).copied().unwrap_or(f64::NAN);
                gap += (entry - trace) * (entry - trace);
                norm += entry * entry;
            }
        }
    }
    let slow = (gap / norm).sqrt();
    within(
        "rings::certificate_is_honest",
        (slow - fit.evidence.rel_residual).abs(),
        1e-12,
    )
}
