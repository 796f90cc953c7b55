//! Laws of sparse polynomials: the fast paths equal the textbook's definitions.

use crate::Error;
use crate::laws::broken::{Broken, check};
use crate::laws::bytes::Bytes;
use crate::poly::{Budget, Integer, Poly, Rational, Ring};
use std::collections::BTreeMap;

/// Exponent vectors to coefficients, the slow obvious form of a polynomial.
pub type Table<C> = BTreeMap<Vec<u32>, C>;

/// The terms of `p` in a map.
pub fn table<C: Ring>(p: &Poly<C>) -> Table<C> {
    p.iter().collect()
}

fn insert<C: Ring>(t: &mut Table<C>, mut e: Vec<u32>, c: C) {
    while e.last() == Some(&0) {
        e.pop();
    }
    let sum = t.entry(e).or_insert_with(C::zero);
    *sum += &c;
}

/// The sum, term by term in a map.
pub fn naive_sum<C: Ring>(a: &Poly<C>, b: &Poly<C>) -> Table<C> {
    let mut t = table(a);
    for (e, c) in b.iter() {
        insert(&mut t, e, c);
    }
    t.retain(|_, c| !c.is_zero());
    t
}

/// The product, every pair of terms in a map.
pub fn naive_product<C: Ring>(a: &Poly<C>, b: &Poly<C>) -> Table<C> {
    let mut t = Table::new();
    for (e, x) in a.iter() {
        for (f, y) in b.iter() {
            let n = e.len().max(f.len());
            let at = |v: &[u32], i: usize| v.get(i).copied().unwrap_or(0);
            let sum = (0..n).map(|i| at(&e, i) + at(&f, i)).collect();
            let mut c = x.clone();
            c *= &y;
            insert(&mut t, sum, c);
        }
    }
    t.retain(|_, c| !c.is_zero());
    t
}

/// `a + b` and `a - b` are what a map of terms says.
///
/// # Errors
/// [`Broken`] with both polynomials.
pub fn sum_is_naive<C: Ring>(a: &Poly<C>, b: &Poly<C>) -> Result<(), Broken> {
    let law = "poly_ring::sum_is_naive";
    let case = || format!("{:?} and {:?}", table(a), table(b));
    let (sum, difference) = (a + b, a - b);
    check(
        law,
        sum.check_invariants() && difference.check_invariants(),
        case,
    )?;
    check(law, table(&sum) == naive_sum(a, b), case)?;
    check(law, table(&difference) == naive_sum(a, &-b), case)?;
    check(law, &(&difference + b) == a, case)
}

/// `a * b` is what a map of all pairs of terms says.
///
/// # Errors
/// [`Broken`] with both polynomials.
pub fn product_is_naive<C: Ring>(a: &Poly<C>, b: &Poly<C>) -> Result<(), Broken> {
    let law = "poly_ring::product_is_naive";
    let case = || format!("{:?} and {:?}", table(a), table(b));
    let fast = a.checked_mul(b);
    let Ok(fast) = fast else {
        // Refused: then some exponent really leaves 32 bits.
        let over = (0..a.nvars().max(b.nvars()))
            .any(|v| u64::from(a.degree(v)) + u64::from(b.degree(v)) > u32::MAX.into());
        return check(law, over, case);
    };
    check(law, fast.check_invariants(), case)?;
    check(law, table(&fast) == naive_product(a, b), case)?;
    check(law, b.checked_mul(a) == Ok(fast), case)
}

/// `a (b + c) = a b + a c` and `(a b) c = a (b c)`.
///
/// # Errors
/// [`Broken`] with the polynomials.
pub fn ring_axioms<C: Ring>(a: &Poly<C>, b: &Poly<C>, c: &Poly<C>) -> Result<(), Broken> {
    let law = "poly_ring::ring_axioms";
    let case = || format!("{:?}, {:?}, {:?}", table(a), table(b), table(c));
    let times = |x: &Poly<C>, y: &Poly<C>| x.checked_mul(y);
    let Ok(left) = times(a, &(b + c)) else {
        return Ok(());
    };
    let (Ok(ab), Ok(ac), Ok(bc)) = (times(a, b), times(a, c), times(b, c)) else {
        return Ok(());
    };
    check(law, left == &ab + &ac, case)?;
    let (Ok(x), Ok(y)) = (times(&ab, c), times(a, &bc)) else {
        return Ok(());
    };
    check(law, x == y, case)
}

/// `(a b) / b = a`; and a quotient that is returned is one.
///
/// # Errors
/// [`Broken`] with the polynomials.
pub fn quotient_undoes_product<C: Ring>(
    a: &Poly<C>,
    b: &Poly<C>,
    disturbance: &Poly<C>,
) -> Result<(), Broken> {
    let law = "poly_ring::quotient_undoes_product";
    let case = || format!("{:?}, {:?}, {:?}", table(a), table(b), table(disturbance));
    // A hopeless division may have a quotient of 2^30 terms: refusing it within the budget is right too.
    let budget = Budget::default().terms(1 << 14).work(1 << 22);
    let Ok(product) = a.checked_mul(b) else {
        return Ok(());
    };
    if !b.is_zero() {
        let quotient = product.divide_exact(b, &budget);
        check(law, quotient == Ok(Some(a.clone())), case)?;
    }
    let disturbed = &product + disturbance;
    match disturbed.divide_exact(b, &budget) {
        Ok(Some(q)) => {
            check(law, q.check_invariants(), case)?;
            check(law, table(&disturbed) == naive_product(&q, b), case)
        }
        // Rejected: `b` must then not divide the disturbance either.
        Ok(None) if b.is_zero() => Ok(()),
        Ok(None) => {
            let other = disturbance.divide_exact(b, &budget);
            check(law, !matches!(other, Ok(Some(_))), case)
        }
        Err(e) => check(law, matches!(e, Error::LimitExceeded { .. }), case),
    }
}

/// A small polynomial from bytes, valid and nasty: few or many variables, dense or sparse or huge
/// exponents, coefficients of one limb or several.
pub fn integer_poly(bytes: &mut Bytes<'_>) -> Poly<Integer> {
    let nvars = [1, 2, 3, 4, 7, 14, 40][bytes.below(7)];
    let reach = [2u32, 4, 9, 40, 3000, 1 << 30][bytes.below(6)];
    let size = [3, 3, 40, 62, 64, 100, 127, 200, 500][bytes.below(9)];
    let step = 1 + bytes.below(3) as u32;
    let count = bytes.below(24);
    let terms = (0..count).map(|_| {
        let e = (0..nvars)
            .map(|_| {
                let b = u32::from(bytes.byte());
                let wide = b << 24 | u32::from(bytes.byte()) << 12 | b;
                (if reach > 255 { wide } else { b }) % reach * step
            })
            .collect();
        (e, integer(bytes, size))
    });
    let terms: Vec<_> = terms.collect();
    Poly::from_terms(terms)
}

fn integer(bytes: &mut Bytes<'_>, bits: usize) -> Integer {
    let low = Integer::from(bytes.small());
    if bits <= 3 || bytes.below(4) == 0 {
        return low;
    }
    // Near a power of two, where widths change.
    let high = Integer::from(1) << (bits - bytes.below(3).min(bits));
    let middle = Integer::from(bytes.below(1 << 16)) << (bits / 2);
    let value = high + middle + low;
    if bytes.below(2) == 0 { value } else { -value }
}

/// [`integer_poly`] with denominators.
pub fn rational_poly(bytes: &mut Bytes<'_>) -> Poly<Rational> {
    let p = integer_poly(bytes);
    let dens: Vec<i64> = (0..p.len()).map(|_| 1 + bytes.below(12) as i64).collect();
    let terms = p.iter().zip(dens).map(|((e, c), d)| {
        let c = Rational::from_integers(c, d.into()).unwrap_or_default();
        (e, c)
    });
    let terms: Vec<_> = terms.collect();
    Poly::from_terms(terms)
}

/// The laws of arithmetic on polynomials made from arbitrary bytes.
///
/// # Panics
/// When a law is broken: that is what a fuzzer looks for.
#[allow(clippy::panic)]
pub fn fuzz_poly_arith(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let run = || -> Result<(), Broken> {
        let (a, b) = (integer_poly(&mut bytes), integer_poly(&mut bytes));
        let c = integer_poly(&mut bytes);
        sum_is_naive(&a, &b)?;
        product_is_naive(&a, &b)?;
        quotient_undoes_product(&a, &b, &c)?;
        let (a, b) = (rational_poly(&mut bytes), rational_poly(&mut bytes));
        product_is_naive(&a, &b)?;
        sum_is_naive(&a, &b)
    };
    if let Err(broken) = { run }() {
        panic!("{broken}");
    }
}
