//! Moments and cumulants of polynomials of independent standard Gaussians.

use super::terms::{Checked, Machine, Terms, malformed, one, rational};
use crate::certify::format::{Moments, Verdict};
use dashu_ratio::RBig;
use std::collections::BTreeMap;

pub(super) fn replay(claim: &Moments, m: &mut Machine) -> Checked<Verdict> {
    let outputs = claim.polynomials.iter().map(|z| m.read(z));
    let outputs = outputs.collect::<Checked<Vec<_>>>()?;
    let tolerance = rational(&claim.tolerance)?;
    let mut known = BTreeMap::from([(Vec::new(), (one(), RBig::ONE))]);
    let mut e = |index: &[usize]| moment(index, &outputs, &mut known, m);
    for (what, index, value) in &claim.values {
        let mut index = index.clone();
        index.sort_unstable();
        let inside = index.last().is_some_and(|&a| a < outputs.len());
        let found = match (&what[..], index.len()) {
            ("moment", 1..=64) if inside => e(&index)?,
            ("cumulant", 1..=10) if inside => cumulant(&index, &mut e)?,
            _ => return malformed(format!("{what:.20?} of {index:.9?} is not known here")),
        };
        let gap = &found - rational(value)?;
        if gap > tolerance || -gap > tolerance {
            return Ok(Err(format!("the {what} of {index:?} is {found}")));
        }
    }
    let (n, off) = (claim.values.len(), tolerance.to_f64().value());
    if n == 0 {
        return malformed("there is no value to check");
    }
    Ok(Ok(format!("{n} values, none off by more than {off}")))
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
    let mut pick = |set: usize| {
        let inside = (0..index.len()).filter(|i| set >> i & 1 == 1);
        e(&inside.map(|i| index[i]).collect::<Vec<_>>())
    };
    let mut kappa = vec![RBig::ZERO; 1 << index.len()];
    for set in 1..kappa.len() {
        let (first, mut value) = (set & set.wrapping_neg(), pick(set)?);
        for part in (1..set).filter(|part| part & set == *part && part & first != 0) {
            value -= &kappa[part] * pick(set & !part)?;
        }
        kappa[set] = value;
    }
    Ok(kappa.pop().unwrap_or(RBig::ZERO))
}
