//! Certificates beside numeric decompositions: the model, the tensor, and a bound of the residual computed
//! exactly and rounded outward, which `wickring check` replays.

use super::tensor_file::{Loaded, load};
use crate::context::Context;
use std::path::Path;
use wickring::Error;
use wickring::certify::scheme::{RationalRing, Residual, Scheme, Target, schemes_from_arrays};
use wickring::certify::{Certificate, Claim};
use wickring::io::write_whole;
use wickring::tensor::{CpTensor, Tensor};

/// Products of entries beyond which no certificate is written: the checker would need minutes.
const MAX_PRODUCTS: usize = 1 << 20;

/// Writes `f.certificate.json` beside `--out f.npz` for a CP model of the tensor in `file`.
///
/// Nothing is written without `--out`, for complex, masked and large tensors, or when no bound exists
/// (`T = 0`); then the reason is said, and no older certificate is left beside the new factors.
pub fn cp(
    file: &Path,
    name: Option<&str>,
    model: &CpTensor,
    context: &Context,
) -> Result<(), Error> {
    let mut arrays = vec![("weights".to_owned(), vector(model.weights())?)];
    for (k, f) in model.factors().iter().enumerate() {
        let data = f.as_slice().to_vec();
        arrays.push((
            format!("factor_{k}"),
            Tensor::from_vec(&[f.rows(), f.cols()], data)?,
        ));
    }
    let products = model.rank();
    write(file, name, products, context, |target| {
        let scheme = schemes_from_arrays(&arrays, "")?.into_iter().next();
        let missing = || Error::invalid("decompose cp", "a model without terms has no certificate");
        let scheme: Scheme = scheme.ok_or_else(missing)?;
        let residual = Residual::of(&scheme, target)?;
        let bound = residual.relative_bound(target);
        Ok(bound
            .is_finite()
            .then(|| scheme.residual_claim(target, bound)))
    })
}

/// The same for a ring with cores `R x n x R'`.
pub fn ring(
    file: &Path,
    name: Option<&str>,
    cores: &[&Tensor],
    context: &Context,
) -> Result<(), Error> {
    let widest = cores.iter().map(|c| c.dims()[0] * c.dims()[2]).max();
    let first = cores.first().map_or(1, |c| c.dims()[0]);
    write(file, name, widest.unwrap_or(1) * first, context, |target| {
        let ring = RationalRing::from_tensors("", cores)?;
        let residual = ring.residual(target)?;
        let bound = residual.relative_bound(target);
        Ok(bound
            .is_finite()
            .then(|| ring.residual_claim(target, bound)))
    })
}

fn vector(x: &[f64]) -> Result<Tensor, Error> {
    Tensor::from_vec(&[x.len()], x.to_vec())
}

fn write(
    file: &Path,
    name: Option<&str>,
    products: usize,
    context: &Context,
    claim: impl Fn(&Target) -> Result<Option<Claim>, Error>,
) -> Result<(), Error> {
    let Some(out) = &context.common.out else {
        return Ok(());
    };
    let Loaded::Real(t) = load(file, name)? else {
        return absent("it is written for real tensors alone", context);
    };
    let entries: usize = t.dims().iter().product();
    if !t.as_slice().iter().all(|x| x.is_finite()) {
        return absent("entries are missing", context);
    }
    if entries.saturating_mul(products) > MAX_PRODUCTS {
        let reason = format!("{entries} entries times {products} products are too many to replay");
        return absent(&reason, context);
    }
    let target = Target::dense(t.view())?;
    let claim = match claim(&target) {
        Ok(Some(claim)) => claim,
        Ok(None) => return absent("no relative bound exists", context),
        // The decomposition stands without it.
        Err(e) => return absent(&e.to_string(), context),
    };
    let problem = |e: std::io::Error| Error::file(file, "", e.to_string());
    let bytes = std::fs::read(file).map_err(problem)?;
    let certificate = Certificate::new()
        .input(&file.display().to_string(), &bytes)
        .claim(claim);
    let path = out.with_extension("certificate.json");
    write_whole(&path, certificate.to_json().as_bytes())?;
    context.say(&format!(
        "wrote {}; check it: wickring check {0}",
        path.display()
    ));
    Ok(())
}

/// Says why there is no certificate beside `--out`, and removes one that spoke of other factors.
pub fn absent(reason: &str, context: &Context) -> Result<(), Error> {
    let Some(out) = &context.common.out else {
        return Ok(());
    };
    let path = out.with_extension("certificate.json");
    match std::fs::remove_file(&path) {
        Ok(()) => {
            let shown = path.display();
            context.warn(&format!("removed {shown}, which spoke of other factors"));
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(Error::file(path, "", e.to_string())),
    }
    context.say(&format!("no certificate of the residual: {reason}"));
    Ok(())
}
