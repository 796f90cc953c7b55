//! Certificates beside numeric decompositions: the model, the tensor or its digest, and a bound of the residual that
//! `wickring check` replays: exact where the tensor is small, in binary64 with all rounding bounded elsewhere.

use crate::context::Context;
use num_complex::Complex;
use std::path::Path;
use wickring::Error;
use wickring::certify::{Certificate, Claim};
use wickring::io::write_whole;
use wickring::scheme::{RationalRing, Residual, Scheme, Target, schemes_from_arrays};
use wickring::tensor::{CpTensor, Scalar, Tensor, TensorRing, TensorView};

/// Products of entries up to which the bound is exact: some ten milliseconds.
const EXACT: usize = 1 << 12;
/// The same where binary64 gives no bound: a second or two.
const MOST_EXACT: usize = 1 << 20;

/// The file with the tensor, and the SHA-256 of its bytes.
pub type Source<'a> = (&'a Path, &'a str);
/// How the fit ended, and theorems about it.
pub type Stated = ((&'static str, String), Vec<Claim>);

/// Writes `f.certificate.json` beside `--out f.npz` for a CP model of the tensor `t`.
///
/// Nothing is written without `--out`, for masked tensors, or when no bound exists (`T = 0`); then the reason is
/// said, and no older certificate is left beside the new factors.
pub fn cp(
    source: Source<'_>,
    t: TensorView<'_>,
    model: &CpTensor,
    stated: Stated,
    context: &Context,
) -> Result<(), Error> {
    let exact = |_: usize, target: &Target| {
        let vector = |x: &[f64]| Tensor::from_vec(&[x.len()], x.to_vec());
        let mut arrays = vec![("weights".to_owned(), vector(model.weights())?)];
        for (k, f) in model.factors().iter().enumerate() {
            let data = f.as_slice().to_vec();
            let factor = Tensor::from_vec(&[f.rows(), f.cols()], data)?;
            arrays.push((format!("factor_{k}"), factor));
        }
        let scheme = schemes_from_arrays(&arrays, "")?.into_iter().next();
        let missing = || Error::invalid("decompose cp", "a model without terms has no certificate");
        let scheme: Scheme = scheme.ok_or_else(missing)?;
        let residual = Residual::of(&scheme, target)?;
        let bound = residual.relative_bound(target);
        Ok(bound
            .is_finite()
            .then(|| scheme.residual_claim(target, bound)))
    };
    let rounded = |_: usize, t: TensorView<'_>| Claim::cp_rounded(model, t);
    write(source, &[t], model.rank(), stated, context, exact, rounded)
}

/// The same for a ring with cores `R x n x R'`, and for a complex one as one claim about a real ring for each part
/// of the tensor.
///
/// A complex matrix `A + iB` acts as the real one `[A, -B; B, A]` of twice the size, whose trace is twice the
/// real part of the trace. So the real part of the tensor is the ring of those cores with a half on the first,
/// and the imaginary part is the same with `-i` times the first core. A part that is zero throughout has no
/// relative bound and no claim.
pub fn ring<T: Scalar>(
    source: Source<'_>,
    t: TensorView<'_, T>,
    ring: &TensorRing<T>,
    stated: Stated,
    context: &Context,
) -> Result<(), Error> {
    if context.common.out.is_none() {
        return Ok(());
    }
    let part = |f: fn(Complex<f64>) -> f64| {
        let data = t.as_slice().iter().map(|x| f(x.to_complex())).collect();
        Tensor::from_vec(t.dims(), data)
    };
    let (mut parts, mut rings) = (vec![part(|z| z.re)?], Vec::new());
    let whole = ring.to_complex();
    if T::COMPLEX {
        parts.push(part(|z| z.im)?);
        for factor in [Complex::new(0.5, 0.0), Complex::new(0.0, -0.5)] {
            rings.push(TensorRing::new(embedded(&whole, factor)?)?);
        }
    } else {
        let real = |g: &Tensor<Complex<f64>>| {
            Tensor::from_vec(g.dims(), g.as_slice().iter().map(|z| z.re).collect())
        };
        let cores = whole.cores().iter().map(real).collect::<Result<_, _>>()?;
        rings.push(TensorRing::new(cores)?);
    }
    let ranks = rings[0].ranks();
    let next = ranks.iter().cycle().skip(1);
    let widest = ranks.iter().zip(next).map(|(a, b)| a * b).max();
    let products = widest.unwrap_or(1) * ranks[0];
    let exact = |k: usize, target: &Target| {
        let cores = rings[k].cores().iter().collect::<Vec<_>>();
        let ring = RationalRing::from_tensors("", &cores)?;
        let bound = ring.residual(target)?.relative_bound(target);
        Ok(bound
            .is_finite()
            .then(|| ring.residual_claim(target, bound)))
    };
    let rounded = |k: usize, t: TensorView<'_>| Claim::ring_rounded(&rings[k], t);
    let views: Vec<_> = parts.iter().map(Tensor::view).collect();
    write(source, &views, products, stated, context, exact, rounded)
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

/// Claims about the real part of a tensor (part 0) and about its imaginary part (part 1).
fn write(
    (file, sha256): Source<'_>,
    parts: &[TensorView<'_>],
    products: usize,
    ((status, failed), theorems): Stated,
    context: &Context,
    exact: impl Fn(usize, &Target) -> Result<Option<Claim>, Error>,
    rounded: impl Fn(usize, TensorView<'_>) -> Result<Option<(Claim, f64)>, Error>,
) -> Result<(), Error> {
    if context.common.out.is_none() {
        return Ok(());
    }
    let mut certificate = Certificate::new().fit(status, &failed);
    let mut data = "";
    for (k, t) in parts.iter().enumerate() {
        let entries = t.as_slice();
        if !entries.iter().all(|x| x.is_finite()) {
            return absent("entries are missing", context);
        }
        if entries.iter().all(|x| *x == 0.0) {
            continue;
        }
        let work = entries.len().saturating_mul(products);
        let exactly = || exact(k, &Target::dense(*t)?);
        let claim = if work <= EXACT {
            exactly()
        } else {
            match rounded(k, *t) {
                Ok(Some((claim, _))) => Ok(Some(claim)),
                _ if work <= MOST_EXACT => exactly(),
                other => other.map(|_| None),
            }
        };
        match claim {
            Ok(Some(claim)) => {
                if claim.names_tensor() {
                    data = " --data ";
                }
                certificate = certificate.claim(claim);
            }
            Ok(None) => {}
            // The decomposition stands without it.
            Err(e) if theorems.is_empty() => return absent(&e.problem(), context),
            Err(e) => context.warn(&format!("no claim of the residual: {}", e.problem())),
        }
    }
    if certificate.is_empty() && theorems.is_empty() {
        let reason = "no relative bound exists (the tensor is zero, or its squares leave the range of binary64)";
        return absent(reason, context);
    }
    save(certificate, (file, sha256), theorems, data, context)
}

/// Writes a certificate with theorems alone.
pub fn theorems(
    source: Source<'_>,
    ((status, failed), claims): Stated,
    context: &Context,
) -> Result<(), Error> {
    match claims.is_empty() {
        true => absent("no theorem was proved", context),
        false => save(
            Certificate::new().fit(status, &failed),
            source,
            claims,
            "",
            context,
        ),
    }
}

/// Writes the certificate beside `--out`.
fn save(
    certificate: Certificate,
    (file, sha256): Source<'_>,
    theorems: Vec<Claim>,
    data: &str,
    context: &Context,
) -> Result<(), Error> {
    let Some(out) = &context.common.out else {
        return Ok(());
    };
    let certificate = theorems.into_iter().fold(certificate, Certificate::claim);
    let certificate = certificate.hashed_input(&file.display().to_string(), sha256);
    let path = out.with_extension("certificate.json");
    write_whole(&path, certificate.to_json().as_bytes())?;
    let tensor = match data {
        "" => String::new(),
        _ => file.display().to_string(),
    };
    context.say(&format!(
        "wrote {}; check it: wickring check {0}{data}{tensor}",
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
