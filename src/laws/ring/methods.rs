//! Laws of the ring decompositions on any finite tensor, and their fuzz bodies.

use super::models;
use crate::decomp::{
    Derivations, RingAlgebraic, RingAls, RingAuto, RingCompletion, RingNls, RingQueries, RingRanks,
    RingSampledAls, RingSvd, SymmetricNls, TtSvd,
};
use crate::fit::Fit;
use crate::laws::broken::{Broken, check, within};
use crate::laws::bytes::Bytes;
use crate::run::unobserved;
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView};
use crate::{Error, Status};
use num_complex::Complex;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What any ring fit must satisfy, whatever the data: shapes, finite cores, an honest residual, and no
/// `Converged` without kept bounds.
///
/// # Errors
/// [`Broken`].
pub fn fit_is_honest<T: Scalar>(
    t: TensorView<'_, T>,
    fit: &Fit<TensorRing<T>>,
) -> Result<(), Broken> {
    let law = "ring_methods::fit_is_honest";
    check(law, fit.model.dims() == t.dims(), || "shape".into())?;
    let finite = |g: &Tensor<T>| g.as_slice().iter().all(|x| x.finite());
    check(law, fit.model.cores().iter().all(finite), || {
        "finite cores".into()
    })?;
    let (mut gap, mut size) = (0.0, 0.0);
    // Divided by the greatest entry, so that squares neither overflow nor vanish.
    let greatest = t.as_slice().iter().map(|x| x.squared().sqrt());
    let unit = greatest.fold(0.0f64, f64::max).max(f64::MIN_POSITIVE);
    let scale = T::from_real(1.0 / unit);
    if !(unit > 1e-140 && unit < 1e140) {
        return Ok(());
    }
    let slow = Tensor::from_fn(t.dims(), |i| models::entry_by_definition(&fit.model, i));
    let Ok(slow) = slow else { return Ok(()) };
    for (&x, &y) in slow.as_slice().iter().zip(t.as_slice()) {
        gap += ((x - y) * scale).squared();
        size += (y * scale).squared();
    }
    let residual = if size > 0.0 {
        (gap / size).sqrt()
    } else {
        gap.sqrt()
    };
    let rounding = 1e-13 * models::scale(&fit.model) / (size.sqrt() * unit).max(1e-300);
    let claimed = fit.evidence.rel_residual;
    within(law, (residual - claimed).abs(), 1e-12 + rounding)?;
    let kept = fit.status != Status::Converged || fit.evidence.holds();
    check(law, kept, || format!("{:?}", fit.evidence))
}

/// Refusals that are allowed on finite input.
fn allowed(e: &Error) -> bool {
    !matches!(
        e,
        Error::NonFinite { .. } | Error::Parse { .. } | Error::File { .. }
    )
}

fn judged<T: Scalar>(
    t: TensorView<'_, T>,
    fit: Result<Fit<TensorRing<T>>, Error>,
) -> Result<(), Broken> {
    match fit {
        Ok(fit) => fit_is_honest(t, &fit),
        Err(e) => check("ring_methods::refusal", allowed(&e), || e.to_string()),
    }
}

/// A small tensor: raw entries, a ring, a ring with noise, or a slice repeated.
fn tensor<T: Scalar>(bytes: &mut Bytes<'_>) -> Result<Tensor<T>, Error> {
    let order = 1 + bytes.below(4);
    let dims: Vec<usize> = (0..order).map(|_| 1 + bytes.below(5)).collect();
    let kind = bytes.below(4);
    if kind == 0 {
        return Tensor::from_fn(&dims, |_| {
            T::from_complex(Complex::new(bytes.finite(), bytes.finite()))
        });
    }
    let mut t = models::like::<T>(bytes, &dims)?.to_dense()?;
    let exponent = [0, 0, 60, -60, 200, -200][bytes.below(6)];
    let noise = if kind == 2 { 1e-3 } else { 0.0 };
    for x in t.as_mut_slice() {
        let y = *x + T::from_real(noise * bytes.small() as f64);
        *x = y * T::from_real(2f64.powi(exponent));
    }
    if kind == 3 && dims[0] > 1 {
        // Slice 1 of the first mode repeats slice 0.
        for chunk in t.as_mut_slice().chunks_mut(dims[0]) {
            chunk[1] = chunk[0];
        }
    }
    Ok(t)
}

/// The general ring methods.
///
/// # Example
/// ```
/// use wickring::laws::bytes::Bytes;
/// use wickring::laws::ring::methods::{RingMethod, method_is_honest};
/// assert!(method_is_honest::<f64>(RingMethod::Svd, &mut Bytes::new(&[2, 1, 3])).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingMethod {
    /// [`RingAlgebraic`].
    Algebraic,
    /// [`RingAls`].
    Als,
    /// [`RingSvd`].
    Svd,
    /// [`RingAuto`] with ranks given.
    Engine,
    /// [`RingAuto::auto`] and [`RingRanks`].
    Ranks,
    /// [`RingCompletion`].
    Completion,
    /// [`RingNls`].
    Nls,
    /// [`RingSampledAls`].
    Sampled,
    /// [`RingQueries`].
    Queries,
}

impl RingMethod {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Algebraic,
        Self::Als,
        Self::Svd,
        Self::Engine,
        Self::Ranks,
        Self::Completion,
        Self::Nls,
        Self::Sampled,
        Self::Queries,
    ];
}

/// A general ring method, chosen by the bytes, on a tensor read from them.
///
/// # Errors
/// [`Broken`].
pub fn methods_are_honest<T: Scalar>(bytes: &mut Bytes<'_>) -> Result<(), Broken> {
    let method = RingMethod::ALL[bytes.below(RingMethod::ALL.len())];
    method_is_honest::<T>(method, bytes)
}

/// One general ring method on a tensor read from bytes.
///
/// # Errors
/// [`Broken`].
pub fn method_is_honest<T: Scalar>(
    method: RingMethod,
    bytes: &mut Bytes<'_>,
) -> Result<(), Broken> {
    let Ok(t) = tensor::<T>(bytes) else {
        return Ok(());
    };
    let ranks: Vec<usize> = match bytes.below(2) {
        0 => vec![1 + bytes.below(3)],
        _ => (0..t.order()).map(|_| 1 + bytes.below(3)).collect(),
    };
    let mut rng = ChaCha8Rng::seed_from_u64(bytes.byte().into());
    let v = t.view();
    match method {
        RingMethod::Algebraic => judged(v, RingAlgebraic::new(&ranks).decompose(v, &mut rng)),
        RingMethod::Als => {
            let als = RingAls::new(&ranks).starts(1).max_sweeps(15);
            judged(v, als.decompose(v, &mut rng))
        }
        RingMethod::Svd => judged(v, RingSvd::new(&ranks).decompose(v, &mut rng)),
        RingMethod::Engine => {
            let ring = RingAuto::new(&ranks).starts(1).max_sweeps(15);
            judged(v, ring.decompose(v, &mut rng))
        }
        RingMethod::Ranks => {
            let law = "ring_methods::ranks";
            match RingRanks::of(v, &mut rng) {
                Ok(found) => check(law, !found.candidates.is_empty(), || "no ranks".into())?,
                Err(e) => check(law, allowed(&e), || e.to_string())?,
            }
            let ring = RingAuto::auto().starts(1).max_sweeps(15);
            judged(v, ring.decompose(v, &mut rng))
        }
        RingMethod::Completion => {
            let seen = Vec::from_iter(v.as_slice().iter().map(|_| bytes.byte() % 4 != 1));
            let method = RingCompletion::new(&ranks).starts(1).max_sweeps(8);
            match method.decompose(v, &seen, &mut rng, &mut unobserved) {
                Ok(fit) => check(
                    "ring_methods::completion",
                    fit.model.dims() == v.dims(),
                    || "shape".into(),
                ),
                Err(e) => check("ring_methods::completion", allowed(&e), || e.to_string()),
            }
        }
        RingMethod::Nls => {
            let nls = RingNls::new(&ranks).starts(1).max_steps(4);
            judged(v, nls.decompose(v, &mut rng, &mut unobserved))
        }
        RingMethod::Sampled => {
            let sampled = RingSampledAls::new(&ranks).starts(1).max_sweeps(4);
            judged(v, sampled.decompose(v, &mut rng, &mut unobserved))
        }
        RingMethod::Queries => {
            let law = "ring_methods::queries";
            let mut look = |i: &[usize]| v.get(i).copied().unwrap_or(T::zero());
            match RingQueries::new(&ranks).decompose(v.dims(), &mut look, &mut rng) {
                // Its residual is that of the entries looked at, so only its shape and status are judged.
                Ok(fit) => {
                    let kept = fit.status != Status::Converged || fit.evidence.holds();
                    let shape = fit.model.dims() == v.dims();
                    check(law, shape && kept, || format!("{:?}", fit.evidence))
                }
                Err(e) => check(law, allowed(&e), || e.to_string()),
            }
        }
    }
}

/// Trains keep their tolerance; the symmetric methods answer or refuse on any cube.
///
/// # Errors
/// [`Broken`].
pub fn trains_and_cubes(bytes: &mut Bytes<'_>) -> Result<(), Broken> {
    let Ok(t) = tensor::<f64>(bytes) else {
        return Ok(());
    };
    let tolerance = f64::from(bytes.byte()) / 300.0;
    let law = "ring_methods::train";
    match TtSvd::new(tolerance).decompose(t.view()) {
        Ok(fit) => within(law, fit.evidence.rel_residual, tolerance + 1e-9)?,
        Err(e) => check(law, allowed(&e), || e.to_string())?,
    }
    let d = 1 + bytes.below(6);
    let Ok(cube) = Tensor::from_fn(&[d, d, d], |_| bytes.finite()) else {
        return Ok(());
    };
    let rank = 1 + bytes.below(3);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let law = "ring_methods::symmetric";
    for fit in [
        Derivations::new(rank).decompose(cube.view(), &mut rng),
        SymmetricNls::new(rank).starts(1).max_steps(5).decompose(
            cube.view().last_slice(0).as_matrix(1),
            cube.view(),
            &mut rng,
            &mut unobserved,
        ),
    ] {
        match fit {
            Ok(fit) => {
                let kept = fit.status != Status::Converged || fit.evidence.rel_residual <= 1e-6;
                check(law, kept, || format!("{:?}", fit.evidence))?;
            }
            Err(e) => check(law, allowed(&e), || e.to_string())?,
        }
    }
    Ok(())
}

/// The fuzz body of the general ring methods.
///
/// # Panics
/// If a law is broken; that is how a fuzzer is told.
pub fn fuzz_ring_methods(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let result = if bytes.byte().is_multiple_of(2) {
        methods_are_honest::<f64>(&mut bytes)
    } else {
        methods_are_honest::<Complex<f64>>(&mut bytes)
    };
    assert_eq!(result, Ok(()));
}

/// The fuzz body of trains and the symmetric methods.
///
/// # Panics
/// If a law is broken; that is how a fuzzer is told.
pub fn fuzz_trains_and_cubes(data: &[u8]) {
    assert_eq!(trains_and_cubes(&mut Bytes::new(data)), Ok(()));
}
