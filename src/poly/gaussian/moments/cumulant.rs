//! Moments to cumulants and back, of one variable and of several, over any ring.

use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::coefficients::ring::Ring;
use std::collections::BTreeMap;

/// Most multi-indices of a joint table.
const MAX_INDICES: usize = 1 << 16;

/// Cumulants from raw moments (`moments[0]` is the mean): `mu_n = sum_k C(n-1, k-1) kappa_k mu_{n-k}`.
///
/// # Example
/// ```
/// use wickring::poly::Rational;
/// use wickring::poly::gaussian::{cumulants_to_moments, moments_to_cumulants};
/// let normal: Vec<Rational> = [0, 1, 0, 3, 0, 15].map(Rational::from).to_vec();
/// let k = moments_to_cumulants(&normal);
/// assert_eq!(k, [0, 1, 0, 0, 0, 0].map(Rational::from));
/// assert_eq!(cumulants_to_moments(&k), normal);
/// ```
pub fn moments_to_cumulants<C: Ring>(moments: &[C]) -> Vec<C> {
    let mut cumulants: Vec<C> = Vec::with_capacity(moments.len());
    let mut row: Vec<C> = vec![C::one()];
    for (n, moment) in moments.iter().enumerate() {
        let mut next = moment.clone();
        for (k, (kappa, weight)) in cumulants.iter().zip(&row).enumerate() {
            // The term of k = n has mu_0 = 1 and is what is solved for.
            let mut term = kappa.clone();
            term *= weight;
            term *= &moments[n - 1 - k];
            next -= &term;
        }
        cumulants.push(next);
        row = pascal(&row);
    }
    cumulants
}

/// Raw moments from cumulants: the inverse of [`moments_to_cumulants`].
pub fn cumulants_to_moments<C: Ring>(cumulants: &[C]) -> Vec<C> {
    let mut moments: Vec<C> = Vec::with_capacity(cumulants.len());
    let mut row: Vec<C> = vec![C::one()];
    for n in 0..cumulants.len() {
        let mut next = cumulants[n].clone();
        for k in 0..n {
            let mut term = cumulants[k].clone();
            term *= &row[k];
            term *= &moments[n - 1 - k];
            next += &term;
        }
        moments.push(next);
        row = pascal(&row);
    }
    moments
}

/// The next row of binomial coefficients.
fn pascal<C: Ring>(row: &[C]) -> Vec<C> {
    let mut next = vec![C::one()];
    for pair in row.windows(2) {
        next.push(pair[0].clone() + pair[1].clone());
    }
    next.push(C::one());
    next
}

/// Joint cumulants of every multi-index up to `top`, from joint moments of the same:
/// `M[a] = sum_{b <= a, b_i >= 1} C(a - e_i, b - e_i) K[b] M[a - b]` with `i` the first variable of `a`.
///
/// # Errors
/// `LimitExceeded` for more than 65536 multi-indices; what `moment` says.
pub fn joint_cumulants<C: Ring>(
    top: &[u32],
    mut moment: impl FnMut(&[u32]) -> Result<C, Error>,
) -> Result<BTreeMap<Vec<u32>, C>, Error> {
    let all = box_below(top)?;
    let mut moments = BTreeMap::new();
    for a in &all {
        moments.insert(
            a.clone(),
            if a.iter().all(|&k| k == 0) {
                C::one()
            } else {
                moment(a)?
            },
        );
    }
    let mut cumulants: BTreeMap<Vec<u32>, C> = BTreeMap::new();
    for a in all.iter().filter(|a| a.iter().any(|&k| k > 0)) {
        let mut rest = moments[a].clone();
        for (b, weight) in splits::<C>(a) {
            rest -= &(weight * cumulants[&b].clone() * moments[&difference(a, &b)].clone());
        }
        cumulants.insert(a.clone(), rest);
    }
    Ok(cumulants)
}

/// Joint moments of every multi-index up to `top`, from joint cumulants.
///
/// # Errors
/// As [`joint_cumulants`].
pub fn joint_moments<C: Ring>(
    top: &[u32],
    mut cumulant: impl FnMut(&[u32]) -> Result<C, Error>,
) -> Result<BTreeMap<Vec<u32>, C>, Error> {
    let all = box_below(top)?;
    let mut cumulants: BTreeMap<Vec<u32>, C> = BTreeMap::new();
    let mut moments: BTreeMap<Vec<u32>, C> = BTreeMap::new();
    for a in &all {
        if a.iter().all(|&k| k == 0) {
            moments.insert(a.clone(), C::one());
            continue;
        }
        cumulants.insert(a.clone(), cumulant(a)?);
        let mut sum = cumulants[a].clone();
        for (b, weight) in splits::<C>(a) {
            sum += &(weight * cumulants[&b].clone() * moments[&difference(a, &b)].clone());
        }
        moments.insert(a.clone(), sum);
    }
    Ok(moments)
}

/// The proper `b < a` with `b_i >= 1`, and `C(a - e_i, b - e_i)`.
fn splits<C: Ring>(a: &[u32]) -> Vec<(Vec<u32>, C)> {
    let Some(i) = a.iter().position(|&k| k > 0) else {
        return Vec::new();
    };
    let below = box_below(a).unwrap_or_default();
    let proper = below.into_iter().filter(|b| b[i] >= 1 && b != a);
    proper
        .map(|b| {
            let mut weight = Integer::ONE;
            for (j, (&n, &k)) in a.iter().zip(&b).enumerate() {
                let shift = u32::from(j == i);
                weight *= binomial(n - shift, k - shift);
            }
            (
                b,
                crate::poly::gaussian::hermite::heat_operator::from_integer(&weight),
            )
        })
        .collect()
}

fn binomial(n: u32, k: u32) -> Integer {
    (0..k).fold(Integer::ONE, |c, i| {
        c * Integer::from(n - i) / Integer::from(i + 1)
    })
}

fn difference(a: &[u32], b: &[u32]) -> Vec<u32> {
    a.iter().zip(b).map(|(x, y)| x - y).collect()
}

/// Every multi-index below `top`, so ordered that smaller ones come first.
fn box_below(top: &[u32]) -> Result<Vec<Vec<u32>>, Error> {
    let count = top
        .iter()
        .try_fold(1usize, |n, &k| n.checked_mul(k as usize + 1));
    if count.is_none_or(|n| n > MAX_INDICES) {
        return Err(Error::limit(
            "joint_cumulants",
            "multi-indices",
            MAX_INDICES as u64,
        ));
    }
    let mut all = vec![Vec::new()];
    for &k in top {
        all = all
            .into_iter()
            .flat_map(|a| (0..=k).map(move |x| [a.as_slice(), &[x]].concat()))
            .collect();
    }
    Ok(all)
}
