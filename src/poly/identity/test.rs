//! The test of an identity, and its evidence.

use super::black_box::{BlackBox, Height};
use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::polynomial::univariate::is_prime;
use crate::poly::product::budget::Budget;
use num_traits::Zero;
use rand::{Rng, RngExt};

const OP: &str = "IdentityTest::prove";
/// Primes are drawn from `[2^61, 2^62)`, of which there are more than `3 * 2^61 / (5 ln 2^61)`
/// (Rosser and Schoenfeld 1962, corollary 3 of theorem 2).
const LOWEST: u64 = 1 << 61;
/// `log2` of that number, rounded down.
const PRIMES_LOG2: f64 = 54.8;
/// Rounds at most: each divides the probability of a mistake by the same figure.
const MAX_ROUNDS: u32 = 64;
/// Primes drawn in search of one that divides no denominator.
const MAX_DRAWS: usize = 1000;

/// What an identity test may do.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::poly::Vars;
/// use wickring::poly::identity::{IdentityProof, IdentityTest, IdentityVerdict, Program};
/// let mut vars = Vars::new();
/// let left = Program::parse("((x + y)*(x - y))^100000", &mut vars)?;
/// let right = Program::parse("(x^2 - y^2)^100000", &mut vars)?;
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let verdict = IdentityTest::default().prove(&left, &right, &mut rng)?;
/// let IdentityVerdict::Equal(IdentityProof::SchwartzZippel { error_log2, .. }) = verdict else { panic!() };
/// assert!(error_log2 <= -100.0);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct IdentityTest<'a> {
    exact: Budget<'a>,
    error_bits: u32,
}

impl Default for IdentityTest<'_> {
    fn default() -> Self {
        let exact = Budget::default();
        Self {
            exact: exact.terms(1 << 17).work(1 << 27).bits(1 << 27),
            error_bits: 100,
        }
    }
}

/// The answer to "are they the same polynomial?".
///
/// See [`IdentityTest`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub enum IdentityVerdict {
    /// They are, on this evidence.
    Equal(IdentityProof),
    /// They are not; the evidence is exact.
    Different(Witness),
}

/// Evidence that two polynomials are the same.
///
/// See [`IdentityTest`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub enum IdentityProof {
    /// Both were multiplied out and have the same terms. Certain.
    Expanded {
        /// Number of terms.
        terms: usize,
    },
    /// Their values agree at every one of these points, drawn evenly from all residues modulo primes drawn evenly from
    /// those of 62 bits. Different polynomials pass with probability at most `2^error_log2`.
    SchwartzZippel {
        /// The primes.
        primes: Vec<u64>,
        /// For each prime a point.
        points: Vec<Vec<u64>>,
        /// `log2` of the bound of the probability of a mistake.
        error_log2: f64,
    },
}

/// Evidence that two polynomials differ, which anybody can check.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::poly::Vars;
/// use wickring::poly::identity::{IdentityTest, IdentityVerdict, Program, Witness};
/// let mut vars = Vars::new();
/// let (f, g) = (Program::parse("(x + 1)^2", &mut vars)?, Program::parse("x^2 + 1", &mut vars)?);
/// let verdict = IdentityTest::default().prove(&f, &g, &mut ChaCha8Rng::seed_from_u64(0))?;
/// let IdentityVerdict::Different(Witness::Coefficient { exponents, left, right }) = verdict else { panic!() };
/// assert_eq!((exponents, left, right), (vec![1], 2.into(), 0.into()));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Witness {
    /// A monomial with different coefficients.
    Coefficient {
        /// Its exponents.
        exponents: Vec<u32>,
        /// Its coefficient on the left.
        left: Rational,
        /// Its coefficient on the right.
        right: Rational,
    },
    /// An integer point where the values differ modulo a prime.
    Point {
        /// The prime.
        prime: u64,
        /// The point.
        point: Vec<u64>,
        /// The value on the left modulo the prime.
        left: u64,
        /// The value on the right modulo the prime.
        right: u64,
    },
}

impl<'a> IdentityTest<'a> {
    /// What multiplying out may cost before random points are used instead. Default: 2^17 terms, 2^27 products.
    #[must_use]
    pub fn exact(self, exact: Budget<'a>) -> Self {
        Self { exact, ..self }
    }

    /// Random points go on until the probability of a mistake is at most `2^-bits`. Default 100.
    #[must_use]
    pub fn error_bits(self, error_bits: u32) -> Self {
        Self { error_bits, ..self }
    }

    /// Whether `left = right` in `Q[x]`.
    ///
    /// One round draws a prime `p` evenly from the N primes in `[2^61, 2^62)` that divide no denominator, and a point
    /// evenly from `(Z/p)^n`. If the difference is not zero, its integer multiple has a coefficient of at most B bits,
    /// which at most B/61 such primes divide; modulo any other the difference vanishes at no more than a share
    /// `degree / p` of all points (Schwartz 1980, Zippel 1979). So a round is passed with probability at most
    /// `B / (61 N) + degree / 2^61`, and k independent rounds with the k-th power.
    ///
    /// # Errors
    /// `LimitExceeded` when degree or coefficients are so large that no bound below one half exists, or when 64 rounds do
    /// not reach the wanted probability; `Stopped`.
    ///
    /// # Complexity
    /// The exact budget, then O(log(1/error) / 50) evaluations modulo a prime.
    pub fn prove(
        &self,
        left: &impl BlackBox,
        right: &impl BlackBox,
        rng: &mut impl Rng,
    ) -> Result<IdentityVerdict, Error> {
        if let Some(verdict) = self.expand(left, right)? {
            return Ok(verdict);
        }
        let nvars = left.nvars().max(right.nvars());
        let round = round_error(
            left.degree_bound().max(right.degree_bound()),
            left.height().sum(right.height()),
        )?;
        let rounds = (f64::from(self.error_bits.max(1)) / -round).ceil();
        if rounds > f64::from(MAX_ROUNDS) {
            return Err(Error::limit(OP, "rounds", MAX_ROUNDS.into()));
        }
        let (mut primes, mut points) = (Vec::new(), Vec::new());
        for _ in 0..rounds as u32 {
            let mut values = None;
            for _ in 0..MAX_DRAWS {
                let p = random_prime(rng);
                let point: Vec<u64> = (0..nvars).map(|_| rng.random_range(0..p)).collect();
                let a = left.value_mod(&point, p, &self.exact)?;
                let b = right.value_mod(&point, p, &self.exact)?;
                if let (Some(a), Some(b)) = (a, b) {
                    values = Some((p, point, a, b));
                    break;
                }
            }
            let (prime, point, left, right) =
                values.ok_or_else(|| Error::limit(OP, "primes drawn", MAX_DRAWS as u64))?;
            if left != right {
                let witness = Witness::Point {
                    prime,
                    point,
                    left,
                    right,
                };
                return Ok(IdentityVerdict::Different(witness));
            }
            primes.push(prime);
            points.push(point);
        }
        Ok(IdentityVerdict::Equal(IdentityProof::SchwartzZippel {
            primes,
            points,
            error_log2: round * rounds,
        }))
    }

    /// The verdict from the terms, `None` when that is too dear.
    fn expand(
        &self,
        left: &impl BlackBox,
        right: &impl BlackBox,
    ) -> Result<Option<IdentityVerdict>, Error> {
        let affordable = |p| match p {
            Err(Error::LimitExceeded { .. } | Error::Overflow { .. }) => Ok(None),
            other => other,
        };
        let Some(l) = affordable(left.expanded(&self.exact))? else {
            return Ok(None);
        };
        let Some(r) = affordable(right.expanded(&self.exact))? else {
            return Ok(None);
        };
        let difference = &l - &r;
        Ok(Some(match difference.leading_term() {
            None => IdentityVerdict::Equal(IdentityProof::Expanded { terms: l.len() }),
            Some((exponents, c)) if !c.is_zero() => {
                IdentityVerdict::Different(Witness::Coefficient {
                    left: l.coefficient(&exponents),
                    right: r.coefficient(&exponents),
                    exponents,
                })
            }
            Some(_) => return Ok(None),
        }))
    }
}

/// `log2` of the probability that one round is passed by polynomials that differ.
fn round_error(degree: u128, height: Height) -> Result<f64, Error> {
    let primes = PRIMES_LOG2.exp2();
    // Primes that divide a denominator are not drawn.
    let left = primes - height.denominator as f64 / 61.0;
    let coefficient = height.numerator as f64 / 61.0 / left;
    let points = degree as f64 / LOWEST as f64;
    let error = coefficient + points;
    match left > 0.0 && error <= 0.5 {
        // Rounding of five operations is far below this margin.
        true => Ok((error * (1.0 + 1e-12)).log2()),
        false if points > 0.25 => Err(Error::limit(OP, "degree", LOWEST / 4)),
        false => Err(Error::limit(OP, "bits of a coefficient", 1 << 58)),
    }
}

/// A prime drawn evenly from those in `[2^61, 2^62)`.
fn random_prime(rng: &mut impl Rng) -> u64 {
    loop {
        // One number in 43 is a prime: the loop ends with certainty, soon.
        let candidate = rng.random_range(LOWEST..2 * LOWEST) | 1;
        if is_prime(candidate) {
            return candidate;
        }
    }
}
