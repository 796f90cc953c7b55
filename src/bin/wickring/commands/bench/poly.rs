//! Exact polynomials: the same terms to both sides, answers by their digests modulo a prime.

use super::{Answer, Case};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::path::Path;
use wickring::Error;
use wickring::io::write_whole;
use wickring::poly::{Budget, Integer, Poly, Rational};

type P = Poly<Integer>;

/// Digests are values at a point modulo this prime, 2^61 - 1.
const PRIME: u64 = (1 << 61) - 1;

/// The operations that are compared.
#[derive(Clone, Copy, PartialEq)]
enum Operation {
    Product,
    Quotient,
    CommonDivisor,
    Factors,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Quotient => "quotient",
            Self::CommonDivisor => "gcd",
            Self::Factors => "factor",
        }
    }
}

/// Products, quotients, divisors and factors: powers that everybody measures, and random ones from the seed.
///
/// # Errors
/// `File` when the files of the peer cannot be written; what the polynomials return.
pub fn cases(folder: &Path, seed: u64) -> Result<Vec<Case>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let one = P::constant(Integer::from(1));
    let dense = power(&sum(&[(0, 1, 1), (1, 1, 1), (2, 1, 1), (3, 1, 1)]), 9)?;
    let beside = &dense + &one;
    let there = power(
        &sum(&[(0, 1, 1), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 5, 5)]),
        6,
    )?;
    let back = power(
        &sum(&[(4, 1, 1), (3, 1, 1), (2, 2, 2), (1, 3, 3), (0, 5, 5)]),
        6,
    )?;
    let mut random = |vars, degree, terms| random(vars, degree, terms, &mut rng);
    let (g, a, b) = (random(3, 6, 30), random(3, 6, 30), random(3, 6, 30));
    let (f, h) = (random(1, 20, 21), random(1, 20, 21));
    let (u, v) = (random(2, 5, 12), random(2, 5, 12));
    let all = [
        (
            "product, dense, 4 variables",
            Operation::Product,
            [dense.clone(), beside.clone()],
        ),
        (
            "product, sparse, 5 variables",
            Operation::Product,
            [there, back],
        ),
        (
            "exact quotient of the dense product",
            Operation::Quotient,
            [&dense * &beside, beside],
        ),
        (
            "common divisor, random, 3 variables",
            Operation::CommonDivisor,
            [&a * &g, &b * &g],
        ),
        (
            "factors of a random product, degree 40",
            Operation::Factors,
            [&f * &h, one.clone()],
        ),
        (
            "factors of a random product, 2 variables",
            Operation::Factors,
            [&u * &v, one],
        ),
    ];
    let made = all.into_iter().enumerate();
    made.map(|(k, (name, operation, pair))| case(folder, k, name, operation, pair))
        .collect()
}

fn case(
    folder: &Path,
    number: usize,
    name: &str,
    operation: Operation,
    [a, b]: [P; 2],
) -> Result<Case, Error> {
    let vars = a.nvars().max(b.nvars());
    let path = folder.join(format!("poly-{number}.json"));
    let terms = |p: &P| -> Vec<Value> {
        let padded = p.iter().map(|(mut e, c)| {
            e.resize(vars, 0);
            json!([e, c.to_string()])
        });
        padded.collect()
    };
    let content = json!({ "variables": vars, "a": terms(&a), "b": terms(&b) });
    write_whole(&path, content.to_string().as_bytes())?;
    let request = json!({ "operation": operation.name(), "file": path, "prime": PRIME });
    let rational = |p: &P| p.map(|c| Rational::from(c.clone()));
    let (fa, fb) = (rational(&a), rational(&b));
    let work = move || -> Result<Answer, Error> {
        let budget = Budget::default();
        let whole = |p: &Poly<Rational>| p.map(Rational::numerator);
        let found = match operation {
            Operation::Product => vec![(&a * &b, 1)],
            Operation::Quotient => a
                .divide_exact(&b, &budget)?
                .into_iter()
                .map(|q| (q, 1))
                .collect(),
            Operation::CommonDivisor => vec![(whole(&fa.gcd(&fb, &budget)?), 1)],
            Operation::Factors => {
                let factors = fa.factor(&budget)?.factors;
                factors.iter().map(|(f, k)| (whole(f), *k)).collect()
            }
        };
        // Divisors and factors are known up to a unit.
        let signed = matches!(operation, Operation::Product | Operation::Quotient);
        Ok(Answer::Exact(digest(&found, signed)))
    };
    Ok(Case {
        name: name.to_owned(),
        request,
        work: Box::new(work),
    })
}

/// `1 + sum c x_v^d` for `(v, d, c)`.
fn sum(terms: &[(usize, u32, i64)]) -> P {
    let one = P::constant(Integer::from(1));
    terms.iter().fold(one, |p, &(v, d, c)| {
        let mut e = vec![0; v + 1];
        e[v] = d;
        &p + &P::monomial(&e, Integer::from(c))
    })
}

fn power(p: &P, k: u32) -> Result<P, Error> {
    p.pow_within(k, &Budget::default())
}

/// About `terms` terms of degree at most `degree`, with a constant and coefficients up to 50.
fn random(vars: usize, degree: u32, terms: usize, rng: &mut impl Rng) -> P {
    let mut all = vec![(vec![0; vars], Integer::from(rng.random_range(1..50i64)))];
    while all.len() < terms {
        let mut left = degree;
        let e: Vec<u32> = (0..vars)
            .map(|_| {
                let d = rng.random_range(0..=left);
                left -= d;
                d
            })
            .collect();
        all.push((e, Integer::from(rng.random_range(-50..50i64))));
    }
    P::from_terms(all)
}

/// Multiplicities and values at the point (2, 3, 4, ..) modulo the prime, sorted; the same in the script of the peer.
fn digest(found: &[(P, u32)], signed: bool) -> String {
    let mut parts: Vec<String> = found
        .iter()
        .map(|(p, k)| {
            let value = value(p);
            let value = if signed {
                value
            } else {
                value.min(PRIME - value)
            };
            format!("{k}:{value}")
        })
        .collect();
    parts.sort();
    parts.join(" ")
}

fn value(p: &P) -> u64 {
    let times = |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(PRIME)) as u64;
    let prime = Integer::from(PRIME);
    let term = |e: &[u32], c: &Integer| {
        let residue = ((c % &prime) + &prime) % &prime;
        let mut value = u64::try_from(residue).unwrap_or(0);
        for (v, d) in e.iter().enumerate() {
            (0..*d).for_each(|_| value = times(value, v as u64 + 2));
        }
        value
    };
    let add = |a: u64, b: u64| ((u128::from(a) + u128::from(b)) % u128::from(PRIME)) as u64;
    p.iter().fold(0, |s, (e, c)| add(s, term(&e, &c)))
}
