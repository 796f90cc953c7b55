//! Factors whose coefficients differ in width are split by size, so that a few long ones cost only their own products.

use crate::Error;
use crate::poly::coefficients::integers::{Integers, limbs_needed};
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::packed::{Monomials, merge};
use crate::poly::product::budget::Task;
use crate::poly::product::plan::{self, Product};

/// Products from which a split may pay.
const FEW: usize = 1 << 11;
/// Limbs between classes.
const BORDERS: [usize; 6] = [1, 2, 4, 8, 16, 32];
/// What must be left of the cost.
const GAIN: f64 = 0.6;

/// Limbs of each value.
fn widths(v: &Integers) -> Vec<usize> {
    match v {
        Integers::I64(v) => vec![1; v.len()],
        Integers::I128(v) => v
            .iter()
            .map(|&x| 1 + usize::from(i64::try_from(x).is_err()))
            .collect(),
        Integers::Limbs { width, data } => data.chunks_exact(*width).map(limbs_needed).collect(),
        Integers::Big(v) => v.iter().map(|x| x.as_sign_words().1.len().max(1)).collect(),
    }
}

/// The border that saves most when the other factor has `other` limbs, and what is left of the cost.
fn border(widths: &[usize], other: usize) -> Option<(usize, f64)> {
    let most = widths.iter().copied().max()?;
    let cost = |n: usize, width: usize| n as f64 * (width.max(other) as f64).powi(2);
    let all = cost(widths.len(), most);
    let left = |&border: &usize| {
        let small = widths.iter().filter(|&&w| w <= border).count();
        let split = cost(small, border) + cost(widths.len() - small, most);
        (border, split / all)
    };
    let borders = BORDERS.iter().filter(|&&b| b < most);
    let best = borders.map(left).min_by(|x, y| x.1.total_cmp(&y.1))?;
    (best.1 <= GAIN).then_some(best)
}

/// The product as the sum of two, when one factor is worth splitting.
pub(crate) fn product(
    (ma, a): (&Monomials, &Integers),
    (mb, b): (&Monomials, &Integers),
    task: &Task<'_>,
) -> Result<Option<(Monomials, Integers)>, Error> {
    let words = |v: &Integers| matches!(v, Integers::I64(_));
    if words(a) && words(b) || a.len().saturating_mul(b.len()) < FEW {
        return Ok(None);
    }
    let (wa, wb) = (widths(a), widths(b));
    let most = |w: &[usize]| w.iter().copied().max().unwrap_or(1);
    let (left, right) = (border(&wa, most(&wb)), border(&wb, most(&wa)));
    let first = match (left, right) {
        (Some(x), Some(y)) => x.1 <= y.1,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        // Both have few long ones: what one split leaves is split again.
        (None, None) => match (border(&wa, 1), border(&wb, 1)) {
            (None, _) | (_, None) => return Ok(None),
            (Some(x), Some(y)) => x.1 <= y.1,
        },
    };
    let (m, v, w, other) = match first {
        true => (ma, a, &wa, (mb, b)),
        false => (mb, b, &wb, (ma, a)),
    };
    let at = match first {
        true => left.or_else(|| border(&wa, 1)),
        false => right.or_else(|| border(&wb, 1)),
    };
    let Some((at, _)) = at else {
        return Ok(None);
    };
    let part = |long: bool| -> Product<Integers> {
        let picked: Vec<usize> = (0..v.len()).filter(|&i| (w[i] > at) == long).collect();
        let (m, v) = (m.gather(&picked), v.gather(&picked));
        plan::integers((&m, &v), other, task)
    };
    let ((mx, x), (my, y)) = (part(false)?, part(true)?);
    let (m, origins) = merge(&mx, &my);
    let sums = Integers::joined(&x, &y, &origins, false);
    Ok(Some(match sums.nonzero() {
        None => (m, sums),
        Some(kept) => (m.gather(&kept), sums.gather(&kept)),
    }))
}

#[cfg(test)]
mod tests {
    use crate::poly::coefficients::rational::Integer;
    use crate::poly::polynomial::value::Poly;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn number(rng: &mut impl Rng, bits: usize) -> Integer {
        let words = (0..bits.div_ceil(64)).map(|_| rng.random::<u64>());
        let n = words.fold(Integer::ONE, |n, w| (n << 64) + Integer::from(w));
        let n = n % (Integer::ONE << bits) + Integer::ONE;
        if rng.random() { -n } else { n }
    }

    /// A few long coefficients among many short ones, in either factor or both: the product is the sum of its parts, and what
    /// cancels is gone.
    #[test]
    fn products_of_mixed_widths_are_sums() {
        let rng = &mut ChaCha8Rng::seed_from_u64(9);
        for round in 0..60 {
            let (bits, long) = ([3, 30, 63][round % 3], [64, 130, 2000, 5000][round % 4]);
            let mut draw = |long: usize| {
                let term = |i: usize| {
                    let e = vec![rng.random_range(0..30), rng.random_range(0..30), 0];
                    let own = if i % 40 == 7 { long } else { bits };
                    (e, number(rng, own))
                };
                Poly::from_terms((0..80).map(term).collect::<Vec<_>>())
            };
            let (a, b) = (draw(long), draw([long, bits][round % 2]));
            let parts = b.iter().map(|(e, c)| &a * &Poly::monomial(&e, c));
            let wanted = Poly::sum(parts.collect::<Vec<_>>());
            let product = &a * &b;
            assert!(product.check_invariants());
            assert_eq!(product, wanted);
            // (l + s) (l - s) = l^2 - s^2: mixed terms cancel.
            let l = Poly::monomial(&[50], number(rng, long));
            let s = &a - &a.part_of_degree(3);
            let difference = &(&l * &l) - &(&s * &s);
            assert_eq!(&(&l + &s) * &(&l - &s), difference);
        }
    }
}
