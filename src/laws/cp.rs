//! Laws of CP models and of what every CP decomposition must say about its own result.

use super::broken::{Broken, check, within};
use super::bytes::Bytes;
use crate::decomp::{Cp, CpMasked, CpMethod, Waring};
use crate::fit::Fit;
use crate::poly::Ring;
use crate::tensor::mttkrp;
use crate::tensor::{CpTensor, Factor, SparseTensor, Tensor, TensorView, mttkrp_all};
use crate::{Error, Status};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The product with all factors but one by its definition, a sum over all entries.
///
/// # Errors
/// [`Broken`] when a fast path (all modes, one mode, stored entries) is off by more than the rounding of a
/// sum of as many products as there are entries.
pub fn mttkrp_is_its_definition(t: TensorView<'_>, f: &[Factor]) -> Result<(), Broken> {
    let law = "cp::mttkrp_is_its_definition";
    let rank = f.first().map_or(0, Factor::cols);
    let failed = |e: Error| Broken {
        law,
        measured: f64::NAN,
        allowed: 0.0,
        case: e.to_string(),
    };
    let all = mttkrp_all(t, f).map_err(failed)?;
    let sparse = SparseTensor::from_dense(t);
    for (m, fast) in all.iter().enumerate() {
        let slow = by_definition(t, f, m, rank, |x| x);
        let sizes = by_definition(t, f, m, rank, f64::abs);
        let one = mttkrp(t, f, m).map_err(failed)?;
        let stored = sparse.mttkrp(f, m).map_err(failed)?;
        // Every entry is a sum of at most N products of order + 1 numbers.
        let terms = (t.as_slice().len() + t.order() + 1) as f64;
        for other in [fast, &one, &stored] {
            let rows = slow
                .as_slice()
                .iter()
                .zip(other.as_slice())
                .zip(sizes.as_slice());
            for ((a, b), size) in rows {
                within(law, (a - b).abs(), 2.0 * terms * f64::EPSILON * size)?;
            }
        }
    }
    Ok(())
}

fn by_definition(
    t: TensorView<'_>,
    f: &[Factor],
    mode: usize,
    rank: usize,
    of: impl Fn(f64) -> f64,
) -> Factor {
    let mut out = Factor::zeros(t.dims()[mode], rank);
    let mut index = vec![0; t.order()];
    for &x in t.as_slice() {
        for r in 0..rank {
            let others = (0..f.len()).filter(|&k| k != mode);
            let p: f64 = others.map(|k| of(f[k].column(r)[index[k]])).product();
            out.column_mut(r)[index[mode]] += of(x) * p;
        }
        for (i, &n) in index.iter_mut().zip(t.dims()) {
            *i += 1;
            if *i < n {
                break;
            }
            *i = 0;
        }
    }
    out
}

/// Sums, entrywise products and inner products of models are those of the tensors they stand for: exactly,
/// over any ring.
///
/// # Errors
/// [`Broken`] with the name of the operation.
pub fn arithmetic_is_that_of_tensors<R: Ring>(
    a: &CpTensor<R>,
    b: &CpTensor<R>,
) -> Result<(), Broken> {
    let law = "cp::arithmetic_is_that_of_tensors";
    let dense = |m: Result<CpTensor<R>, Error>| m.and_then(|m| m.to_dense());
    let parts = (
        a.to_dense(),
        b.to_dense(),
        dense(a.add(b)),
        dense(a.hadamard(b)),
    );
    let (Ok(x), Ok(y), Ok(sum), Ok(product)) = parts else {
        return check(law, false, || "models of one shape expand".into());
    };
    let mut inner = R::zero();
    for (k, (p, q)) in x.as_slice().iter().zip(y.as_slice()).enumerate() {
        let mut both = p.clone();
        both += q;
        check(law, sum.as_slice()[k] == both, || format!("sum, entry {k}"))?;
        let mut both = p.clone();
        both *= q;
        check(law, product.as_slice()[k] == both, || {
            format!("product, entry {k}")
        })?;
        inner += &both;
    }
    check(law, a.bilinear(b).as_ref() == Ok(&inner), || {
        "inner product".into()
    })
}

/// A fit says what is true of it: the residual is that of the model, the model is finite and canonical, and
/// `Converged` stands for a small gradient and no divergence.
///
/// # Errors
/// [`Broken`] with the number that contradicts the fit.
pub fn fit_is_honest(t: TensorView<'_>, fit: &Fit<CpTensor>) -> Result<(), Broken> {
    let model = &fit.model;
    let entries = model.factors().iter().flat_map(|f| f.as_slice());
    let finite = entries.chain(model.weights()).all(|x| x.is_finite());
    check("cp::fit_is_finite", finite, || fit.status.to_string())?;
    // At the ends of the range the tensor of the model cannot be formed: only the rest is checked there.
    let top = t.as_slice().iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let stated = fit.evidence.rel_residual;
    if top == 0.0 || (1e-120..1e120).contains(&top) {
        let found = model.rel_residual(t).unwrap_or(f64::NAN);
        // Of a model with cancelling components only this much is left after rounding.
        let size = model.weights().iter().map(|w| w * w).sum::<f64>().sqrt();
        let scale = if top == 0.0 {
            1.0
        } else {
            1.0 + size / t.norm()
        };
        let allowed = 64.0 * (model.rank() as f64 + 8.0) * f64::EPSILON * scale;
        within(
            "cp::residual_is_recomputed",
            (found - stated).abs(),
            allowed,
        )?;
    }
    for f in model.factors() {
        for r in 0..model.rank() {
            let off = (f.column_norm(r) - 1.0).abs();
            let allowed = (f.rows() as f64 + 8.0) * f64::EPSILON;
            within("cp::columns_are_unit", off, allowed)?;
        }
    }
    let sorted = model.weights().windows(2).all(|w| w[0] >= w[1]);
    let positive = model.weights().iter().all(|w| *w >= 0.0);
    check("cp::weights_are_sorted", sorted && positive, || {
        format!("{:?}", model.weights())
    })?;
    if fit.status == Status::Converged {
        check("cp::converged_means_evidence", fit.evidence.holds(), || {
            format!("{:?}", fit.evidence.checks)
        })?;
    }
    Ok(())
}

/// Small tensors, nice and nasty, through every CP engine: an input error, or an honest fit.
///
/// # Errors
/// [`Broken`] with the numbers.
pub fn fuzz_cp(data: &[u8]) -> Result<(), Broken> {
    let mut bytes = Bytes::new(data);
    let order = 1 + bytes.below(4);
    let dims: Vec<usize> = (0..order).map(|_| 1 + bytes.below(4)).collect();
    let rank = 1 + bytes.below(9);
    let method = match bytes.below(4) {
        0 => CpMethod::Auto,
        1 => CpMethod::Als,
        2 => CpMethod::Nls,
        _ => CpMethod::Algebraic,
    };
    let masked = bytes.below(4) == 1;
    let Ok(t) = Tensor::from_fn(&dims, |_| bytes.any_float()) else {
        return Ok(());
    };
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let finite = t.as_slice().iter().all(|x| x.is_finite());
    if masked {
        let mask = CpMasked::mask_of(t.view());
        let engine = CpMasked::new(rank).starts(2).max_iterations(20);
        return match engine.decompose(t.view(), mask.view(), rng) {
            Ok(fit) if finite => fit_is_honest(t.view(), &fit),
            Ok(fit) => finite_model(&fit.model),
            Err(e) => input_fault(&e, false),
        };
    }
    let engine = Cp::new(rank).method(method).starts(2).max_iterations(20);
    match engine.decompose(t.view(), rng) {
        Ok(fit) => {
            check("cp::non_finite_is_refused", finite, || "accepted".into())?;
            fit_is_honest(t.view(), &fit)?;
        }
        Err(e) => input_fault(&e, finite && method != CpMethod::Algebraic)?,
    }
    let equal = dims.len() >= 2 && dims.iter().all(|n| *n == dims[0]);
    if !equal {
        return Ok(());
    }
    match Waring::new(rank)
        .starts(2)
        .max_iterations(20)
        .decompose(t.view(), rng)
    {
        Ok(fit) => match fit.model.to_cp() {
            Ok(model) => finite_model(&model),
            Err(e) => check("cp::symmetric_model_is_a_model", false, || e.to_string()),
        },
        Err(e) => input_fault(&e, false),
    }
}

fn finite_model(model: &CpTensor) -> Result<(), Broken> {
    let mut entries = model
        .factors()
        .iter()
        .flat_map(|f| f.as_slice())
        .chain(model.weights());
    check("cp::fit_is_finite", entries.all(|x| x.is_finite()), || {
        format!("{model:?}")
    })
}

/// An error must be about the input; `sound` inputs must not be refused.
fn input_fault(e: &Error, sound: bool) -> Result<(), Broken> {
    let about_input = matches!(
        e,
        Error::InvalidInput { .. } | Error::NonFinite { .. } | Error::Degenerate { .. }
    );
    check(
        "cp::errors_are_about_the_input",
        about_input && !sound,
        || e.to_string(),
    )
}
