//! Where walks begin: the standard algorithm of a tensor, and sums of schemes of its blocks.

use crate::Error;
use crate::poly::Integer;
use crate::scheme::model::{Scheme, Target};
use crate::scheme::verdict::{SchemeField, Verdict, examine_until};
use crate::scheme::whole::{Term, require_three, residue_terms, whole_terms};
use std::collections::BTreeMap;
use std::time::Instant;

const OP: &str = "Search::standard";
/// Terms at the start.
pub(crate) const MAX_START: usize = 1 << 10;

/// A term for each pair of entries of the inputs whose product is used, modulo the characteristic.
///
/// # Errors
/// `Shape` when the tensor has not three modes, `InvalidInput` where an entry is no whole number.
pub(crate) fn standard(target: &Target, characteristic: u32) -> Result<Vec<Term>, Error> {
    let shape = target.shape();
    let [_, m, l] = shape[..] else {
        return Err(Error::shape(
            OP,
            "a tensor of three modes",
            format!("{shape:?}"),
        ));
    };
    target.require_real(OP)?;
    if target.count() > MAX_START {
        return Err(Error::limit(OP, "entries of the tensor", MAX_START as u64));
    }
    let mut pairs: BTreeMap<(usize, usize), Vec<(usize, i64)>> = BTreeMap::new();
    for (at, value) in target.entries() {
        let modulus = i64::from(characteristic);
        let whole = |n: Integer| i64::try_from(&n).ok();
        let wrong = || {
            Error::invalid(
                OP,
                format!("the entry {value} of the tensor is no small whole number"),
            )
        };
        let whole = value
            .is_integer()
            .then(|| whole(value.numerator()))
            .flatten();
        let whole = whole.ok_or_else(wrong)?;
        let whole = if modulus > 0 {
            whole.rem_euclid(modulus)
        } else {
            whole
        };
        if whole != 0 {
            let ij = at / l;
            pairs
                .entry((ij / m, ij % m))
                .or_default()
                .push((at % l, whole));
        }
    }
    let term = |((i, j), c)| [vec![(i, 1)], vec![(j, 1)], c];
    Ok(pairs.into_iter().map(term).collect())
}

/// The terms of a scheme in the convention of its target, and that target.
pub(crate) fn terms_of(
    scheme: &Scheme,
    target: Option<&Target>,
    characteristic: u32,
    deadline: Option<Instant>,
) -> Result<(Vec<Term>, Target), Error> {
    require_three(scheme, OP)?;
    let field = match characteristic {
        0 => SchemeField::Integers,
        p => SchemeField::Modulo(p),
    };
    let found = examine_until(scheme, target, field, deadline)?;
    if found.verdict != Verdict::Exact {
        let (name, place) = (found.target.name(), found.field);
        return Err(Error::invalid(
            OP,
            format!("the scheme to begin with is not {name} over {place}"),
        ));
    }
    let terms = match characteristic {
        0 => whole_terms(&found.scheme),
        p => residue_terms(&found.scheme, p),
    };
    let terms = terms
        .ok_or_else(|| Error::invalid(OP, "an entry of the scheme to begin with is too large"))?;
    Ok((terms, found.target))
}

/// The product of the sums of blocks of matrices, laid side by side along one of the three sizes.
///
/// # Errors
/// `InvalidInput` when the blocks fit together in no way, or not to `target`.
pub(crate) fn block_sum(
    blocks: &[(Vec<Term>, Target)],
    target: Option<&Target>,
) -> Result<(Vec<Term>, Target), Error> {
    let sizes: Option<Vec<[usize; 3]>> = blocks.iter().map(|b| dims(&b.1)).collect();
    let sizes =
        sizes.ok_or_else(|| Error::invalid(OP, "blocks must be schemes of matrix products"))?;
    let (axis, whole) = joined(&sizes, target)?;
    let [_, m, p] = whole;
    let mut offset = [0; 3];
    let mut terms = Vec::new();
    for ((block, _), size) in blocks.iter().zip(&sizes) {
        let [_, bm, bp] = *size;
        let [di, dj, dk] = offset;
        let place = |at: usize, width: usize, rows: usize, columns: usize, full: usize| {
            (at / width + rows) * full + at % width + columns
        };
        for [a, b, c] in block {
            let a = a.iter().map(|(at, v)| (place(*at, bm, di, dj, m), *v));
            let b = b.iter().map(|(at, v)| (place(*at, bp, dj, dk, p), *v));
            let c = c.iter().map(|(at, v)| (place(*at, bp, di, dk, p), *v));
            terms.push([a.collect(), b.collect(), c.collect()]);
        }
        offset[axis] += size[axis];
    }
    if terms.len() > MAX_START {
        return Err(Error::limit(OP, "terms of the blocks", MAX_START as u64));
    }
    Ok((terms, Target::Matmul(whole)))
}

fn dims(t: &Target) -> Option<[usize; 3]> {
    match t {
        Target::Matmul(dims) => Some(*dims),
        _ => None,
    }
}

/// The size along which blocks fit together, and the sizes of the whole.
fn joined(sizes: &[[usize; 3]], target: Option<&Target>) -> Result<(usize, [usize; 3]), Error> {
    let names = || {
        sizes
            .iter()
            .map(|d| Target::Matmul(*d).name())
            .collect::<Vec<_>>()
            .join(" + ")
    };
    let along = |axis: usize| {
        let first = *sizes.first()?;
        let agree = sizes
            .iter()
            .all(|d| (0..3).all(|k| k == axis || d[k] == first[k]));
        let mut whole = first;
        whole[axis] = sizes.iter().map(|d| d[axis]).sum();
        let fits = target.is_none_or(|t| dims(t) == Some(whole));
        (agree && fits).then_some((axis, whole))
    };
    let ways: Vec<(usize, [usize; 3])> = (0..3).filter_map(along).collect();
    match ways[..] {
        [] => {
            let what = format!(
                "the blocks {} fit together in no way{}",
                names(),
                if target.is_some() {
                    " to the tensor"
                } else {
                    ""
                }
            );
            Err(Error::invalid(OP, what))
        }
        [one] => Ok(one),
        [one, ..] if target.is_some() => Ok(one),
        _ => {
            let what = format!(
                "the blocks {} fit together in several ways: say --tensor",
                names()
            );
            Err(Error::invalid(OP, what))
        }
    }
}
