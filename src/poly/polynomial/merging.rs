//! Sums of polynomials with word coefficients: monomials and coefficients are merged in one pass without branches.
//!
//! Which of two random supports has the next monomial cannot be foreseen, so a branch would be missed every other time.

use crate::poly::coefficients::integers::Integers;
use crate::poly::monomials::packed::{Exps, Monomials};
use crate::poly::monomials::word::Word;

/// Terms that are gathered before they are written out.
const BLOCK: usize = 512;

/// `a + b` or `a - b` without vanishing terms; `None` for other widths than words that cannot overflow.
pub(crate) fn merged(
    (ma, a): (&Monomials, &Integers),
    (mb, b): (&Monomials, &Integers),
    subtract: bool,
) -> Option<(Monomials, Integers)> {
    let (Integers::I64(x), Integers::I64(y)) = (a, b) else {
        return None;
    };
    if a.bits().max(b.bits()) > 62 {
        return None;
    }
    if ma.nvars != mb.nvars || ma.width() != mb.width() {
        let (ma, mb) = Monomials::aligned(ma, mb);
        return words(&ma, &mb, (x, y), subtract);
    }
    words(ma, mb, (x, y), subtract)
}

fn words(
    ma: &Monomials,
    mb: &Monomials,
    values: (&[i64], &[i64]),
    subtract: bool,
) -> Option<(Monomials, Integers)> {
    let sign = if subtract { -1 } else { 1 };
    let (monomials, values) = match (&ma.exps, &mb.exps) {
        (Exps::W1(x), Exps::W1(y)) => {
            let (words, values) = branchless((x, values.0), (y, values.1), sign);
            (Monomials::from_words(ma.nvars, words), values)
        }
        (Exps::W2(x), Exps::W2(y)) => {
            let (words, values) = branchless((x, values.0), (y, values.1), sign);
            (Monomials::from_words(ma.nvars, words), values)
        }
        _ => return None,
    };
    Some((monomials, Integers::I64(values)))
}

/// Both lists descend.
fn branchless<W: Word>(
    (x, a): (&[W], &[i64]),
    (y, b): (&[W], &[i64]),
    sign: i64,
) -> (Vec<W>, Vec<i64>) {
    let most = x.len() + y.len();
    let (mut words, mut values) = (Vec::with_capacity(most), Vec::with_capacity(most));
    let (mut i, mut j) = (0, 0);
    let mut block = [W::default(); BLOCK];
    let mut cells = [0i64; BLOCK];
    while i < x.len() && j < y.len() {
        // So many steps leave neither list.
        let steps = BLOCK.min(x.len() - i).min(y.len() - j);
        let mut kept = 0;
        for _ in 0..steps {
            let (p, q) = (x[i], y[j]);
            let (left, right) = (p >= q, q >= p);
            let c = a[i] & -i64::from(left);
            let d = b[j] & -i64::from(right);
            let value = c + sign * d;
            block[kept] = p.max(q);
            cells[kept] = value;
            kept += usize::from(value != 0);
            i += usize::from(left);
            j += usize::from(right);
        }
        words.extend_from_slice(&block[..kept]);
        values.extend_from_slice(&cells[..kept]);
    }
    words.extend_from_slice(&x[i..]);
    values.extend_from_slice(&a[i..]);
    words.extend_from_slice(&y[j..]);
    values.extend(b[j..].iter().map(|d| sign * d));
    (words, values)
}

#[cfg(test)]
mod tests {
    use crate::poly::coefficients::rational::{Integer, Rational};
    use crate::poly::polynomial::value::Poly;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn random(rng: &mut impl Rng, nvars: usize, degree: u32, terms: usize) -> Vec<(Vec<u32>, i64)> {
        let scale = [1, 3, 1 << 40, i64::MAX][rng.random_range(0..4)];
        let term = |_| {
            let e = (0..nvars).map(|_| rng.random_range(0..=degree)).collect();
            (e, rng.random_range(-scale..=scale))
        };
        (0..terms).map(term).collect()
    }

    /// Sums and differences are those of all terms put into one list, over the integers and the rationals.
    #[test]
    fn sums_are_those_of_the_terms() {
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        for round in 0..600 {
            let degree = [1, 3, 40, 5000, u32::MAX][round % 5];
            let (n, m) = (rng.random_range(0..6), rng.random_range(0..6));
            let (s, t) = (rng.random_range(0..700), rng.random_range(0..40));
            let (a, b) = (random(rng, n, degree, s), random(rng, m, degree, t));
            let whole = |terms: &[(Vec<u32>, i64)]| {
                Poly::from_terms(terms.iter().map(|(e, c)| (e.clone(), Integer::from(*c))))
            };
            let negated: Vec<_> = b.iter().map(|(e, c)| (e.clone(), -c)).collect();
            let (p, q) = (whole(&a), whole(&b));
            let wanted = whole(&[a.clone(), b.clone()].concat());
            let less = whole(&[a, negated].concat());
            for sum in [&p + &q, &q + &p] {
                assert!(sum.check_invariants() && sum == wanted);
            }
            assert!((&p - &q).check_invariants());
            assert_eq!(&p - &q, less);
            assert_eq!(&p - &p, Poly::zero());
            let half = |p: &Poly<Integer>| {
                p.map(|c| Rational::from_integers(c.clone(), 6.into()).unwrap_or_default())
            };
            assert_eq!(&half(&p) + &half(&q), half(&wanted));
            assert_eq!(&half(&p) - &half(&q), half(&less));
        }
    }
}
