//! Real roots of univariate polynomials, isolated exactly.

use super::bracket::{Bracket, Cell};
use crate::Error;
use crate::poly::coefficients::rational::{Integer, Rational};
use crate::poly::factor::integral::dense;
use crate::poly::factor::{MAX_DEGREE, primitive};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use dashu_int::ops::BitTest;
use num_traits::Zero;

const OP: &str = "Poly::real_roots";

/// One real root: the only one in an interval with rational ends.
#[derive(Clone, Debug, PartialEq)]
pub struct RealRoot {
    /// Lower end; equal to the upper one when the root is this rational number.
    pub low: Rational,
    /// Upper end; when the ends differ, neither is a root.
    pub high: Rational,
    /// How often the root occurs.
    pub multiplicity: u32,
}

impl RealRoot {
    /// The root itself when it was found to be rational.
    pub fn exact(&self) -> Option<&Rational> {
        (self.low == self.high).then_some(&self.low)
    }

    /// The middle of the interval, rounded.
    pub fn to_f64(&self) -> f64 {
        let half = Rational::new(1, 2).unwrap_or_default();
        (&(&self.low + &self.high) * &half).to_f64()
    }
}

impl Poly<Rational> {
    /// All real roots of a univariate polynomial in ascending order, each alone in an interval no wider than
    /// `2^-bits`.
    ///
    /// Exact: signs of integers decide everything. The number of roots is certain.
    ///
    /// # Errors
    /// `InvalidInput` for zero or for several variables; `LimitExceeded` for degrees beyond 10^4 or `bits`
    /// beyond 10^5; `Stopped`.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Budget, Poly, Vars};
    /// let p = Poly::parse("(x^2 - 2)*(x - 3)^2", &mut Vars::new())?;
    /// let roots = p.real_roots(40, &Budget::default())?;
    /// assert_eq!(roots.len(), 3);
    /// assert_eq!(roots[2].multiplicity, 2);
    /// assert!((roots[1].to_f64() - 2f64.sqrt()).abs() < 1e-12);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    /// # Source
    /// Collins, Akritas 1976 (Descartes' rule and bisection).
    pub fn real_roots(&self, bits: u32, budget: &Budget<'_>) -> Result<Vec<RealRoot>, Error> {
        if self.is_zero() {
            return Err(Error::invalid(OP, "a nonzero polynomial, found 0"));
        }
        if bits > 100_000 {
            return Err(Error::limit(OP, "bits", 100_000));
        }
        let (_, p) = primitive(self);
        if dense(&p)?.is_none() {
            return Err(Error::invalid(OP, "a polynomial in one variable"));
        }
        let (mut roots, mut factors) = (Vec::new(), Vec::new());
        for (part, multiplicity) in crate::poly::factor::square_free_integer(&p, budget)? {
            let Some((_, f)) = dense(&part)? else {
                continue;
            };
            let mut search = Search {
                f: &f,
                bits,
                budget,
                found: Vec::new(),
            };
            search.all()?;
            for (low, high) in search.found {
                let root = RealRoot {
                    low,
                    high,
                    multiplicity,
                };
                roots.push((root, factors.len()));
            }
            factors.push(f);
        }
        separate(&mut roots, &factors, budget)?;
        Ok(roots.into_iter().map(|(root, _)| root).collect())
    }
}

/// Sorts, and halves the intervals of different square-free factors until they do not touch.
fn separate(
    roots: &mut [(RealRoot, usize)],
    factors: &[Vec<Integer>],
    budget: &Budget<'_>,
) -> Result<(), Error> {
    loop {
        roots.sort_by(|(a, _), (b, _)| a.low.cmp(&b.low).then_with(|| a.high.cmp(&b.high)));
        let touch = |w: &[(RealRoot, usize)]| w[1].0.low <= w[0].0.high;
        let Some(i) = roots.windows(2).position(touch) else {
            return Ok(());
        };
        budget.check_time(OP)?;
        for (root, factor) in &mut roots[i..i + 2] {
            shrink(root, &factors[*factor]);
        }
    }
}

/// Replaces an interval by the half that holds the simple root of `f`.
fn shrink(r: &mut RealRoot, f: &[Integer]) {
    if r.low == r.high {
        return;
    }
    let half = Rational::new(1, 2).unwrap_or_default();
    let middle = &(&r.low + &r.high) * &half;
    match sign_at(f, &middle) {
        0 => (r.low, r.high) = (middle.clone(), middle),
        s if s == sign_at(f, &r.low) => r.low = middle,
        _ => r.high = middle,
    }
}

/// The sign of `f` at a rational.
fn sign_at(f: &[Integer], x: &Rational) -> i32 {
    let (n, d) = (x.numerator(), x.denominator());
    // Homogenised Horner: sum f_k n^k d^(deg - k), the denominator being positive.
    let mut power = Integer::ONE;
    let mut value = Integer::ZERO;
    for c in f.iter().rev() {
        value = value * &n + c * &power;
        power *= &d;
    }
    if value.is_zero() {
        0
    } else if value < Integer::ZERO {
        -1
    } else {
        1
    }
}

/// The roots of one square-free polynomial.
struct Search<'a> {
    f: &'a [Integer],
    bits: u32,
    budget: &'a Budget<'a>,
    found: Vec<(Rational, Rational)>,
}

impl Search<'_> {
    fn all(&mut self) -> Result<(), Error> {
        if self.f.len() > MAX_DEGREE / 8 {
            return Err(Error::limit(OP, "degree", MAX_DEGREE as u64 / 8));
        }
        if self.f.first().is_some_and(Zero::is_zero) {
            self.found.push((Rational::default(), Rational::default()));
        }
        let own = self.f.iter().skip_while(|c| c.is_zero());
        let f: Vec<Integer> = own.cloned().collect();
        self.positive(&f, false)?;
        let alternating = |(k, c): (usize, &Integer)| if k % 2 == 1 { -c } else { c.clone() };
        let mirrored: Vec<Integer> = f.iter().enumerate().map(alternating).collect();
        self.positive(&mirrored, true)
    }

    /// The positive roots of `f`, which does not vanish at zero.
    fn positive(&mut self, f: &[Integer], mirror: bool) -> Result<(), Error> {
        if f.len() < 2 {
            return Ok(());
        }
        // Cauchy: all roots lie below 1 + max |c| / |lead|, so below 2^k.
        let lead = f.last().map_or(1, BitTest::bit_len);
        let most = f.iter().map(BitTest::bit_len).max().unwrap_or(1);
        let k = most + 2 - lead.min(most);
        // f(2^k x) on (0, 1).
        let scaled: Vec<Integer> = f.iter().enumerate().map(|(i, c)| c << (i * k)).collect();
        let whole = scaled.clone();
        let mut open = vec![(scaled, Integer::ZERO, 0usize)];
        while let Some((g, c, depth)) = open.pop() {
            self.budget.check_time(OP)?;
            let bits: usize = g.iter().map(BitTest::bit_len).max().unwrap_or(0);
            self.budget.check_bits(OP, bits as u64 * g.len() as u64)?;
            // The interval is (c, c + 1) * 2^(k - depth).
            match variations(&g) {
                0 => {}
                1 => self.refine(f, &whole, (c, depth, k), mirror)?,
                _ => {
                    let n = g.len() - 1;
                    let left: Vec<Integer> =
                        g.iter().enumerate().map(|(i, a)| a << (n - i)).collect();
                    let right = shifted(&left);
                    let (low, high) = (&c + &c, &c + &c + Integer::ONE);
                    let mut right = right;
                    if right[0].is_zero() {
                        let x = at(&high, k, depth + 1);
                        self.push(x.clone(), x, mirror);
                        right.remove(0);
                        // The left half ends at that root; it is not inside the open interval.
                    }
                    open.push((right, high, depth + 1));
                    open.push((left, low, depth + 1));
                }
            }
        }
        Ok(())
    }

    /// Narrows the interval `(c, c + 1) 2^(k - depth)`, which has exactly one simple root of `f`; `scaled` is `f(2^k x)`.
    fn refine(
        &mut self,
        f: &[Integer],
        scaled: &[Integer],
        (c, depth, k): (Integer, usize, usize),
        mirror: bool,
    ) -> Result<(), Error> {
        let bracket = Bracket::new(scaled, c, depth);
        let cell = bracket.narrowed(k + self.bits as usize, || self.budget.check_time(OP))?;
        let (low, high) = match cell {
            Cell::Root(n, depth) => (at(&n, k, depth), at(&n, k, depth)),
            Cell::Between(n, depth) => {
                // A rational root is worth naming; its denominator divides the leading coefficient.
                let (low, high) = (at(&n, k, depth), at(&(n + Integer::ONE), k, depth));
                let most = f.last().map_or(Integer::ONE, |c| c * c.signum());
                match simplest_between(&low, &high, &most) {
                    Some(x) if sign_at(f, &x) == 0 => (x.clone(), x),
                    _ => (low, high),
                }
            }
        };
        self.push(low, high, mirror);
        Ok(())
    }

    fn push(&mut self, low: Rational, high: Rational, mirror: bool) {
        self.found
            .push(if mirror { (-high, -low) } else { (low, high) });
    }
}

/// `c * 2^(k - depth)`.
fn at(c: &Integer, k: usize, depth: usize) -> Rational {
    let scaled = c << k;
    Rational::from_integers(scaled, Integer::ONE << depth).unwrap_or_default()
}

/// Sign changes of the coefficients of `(1 + x)^n f(1 / (1 + x))`: as many as roots in (0, 1), or more by
/// an even number. Counting ends at two: more make no difference.
fn variations(f: &[Integer]) -> usize {
    let mut g: Vec<Integer> = f.iter().rev().cloned().collect();
    let (mut changes, mut sign) = (0, None);
    for i in 0..g.len() {
        shift_once(&mut g[i..]);
        // Coefficient i is final.
        if !g[i].is_zero() {
            let own = g[i] > Integer::ZERO;
            changes += usize::from(sign.is_some_and(|s| s != own));
            sign = Some(own);
        }
        if changes == 2 {
            break;
        }
    }
    changes
}

/// `f(x + 1)` by repeated addition.
fn shifted(f: &[Integer]) -> Vec<Integer> {
    let mut g = f.to_vec();
    for i in 0..g.len() {
        shift_once(&mut g[i..]);
    }
    g
}

/// One row of Pascal's triangle: every coefficient takes the sum of those above.
fn shift_once(g: &mut [Integer]) {
    for j in (1..g.len()).rev() {
        let (below, above) = g.split_at_mut(j);
        below[j - 1] += &above[0];
    }
}

/// The fraction of least denominator in `[low, high]`, both positive, if that is at most `most` (Stern and Brocot, by
/// continued fractions).
fn simplest_between(low: &Rational, high: &Rational, most: &Integer) -> Option<Rational> {
    let (mut a, mut b) = (
        (low.numerator(), low.denominator()),
        (high.numerator(), high.denominator()),
    );
    // The last two convergents.
    let mut before = (Integer::ZERO, Integer::ONE);
    let mut last = (Integer::ONE, Integer::ZERO);
    loop {
        let floor = &a.0 / &a.1;
        let exact = &floor * &a.1 == a.0;
        let next = if exact {
            floor.clone()
        } else {
            &floor + Integer::ONE
        };
        let done = exact || &next * &b.1 <= b.0;
        let part = if done { &next } else { &floor };
        let new = (part * &last.0 + &before.0, part * &last.1 + &before.1);
        if new.1 > *most {
            return None;
        }
        if done {
            return Rational::from_integers(new.0, new.1);
        }
        (before, last) = (last, new);
        // Both are in (0, 1) above the floor: reciprocals swap.
        let above = |x: &(Integer, Integer)| (x.1.clone(), &x.0 - &floor * &x.1);
        (a, b) = (above(&b), above(&a));
    }
}
