//! Hensel steps, rational reconstruction, and the exact test at the end.

use super::elimination::Elimination;
use super::lines::{Packed, Three, Two};
use super::obstruction::NoLift;
use super::residues::{reconstruct, times, top};
use crate::Error;
use crate::poly::Rational;
use crate::scheme::model::{Scheme, Target};
use crate::scheme::residual::Residual;
use crate::scheme::search::vectors::Dice;
use crate::scheme::verdict::{SchemeField, Verdict, examine_until};
use crate::scheme::whole::{Term, rational_scheme, require_three, residue_terms};
use std::time::Instant;

const OP: &str = "lift";
/// Steps and eliminations of one product each, between two looks at the clock.
const MAX_TERMS: usize = 1 << 12;

/// What to lift from and to.
///
/// See [`lift`] for an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lift {
    /// 2 or 3.
    pub prime: u32,
    /// Whether denominators (prime to `prime`) are welcome.
    pub fractions: bool,
    /// How often to begin again with other values of free unknowns.
    pub tries: u32,
    /// Seed of those values.
    pub seed: u64,
    /// When to give up.
    pub deadline: Option<Instant>,
}

impl Default for Lift {
    fn default() -> Self {
        Self {
            prime: 2,
            fractions: true,
            tries: 8,
            seed: 0,
            deadline: None,
        }
    }
}

/// A scheme that was lifted, exact over the rationals.
///
/// See [`lift`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Lifted {
    /// The scheme; [`Scheme::field`] tells its coefficients.
    pub scheme: Scheme,
    /// Powers of the prime that were used.
    pub digits: u32,
    /// How often it was begun.
    pub tries: u32,
}

/// How a lift ended.
///
/// See [`lift`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub enum LiftOutcome {
    /// Exact, by a test that knows nothing of the way.
    Lifted(Box<Lifted>),
    /// There is none, not even modulo the square of the prime.
    Impossible(Box<NoLift>),
    /// None was found, which proves nothing.
    NotFound {
        /// The most powers of the prime that were reached.
        digits: u32,
    },
}

/// Sizes of the linear systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    sizes: [usize; 3],
    rank: usize,
}

/// Lifts a scheme that is exact modulo `options.prime`.
///
/// # Errors
/// `InvalidInput` when the scheme is not exact modulo the prime or the prime is neither 2 nor 3, `Shape` when it has not three
/// factors, `LimitExceeded` beyond 2^31 entries of the Jacobian, `Stopped` at the deadline.
///
/// # Complexity
/// One elimination of a matrix of entries times unknowns, packed into words; each step is a triangular solve.
///
/// ```
/// use wickring::scheme::{Lift, LiftOutcome, SchemeFormat, lift, read_schemes};
/// // (1+1)(1+1) = 0, modulo 2: one term too many that lifting makes cancel.
/// let scheme = read_schemes("a11*b11*c11\na11*b11*c11\na11*b11*c11", SchemeFormat::Products, "")?.remove(0);
/// let LiftOutcome::Lifted(found) = lift(&scheme, None, &Lift::default())? else { panic!() };
/// assert_eq!(found.scheme.field(), "ZT");
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn lift(
    scheme: &Scheme,
    target: Option<&Target>,
    options: &Lift,
) -> Result<LiftOutcome, Error> {
    require_three(scheme, OP)?;
    if !matches!(options.prime, 2 | 3) {
        let what = format!("lifts from the prime 2 or 3, not {}", options.prime);
        return Err(Error::invalid(OP, what));
    }
    let field = SchemeField::Modulo(options.prime);
    let found = examine_until(scheme, target, field, options.deadline)?;
    if found.verdict != Verdict::Exact {
        let name = found.target.name();
        let what = format!(
            "the scheme is not {name} modulo {}: there is nothing to lift",
            options.prime
        );
        return Err(Error::invalid(OP, what));
    }
    match options.prime {
        2 => lift_in::<Two>(&found.scheme, &found.target, options),
        _ => lift_in::<Three>(&found.scheme, &found.target, options),
    }
}

fn lift_in<F: Packed>(
    scheme: &Scheme,
    target: &Target,
    options: &Lift,
) -> Result<LiftOutcome, Error> {
    let no_value = || Error::invalid(OP, "an entry has no value modulo the prime");
    let terms = residue_terms(scheme, options.prime).ok_or_else(no_value)?;
    let shape = target.shape();
    let [a, b, c] = shape[..] else {
        return Err(Error::shape(OP, "three factors", format!("{shape:?}")));
    };
    if terms.len() > MAX_TERMS {
        return Err(Error::limit(OP, "terms", MAX_TERMS as u64));
    }
    let shape = Shape {
        sizes: [a, b, c],
        rank: terms.len(),
    };
    let columns = column_order(&terms, shape);
    let mut place = vec![0; columns.len()];
    columns.iter().enumerate().for_each(|(k, &c)| place[c] = k);
    let mut clock = || match options.deadline {
        Some(d) if Instant::now() >= d => Err(Error::Stopped { op: OP }),
        _ => Ok(()),
    };
    let system = Elimination::<F>::new(
        a * b * c,
        columns.len(),
        derivatives(&terms, shape).map(|(row, column, v)| (row, place[column], v)),
        &mut clock,
    )?;
    let mut ladder = Ladder {
        terms: &terms,
        target,
        shape,
        columns,
        system,
        options,
        wanted: wanted(target, options.prime)?,
    };
    ladder.climb(&mut clock)
}

/// Unknown `(factor, term, position)` as a number.
fn unknown(shape: Shape, k: usize, r: usize, at: usize) -> usize {
    let before: usize = shape.sizes[..k].iter().sum();
    before * shape.rank + r * shape.sizes[k] + at
}

/// The unknowns, those that are not zero first.
fn column_order(terms: &[Term], shape: Shape) -> Vec<usize> {
    let count = shape.sizes.iter().sum::<usize>() * shape.rank;
    let mut support = vec![false; count];
    for (r, term) in terms.iter().enumerate() {
        for (k, entries) in term.iter().enumerate() {
            entries
                .iter()
                .for_each(|e| support[unknown(shape, k, r, e.0)] = true);
        }
    }
    let (first, last): (Vec<usize>, Vec<usize>) = (0..count).partition(|&u| support[u]);
    [first, last].concat()
}

/// Entries `(equation, unknown, value)` of the Jacobian.
fn derivatives(terms: &[Term], shape: Shape) -> impl Iterator<Item = (usize, usize, u8)> {
    let [n, m, l] = shape.sizes;
    let each = move |(r, term): (usize, &Term)| {
        let [a, b, c] = term;
        let mut found = Vec::new();
        // Residues are at most 2.
        let value = |x: i64, y: i64| (x * y) as u8;
        for (j, y) in b {
            for (k, z) in c {
                let v = value(*y, *z);
                found.extend((0..n).map(|i| ((i * m + j) * l + k, unknown(shape, 0, r, i), v)));
            }
        }
        for (i, x) in a {
            for (k, z) in c {
                let v = value(*x, *z);
                found.extend((0..m).map(|j| ((i * m + j) * l + k, unknown(shape, 1, r, j), v)));
            }
            for (j, y) in b {
                let v = value(*x, *y);
                found.extend((0..l).map(|k| ((i * m + j) * l + k, unknown(shape, 2, r, k), v)));
            }
        }
        found
    };
    terms.iter().enumerate().flat_map(each)
}

/// The entries of the target modulo the largest power of the prime.
fn wanted(target: &Target, prime: u32) -> Result<Vec<(usize, u128)>, Error> {
    let modulus = top(prime).0;
    let residue = |v: &Rational| {
        let m = crate::poly::Integer::from(modulus);
        let r = v.numerator() % &m;
        let r = i128::try_from(&r).ok()?;
        v.is_integer()
            .then(|| r.rem_euclid(modulus as i128) as u128)
    };
    let wrong = || Error::invalid(OP, "needs a tensor of whole numbers");
    target.require_real(OP)?;
    let entries = target.entries().into_iter();
    entries
        .map(|(at, v)| Ok((at, residue(&v).ok_or_else(wrong)?)))
        .collect()
}

/// One lift: the scheme modulo growing powers of the prime.
struct Ladder<'a, F> {
    terms: &'a [Term],
    target: &'a Target,
    shape: Shape,
    columns: Vec<usize>,
    system: Elimination<F>,
    options: &'a Lift,
    wanted: Vec<(usize, u128)>,
}

/// Values of free unknowns: later attempts choose a few of them in the first steps.
fn chosen<F: Packed>(free: &[usize], dice: &mut Dice, attempt: u32, step: u32) -> Vec<(usize, u8)> {
    match (attempt, free.len()) {
        (0, _) | (_, 0) => Vec::new(),
        (_, n) if step <= 2 => {
            let count = dice.below(1 + n.min(4 * attempt as usize));
            let draw = |_| {
                let at = free[dice.below(n)];
                (at, 1 + dice.below(usize::from(F::PRIME) - 1) as u8)
            };
            (0..=count).map(draw).collect()
        }
        _ => Vec::new(),
    }
}

impl<F: Packed> Ladder<'_, F> {
    fn climb(
        &mut self,
        clock: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<LiftOutcome, Error> {
        let free = self.system.free();
        let mut dice = Dice::new(self.options.seed, 17);
        let mut digits = 1;
        for attempt in 0..=self.options.tries {
            let mut values = vec![0u128; self.columns.len()];
            for (r, term) in self.terms.iter().enumerate() {
                for (k, entries) in term.iter().enumerate() {
                    entries
                        .iter()
                        .for_each(|(at, c)| values[unknown(self.shape, k, r, *at)] = *c as u128);
                }
            }
            if let Some(scheme) = self.exact(&values, u128::from(self.options.prime), false)? {
                return Ok(done(scheme, 1, attempt));
            }
            let mut power = u128::from(self.options.prime);
            for step in 1..top(self.options.prime).1 {
                clock()?;
                let right = self.gap(&values, power);
                let chosen = chosen::<F>(&free, &mut dice, attempt, step);
                let d = match self.system.solve(&right, &chosen) {
                    Ok(d) => d,
                    Err(place) if step == 1 => return self.impossible(place),
                    Err(_) => break,
                };
                for (place, d) in d.into_iter().enumerate().filter(|e| e.1 != 0) {
                    values[self.columns[place]] += power * u128::from(d);
                }
                power *= u128::from(self.options.prime);
                digits = digits.max(step + 1);
                let deep = power.ilog2();
                let asked = step <= 4
                    || [10, 15, 20, 30, 40, 50, 60]
                        .iter()
                        .any(|&b| deep >= b && deep < b + power_bits::<F>());
                if asked
                    && let Some(scheme) =
                        self.exact(&values, power, self.options.fractions && deep >= 8)?
                {
                    return Ok(done(scheme, step + 1, attempt));
                }
            }
            // Without free unknowns there is nothing else to try.
            if free.is_empty() {
                break;
            }
        }
        Ok(LiftOutcome::NotFound { digits })
    }

    fn impossible(&self, place: usize) -> Result<LiftOutcome, Error> {
        let mut scheme = crate::scheme::whole::scheme_of(self.terms, self.target)?;
        scheme.modulo_two = self.options.prime == 2;
        let combination = self.system.combination(place);
        let proof = NoLift::new(scheme, self.options.prime, combination)?;
        Ok(LiftOutcome::Impossible(Box::new(proof)))
    }

    /// The difference divided by `power`, modulo the prime.
    fn gap(&self, values: &[u128], power: u128) -> Vec<u8> {
        let [n, m, l] = self.shape.sizes;
        let (modulus, p) = (top(self.options.prime).0, u128::from(self.options.prime));
        let mut sums = vec![0u128; n * m * l];
        for (at, v) in &self.wanted {
            sums[*at] = *v;
        }
        let line = |k: usize, r: usize| {
            let from = unknown(self.shape, k, r, 0);
            let entries = values[from..][..self.shape.sizes[k]].iter().enumerate();
            entries
                .filter(|e| *e.1 != 0)
                .map(|(at, v)| (at, *v))
                .collect::<Vec<_>>()
        };
        for r in 0..self.shape.rank {
            let [a, b, c] = [line(0, r), line(1, r), line(2, r)];
            for (i, x) in &a {
                for (j, y) in &b {
                    let minus = modulus - times(*x, *y, modulus);
                    let row = &mut sums[(i * m + j) * l..][..l];
                    c.iter()
                        .for_each(|(k, z)| row[*k] += times(minus, *z, modulus));
                }
            }
        }
        sums.into_iter()
            .map(|s| (s % modulus / power % p) as u8)
            .collect()
    }

    /// The scheme with the smallest representatives, or fractions, when it is exact.
    fn exact(
        &self,
        values: &[u128],
        power: u128,
        fractions: bool,
    ) -> Result<Option<Scheme>, Error> {
        let balanced = |v: u128| {
            let half = v > power / 2;
            let v = if half {
                v as i128 - power as i128
            } else {
                v as i128
            };
            Some(Rational::from(crate::poly::Integer::from(v)))
        };
        for fraction in [false, true] {
            if fraction && !fractions {
                continue;
            }
            let value = |v: u128| {
                if fraction {
                    reconstruct(v, power)
                } else {
                    balanced(v)
                }
            };
            let mut terms = Vec::new();
            for r in 0..self.shape.rank {
                let line = |k: usize| -> Option<Vec<(usize, Rational)>> {
                    let from = unknown(self.shape, k, r, 0);
                    let entries = values[from..][..self.shape.sizes[k]].iter().enumerate();
                    let entries = entries.filter(|e| *e.1 != 0);
                    entries.map(|(at, v)| Some((at, value(*v)?))).collect()
                };
                match (line(0), line(1), line(2)) {
                    (Some(a), Some(b), Some(c)) => terms.push([a, b, c]),
                    _ => break,
                }
            }
            if terms.len() < self.shape.rank {
                continue;
            }
            let scheme = rational_scheme(&terms, self.target)?;
            if Residual::of(&scheme, self.target)?.is_zero() {
                return Ok(Some(scheme));
            }
        }
        Ok(None)
    }
}

/// Bits that one step adds, rounded up.
fn power_bits<F: Packed>() -> u32 {
    u32::from(F::PRIME) - 1
}

fn done(scheme: Scheme, digits: u32, tries: u32) -> LiftOutcome {
    let tries = tries + 1;
    LiftOutcome::Lifted(Box::new(Lifted {
        scheme,
        digits,
        tries,
    }))
}
