//! Laws of schemes, certificates and their readers.

use super::broken::{Broken, check};
use super::bytes::Bytes;
use crate::certify;
use crate::certify::{Certificate, Expression, Limits};
use crate::io::npz;
use crate::poly::Rational;
use crate::scheme::{
    KnownRanks, Scheme, SchemeField, SchemeFormat, Target, Verdict, examine, find_faults, read_lrp,
    read_models, read_schemes, rings_from_arrays, schemes_from_arrays,
};
use std::path::Path;

/// A correct scheme over the rationals with one entry changed by `delta` is wrong in every convention, and the
/// change is among the faults that explain it.
///
/// The entry is number `choice` of all `size x rank` ones of factor `factor`, counted round.
///
/// # Errors
/// [`Broken`] when the mutant passes.
pub fn mutants_are_rejected(
    scheme: &Scheme,
    factor: usize,
    choice: usize,
    delta: &Rational,
) -> Result<(), Broken> {
    let law = "schemes::mutants_are_rejected";
    let factor = factor % scheme.factors.len();
    let (size, rank) = (scheme.factors[factor].size(), scheme.rank());
    let (row, term) = (choice % size, choice / size % rank);
    // Where another vector of the term vanishes, the entry does not matter.
    let matters = scheme
        .factors
        .iter()
        .all(|f| f.entries().any(|(_, r)| r == term));
    let case = || {
        format!(
            "entry ({row}, {term}) of factor {factor} of {} plus {delta}",
            scheme.name
        )
    };
    let mutant = scheme.changed(factor, row, term, delta);
    let found = match examine(&mutant, None, SchemeField::Auto) {
        Ok(found) => found,
        Err(e) => return check(law, false, || format!("{}: {e}", case())),
    };
    check(law, !matters || found.verdict == Verdict::Wrong, case)?;
    if !matters || mutant.adjoined != crate::scheme::Adjoined::None {
        return Ok(());
    }
    let faults = find_faults(&found.scheme, &found.residual);
    check(law, faults.iter().any(|f| f.term == term), || {
        format!("{}: no fault found", case())
    })
}

/// A scheme that is exact modulo 2 with one entry changed by 1 is wrong modulo 2.
///
/// The entry is chosen as in [`mutants_are_rejected`].
///
/// # Errors
/// [`Broken`] when the mutant passes.
pub fn mutants_modulo_two_are_rejected(
    scheme: &Scheme,
    factor: usize,
    choice: usize,
) -> Result<(), Broken> {
    let law = "schemes::mutants_modulo_two_are_rejected";
    let factor = factor % scheme.factors.len();
    let (size, rank) = (scheme.factors[factor].size(), scheme.rank());
    let (row, term) = (choice % size, choice / size % rank);
    let mutant = scheme.changed(factor, row, term, &Rational::from(1));
    let verdict = |s: &Scheme| examine(s, None, SchemeField::Modulo(2)).map(|f| f.verdict);
    check(law, verdict(scheme) == Ok(Verdict::Exact), || {
        scheme.name.clone()
    })?;
    // No vector of a term of a good scheme vanishes modulo 2: it would be a term too many.
    check(law, verdict(&mutant) == Ok(Verdict::Wrong), || {
        format!(
            "entry ({row}, {term}) of factor {factor} of {}",
            scheme.name
        )
    })
}

/// The checker ends with a verdict or an error on any text.
///
/// # Errors
/// [`Broken`] when an unsealed text is accepted.
pub fn fuzz_certificate(data: &[u8]) -> Result<(), Broken> {
    let limits = Limits {
        bytes: 1 << 16,
        steps: 1 << 18,
        ..Limits::default()
    };
    let text = String::from_utf8_lossy(data);
    let _ = certify::check(&text, limits);
    // The same bytes as the content of a certificate with a good seal reach the checker's depths.
    if let Some(sealed) = Certificate::seal_text(&text) {
        let _ = certify::check(&sealed, limits);
    }
    if let Ok(expression) = Expression::parse(&text) {
        let claim = certify::Claim::equal(&expression, &expression);
        let same = Certificate::new().claim(claim).to_json();
        if let Ok(report) = certify::check(&same, limits) {
            // Both sides are written alike, which says nothing.
            let vacuous = !report.refuted() && !report.holds();
            check("schemes::fuzz_certificate", vacuous, || text.to_string())?;
        }
    }
    Ok(())
}

/// Every reader ends with schemes or an error on any text, and what was read can be examined.
///
/// # Errors
/// Never; the law is that nothing panics or hangs.
pub fn fuzz_schemes(data: &[u8]) -> Result<(), Broken> {
    let mut source = Bytes::new(data);
    let kind = source.below(6);
    let text = String::from_utf8_lossy(source.rest()).into_owned();
    let formats = [
        SchemeFormat::Json,
        SchemeFormat::Mathematica,
        SchemeFormat::Maple,
        SchemeFormat::Products,
        SchemeFormat::Laurent,
    ];
    let read = match formats.get(kind) {
        Some(format) => read_schemes(&text, *format, ""),
        None => {
            let mut parts = text.split("---");
            let [l, r, p] = [(); 3].map(|()| parts.next().unwrap_or(""));
            read_lrp(l, r, p, "").map(|s| vec![s])
        }
    };
    let others = [
        SchemeFormat::Flat,
        SchemeFormat::Assignments,
        SchemeFormat::Bini,
        SchemeFormat::Eliminated,
    ];
    for format in others {
        let _ = read_schemes(&text, format, "");
    }
    for scheme in read.unwrap_or_default() {
        // Only small ones: the law is about readers.
        if scheme.factors.iter().all(|f| f.size() <= 16)
            && scheme.rank() <= 16
            && let Ok(found) = examine(&scheme, None, SchemeField::Auto)
        {
            let _ = find_faults(&found.scheme, &found.residual);
        }
    }
    Ok(())
}

/// Factor files end with models or an error on any bytes: archives of arrays, JSON models, tables of ranks.
/// What was read is held against a small tensor.
///
/// # Errors
/// [`Broken`] when a ring that differs from a tensor has a residual bound of zero, or the other way round.
pub fn fuzz_factor_files(data: &[u8]) -> Result<(), Broken> {
    let text = String::from_utf8_lossy(data);
    let _ = KnownRanks::parse(&text);
    let arrays = npz::decode(Path::new("fuzz.npz"), data, 1 << 16).unwrap_or_default();
    let (mut schemes, mut rings) = (Vec::new(), Vec::new());
    schemes.extend(schemes_from_arrays(&arrays, "").unwrap_or_default());
    rings.extend(rings_from_arrays(&arrays).unwrap_or_default());
    if let Ok(Some((more_schemes, more_rings))) = read_models(&text) {
        schemes.extend(more_schemes);
        rings.extend(more_rings);
    }
    for scheme in schemes {
        let small = scheme.rank() <= 16 && scheme.factors.iter().all(|f| f.size() <= 16);
        if small && scheme.factors.len() <= 4 {
            let _ = examine(&scheme, None, SchemeField::Auto);
        }
    }
    for ring in rings {
        let sizes = ring.sizes();
        let small = sizes.iter().all(|n| *n <= 8) && sizes.len() <= 4;
        if !small || ring.ranks().iter().any(|r| *r > 8) {
            continue;
        }
        let target = Target::Dense(sizes, [(0, Rational::from(1))].into());
        if let Ok(residual) = ring.residual(&target) {
            let agree = residual.is_zero() == (residual.relative_bound(&target) == 0.0);
            check("schemes::fuzz_factor_files", agree, || text.to_string())?;
        }
    }
    Ok(())
}
