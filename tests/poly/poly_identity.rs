//! Straight-line programs, identity testing, conversions.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::Error;
use wickring::laws::Broken;
use wickring::laws::bytes::Bytes;
use wickring::laws::poly::algebra::small_poly;
use wickring::laws::poly::identities as laws;
use wickring::poly::identity::{BlackBox, IdentityProof, IdentityTest, IdentityVerdict, Program};
use wickring::poly::{Budget, Integer, Poly, Rational, Residue, Vars};

fn holds(law: Result<(), Broken>) -> Result<(), TestCaseError> {
    law.map_err(|b| TestCaseError::fail(b.to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_are_polynomials(data in proptest::collection::vec(any::<u8>(), 0..120), x in -9i64..9, y in -9i64..9) {
        let program = laws::small_program(&mut Bytes::new(&data)).unwrap();
        holds(laws::programs_are_polynomials(&program, [x, y]))?;
    }

    #[test]
    fn equality_is_decided(data in proptest::collection::vec(any::<u8>(), 0..120), seed in 0u64..1000) {
        let mut bytes = Bytes::new(&data);
        holds(laws::equality_is_decided(&small_poly(&mut bytes), &small_poly(&mut bytes), seed))?;
    }

    #[test]
    fn texts_are_read_alike(text in "[-+*/^()xy0-3. ]{0,24}") {
        holds(laws::texts_are_read_alike(&text))?;
    }
}

fn prove(left: &str, right: &str) -> Result<IdentityVerdict, Error> {
    let mut vars = Vars::new();
    let left = Program::parse(left, &mut vars)?;
    let right = Program::parse(right, &mut vars)?;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    IdentityTest::default().prove(&left, &right, &mut rng)
}

#[test]
fn identities_beyond_writing_out() {
    let points = |v| match v {
        Ok(IdentityVerdict::Equal(IdentityProof::SchwartzZippel {
            primes,
            points,
            error_log2,
        })) => {
            assert_eq!(primes.len(), points.len());
            assert!(error_log2 <= -100.0);
        }
        other => panic!("{other:?}"),
    };
    // Euler's four-square identity to the power 10^6, and an identity with fractions.
    points(prove(
        "((a^2+b^2+c^2+d^2)*(e^2+f^2+g^2+h^2))^1000000",
        "((a*e-b*f-c*g-d*h)^2+(a*f+b*e+c*h-d*g)^2+(a*g-b*h+c*e+d*f)^2+(a*h+b*g-c*f+d*e)^2)^1000000",
    ));
    points(prove("(x/2 + y/3)^99999", "((3*x + 2*y)^99999)/6^99999"));
    let different = prove("(x + y)^1000000000", "(x + y)^1000000000 + 1/1000000007");
    assert!(
        matches!(different, Ok(IdentityVerdict::Different(_))),
        "{different:?}"
    );
    // A degree without a bound for the error is refused, not guessed.
    let tower = "((((x+1)^4000000000)^4000000000)^4000000000)";
    assert!(matches!(
        prove(tower, &format!("{tower} + y")),
        Err(Error::LimitExceeded { .. })
    ));
}

/// A sum of many terms is multiplied out in about linear time, not one term at a time.
#[test]
fn long_sums_and_shared_parts() {
    let text: Vec<String> = (0..60_000).map(|k| format!("{}*x^{k}*y", k + 1)).collect();
    let program = Program::parse(&text.join(" + "), &mut Vars::new()).unwrap();
    assert_eq!(program.expand(&Budget::default()).unwrap().len(), 60_000);
    // Two hundred squarings: degree 2^200, one residue each.
    let mut p = Program::new();
    let mut node = p.variable(0).unwrap();
    for _ in 0..200 {
        node = p.mul(node, node).unwrap();
    }
    assert_eq!(p.degree_bound(), u128::MAX);
    assert!(p.expand(&Budget::default()).is_err());
    // 3^(2^200) modulo 7: the order of 3 is 6 and 2^200 = 4 modulo 6.
    assert_eq!(p.value_mod(&[3], 7, &Budget::default()), Ok(Some(4)));
    assert!(matches!(
        p.eval(&[Rational::from(3)]),
        Err(Error::LimitExceeded { .. })
    ));
    assert!(matches!(p.eval(&[]), Err(Error::Shape { .. })));
    let mut other = Program::new();
    assert!(other.finish(node).is_err());
    assert_eq!(other.expand(&Budget::default()), Ok(Poly::zero()));
}

/// Among a million rounds with a small field in place of 62 bits the share of mistakes would be seen; here the bound is
/// checked where it can be: the difference `x^k` vanishes at one residue only.
#[test]
fn the_bound_grows_with_degree_and_height() {
    let error = |left: &str| match prove(left, left) {
        Ok(IdentityVerdict::Equal(IdentityProof::SchwartzZippel {
            primes, error_log2, ..
        })) => error_log2 / primes.len() as f64,
        other => panic!("{other:?}"),
    };
    let (small, large) = (error("(x+y+z)^1000"), error("(x+y+z)^4000000000"));
    // B / (61 N) + degree / 2^61 with B about log2(3) degree.
    assert!(
        small < -46.0 && large > small && large < -22.0,
        "{small} {large}"
    );
}

#[cfg(feature = "num-bigint")]
#[test]
fn numbers_of_other_crates() {
    use num_bigint::BigInt;
    use num_rational::BigRational;
    for text in ["0", "-1", "3/7", "-123456789012345678901234567890/79"] {
        let x: Rational = text.parse().unwrap();
        let theirs = BigRational::from(&x);
        assert_eq!(theirs.to_string(), text);
        assert_eq!(Rational::from(&theirs), x);
        assert_eq!(BigInt::try_from(&x).is_ok(), x.is_integer());
    }
    assert_eq!(Rational::from(BigInt::from(-5)), Rational::from(-5));
}

/// A residue to the power 0 is the one of its field: what is subtracted from it stays in the field.
#[test]
fn the_power_zero_of_a_residue_keeps_its_prime() {
    let p = 2_305_843_009_213_693_951;
    let mut program = Program::new();
    let x = program.variable(0).unwrap();
    let one = program.power(x, 0).unwrap();
    let difference = program.sub(one, one).unwrap();
    let minus = program.sub(difference, one).unwrap();
    program.finish(minus).unwrap();
    let point = [Residue::new(5, p).unwrap()];
    let value = program.eval_in(&point, |_| None).unwrap().unwrap();
    assert_eq!(value.to_integer(), Integer::from(p - 1));
}
