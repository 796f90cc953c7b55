//! `--prove`: what can be proved about a decomposition, for the report and for the certificate beside it.

use crate::context::Context;
use num_complex::Complex;
use serde_json::{Value, json};
use wickring::Error;
use wickring::certify::{
    ClaimedTensor, Limits, Proof, prove_border_rank, prove_cp, prove_rank, prove_ring,
    prove_symmetric, prove_unique,
};
use wickring::poly::Rational;
use wickring::tensor::{CpTensor, Scalar, SymmetricCp, Tensor, TensorRing};

/// Entries of the largest flattening that is tried for a lower bound: below a second.
const FLATTENING: usize = 1 << 18;
/// Entries of the tensors whose ranks are looked at.
const MAX_ENTRIES: usize = 1 << 16;

fn limits(context: &Context) -> Limits {
    Limits {
        deadline: context.deadline(),
        ..Limits::default()
    }
}

/// A proof that ran out of time or budget proves nothing; everything else is an error.
fn tried(proof: Result<Proof, Error>) -> Result<Proof, Error> {
    match proof {
        Err(e @ (Error::Stopped { .. } | Error::LimitExceeded { .. })) => Ok(Proof {
            refused: vec![format!("more: {}", e.problem())],
            ..Proof::default()
        }),
        other => other,
    }
}

/// What is known of the rank of a tensor of order three; `attained` when it has a decomposition of this rank.
fn ranks(
    target: &ClaimedTensor,
    rank: usize,
    attained: bool,
    context: &Context,
) -> Result<Proof, Error> {
    let exact = tried(prove_rank(target, rank, limits(context)))?;
    if !exact.claims.is_empty() {
        return Ok(exact);
    }
    let (bound, mut proof) = match prove_border_rank(target, FLATTENING, limits(context)) {
        Ok(found) => found,
        Err(e) => (0, tried(Err(e))?),
    };
    if bound > rank {
        let words = format!("no decomposition of rank {rank} exists, nor a limit of such");
        proof.proved.push(words);
        return Ok(proof);
    }
    if bound == rank && attained {
        let words = format!("both together: the rank is {rank}, no decomposition has fewer terms");
        proof.proved.push(words);
        return Ok(proof);
    }
    Ok(exact.and(proof))
}

/// Theorems about a real CP model of a tensor.
pub fn cp(model: &CpTensor, t: &Tensor, context: &Context) -> Result<Proof, Error> {
    let near = tried(prove_cp(model, t.view(), limits(context)))?;
    if t.order() != 3 || t.as_slice().len() > MAX_ENTRIES {
        return Ok(near);
    }
    let target = ClaimedTensor::floats(t.view());
    let attained = near.claims.iter().any(|c| c.kind() == "cp-exists");
    Ok(near.and(ranks(&target, model.rank(), attained, context)?))
}

/// The same for a symmetric model.
pub fn symmetric(model: &SymmetricCp, t: &Tensor, context: &Context) -> Result<Proof, Error> {
    tried(prove_symmetric(model, t.view(), limits(context)))
}

/// The same for a ring.
pub fn ring<T: Scalar>(
    ring: &TensorRing<T>,
    t: &Tensor<T>,
    context: &Context,
) -> Result<Proof, Error> {
    if T::COMPLEX {
        let refused = vec!["an exact ring: theorems are about real cores".to_owned()];
        return Ok(Proof {
            refused,
            ..Proof::default()
        });
    }
    let part = |z: Complex<f64>| z.re;
    let data = t.as_slice().iter().map(|x| part(x.to_complex())).collect();
    let real = Tensor::from_vec(t.dims(), data)?;
    let core = |g: &Tensor<Complex<f64>>| {
        Tensor::from_vec(g.dims(), g.as_slice().iter().map(|z| part(*z)).collect())
    };
    let whole = ring.to_complex();
    let cores = whole.cores().iter().map(core).collect::<Result<_, _>>()?;
    let ring = TensorRing::new(cores)?;
    tried(prove_ring(&ring, real.view(), limits(context)))
}

/// Theorems about exact factors: that they are the only ones of their number, and bounds of the rank.
pub fn exact(
    factors: &[Vec<Vec<Rational>>],
    t: &Tensor,
    context: &Context,
) -> Result<Proof, Error> {
    let target = ClaimedTensor::floats(t.view());
    let unique = tried(prove_unique(factors, &target, limits(context)))?;
    if !unique.claims.is_empty() {
        return Ok(unique);
    }
    let rank = factors.first().and_then(|f| f.first()).map_or(0, Vec::len);
    Ok(unique.and(ranks(&target, rank, true, context)?))
}

/// Lines for people.
pub fn lines(proof: &Proof) -> String {
    let proved = proof.proved.iter().map(|w| format!("  PROVED      {w}\n"));
    let refused = proof.refused.iter().map(|w| format!("  NOT PROVED  {w}\n"));
    proved.chain(refused).collect()
}

/// The same for programs.
pub fn object(proof: &Proof) -> Value {
    json!({ "proved": proof.proved, "not_proved": proof.refused, "claims": proof.claims.len() })
}
