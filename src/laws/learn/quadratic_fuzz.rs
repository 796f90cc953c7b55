//! Any bytes as a model file, as a tensor to decompose, as moments: no panic, no wrong
//! answer.

use crate::Status;
use crate::decomp::Peirce;
use crate::io::model::ModelFile;
use crate::laws::broken::{Broken, check, within};
use crate::laws::bytes::Bytes;
use crate::stats::Moments;
use crate::tensor::Tensor;
use faer::Mat;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A model file that is read is written back as one that reads to the same model.
///
/// # Errors
/// [`Broken`] with what came back.
pub fn fuzz_model_reader(data: &[u8]) -> Result<(), Broken> {
    let text = String::from_utf8_lossy(data).into_owned();
    let Ok(file) = ModelFile::from_json(&text) else {
        return Ok(());
    };
    let again = ModelFile::from_json(&file.to_json());
    check("io::model_reads_back", again.as_ref() == Ok(&file), || {
        format!("{again:?}")
    })?;
    if let Ok(map) = file.quadratic_map() {
        let sound = map.quadratic().outputs() == map.output_dim()
            && map.constant().iter().all(|c| c.is_finite());
        check("io::quadratic_map_is_valid", sound, || "sizes".into())?;
    }
    Ok(())
}

/// Small tensors, nice and nasty, through the Peirce frame: an error, or a model whose certificate is what an
/// independent computation finds, and never `Converged` above the tolerance.
///
/// # Errors
/// [`Broken`] with the numbers.
pub fn fuzz_peirce(data: &[u8]) -> Result<(), Broken> {
    let mut bytes = Bytes::new(data);
    let (d, rank) = (1 + bytes.below(6), 1 + bytes.below(3));
    let symmetric = |entries: &mut dyn FnMut() -> f64| {
        let mut m = Mat::<f64>::zeros(d, d);
        for j in 0..d {
            for i in 0..=j {
                let x = entries();
                m[(i, j)] = x;
                m[(j, i)] = x;
            }
        }
        m
    };
    let gram = symmetric(&mut || bytes.any_float());
    let mut cache = std::collections::BTreeMap::new();
    let t = Tensor::from_fn(&[d, d, d], |i| {
        let mut key = [i[0], i[1], i[2]];
        key.sort_unstable();
        *cache.entry(key).or_insert_with(|| bytes.any_float())
    });
    let Ok(t) = t else { return Ok(()) };
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let tol = 1e-8;
    let Ok(fit) = Peirce::new(rank)
        .tol(tol)
        .decompose(gram.as_ref(), t.view(), rng)
    else {
        return Ok(());
    };
    let residual = fit.model.rel_residual(t.view()).unwrap_or(f64::NAN);
    if fit.status == Status::Converged {
        within("peirce::converged_means_fitted", residual, tol)?;
    }
    let stated = fit.evidence.rel_residual;
    // Two orders of summation differ by roundings: at most 512 terms of relative error 2^-53 each.
    let close = (stated - residual).abs() <= 1e-10 * (1.0 + stated.abs());
    let same = stated == residual || close || (stated.is_nan() && residual.is_nan());
    check("peirce::certificate_is_recomputed", same, || {
        format!("{stated} and {residual}")
    })
}

/// Bytes that stand for moments are written back to equal bytes.
///
/// # Errors
/// [`Broken`] when they are not.
pub fn fuzz_moments(data: &[u8]) -> Result<(), Broken> {
    let Ok(moments) = Moments::from_bytes(data) else {
        return Ok(());
    };
    let again = Moments::from_bytes(&moments.to_bytes());
    check(
        "learn::moments_read_back",
        again.as_ref() == Ok(&moments),
        || "bytes".into(),
    )
}
