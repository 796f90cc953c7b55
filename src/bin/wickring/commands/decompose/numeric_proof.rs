//! Certificates beside numeric decompositions: the model, the tensor or its digest, and a bound of the residual that
//! `wickring check` replays: exact where the tensor is small, in binary64 with all rounding bounded elsewhere.

use crate::context::Context;
use num_complex::Complex;
use std::path::Path;
use wickring::Error;
use wickring::certify::{Certificate, Claim};
use wickring::io::samples::digest;
use wickring::io::write_whole;
use wickring::scheme::{RationalRing, Residual, Scheme, Target, schemes_from_arrays};
use wickring::tensor::{CpTensor, Factor, Scalar, Tensor, TensorRing, TensorView};

/// Products of entries up to which the bound is exact: some ten milliseconds.
const EXACT: usize = 1 << 12;
/// The same where binary64 gives no bound: a second or two.
const MOST_EXACT: usize = 1 << 20;
/// Products of entries of the tensor and of the core up to which a Tucker model has a claim: some tens of milliseconds.
const MOST_TUCKER: usize = 1 << 25;
/// Real terms of a complex model up to which it has a claim.
const MOST_TERMS: usize = 1 << 14;

/// The file with the tensor, and the SHA-256 of its bytes.
pub type Source<'a> = (&'a Path, &'a str);
/// How the fit ended, and theorems about it.
pub type Stated = ((&'static str, String), Vec<Claim>);

/// Writes `f.certificate.json` beside `--out f.npz` for a CP model of the tensor `t`.
///
/// Nothing is written without `--out` or when no bound exists (`T = 0`); then the reason is said, and no older
/// certificate is left beside the new factors.
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

/// The same for a Tucker model, as the CP model with a term for each entry of the core that is not zero; where
/// those are many, the reason why there is none.
pub fn tucker<T: Scalar>(
    source: Source<'_>,
    t: TensorView<'_, T>,
    (core, factors): (TensorView<'_, T>, &[TensorView<'_, T>]),
    stated: Stated,
    context: &Context,
) -> Result<(), Error> {
    let kept = |x: &&T| x.to_complex().norm_sqr() > 0.0;
    let terms = core.as_slice().iter().filter(kept).count();
    let work = terms.saturating_mul(t.as_slice().len());
    let reason = match (T::COMPLEX, terms, work <= MOST_TUCKER) {
        (true, ..) => "complex Tucker models have none",
        (_, 0, _) => "a model without terms has none",
        (_, _, false) => "the core has too many entries",
        _ => {
            return cp(
                source,
                part(t, |z| z.re)?.view(),
                &expanded(core, factors)?,
                stated,
                context,
            );
        }
    };
    absent(reason, context)
}

/// A Tucker model as a sum of rank-one terms, exactly.
fn expanded<T: Scalar>(
    core: TensorView<'_, T>,
    factors: &[TensorView<'_, T>],
) -> Result<CpTensor, Error> {
    let mut weights = Vec::new();
    let mut columns = vec![Vec::new(); factors.len()];
    for (at, x) in core.as_slice().iter().enumerate() {
        let weight = x.to_complex().re;
        if weight == 0.0 {
            continue;
        }
        weights.push(weight);
        let mut rest = at;
        for ((f, column), n) in factors.iter().zip(&mut columns).zip(core.dims()) {
            let rows = f.dims()[0];
            let one = &f.as_slice()[rest % n * rows..][..rows];
            column.extend(one.iter().map(|x| x.to_complex().re));
            rest /= n;
        }
    }
    let factors = factors.iter().zip(columns);
    let factors = factors.map(|(f, data)| Factor::new(f.dims()[0], weights.len(), data));
    let factors = factors.collect::<Result<_, _>>()?;
    CpTensor::new(weights, factors)
}

/// The same for a complex model, as one claim about a real model for each part of the tensor.
///
/// The real part of a product of complex vectors `u_m + i v_m` is the sum of the products that take `v` in an even
/// number of modes, with alternating signs, and the imaginary part that over odd numbers: `2^(d-1)` real terms for
/// one, the weight on the first vector. A part that is zero throughout has no relative bound and no claim.
pub fn complex_cp(
    source: Source<'_>,
    t: TensorView<'_, Complex<f64>>,
    model: &CpTensor<Complex<f64>>,
    stated: Stated,
    context: &Context,
) -> Result<(), Error> {
    if context.common.out.is_none() {
        return Ok(());
    }
    let terms = model.rank() << (model.order() - 1).min(32);
    if terms > MOST_TERMS {
        return absent("its real and imaginary parts have too many terms", context);
    }
    let parts = [part(t, |z| z.re)?, part(t, |z| z.im)?];
    let models = [real_terms(model, false)?, real_terms(model, true)?];
    let exact = |_: usize, _: &Target| Ok(None);
    let rounded = |k: usize, t: TensorView<'_>| Claim::cp_rounded(&models[k], t);
    let views: Vec<_> = parts.iter().map(Tensor::view).collect();
    // Never exact: half of the products would cancel.
    write(source, &views, usize::MAX, stated, context, exact, rounded)
}

/// The real or the imaginary part of a complex model, as real terms.
fn real_terms(model: &CpTensor<Complex<f64>>, imaginary: bool) -> Result<CpTensor, Error> {
    let order = model.order();
    let mut columns = vec![Vec::new(); order];
    let mut weights = Vec::new();
    for (r, weight) in model.weights().iter().enumerate() {
        // Bit m of a choice takes the imaginary part of mode m.
        for choice in 0..1usize << order {
            let taken = choice.count_ones();
            if (taken % 2 == 1) != imaginary {
                continue;
            }
            weights.push(if taken % 4 < 2 { 1.0 } else { -1.0 });
            for (m, factor) in model.factors().iter().enumerate() {
                let scale = if m == 0 {
                    *weight
                } else {
                    Complex::new(1.0, 0.0)
                };
                let scaled = factor.column(r).iter().map(|z| z * scale);
                let part = |z: Complex<f64>| if choice >> m & 1 == 1 { z.im } else { z.re };
                columns[m].extend(scaled.map(part));
            }
        }
    }
    let sizes = model.factors().iter().map(Factor::rows);
    let factors = sizes
        .zip(columns)
        .map(|(n, data)| Factor::new(n, weights.len(), data));
    let factors = factors.collect::<Result<_, _>>()?;
    CpTensor::new(weights, factors)
}

/// The real or the imaginary part of a tensor.
fn part<T: Scalar>(t: TensorView<'_, T>, f: fn(Complex<f64>) -> f64) -> Result<Tensor, Error> {
    let data = t.as_slice().iter().map(|x| f(x.to_complex())).collect();
    Tensor::from_vec(t.dims(), data)
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
    let (mut parts, mut rings) = (vec![part(t, |z| z.re)?], Vec::new());
    let whole = ring.to_complex();
    if T::COMPLEX {
        parts.push(part(t, |z| z.im)?);
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
        let missing = entries.iter().any(|x| x.is_nan());
        if entries.iter().all(|x| *x == 0.0 || x.is_nan()) {
            continue;
        }
        // Exact bounds go over all entries.
        let work = match missing {
            true => usize::MAX,
            false => entries.len().saturating_mul(products),
        };
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
    let mut certificate = certificate.hashed_input(&file.display().to_string(), sha256);
    let mut needed = match data {
        "" => String::new(),
        _ => format!("{data}{}", file.display()),
    };
    if let Some(mask) = &context.common.mask {
        certificate = certificate.hashed_input(&mask.display().to_string(), &digest(mask)?);
        if !needed.is_empty() {
            needed += &format!(" {}", mask.display());
        }
    }
    let path = out.with_extension("certificate.json");
    write_whole(&path, certificate.to_json().as_bytes())?;
    context.say(&format!(
        "wrote {}; check it: wickring check {0}{needed}",
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
    context.note(format!("no certificate of the residual: {reason}"));
    Ok(())
}
