//! Division, divisors, factors, roots, evaluation; published systems and checksums; hostile input.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use std::time::{Duration, Instant};
use wickring::Error;
use wickring::laws::Broken;
use wickring::laws::bytes::Bytes;
use wickring::laws::poly::algebra as laws;
use wickring::poly::{Budget, Integer, Order, Poly, Rational, Residue, Vars};

fn holds(law: Result<(), Broken>) -> Result<(), TestCaseError> {
    law.map_err(|b| TestCaseError::fail(b.to_string()))
}

fn three(data: &[u8]) -> [Poly<Rational>; 3] {
    let mut b = Bytes::new(data);
    std::array::from_fn(|_| laws::small_poly(&mut b))
}

fn univariate(p: &Poly<Rational>) -> Poly<Rational> {
    p.eval_partial(&[None, Some(Rational::from(2)), Some(Rational::from(-1))])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn division_leaves_a_reduced_remainder(data in proptest::collection::vec(any::<u8>(), 0..160), k in 0usize..5) {
        let [f, g, h] = three(&data);
        let orders = [Order::Lex, Order::DegLex, Order::DegRevLex, Order::Block(1), Order::Weight(vec![3, 1])];
        holds(laws::division_with_remainder(&f, &[g, h], &orders[k]))?;
    }

    #[test]
    fn common_factors_come_out(data in proptest::collection::vec(any::<u8>(), 0..160)) {
        let [f, g, h] = three(&data);
        holds(laws::gcd_of_multiples(&f, &g, &h))?;
    }

    #[test]
    fn factors_of_products(data in proptest::collection::vec(any::<u8>(), 0..160)) {
        let [f, g, h] = three(&data).map(|p| univariate(&p));
        holds(laws::factors_multiply_up(&(&(&f * &g) * &h)))?;
    }

    #[test]
    fn resultants_multiply_and_detect_common_factors(data in proptest::collection::vec(any::<u8>(), 0..160)) {
        let [f, g, h] = three(&data).map(|p| univariate(&p));
        holds(laws::resultant_is_multiplicative(&f, &g, &h))?;
    }

    #[test]
    fn real_roots_are_isolated_and_counted(data in proptest::collection::vec(any::<u8>(), 0..160)) {
        let [f, g, h] = three(&data).map(|p| univariate(&p));
        holds(laws::roots_are_isolated(&(&(&f * &g) * &(&h * &h))))?;
    }

    #[test]
    fn leibniz_and_chains(data in proptest::collection::vec(any::<u8>(), 0..160)) {
        let [f, g, _] = three(&data);
        holds(laws::calculus(&f, &g))?;
    }

    #[test]
    fn compiled_values_are_within_their_bound(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut b = Bytes::new(&data);
        let p = laws::small_poly(&mut b);
        let point = |b: &mut Bytes<'_>| (0..3).map(|_| f64::from(b.byte()) / 37.0 - 3.0).collect();
        let points: Vec<Vec<f64>> = (0..40).map(|_| point(&mut b)).collect();
        holds(laws::compiled_is_close(&p, &points))?;
    }

    #[test]
    fn divisors_modulo_primes(data in proptest::collection::vec(any::<u8>(), 0..300), k in 0usize..5) {
        let mut b = Bytes::new(&data);
        let (f, g, h) = (laws::small_poly(&mut b), laws::small_poly(&mut b), laws::small_poly(&mut b));
        let prime = [2, 3, 5, 101, (1 << 61) - 1][k];
        holds(laws::gcd_modulo_of_multiples(&f, &g, &h, prime))?;
    }

    #[test]
    fn powers_are_repeated_products(data in proptest::collection::vec(any::<u8>(), 0..200), k in 0u32..7) {
        let mut b = Bytes::new(&data);
        holds(laws::power_is_repeated_product(&laws::small_poly(&mut b), k))?;
        // Terms that share no variable, with some missing.
        let terms = (0..5).map(|v| {
            let mut e = vec![0; v];
            if let Some(last) = e.last_mut() {
                *last = 1 + b.below(3) as u32;
            }
            (e, Rational::new(b.small(), 1 + b.below(3) as i64).unwrap())
        });
        let lone = Poly::from_terms(terms.collect::<Vec<_>>());
        holds(laws::power_is_repeated_product(&lone, k))?;
    }

    #[test]
    fn text_is_read_or_refused(text in "[ x-z0-9+*/^().-]{0,40}") {
        assert_eq!(laws::fuzz_poly_parse(text.as_bytes()), Ok(()));
    }
}

#[test]
fn multivariate_factors_and_multiplicities() {
    let mut vars = Vars::new();
    let text = "6*(x+y+z)*(x-2*y)^2*(x*z+1)*(x^2+y^2+1)";
    let p = Poly::parse(text, &mut vars).unwrap();
    let found = p.factor(&Budget::default()).unwrap();
    assert_eq!(found.unit, Rational::from(6));
    assert_eq!(found.factors.len(), 4);
    assert_eq!(found.expand(&Budget::default()).unwrap(), p);
    assert!(found.factors.iter().any(|(f, k)| *k == 2 && f.len() == 2));
}

#[test]
fn factors_modulo_primes_multiply_up() {
    for (text, p) in [
        ("x^10-1", 11),
        ("x^8+x^4+1", 2),
        ("3*x^9-x^3+2", 3),
        ("x^6+x+1", (1 << 61) - 1),
    ] {
        let f = Poly::<Rational>::parse(text, &mut Vars::new()).unwrap();
        let f = f.map(Rational::numerator);
        let (unit, factors) = f.factor_mod(p).unwrap();
        let mut product = Poly::constant(Integer::from(unit));
        for (g, k) in &factors {
            for _ in 0..*k {
                product = product.mul_mod(g, p, &Budget::default()).unwrap();
            }
        }
        assert_eq!(product, f.reduced_mod(p), "{text} modulo {p}");
    }
    let residues = Poly::<Rational>::parse("x/3 + 1", &mut Vars::new())
        .unwrap()
        .modulo(7)
        .unwrap();
    assert_eq!(residues.coefficient(&[1]), Residue::new(5, 7).unwrap());
}

#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn published_term_counts_and_checksums() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/data/polynomials/expansion_counts_flint.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let known: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut vars = Vars::fixed(["x", "y", "z", "t", "u", "w"]);
    let mut read = |s: &str| {
        Poly::<Rational>::parse(s, &mut vars)
            .unwrap()
            .map(Rational::numerator)
    };
    let k15 = read("(x+y+z+w)^15");
    let f20 = read("(1+x+y+z+t)^20");
    let sparse = (
        read("(1+x+y+2*z^2+3*t^3+5*u^5)^6"),
        read("(1+u+t+2*z^2+3*y^3+5*x^5)^6"),
    );
    let cases = [
        ("symengine_expand2", &k15 + &read("w"), k15.clone()),
        ("pearce_sparse_6", sparse.0, sparse.1),
        ("fateman_20", &f20 + &read("1"), f20.clone()),
    ];
    for (name, a, b) in cases {
        let product = &a * &b;
        let (_, facts) = known
            .as_object()
            .unwrap()
            .iter()
            .find(|(k, _)| k.starts_with(name))
            .unwrap();
        assert_eq!(facts["terms"], product.len());
        let zero = || Integer::from(0);
        let sum = product.iter().fold(zero(), |s, (_, c)| s + c);
        assert_eq!(facts["sum"], sum.to_string());
        let largest = product
            .iter()
            .map(|(_, c)| c)
            .fold(zero(), |m, c| if c > m { c } else { m });
        assert_eq!(facts["max_abs"], largest.to_string());
        assert_eq!(facts["total_degree"], product.total_degree());
        let squares = product.iter().fold(zero(), |s, (_, c)| {
            (s + &c * &c) % Integer::from(1_000_000_007)
        });
        assert_eq!(facts["sum_sq_mod_1e9p7"].to_string(), squares.to_string());
    }
}

#[cfg(feature = "groebner")]
#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn published_systems_have_their_quotient_dimensions() {
    use wickring::poly::groebner_basis;
    for (name, degrees, dimension) in [
        ("cyclic5", 120, Some(70)),
        ("katsura5", 32, Some(32)),
        ("caprasse", 144, Some(56)),
        ("d1", 4608, None),
    ] {
        let path = format!(
            "{}/../shared/data/polynomials/phc_{name}.txt",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(&path).unwrap();
        let (head, rest) = text.split_once('\n').unwrap();
        let count = head.split_whitespace().next().unwrap().parse().unwrap();
        let mut vars = Vars::new();
        let system: Vec<_> = rest
            .split(';')
            .take(count)
            .map(|s| Poly::parse(s, &mut vars).unwrap())
            .collect();
        assert_eq!(
            system.iter().map(Poly::total_degree).product::<u64>(),
            degrees,
            "{name}"
        );
        if dimension.is_some() {
            let n = vars.names().len();
            let basis =
                groebner_basis(&system, n, &Order::DegRevLex, false, &Budget::default()).unwrap();
            assert_eq!(basis.quotient_dimension().unwrap(), dimension, "{name}");
        }
    }
    let mut vars = Vars::fixed(["x", "y"]);
    let system = ["x^2 - y", "x*y - 1"].map(|s| Poly::parse(s, &mut vars).unwrap());
    let basis = groebner_basis(&system, 2, &Order::Lex, true, &Budget::default()).unwrap();
    let p = Poly::parse("x^3 - 1", &mut vars).unwrap();
    let h = basis.membership(&p, &Budget::default()).unwrap().unwrap();
    assert_eq!(&(&h[0] * &system[0]) + &(&h[1] * &system[1]), p);
    assert_eq!(
        basis
            .membership(&Poly::variable(0), &Budget::default())
            .unwrap(),
        None
    );
}

/// Hostile texts are refused soon, whatever they ask for.
#[test]
fn hostile_texts_are_refused() {
    let nested = format!("{}x{}", "(".repeat(100_000), ")".repeat(100_000));
    let signs = format!("{}x", "-".repeat(100_001));
    let digits = format!("{}*x", "9".repeat(4_000_000));
    let refused: [(&str, fn(&Error) -> bool); 12] = [
        ("x^2147483648*x^2147483648", |e| {
            matches!(e, Error::Overflow { .. })
        }),
        ("x^9223372036854775808", |e| {
            matches!(e, Error::Overflow { .. })
        }),
        ("(x^2147483648 + y)^2", |e| {
            matches!(e, Error::Overflow { .. })
        }),
        ("(x + y)^1000000000", |e| {
            matches!(e, Error::LimitExceeded { .. })
        }),
        ("2^1000000000", |e| matches!(e, Error::LimitExceeded { .. })),
        ("(2*x + 1)^100000", |e| {
            matches!(e, Error::LimitExceeded { .. })
        }),
        ("1e999999999", |e| matches!(e, Error::LimitExceeded { .. })),
        ("1/0", |e| matches!(e, Error::Parse { .. })),
        ("x/(y - y)", |e| matches!(e, Error::Parse { .. })),
        ("x/y", |e| matches!(e, Error::Parse { .. })),
        (&nested, |e| matches!(e, Error::LimitExceeded { .. })),
        (&digits, |e| matches!(e, Error::LimitExceeded { .. })),
    ];
    for (text, expected) in refused {
        let start = Instant::now();
        let found = Poly::<Rational>::parse(text, &mut Vars::new());
        let shown: String = text.chars().take(40).collect();
        assert!(
            found.as_ref().err().is_some_and(expected),
            "{shown}: {:?}",
            found.err()
        );
        assert!(start.elapsed() < Duration::from_secs(20), "{shown}");
    }
    let x = Poly::<Rational>::parse(&signs, &mut Vars::new()).unwrap();
    assert_eq!(x, -&Poly::variable(0));
    let huge = Poly::<Rational>::parse("x^2147483648", &mut Vars::new()).unwrap();
    assert_eq!(huge.degree(0), 1 << 31);
    assert!(huge.checked_mul(&huge).is_err());
}

#[test]
fn budgets_end_what_would_explode() {
    let mut vars = Vars::new();
    let mut read = |s: &str| Poly::<Rational>::parse(s, &mut vars).unwrap();
    let (high, low) = (read("x^2147483648 - 1"), read("x - 1"));
    let small = Budget::default().terms(1000);
    assert!(matches!(
        high.divide_exact(&low, &small),
        Err(Error::LimitExceeded { .. })
    ));
    assert!(matches!(
        high.div_rem(std::slice::from_ref(&low), &Order::Lex, &small),
        Err(Error::LimitExceeded { .. })
    ));
    assert!(matches!(
        high.factor(&small),
        Err(Error::LimitExceeded { .. })
    ));
    assert!(matches!(
        high.real_roots(10, &small),
        Err(Error::LimitExceeded { .. })
    ));
    let stopped = || true;
    let stop = Budget::default().stop(&stopped);
    assert!(matches!(
        low.mul_within(&high, &stop),
        Err(Error::Stopped { .. })
    ));
    let p = read("(x + y + z + t)^12");
    assert!(matches!(
        p.mul_within(&p, &small),
        Err(Error::LimitExceeded { .. })
    ));
    assert!(matches!(
        low.div_rem(&[Poly::zero()], &Order::Lex, &small),
        Err(Error::InvalidInput { .. })
    ));
    assert_eq!(low.divide_exact(&Poly::zero(), &small), Ok(None));
}

#[test]
fn compiled_programs_refuse_what_is_not_finite() {
    let p = Poly::<Rational>::parse("x*y + 1", &mut Vars::new())
        .unwrap()
        .compile()
        .unwrap();
    let (good, bad) = ([1.0, 2.0], [1.0, f64::NAN]);
    assert!(matches!(
        p.eval_batch(&[&good, &bad]),
        Err(Error::NonFinite { index: 1, .. })
    ));
    assert!(matches!(p.eval_batch(&[&good]), Err(Error::Shape { .. })));
    assert_eq!(p.eval_batch(&[&good, &good]).unwrap(), vec![vec![2.0, 5.0]]);
    let nan = Poly::constant(f64::NAN);
    assert!(matches!(
        wickring::poly::Compiled::new(&[nan]),
        Err(Error::NonFinite { .. })
    ));
}

/// Roots as far apart as 10^-17 and 10^-40 are told apart, rational ones are found as such, and decimals have relative precision.
#[test]
fn roots_of_all_magnitudes_are_separated_and_named() {
    let cases: [(&str, &[&str]); 9] = [
        ("10^17*x^2-3*x", &["0", "3e-17"]),
        ("10^17*x-3", &["3e-17"]),
        ("10^40*x^2-2", &["-1.41421356e-20", "1.41421356e-20"]),
        ("x^2-2*10^700", &["-1.41421356e350", "1.41421356e350"]),
        ("10^700*x^2-3", &["-1.73205081e-350", "1.73205081e-350"]),
        (
            "x*(10^80*x^2-2)*(x-1)^3",
            &["-1.41421356e-40", "0", "1.41421356e-40", "1e0"],
        ),
        (
            "(10^60*x^2-2)*(10^60*x^2-2-10^5*x)",
            &[
                "-1.41421356e-30",
                "-1.41421356e-30",
                "1.41421356e-30",
                "1.41421356e-30",
            ],
        ),
        (
            "(x^2-2)*(3*x-1)*(7*x+10^30)",
            &[
                "-1.42857143e29",
                "-1.41421356e0",
                "3.33333333e-1",
                "1.41421356e0",
            ],
        ),
        (
            "x^9-3*x^3+1",
            &["-1.23406662e0", "7.02910572e-1", "1.15281952e0"],
        ),
    ];
    for (text, wanted) in cases {
        let p = Poly::parse(text, &mut Vars::new()).unwrap();
        let limit = Budget::default().deadline(Instant::now() + Duration::from_secs(20));
        let roots = p.real_roots(53, &limit).unwrap();
        let found: Vec<String> = roots.iter().map(|r| r.decimal(9)).collect();
        let trimmed = |s: &str| s.replace("0e", "e");
        let wanted: Vec<String> = wanted.iter().map(|s| trimmed(s)).collect();
        assert_eq!(found, wanted, "{text}");
        assert!(roots.windows(2).all(|w| w[0].high < w[1].low), "{text}");
    }
    let p = Poly::parse("10^17*x^2-3*x", &mut Vars::new()).unwrap();
    let roots = p.real_roots(53, &Budget::default()).unwrap();
    assert!(roots.iter().all(|r| r.exact().is_some()));
}

/// All roots of Wilkinson's polynomial, and of Chebyshev's, which are the cosines.
#[test]
fn wilkinson_and_chebyshev_have_all_their_roots() {
    let x = Poly::<Rational>::variable(0);
    let constant = |c: i64| Poly::constant(Rational::from(c));
    let wilkinson = (1..=40).fold(constant(1), |p, k| &p * &(&x - &constant(k)));
    let roots = wilkinson.real_roots(53, &Budget::default()).unwrap();
    let exact: Vec<Rational> = roots.iter().map(|r| r.exact().unwrap().clone()).collect();
    assert_eq!(exact, (1..=40).map(Rational::from).collect::<Vec<_>>());
    let (mut a, mut b) = (constant(1), x.clone());
    let twice = &x + &x;
    for n in 2..=60usize {
        (a, b) = (b.clone(), &(&twice * &b) - &a);
        if n % 20 != 0 && n != 33 {
            continue;
        }
        let roots = b.real_roots(53, &Budget::default()).unwrap();
        assert_eq!(roots.len(), n);
        for (k, r) in roots.iter().rev().enumerate() {
            let angle = std::f64::consts::PI * (2 * k + 1) as f64 / (2 * n) as f64;
            assert!((r.to_f64() - angle.cos()).abs() < 1e-14, "{n}, {k}");
        }
    }
}

/// A number to a power beyond the budget of bits is refused; exponents may stand in parentheses.
#[test]
fn exponents_in_parentheses_and_within_the_budget() {
    let parse = |text: &str| Poly::<Rational>::parse(text, &mut Vars::new());
    assert_eq!(parse("x^(3)*y**(2^2)"), parse("x^3*y^4"));
    assert_eq!(parse("x^((2))"), parse("x^2"));
    assert!(matches!(parse("x^(2^100)"), Err(Error::Overflow { .. })));
    assert!(matches!(parse("x^(3"), Err(Error::Parse { .. })));
    assert!(matches!(parse("x^()"), Err(Error::Parse { .. })));
    let small = Budget::default().bits(1 << 20);
    let bomb = Poly::<Rational>::parse_within("004073709^511616", &mut Vars::new(), &small);
    assert!(matches!(bomb, Err(Error::LimitExceeded { .. })));
}
