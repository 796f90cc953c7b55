//! Moments and cumulants of polynomials of independent standard Gaussians.

use super::replay::Verdict;
use super::terms::{Checked, Machine, Terms, malformed, one, rational};
use dashu_ratio::RBig;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// `E[z_a z_b ..] = value` for each `[[a, b, ..], value]` of `moments`; `cumulants` likewise. A claim holds
/// when no value is further than `tolerance` from the exact one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claim {
    polynomials: Vec<Value>,
    moments: Vec<(Vec<usize>, Value)>,
    cumulants: Vec<(Vec<usize>, Value)>,
    tolerance: Value,
}

pub(super) fn replay(claim: &Claim, m: &mut Machine) -> Checked<Verdict> {
    let outputs = claim.polynomials.iter().map(|z| m.polynomial(z));
    let outputs = outputs.collect::<Checked<Vec<_>>>()?;
    let tolerance = rational(&claim.tolerance)?;
    let mut known = BTreeMap::from([(Vec::new(), (one(), RBig::ONE))]);
    let mut e = |index: &[usize]| moment(index, &outputs, &mut known, m);
    let labelled = claim
        .moments
        .iter()
        .map(|c| (64, c))
        .chain(claim.cumulants.iter().map(|c| (10, c)));
    for (most, (index, value)) in labelled {
        let mut index = index.clone();
        index.sort_unstable();
        if index.is_empty() || index.len() > most || index.iter().any(|&a| a >= outputs.len()) {
            return malformed(format!(
                "{index:?} must name 1 to {most} of the polynomials"
            ));
        }
        let found = if most == 64 {
            e(&index)?
        } else {
            cumulant(&index, &mut e)?
        };
        let gap = &found - rational(value)?;
        if gap > tolerance || -gap > tolerance {
            let what = if most == 64 { "moment" } else { "cumulant" };
            return Ok(Err(format!(
                "the {what} of {index:?} is {found} and not what is claimed"
            )));
        }
    }
    let (a, b) = (claim.moments.len(), claim.cumulants.len());
    if a + b == 0 {
        return malformed("there are neither moments nor cumulants");
    }
    let off = tolerance.to_f64().value();
    Ok(Ok(format!(
        "{a} moments and {b} cumulants of {} polynomials of Gaussians, off by at most {off}",
        outputs.len()
    )))
}

type Known = BTreeMap<Vec<usize>, (Terms, RBig)>;

fn moment(index: &[usize], z: &[Terms], known: &mut Known, m: &mut Machine) -> Checked<RBig> {
    let (Some((&last, rest)), None) = (index.split_last(), known.get(index)) else {
        return Ok(known.get(index).map_or(RBig::ONE, |k| k.1.clone()));
    };
    moment(rest, z, known, m)?;
    let product = m.mul(&known[rest].0, &z[last])?;
    // Wick: E[x^(2k)] = 1 * 3 * .. * (2k-1), odd powers vanish, and the variables are independent.
    let mut sum = RBig::ZERO;
    for (exponents, c) in product.iter().filter(|(e, _)| e.iter().all(|k| k % 2 == 0)) {
        let mut c = c.clone();
        for odd in exponents.iter().flat_map(|&k| (1..k).step_by(2)) {
            m.spend(1 + odd as usize / 64)?;
            c *= RBig::from(odd);
        }
        sum += c;
    }
    known.insert(index.to_vec(), (product, sum.clone()));
    Ok(sum)
}

/// Solves `E[z_S] = sum over the parts B of S that hold its first element of kappa(B) E[z_(S without B)]`.
fn cumulant(index: &[usize], e: &mut impl FnMut(&[usize]) -> Checked<RBig>) -> Checked<RBig> {
    let pick = |set: usize| -> Vec<usize> {
        let inside = (0..index.len()).filter(|i| set >> i & 1 == 1);
        inside.map(|i| index[i]).collect()
    };
    let mut kappa = vec![RBig::ZERO; 1 << index.len()];
    for set in 1..kappa.len() {
        let (first, mut value) = (set & set.wrapping_neg(), e(&pick(set))?);
        for part in (1..set).filter(|part| part & set == *part && part & first != 0) {
            value -= &kappa[part] * e(&pick(set & !part))?;
        }
        kappa[set] = value;
    }
    Ok(kappa.pop().unwrap_or(RBig::ZERO))
}
