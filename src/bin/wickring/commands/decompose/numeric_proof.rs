//! Certificates beside numeric decompositions: the model, the tensor, and a bound of the residual computed
//! exactly and rounded outward, which `wickring check` replays.

use crate::commands::tensor_file::{Loaded, load};
use crate::context::Context;
use crate::evidence::stated;
use num_complex::Complex;
use std::path::Path;
use wickring::Error;
use wickring::certify::{Certificate, Claim};
use wickring::fit::Fit;
use wickring::io::write_whole;
use wickring::scheme::{RationalRing, Residual, Scheme, Target, schemes_from_arrays};
use wickring::tensor::{CpTensor, Tensor, TensorRing};

/// Products of entries beyond which no certificate is written: the checker would need minutes.
const MAX_PRODUCTS: usize = 1 << 20;

/// The file with the tensor, and the tensor's name in it.
type Source<'a> = (&'a Path, Option<&'a str>);
/// How the fit ended.
type Stated = (&'static str, String);

/// Writes `f.certificate.json` beside `--out f.npz` for a CP model of the tensor in `file`.
///
/// Nothing is written without `--out`, for complex factors, masked and large tensors, or when no bound exists
/// (`T = 0`); then the reason is said, and no older certificate is left beside the new factors.
pub fn cp(
    file: &Path,
    name: Option<&str>,
    fit: &Fit<CpTensor>,
    context: &Context,
) -> Result<(), Error> {
    let (model, stated) = (&fit.model, stated(fit));
    let mut arrays = vec![("weights".to_owned(), vector(model.weights())?)];
    for (k, f) in model.factors().iter().enumerate() {
        let data = f.as_slice().to_vec();
        arrays.push((
            format!("factor_{k}"),
            Tensor::from_vec(&[f.rows(), f.cols()], data)?,
        ));
    }
    let products = model.rank();
    write((file, name), products, stated, context, |target| {
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
    source: Source<'_>,
    cores: &[&Tensor],
    stated: Stated,
    context: &Context,
) -> Result<(), Error> {
    let widest = cores.iter().map(|c| c.dims()[0] * c.dims()[2]).max();
    let first = cores.first().map_or(1, |c| c.dims()[0]);
    write(
        source,
        widest.unwrap_or(1) * first,
        stated,
        context,
        |target| {
            let ring = RationalRing::from_tensors("", cores)?;
            let residual = ring.residual(target)?;
            let bound = residual.relative_bound(target);
            Ok(bound
                .is_finite()
                .then(|| ring.residual_claim(target, bound)))
        },
    )
}

/// The same for a complex ring, as one claim about a real ring for each part of the tensor.
///
/// A complex matrix `A + iB` acts as the real one `[A, -B; B, A]` of twice the size, whose trace is twice the
/// real part of the trace. So the real part of the tensor is the ring of those cores with a half on the first,
/// and the imaginary part is the same with `-i` times the first core. A part that is zero throughout has no
/// relative bound and no claim.
pub fn complex_ring(
    source: Source<'_>,
    ring: &TensorRing<Complex<f64>>,
    stated: Stated,
    context: &Context,
) -> Result<(), Error> {
    let widest = ring.cores().iter().map(|c| c.dims()[0] * c.dims()[2]).max();
    let products = 8 * widest.unwrap_or(1) * ring.ranks()[0];
    let parts = [Complex::new(0.5, 0.0), Complex::new(0.0, -0.5)];
    let rings = parts.map(|factor| embedded(ring, factor));
    write_parts(source, products, stated, context, |part, target| {
        let cores = rings[part].as_ref().map_err(Clone::clone)?;
        let ring = RationalRing::from_tensors("", &cores.iter().collect::<Vec<_>>())?;
        let residual = ring.residual(target)?;
        let bound = residual.relative_bound(target);
        Ok(bound
            .is_finite()
            .then(|| ring.residual_claim(target, bound)))
    })
}

/// The cores as real ones of twice the ranks, `factor` on the first.
fn embedded(ring: &TensorRing<Complex<f64>>, factor: Complex<f64>) -> Result<Vec<Tensor>, Error> {
    let mut cores = Vec::with_capacity(ring.order());
    for (k, g) in ring.cores().iter().enumerate() {
        let (l, n, r) = (g.dims()[0], g.dims()[1], g.dims()[2]);
        let scale = if k == 0 {
            factor
        } else {
            Complex::new(1.0, 0.0)
        };
        cores.push(Tensor::from_fn(&[2 * l, n, 2 * r], |i| {
            let z = g.as_slice()[i[0] % l + l * (i[1] + n * (i[2] % r))] * scale;
            match (i[0] < l, i[2] < r) {
                (true, true) | (false, false) => z.re,
                (true, false) => -z.im,
                (false, true) => z.im,
            }
        })?);
    }
    Ok(cores)
}

fn vector(x: &[f64]) -> Result<Tensor, Error> {
    Tensor::from_vec(&[x.len()], x.to_vec())
}

fn write(
    source: Source<'_>,
    products: usize,
    stated: Stated,
    context: &Context,
    claim: impl Fn(&Target) -> Result<Option<Claim>, Error>,
) -> Result<(), Error> {
    write_parts(source, products, stated, context, |_, target| claim(target))
}

/// Claims about the real part of the tensor in a file (part 0) and about its imaginary part (part 1).
fn write_parts(
    (file, name): Source<'_>,
    products: usize,
    (status, failed): Stated,
    context: &Context,
    claim: impl Fn(usize, &Target) -> Result<Option<Claim>, Error>,
) -> Result<(), Error> {
    let Some(out) = &context.common.out else {
        return Ok(());
    };
    let parts = match load(file, name)? {
        Loaded::Real(t) => vec![t],
        Loaded::Complex(t) => {
            let part = |f: fn(&Complex<f64>) -> f64| {
                Tensor::from_vec(t.dims(), t.as_slice().iter().map(f).collect())
            };
            vec![part(|z| z.re)?, part(|z| z.im)?]
        }
        Loaded::Sparse(_) => return absent("the tensor is sparse", context),
    };
    let mut certificate = Certificate::new().fit(status, &failed);
    let mut claims = 0;
    for (k, t) in parts.iter().enumerate() {
        let entries: usize = t.dims().iter().product();
        if !t.as_slice().iter().all(|x| x.is_finite()) {
            return absent("entries are missing", context);
        }
        if entries.saturating_mul(products) > MAX_PRODUCTS {
            let reason =
                format!("{entries} entries times {products} products are too many to replay");
            return absent(&reason, context);
        }
        if parts.len() > 1 && t.as_slice().iter().all(|x| *x == 0.0) {
            continue;
        }
        match claim(k, &Target::dense(t.view())?) {
            Ok(Some(claim)) => {
                certificate = certificate.claim(claim);
                claims += 1;
            }
            Ok(None) => {}
            // The decomposition stands without it.
            Err(e) => return absent(&e.to_string(), context),
        }
    }
    if claims == 0 {
        return absent("no relative bound exists", context);
    }
    let bytes = wickring::io::source::raw(file)?;
    let certificate = certificate.input(&file.display().to_string(), &bytes);
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
