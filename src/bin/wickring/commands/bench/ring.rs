//! Planted tensor rings.

use super::{Answer, Case};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::path::Path;
use wickring::Error;
use wickring::decomp::RingAuto;
use wickring::io::npy;
use wickring::tensor::TensorRing;

/// Dimensions and the rank of all bonds.
const CASES: [(&[usize], usize); 3] = [
    (&[16, 16, 16], 3),
    (&[20, 20, 20], 4),
    (&[10, 10, 10, 10], 3),
];

/// Rings with normal cores.
///
/// # Errors
/// `File` when a tensor cannot be written.
pub fn cases(folder: &Path, seed: u64) -> Result<Vec<Case>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x21);
    let listed = CASES.iter().enumerate();
    listed
        .map(|(k, &(dims, rank))| {
            let ring = TensorRing::gaussian(dims, &vec![rank; dims.len()], &mut rng)?;
            let tensor = ring.to_dense()?;
            let path = folder.join(format!("ring-{k}.npy"));
            npy::write(&path, tensor.view())?;
            let request =
                json!({ "kind": "ring", "file": path, "rank": rank, "seed": seed % (1 << 32) });
            let sides: Vec<String> = dims.iter().map(usize::to_string).collect();
            let work = move || {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let fit = RingAuto::new(&[rank]).decompose(tensor.view(), &mut rng)?;
                Ok(Answer::Residual(fit.evidence.rel_residual))
            };
            Ok(Case {
                name: format!("{}, ranks {rank}", sides.join(" x ")),
                request,
                work: Box::new(work),
            })
        })
        .collect()
}
