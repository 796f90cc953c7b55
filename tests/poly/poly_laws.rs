//! The identities of sparse polynomials, exactly.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use wickring::laws::Broken;
use wickring::laws::bytes::Bytes;
use wickring::laws::poly::ring;
use wickring::poly::{Budget, Integer, Poly, Rational};

fn holds(law: Result<(), Broken>) -> Result<(), TestCaseError> {
    law.map_err(|b| TestCaseError::fail(b.to_string()))
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..1200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn integer_polynomials_add_and_multiply_as_maps_do(data in bytes()) {
        let mut b = Bytes::new(&data);
        let (p, q) = (ring::integer_poly(&mut b), ring::integer_poly(&mut b));
        holds(ring::sum_is_naive(&p, &q))?;
        holds(ring::product_is_naive(&p, &q))?;
    }

    #[test]
    fn rational_polynomials_add_and_multiply_as_maps_do(data in bytes()) {
        let mut b = Bytes::new(&data);
        let (p, q) = (ring::rational_poly(&mut b), ring::rational_poly(&mut b));
        holds(ring::sum_is_naive(&p, &q))?;
        holds(ring::product_is_naive(&p, &q))?;
    }

    #[test]
    fn the_ring_axioms_hold(data in bytes()) {
        let mut b = Bytes::new(&data);
        let mut p = || ring::integer_poly(&mut b);
        holds(ring::ring_axioms(&p(), &p(), &p()))?;
    }

    #[test]
    fn exact_division_undoes_multiplication_and_rejects_the_rest(data in bytes()) {
        let mut b = Bytes::new(&data);
        let (p, q) = (ring::integer_poly(&mut b), ring::integer_poly(&mut b));
        holds(ring::quotient_undoes_product(&p, &q, &ring::integer_poly(&mut b)))?;
        let (p, q) = (ring::rational_poly(&mut b), ring::rational_poly(&mut b));
        holds(ring::quotient_undoes_product(&p, &q, &ring::rational_poly(&mut b)))?;
    }
}

/// `(1 + x_0 + ... + x_(n-1))^k`.
fn simplex(nvars: usize, k: u32) -> Poly<Integer> {
    let mut f = Poly::constant(Integer::from(1));
    for v in 0..nvars {
        f += &Poly::variable(v);
    }
    f.pow(k, 1 << 20).unwrap()
}

/// Large products take the block and row kernels, which small random ones seldom reach.
#[test]
fn large_products_equal_the_naive_ones() {
    let one = Poly::constant(Integer::from(1));
    let signed = |p: &Poly<Integer>, scale: i64, shift: usize| {
        let terms = p.iter().enumerate().map(|(i, (e, c))| {
            let sign = if i * 7 % 3 == 0 { -1 } else { 1 };
            (e, (c * scale * sign + i as i64) << shift)
        });
        Poly::from_terms(terms.collect::<Vec<_>>())
    };
    for (nvars, k) in [(1, 60), (2, 16), (3, 9), (4, 7), (6, 4), (9, 3)] {
        let f = simplex(nvars, k);
        let g = &f + &one;
        ring::product_is_naive(&f, &g).unwrap();
        let scales = [
            (-3, 0),
            (1 << 30, 0),
            (1 << 40, 0),
            (1 << 43, 0),
            (12345, 70),
            (77, 200),
        ];
        for (scale, shift) in scales {
            let (p, q) = (signed(&f, scale, shift), signed(&g, 3 * scale, 0));
            ring::product_is_naive(&p, &q).unwrap();
            ring::quotient_undoes_product(&p, &q, &one).unwrap();
        }
        let r = f.map(|c| Rational::from_integers(c.clone(), 6.into()).unwrap_or_default());
        ring::product_is_naive(&r, &r).unwrap();
    }
}

/// Factors of 1 to 90 terms in boxes from tiny to sparse: the ways of small products and their borders.
#[test]
fn products_of_every_size_equal_the_naive_ones() {
    let mut state = 88_172_645_463_325_252u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for count in [1, 2, 3, 5, 9, 20, 45, 62, 65, 77, 90] {
        for (nvars, reach, bits) in [
            (1, 300, 20),
            (2, 12, 3),
            (3, 5, 31),
            (5, 3, 25),
            (8, 3, 52),
            (4, 60, 9),
        ] {
            let mut poly = || {
                let term = |_| {
                    let e = (0..nvars).map(|_| (next() >> 20) as u32 % reach).collect();
                    (e, Integer::from((next() as i64) >> (63 - bits)))
                };
                Poly::from_terms((0..count).map(term).collect::<Vec<_>>())
            };
            let (p, q) = (poly(), poly());
            ring::product_is_naive(&p, &q).unwrap();
            ring::product_is_naive(&p, &p).unwrap();
            if count < 21 {
                ring::quotient_undoes_product(&p, &q, &poly()).unwrap();
            }
        }
    }
}

/// The product as the map of all pairs says, in the form that such a polynomial has.
fn naive(p: &Poly<Integer>, q: &Poly<Integer>) -> Poly<Integer> {
    Poly::from_terms(ring::naive_product(p, q))
}

/// `p` with exponents times `step` and the coefficients `value(i)`.
fn filled(p: &Poly<Integer>, step: u32, mut value: impl FnMut(usize) -> Integer) -> Poly<Integer> {
    let terms = p.iter().enumerate().map(|(i, (e, _))| {
        let e: Vec<u32> = e.iter().map(|k| k * step).collect();
        (e, value(i))
    });
    Poly::from_terms(terms.collect::<Vec<_>>())
}

/// Coefficients of two to sixteen words: limbs, digits and remainders, with long rows and with none, of both signs, with values
/// at the borders of words and digits.
#[test]
fn products_of_wide_coefficients_equal_the_naive_ones() {
    let mut state = 88_172_645_463_325_252u64;
    let mut word = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Integer::from(state)
    };
    let supports = [
        (simplex(3, 8), 1),
        (simplex(8, 3), 1),
        (simplex(3, 8), 3),
        (simplex(1, 160), 1),
    ];
    for (base, step) in &supports {
        for bits in [100usize, 127, 150, 200, 256, 500, 1000] {
            for signs in [false, true] {
                let mut number = |i: usize| {
                    let full = (0..16).fold(Integer::ZERO, |n, _| (n << 64) + word());
                    let magnitude = match i % 11 {
                        3 => (Integer::ONE << bits) - Integer::ONE,
                        5 => Integer::ONE << (bits - 1),
                        7 => Integer::ONE,
                        _ => full % (Integer::ONE << bits),
                    };
                    if signs && i.is_multiple_of(3) {
                        -magnitude
                    } else {
                        magnitude
                    }
                };
                let (p, q) = (
                    filled(base, *step, &mut number),
                    filled(base, *step, &mut number),
                );
                assert_eq!(
                    &p * &q,
                    naive(&p, &q),
                    "{bits} bits, step {step}, signs {signs}"
                );
            }
        }
    }
}

/// Sums at the borders of 64 and 128 bits, by rows, by scattered products and by hashing; the form is the narrowest.
#[test]
fn values_at_the_borders_of_words_keep_the_narrowest_form() {
    let power = |k: usize| Integer::ONE << k;
    // Far apart, so that every coefficient of the product is one product.
    let far = |nvars: usize, gap: u32, values: [Integer; 3]| {
        let term = |(i, c): (usize, Integer)| {
            let mut e = vec![0; nvars];
            e[0] = gap * i as u32;
            (e, c)
        };
        Poly::from_terms(values.into_iter().enumerate().map(term).collect::<Vec<_>>())
    };
    for (nvars, k, step) in [(1, 300, 1), (4, 7, 1), (3, 9, 900), (2, 20, 7)] {
        let base = simplex(nvars, k);
        let gap = step * k + 1;
        for (half, whole) in [(31, 63), (63, 127), (95, 191)] {
            for most in [0, 1] {
                let edges = [
                    -power(half),
                    power(half) - 1 + most,
                    -power(half) - most,
                    Integer::from(3),
                ];
                for at in [0, 5, base.len() / 2, base.len() - 1] {
                    // One value at the border, at the beginning, amid or at the end; the others are small.
                    let value = |i: usize| match i == at {
                        true => edges[i % 4].clone(),
                        false => Integer::from(i as i64 % 5 - 2),
                    };
                    let p = filled(&base, step, value);
                    let q = far(
                        nvars,
                        gap,
                        [
                            power(whole - half),
                            power(whole - half - 1),
                            -power(whole - half),
                        ],
                    );
                    let product = &p * &q;
                    assert!(product.check_invariants());
                    assert_eq!(
                        product,
                        naive(&p, &q),
                        "{nvars} {k} {step} {half} {most} {at}"
                    );
                }
            }
        }
    }
}

/// Products with no dense block, of more than one range: nearly all monomials distinct, or many products to each; exponents that
/// fill 64 bits and more.
#[test]
fn scattered_products_equal_the_naive_ones() {
    let mut state = 88_172_645_463_325_252u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for (nvars, reach) in [
        (3, 1000),
        (6, 100),
        (5, 40_000),
        (4, 1 << 20),
        (5, 1 << 22),
        (9, 7000),
    ] {
        let mut poly = |count: usize, bits: u32| {
            let term = |_| {
                let e = (0..nvars).map(|_| (next() >> 20) as u32 % reach).collect();
                (e, Integer::from((next() as i64) >> (63 - bits)))
            };
            Poly::from_terms((0..count).map(term).collect::<Vec<_>>())
        };
        let (p, q, wide) = (poly(170, 20), poly(170, 20), poly(170, 55));
        assert_eq!(&p * &q, naive(&p, &q), "{nvars} {reach}");
        assert_eq!(&p * &wide, naive(&p, &wide), "{nvars} {reach}");
        let floats = p.map(|c| c.to_f64().value() / 3.0);
        assert_eq!(
            ring::table(&(&floats * &floats)),
            ring::naive_product(&floats, &floats)
        );
    }
    let base = simplex(3, 9);
    let f = filled(&base, 900, |i| Integer::from(i as i64 - 100));
    assert_eq!(&f * &f, naive(&f, &f));
    let g = filled(&base, 900, |i| Integer::from(i as i64 - 100) << (i % 90));
    assert_eq!(&f * &g, naive(&f, &g));
    let product = f.reduced_mod(7).mul_mod(&g, 7, &Budget::default()).unwrap();
    assert_eq!(product, naive(&f, &g).reduced_mod(7));
}

/// Modulo primes of every size, with residues that fill them, against the remainders of the naive product.
#[test]
fn products_modulo_primes_are_the_remainders_of_products() {
    let reduced = |p: &Poly<Integer>, m: u64| {
        let terms = p.iter().map(|(e, c)| {
            (
                e,
                (c % Integer::from(m) + Integer::from(m)) % Integer::from(m),
            )
        });
        Poly::from_terms(terms.collect::<Vec<_>>())
    };
    for p in [
        2,
        3,
        32_003,
        (1 << 31) - 1,
        (1 << 61) - 1,
        4_611_686_018_427_387_847,
    ] {
        for (nvars, k, step) in [
            (1, 5, 1),
            (3, 8, 1),
            (5, 3, 1),
            (4, 4, 400),
            (2, 9, 1 << 27),
        ] {
            let base = simplex(nvars, k);
            let f = filled(&base, step, |i| Integer::from(p - 1 - i as u64 % 2));
            let g = filled(&base, step, |i| {
                Integer::from(p / 2 + i as u64 * i as u64 % 7)
            });
            let (f, g) = (reduced(&f, p), reduced(&g, p));
            let product = f.mul_mod(&g, p, &Budget::default()).unwrap();
            assert!(product.check_invariants());
            assert_eq!(
                product,
                reduced(&naive(&f, &g), p),
                "{p} {nvars} {k} {step}"
            );
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let f = simplex(4, 10);
    let g = f.map(|c| c * Integer::from(1_000_003) - Integer::from(5));
    let pool = |n| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .unwrap()
    };
    let one = pool(1).install(|| (&f * &g, &g * &g));
    let four = pool(4).install(|| (&f * &g, &g * &g));
    assert_eq!(one, four);
    // Parts of different widths are joined in the widest.
    for shift in [40, 100, 190] {
        let h = f.map(|c| (c - Integer::from(1)) << shift) + f.clone();
        let one = pool(1).install(|| (&f * &h, &h * &h));
        let four = pool(4).install(|| (&f * &h, &h * &h));
        assert_eq!(one, four);
    }
    let floats = f.map(|c| c.to_f64().value() / 3.0);
    let one = pool(1).install(|| &floats * &floats);
    let four = pool(4).install(|| &floats * &floats);
    assert_eq!(one, four);
}

/// Every stored input of the fuzzers, through the functions that the fuzzers call.
#[test]
fn stored_fuzz_inputs_keep_the_laws() {
    let targets: [(&str, fn(&[u8])); 2] = [
        ("poly_arith", ring::fuzz_poly_arith),
        (
            "poly_algebra",
            wickring::laws::poly::algebra::fuzz_poly_algebra,
        ),
    ];
    for (name, law) in targets {
        let dir = format!("{}/fuzz/regressions/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut count = 0;
        for file in std::fs::read_dir(dir).unwrap() {
            law(&std::fs::read(file.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count >= 3, "{name}");
    }
}

/// Cells of small products are counted modulo 2^32 where the least exponents are large.
#[test]
fn products_of_few_terms_with_large_exponents() {
    let far = 1 << 30;
    let one = || Integer::from(1);
    let f = Poly::from_terms([(vec![far, 3], one()), (vec![far], one())]);
    let g = Poly::from_terms([(vec![1], one()), (vec![0, 2], one())]);
    assert_eq!(ring::product_is_naive(&f, &g), Ok(()));
    assert_eq!(ring::product_is_naive(&f, &f), Ok(()));
}
