//! Strategies of the crate proptest for property tests of programs that use polynomials.
//!
//! Sizes are chosen where representations change: machine words that just fit or just do not, denominators, exponents near
//! the edge of a packed field.

use super::coefficients::rational::{Integer, Rational};
use super::polynomial::value::Poly;
use proptest::collection::vec;
use proptest::prelude::{Arbitrary, BoxedStrategy, Just, Strategy, any, prop_oneof};

/// Integers: small ones, those around 2^31, 2^63 and 2^127, and any of up to `bits` bits.
///
/// # Example
/// ```
/// use proptest::prelude::*;
/// use wickring::poly::strategies::{integers, polys};
/// proptest!(|(n in integers(200), f in polys(3, 4, 5), g in polys(3, 4, 5))| {
///     prop_assert!(n.clone() * &n >= n);
///     prop_assert_eq!(&f * &g, &g * &f);
/// });
/// ```
pub fn integers(bits: usize) -> BoxedStrategy<Integer> {
    let edge = |k: usize| {
        (-2i64..=2, any::<bool>()).prop_map(move |(d, negative)| {
            let n = (Integer::ONE << k) + Integer::from(d);
            if negative { -n } else { n }
        })
    };
    let long = vec(any::<u8>(), 0..=bits / 8).prop_map(|bytes| Integer::from_le_bytes(&bytes));
    prop_oneof![
        4 => (-9i64..=9).prop_map(Integer::from),
        2 => any::<i64>().prop_map(Integer::from),
        1 => edge(31),
        1 => edge(63),
        1 => edge(127),
        2 => long,
    ]
    .boxed()
}

/// Rationals, about half of them integers, with numerators and denominators of up to `bits` bits.
pub fn rationals(bits: usize) -> BoxedStrategy<Rational> {
    let denominator = prop_oneof![
        3 => Just(Integer::ONE),
        2 => (1i64..=12).prop_map(Integer::from),
        1 => integers(bits),
    ];
    (integers(bits), denominator)
        .prop_map(|(n, d)| {
            let whole = Rational::from(n.clone());
            Rational::from_integers(n, d).unwrap_or(whole)
        })
        .boxed()
}

/// Polynomials in `nvars` variables with at most `terms` terms of degree at most `degree` in each variable, zero among them.
pub fn polys(nvars: usize, degree: u32, terms: usize) -> BoxedStrategy<Poly<Rational>> {
    let term = (vec(0..=degree, nvars), rationals(130));
    vec(term, 0..=terms).prop_map(Poly::from_terms).boxed()
}

/// Polynomials over the integers, of the same shapes.
pub fn integer_polys(nvars: usize, degree: u32, terms: usize) -> BoxedStrategy<Poly<Integer>> {
    let term = (vec(0..=degree, nvars), integers(130));
    vec(term, 0..=terms).prop_map(Poly::from_terms).boxed()
}

impl Arbitrary for Rational {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;
    fn arbitrary_with((): ()) -> Self::Strategy {
        rationals(200)
    }
}

impl Arbitrary for Poly<Rational> {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;
    fn arbitrary_with((): ()) -> Self::Strategy {
        (0usize..4)
            .prop_flat_map(|nvars| polys(nvars, 5, 8))
            .boxed()
    }
}

impl Arbitrary for Poly<Integer> {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;
    fn arbitrary_with((): ()) -> Self::Strategy {
        (0usize..4)
            .prop_flat_map(|nvars| integer_polys(nvars, 5, 8))
            .boxed()
    }
}
