//! Real roots of univariate polynomials, isolated exactly.

use super::factor::{MAX_DEGREE, dense, primitive};
use super::{Budget, Integer, Poly, Rational};
use crate::Error;
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
        for (part, multiplicity) in super::factor::square_free_integer(&p, budget)? {
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
        let mut open = vec![(scaled, Integer::ZERO, 0usize)];
        while let Some((g, c, depth)) = open.pop() {
            self.budget.check_time(OP)?;
            let bits: usize = g.iter().map(BitTest::bit_len).max().unwrap_or(0);
            self.budget.check_bits(OP, bits as u64 * g.len() as u64)?;
            // The interval is (c, c + 1) * 2^(k - depth).
            match variations(&g) {
                0 => {}
                1 => self.refine(f, c, depth, k, mirror)?,
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

    /// Bisects an interval with exactly one simple root until it is narrow enough.
    fn refine(
        &mut self,
        f: &[Integer],
        c: Integer,
        depth: usize,
        k: usize,
        mirror: bool,
    ) -> Result<(), Error> {
        let (mut low, mut high) = (at(&c, k, depth), at(&(c + Integer::ONE), k, depth));
        let half = Rational::new(1, 2).unwrap_or_default();
        let width = Rational::from_integers(Integer::ONE, Integer::ONE << self.bits as usize);
        let width = width.unwrap_or_default();
        // An end may be a root found elsewhere: then it must not stay an end.
        let above = sign_at(f, &high);
        let mut s_high = above;
        if above == 0 {
            s_high = -sign_just_after(f, &low);
        }
        let mut clean = sign_at(f, &low) != 0 && above != 0;
        let mut steps = 0u64;
        while !clean || &high - &low > width {
            steps += 1;
            if steps.is_multiple_of(16) {
                self.budget.check_time(OP)?;
            }
            let middle = &(&low + &high) * &half;
            match sign_at(f, &middle) {
                0 => {
                    self.push(middle.clone(), middle, mirror);
                    return Ok(());
                }
                s if s == s_high => high = middle,
                _ => low = middle,
            }
            clean = sign_at(f, &low) != 0 && sign_at(f, &high) != 0;
        }
        // A rational root with a small denominator is worth naming: the simplest fraction inside.
        let simple = simplest_between(&low, &high);
        if sign_at(f, &simple) == 0 {
            self.push(simple.clone(), simple, mirror);
        } else {
            self.push(low, high, mirror);
        }
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

/// The sign of `f` just above `x`: the sign of the first derivative that does not vanish there.
fn sign_just_after(f: &[Integer], x: &Rational) -> i32 {
    let mut g = f.to_vec();
    while !g.is_empty() {
        let s = sign_at(&g, x);
        if s != 0 {
            return s;
        }
        let each = g.iter().enumerate().skip(1);
        g = each.map(|(k, c)| c * Integer::from(k)).collect();
    }
    0
}

/// Sign changes of the coefficients of `(1 + x)^n f(1 / (1 + x))`: as many as roots in (0, 1), or more by
/// an even number.
fn variations(f: &[Integer]) -> usize {
    let reversed: Vec<Integer> = f.iter().rev().cloned().collect();
    let g = shifted(&reversed);
    let signs: Vec<bool> = g
        .iter()
        .filter(|c| !c.is_zero())
        .map(|c| *c > Integer::ZERO)
        .collect();
    signs.windows(2).filter(|w| w[0] != w[1]).count()
}

/// `f(x + 1)` by repeated addition.
fn shifted(f: &[Integer]) -> Vec<Integer> {
    let mut g = f.to_vec();
    let n = g.len();
    for i in 0..n {
        for j in (i..n - 1).rev() {
            let next = g[j + 1].clone();
            g[j] += next;
        }
    }
    g
}

/// The fraction of least denominator in `[low, high]`, both positive (Stern and Brocot, by continued
/// fractions).
fn simplest_between(low: &Rational, high: &Rational) -> Rational {
    let (mut a, mut b) = (low.clone(), high.clone());
    let mut whole = Vec::new();
    loop {
        let floor = Rational::from(a.numerator() / a.denominator());
        if floor == a || &floor + &Rational::from(1) <= b {
            let last = if floor == a {
                floor
            } else {
                &floor + &Rational::from(1)
            };
            let unfold = |x: Rational, w: &Rational| w + &x.recip().unwrap_or_default();
            return whole.iter().rev().fold(last, unfold);
        }
        let (x, y) = (&a - &floor, &b - &floor);
        whole.push(floor);
        // Both are in (0, 1): reciprocals swap.
        match (x.recip(), y.recip()) {
            (Some(x), Some(y)) => (a, b) = (y, x),
            _ => return low.clone(),
        }
    }
}
