//! Real roots of univariate polynomials, isolated exactly.

use super::bracket::{Bracket, Cell};
use super::descartes::{Cell as Isolated, positive_roots, scaled};
use super::rational::rational_roots;
use crate::Error;
use crate::poly::coefficients::rational::{Integer, Rational};
use crate::poly::factor::integral::dense;
use crate::poly::factor::{MAX_DEGREE, primitive};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use dashu_int::ops::{BitTest, UnsignedAbs};
use num_traits::Zero;

const OP: &str = "Poly::real_roots";

/// One real root: the only one in an interval with rational ends.
///
/// See [`Poly::real_roots`] for an example.
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

    /// The middle of the interval as a decimal of `digits` significant digits, with an exponent: `3.14e-400`.
    pub fn decimal(&self, digits: usize) -> String {
        let half = Rational::new(1, 2).unwrap_or_default();
        scientific(&(&(&self.low + &self.high) * &half), digits)
    }

    /// The middle of the interval, rounded; beyond the range of `f64` infinite or zero, where [`RealRoot::decimal`] still tells.
    pub fn to_f64(&self) -> f64 {
        let half = Rational::new(1, 2).unwrap_or_default();
        (&(&self.low + &self.high) * &half).to_f64()
    }
}

impl Poly<Rational> {
    /// All real roots of a univariate polynomial in ascending order, each alone in an interval no wider than
    /// `2^-bits`, and than `2^-bits` times the root. Rational roots are found as such.
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
        let parts = crate::poly::factor::square_free_integer(&p, budget);
        for (part, multiplicity) in parts.map_err(|e| e.said_by(OP))? {
            let Some((_, f)) = dense(&part)? else {
                continue;
            };
            let mut search = Search {
                bits,
                budget,
                found: Vec::new(),
            };
            // Intervals are those of roots that are not rational: halving asks the polynomial without the rational ones.
            let rest = search.all(&f)?;
            for (low, high) in search.found {
                let root = RealRoot {
                    low,
                    high,
                    multiplicity,
                };
                roots.push((root, factors.len()));
            }
            factors.push(rest);
        }
        separate(&mut roots, &factors, budget)?;
        Ok(roots.into_iter().map(|(root, _)| root).collect())
    }
}

/// `x` rounded to `digits` significant digits (half away from zero), without trailing zeros.
fn scientific(x: &Rational, digits: usize) -> String {
    if x.is_zero() {
        return "0".to_owned();
    }
    let (n, d) = (x.abs().numerator(), x.denominator());
    let sign = if x.signum() < 0 { "-" } else { "" };
    // floor(log10) from the bits, then mended: off by one at most.
    let log = (n.bit_len() as f64 - d.bit_len() as f64) * std::f64::consts::LOG10_2;
    let mut power = log.floor() as i64;
    loop {
        // x / 10^(power - digits + 1), rounded.
        let shift = power - digits as i64 + 1;
        let ten = Integer::from(10).pow(shift.unsigned_abs() as usize);
        let (a, b) = if shift < 0 {
            (&n * &ten, d.clone())
        } else {
            (n.clone(), &d * &ten)
        };
        let rounded = ((&a << 1) + &b) / (&b << 1);
        let text = rounded.to_string();
        if text.len() != digits {
            power += text.len() as i64 - digits as i64;
            continue;
        }
        let (head, tail) = text.split_at(1);
        let tail = tail.trim_end_matches('0');
        let point = if tail.is_empty() { "" } else { "." };
        return format!("{sign}{head}{point}{tail}e{power}");
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
    bits: u32,
    budget: &'a Budget<'a>,
    found: Vec<(Rational, Rational)>,
}

impl Search<'_> {
    /// Finds the roots of `f`, and returns it without its rational ones.
    fn all(&mut self, f: &[Integer]) -> Result<Vec<Integer>, Error> {
        if f.len() > MAX_DEGREE / 8 {
            return Err(Error::limit(OP, "degree", MAX_DEGREE as u64 / 8));
        }
        let (exact, rest) = rational_roots(f, self.budget)?;
        self.found.extend(exact.into_iter().map(|x| (x.clone(), x)));
        if rest.len() < 3 {
            return Ok(rest);
        }
        // A polynomial in x^k with even k has the same roots on both sides.
        let even = rest.iter().skip(1).step_by(2).all(Zero::is_zero);
        let positive = self.positive(&rest)?;
        let alternating = |(k, c): (usize, &Integer)| if k % 2 == 1 { -c } else { c.clone() };
        let negative = match even {
            true => positive.clone(),
            false => {
                let mirrored: Vec<Integer> = rest.iter().enumerate().map(alternating).collect();
                self.positive(&mirrored)?
            }
        };
        let mirrored = negative.into_iter().map(|(low, high)| (-high, -low));
        self.found.extend(mirrored);
        self.found.extend(positive);
        Ok(rest)
    }

    /// The positive roots of `f`, of which none is rational.
    fn positive(&self, f: &[Integer]) -> Result<Vec<(Rational, Rational)>, Error> {
        let (k, cells) = match deflated_cells(f, self.budget)? {
            Some(found) => found,
            None => positive_roots(f, self.budget)?,
        };
        let whole = scaled(f, k);
        let each = cells.into_iter().map(|cell| self.refined(&whole, cell, k));
        each.collect()
    }

    /// Narrows a cell of the roots of `scaled = f(2^k x)` until it is `2^-bits` wide both absolutely and relative to the root.
    fn refined(
        &self,
        scaled: &[Integer],
        mut cell: Isolated,
        k: i64,
    ) -> Result<(Rational, Rational), Error> {
        let mut target = usize::try_from(k + i64::from(self.bits)).unwrap_or(0);
        loop {
            cell = narrowed(scaled, cell, target, self.budget)?;
            let own = cell.n.bit_len();
            if own > self.bits as usize {
                break;
            }
            // While the lower end is zero the depth doubles; then the missing bits are known.
            let more = if own == 0 {
                cell.depth + 8
            } else {
                self.bits as usize + 1 - own
            };
            target = cell.depth + more;
        }
        Ok((
            at(&cell.n, k, cell.depth),
            at(&(&cell.n + Integer::ONE), k, cell.depth),
        ))
    }
}

/// A narrower cell around the same root, of depth `target` at least.
fn narrowed(
    f: &[Integer],
    cell: Isolated,
    target: usize,
    budget: &Budget<'_>,
) -> Result<Isolated, Error> {
    let bracket = Bracket::new(f, cell.n, cell.depth);
    match bracket.narrowed(target, || budget.check_time(OP))? {
        Cell::Between(n, depth) => Ok(Isolated { n, depth }),
        // There is no rational root left, dyadic ones neither.
        Cell::Root => Err(Error::Backend {
            op: OP,
            routine: "removal of rational roots",
        }),
    }
}

/// Cells of the positive roots of `f(x) = g(x^e)` from those of `g`, which cost `e^2` times less; `None` when `f` has no such
/// form or `g` has rational roots.
fn deflated_cells(
    f: &[Integer],
    budget: &Budget<'_>,
) -> Result<Option<(i64, Vec<Isolated>)>, Error> {
    let used = |k: &usize| !f[*k].is_zero();
    let e = (0..f.len()).filter(used).fold(0, num_gcd);
    if e < 2 {
        return Ok(None);
    }
    let g: Vec<Integer> = f.iter().step_by(e).cloned().collect();
    if g.len() < 3 || !rational_roots(&g, budget)?.0.is_empty() {
        return Ok(None);
    }
    let (k, mut cells) = positive_roots(&g, budget)?;
    // x^e < 2^k, so x < 2^up.
    let up = k.div_euclid(e as i64) + i64::from(k.rem_euclid(e as i64) > 0);
    let whole = scaled(&g, k);
    for cell in &mut cells {
        *cell = root_cell(&whole, cell.clone(), e, up * e as i64 - k, budget)?;
    }
    Ok(Some((up, cells)))
}

/// The cell of `y^(1/e)`, in units of `2^up`, for the root `y` in `outer`, in units of `2^k`; `gap = up e - k`.
fn root_cell(
    whole: &[Integer],
    outer: Isolated,
    e: usize,
    gap: i64,
    budget: &Budget<'_>,
) -> Result<Isolated, Error> {
    let gap = usize::try_from(gap).unwrap_or(0);
    let mut inner = outer.clone();
    let mut more = 16;
    loop {
        budget.check_time(OP)?;
        inner = narrowed(whole, inner, 2 * outer.depth + more, budget)?;
        // y = n / 2^depth in its units, n / 2^(depth + gap) in those of 2^(up e). The root of the cell is wider than the
        // cell by 1 / y^(1-1/e) < 2^(outer.depth + gap), the half of the additional bits is left for luck.
        let depth = outer.depth + more / 2 + 1;
        let rise = (e * depth) as i64 - (inner.depth + gap) as i64;
        let rooted = |n: &Integer| {
            let scaled = n << usize::try_from(rise).unwrap_or(0);
            Integer::from(scaled.unsigned_abs().nth_root(e))
        };
        let (low, high) = (rooted(&inner.n), rooted(&(&inner.n + Integer::ONE)));
        // The cell must hold the root and lie inside the isolating one.
        let power = |n: &Integer| n.pow(e) << (outer.depth + gap);
        let (below, above) = (
            &outer.n << (e * depth),
            (&outer.n + Integer::ONE) << (e * depth),
        );
        let next = &low + Integer::ONE;
        if low == high && power(&low) >= below && power(&next) <= above {
            return Ok(Isolated { n: low, depth });
        }
        more *= 2;
    }
}

fn num_gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { num_gcd(b, a % b) }
}

/// `c * 2^(k - depth)`.
fn at(c: &Integer, k: i64, depth: usize) -> Rational {
    let up = usize::try_from(k).unwrap_or(0);
    let down = depth + usize::try_from(-k).unwrap_or(0);
    Rational::from_integers(c << up, Integer::ONE << down).unwrap_or_default()
}
