//! Integers of one width in flat memory: the coefficient store of polynomials over Z.

use super::limbs::{bits64, bits128, limbs_of};
pub(crate) use super::limbs::{limbs_needed, negate_limbs, read_limbs, write_limbs};
use super::rational::{Integer, integer_gcd};
use super::ring::Ring;
use super::store::Store;
use crate::Error;
use crate::poly::monomials::packed::{NONE, Origins};
use crate::poly::polynomial::merging;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

/// Beyond this many limbs a coefficient is worth an allocation of its own, and one giant among dwarfs
/// must not multiply the memory of all.
pub(crate) const MAX_LIMBS: usize = 64;

/// Integers of one width, the narrowest that holds them all; or each of its own width, where these differ much.
///
/// # Example
/// ```
/// use wickring::poly::{Integer, Integers, Store};
/// let narrow: Integers = Store::from_vec(vec![Integer::from(1), Integer::from(-7)]);
/// assert!(matches!(narrow, Integers::I64(_)));
/// let wide: Integers = Store::from_vec(vec![Integer::from(7).pow(40), Integer::from(7).pow(41)]);
/// assert!(matches!(wide, Integers::I128(_)));
/// ```
#[derive(Clone, Debug)]
pub enum Integers {
    /// Every value fits an `i64`.
    I64(Vec<i64>),
    /// Every value fits an `i128`.
    I128(Vec<i128>),
    /// Two's complement, least limb first, 3 to 64 limbs a value.
    Limbs {
        /// Limbs of one value.
        width: usize,
        /// All limbs.
        data: Vec<u64>,
    },
    /// Anything larger, and a few long ones among many short ones.
    Big(Vec<Integer>),
}

/// Equal values, whatever the form.
impl PartialEq for Integers {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::I64(a), Self::I64(b)) => a == b,
            (Self::I128(a), Self::I128(b)) => a == b,
            (Self::Limbs { width: n, data: a }, Self::Limbs { width: m, data: b }) if n == m => {
                a == b
            }
            (Self::Big(a), Self::Big(b)) => a == b,
            _ => self.len() == other.len() && (0..self.len()).all(|i| self.get(i) == other.get(i)),
        }
    }
}

/// Whether `count` values with `total` limbs together would mostly be filling at `width` limbs each.
fn is_uneven(width: usize, count: usize, total: usize) -> bool {
    width > 3 && count >= 8 && width * count > 4 * (total + 2 * count)
}

impl Default for Integers {
    fn default() -> Self {
        Self::I64(Vec::new())
    }
}

impl Integers {
    /// The narrowest form of 128-bit values.
    pub(crate) fn from_i128(values: Vec<i128>) -> Self {
        let used = values.iter().fold(0, |used, &x| used | bits128(x));
        if used >> 63 == 0 {
            return Self::I64(values.into_iter().map(|x| x as i64).collect());
        }
        Self::I128(values)
    }

    /// The narrowest form of two's complement values of `width` limbs.
    pub(crate) fn from_limbs(width: usize, data: Vec<u64>) -> Self {
        let needed = data.chunks_exact(width).map(limbs_needed).max();
        let needed = needed.unwrap_or(1);
        match needed {
            1 => Self::I64(data.chunks_exact(width).map(|v| v[0] as i64).collect()),
            2 => {
                let wide = |v: &[u64]| (u128::from(v[1]) << 64 | u128::from(v[0])) as i128;
                Self::I128(data.chunks_exact(width).map(wide).collect())
            }
            n if n == width => Self::Limbs { width, data },
            n if n <= MAX_LIMBS => {
                let cut = data.chunks_exact(width).flat_map(|v| v[..n].to_vec());
                Self::Limbs {
                    width: n,
                    data: cut.collect(),
                }
            }
            _ => Self::Big(data.chunks_exact(width).map(read_limbs).collect()),
        }
    }

    /// Limbs a value, or `None` for big ones.
    pub(crate) fn width(&self) -> Option<usize> {
        match self {
            Self::I64(_) => Some(1),
            Self::I128(_) => Some(2),
            Self::Limbs { width, .. } => Some(*width),
            Self::Big(_) => None,
        }
    }

    /// Whether a sum of so many terms and bits is better formed of whole integers.
    fn is_apart(&self, other: &Self, count: usize, bits: u64) -> bool {
        let (Some(m), Some(n)) = (self.width(), other.width()) else {
            return true;
        };
        let total = m * self.len() + n * other.len();
        is_uneven((bits / 64 + 1) as usize, count, total)
    }

    /// An upper bound for the bits of the greatest magnitude, tight to one bit.
    pub(crate) fn bits(&self) -> u64 {
        match self {
            Self::I64(v) => {
                let used = v.iter().fold(0, |used, &x| used | bits64(x));
                (64 - used.leading_zeros()).into()
            }
            Self::I128(v) => {
                let used = v.iter().fold(0, |used, &x| used | bits128(x));
                (128 - used.leading_zeros()).into()
            }
            Self::Limbs { width, data } => {
                let top = |v: &[u64]| {
                    let n = limbs_needed(v);
                    n as u64 * 64 - u64::from(bits64(v[n - 1] as i64).leading_zeros())
                };
                data.chunks_exact(*width).map(top).max().unwrap_or(0)
            }
            Self::Big(v) => {
                let bits = |x: &Integer| {
                    let (_, words) = x.as_sign_words();
                    let spare = words.last().map_or(0, |top| top.leading_zeros());
                    words.len() as u64 * 64 - u64::from(spare)
                };
                v.iter().map(bits).max().unwrap_or(0)
            }
        }
    }

    /// Value `i` as two's complement limbs.
    pub(crate) fn write(&self, i: usize, out: &mut [u64]) {
        let (low, high) = match self {
            Self::I64(v) => (v[i] as u64, v[i] as i128 >> 64),
            Self::I128(v) => (v[i] as u64, v[i] >> 64),
            Self::Limbs { width, data } => {
                let value = &data[i * width..(i + 1) * width];
                let fill = ((value[width - 1] as i64) >> 63) as u64;
                out[..*width].copy_from_slice(value);
                out[*width..].fill(fill);
                return;
            }
            Self::Big(v) => return write_limbs(&v[i], out),
        };
        let fill = (high >> 64) as u64;
        out.fill(fill);
        out[0] = low;
        if let Some(second) = out.get_mut(1) {
            *second = high as u64;
        }
    }

    /// The greatest common divisor of all values, non-negative.
    pub(crate) fn content(&self) -> Integer {
        if let Self::I64(v) = self {
            let mut g = 0u64;
            for &x in v {
                g = super::rational::gcd64(g, x.unsigned_abs());
                if g == 1 {
                    break;
                }
            }
            return Integer::from(g);
        }
        let mut g = Integer::ZERO;
        for i in 0..self.len() {
            g = integer_gcd(&g, &self.get(i));
            if g.is_one() {
                break;
            }
        }
        g
    }

    /// Every value divided by a divisor of all of them.
    #[must_use]
    pub(crate) fn divided(&self, divisor: &Integer) -> Self {
        if divisor.is_one() {
            return self.clone();
        }
        if let (Self::I64(v), Ok(d)) = (self, i64::try_from(divisor)) {
            // i64::MIN / -1 is the one quotient that wraps: let the general path widen it.
            if d > 0 {
                return Self::I64(v.iter().map(|x| x / d).collect());
            }
        }
        Self::from_vec((0..self.len()).map(|i| self.get(i) / divisor).collect())
    }
}

/// The sum of two values, either of which may be absent.
macro_rules! join {
    ($a:expr, $b:expr, $origins:expr, $subtract:expr, $t:ty) => {{
        let sign: $t = if $subtract { -1 } else { 1 };
        let value = |&(i, j): &(u32, u32)| {
            let x = if i == NONE { 0 } else { $a(i as usize) };
            let y = if j == NONE { 0 } else { $b(j as usize) };
            x + sign * y
        };
        $origins.iter().map(value).collect::<Vec<$t>>()
    }};
}

impl Store<Integer> for Integers {
    fn from_vec(values: Vec<Integer>) -> Self {
        let width = values.iter().map(limbs_of).max().unwrap_or(1);
        let total = || values.iter().map(limbs_of).sum();
        let uneven = |width| is_uneven(width, values.len(), total());
        match width {
            1 => Self::I64(values.iter().filter_map(|v| v.try_into().ok()).collect()),
            2 => Self::I128(values.iter().filter_map(|v| v.try_into().ok()).collect()),
            width if width <= MAX_LIMBS && !uneven(width) => {
                let mut data = vec![0; width * values.len()];
                for (v, out) in values.iter().zip(data.chunks_exact_mut(width)) {
                    write_limbs(v, out);
                }
                Self::Limbs { width, data }
            }
            _ => Self::Big(values),
        }
    }

    fn get(&self, i: usize) -> Integer {
        match self {
            Self::I64(v) => v[i].into(),
            Self::I128(v) => v[i].into(),
            Self::Limbs { width, data } => read_limbs(&data[i * width..(i + 1) * width]),
            Self::Big(v) => v[i].clone(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::I64(v) => v.len(),
            Self::I128(v) => v.len(),
            Self::Limbs { width, data } => data.len() / width,
            Self::Big(v) => v.len(),
        }
    }

    fn gather(&self, p: &[usize]) -> Self {
        match self {
            Self::I64(v) => Self::I64(p.iter().map(|&i| v[i]).collect()),
            Self::I128(v) => Self::from_i128(p.iter().map(|&i| v[i]).collect()),
            Self::Limbs { width, data } => {
                let w = *width;
                let mut out = Vec::with_capacity(p.len() * w);
                for &i in p {
                    out.extend_from_slice(&data[i * w..(i + 1) * w]);
                }
                Self::from_limbs(w, out)
            }
            Self::Big(v) => Self::from_vec(p.iter().map(|&i| v[i].clone()).collect()),
        }
    }

    fn joined(a: &Self, b: &Self, origins: &Origins, subtract: bool) -> Self {
        let bits = a.bits().max(b.bits()) + 1;
        match (a, b) {
            (Self::I64(x), Self::I64(y)) if bits <= 63 => Self::I64(join!(
                |i: usize| x[i],
                |j: usize| y[j],
                origins,
                subtract,
                i64
            )),
            (Self::I64(x), Self::I64(y)) => Self::from_i128(join!(
                |i: usize| i128::from(x[i]),
                |j: usize| i128::from(y[j]),
                origins,
                subtract,
                i128
            )),
            (a, b) if a.is_apart(b, origins.len(), bits) => {
                let value = |&(i, j): &(u32, u32)| {
                    let x = if i == NONE {
                        Integer::ZERO
                    } else {
                        a.get(i as usize)
                    };
                    let y = if j == NONE {
                        Integer::ZERO
                    } else {
                        b.get(j as usize)
                    };
                    if subtract { x - y } else { x + y }
                };
                Self::from_vec(origins.iter().map(value).collect())
            }
            _ => {
                let width = (bits / 64 + 1) as usize;
                let mut data = vec![0; width * origins.len()];
                let mut other = vec![0; width];
                for (&(i, j), out) in origins.iter().zip(data.chunks_exact_mut(width)) {
                    if i != NONE {
                        a.write(i as usize, out);
                    }
                    if j != NONE {
                        b.write(j as usize, &mut other);
                        let mut carry = subtract;
                        for (x, &y) in out.iter_mut().zip(&other) {
                            let y = if subtract { !y } else { y };
                            let (s, c1) = x.overflowing_add(y);
                            let (s, c2) = s.overflowing_add(carry.into());
                            *x = s;
                            carry = c1 | c2;
                        }
                    }
                }
                Self::from_limbs(width, data)
            }
        }
    }

    fn sum(a: &Poly<Integer>, b: &Poly<Integer>, subtract: bool) -> Option<Poly<Integer>> {
        let (left, right) = ((a.monomials(), a.store()), (b.monomials(), b.store()));
        let (monomials, store) = merging::merged(left, right, subtract)?;
        Some(Poly::from_canonical(monomials, store))
    }

    fn scaled(&self, factor: &Integer) -> Self {
        if factor.is_one() {
            return self.clone();
        }
        if let (Self::I64(v), Ok(f)) = (self, i64::try_from(factor)) {
            let wide = v.iter().map(|&x| i128::from(x) * i128::from(f));
            return Self::from_i128(wide.collect());
        }
        Self::from_vec((0..self.len()).map(|i| self.get(i) * factor).collect())
    }

    fn negated(&self) -> Self {
        match self {
            Self::I64(v) if !v.contains(&i64::MIN) => Self::I64(v.iter().map(|x| -x).collect()),
            Self::I128(v) if !v.contains(&i128::MIN) => {
                Self::from_i128(v.iter().map(|x| -x).collect())
            }
            _ => Self::from_vec((0..self.len()).map(|i| -self.get(i)).collect()),
        }
    }

    fn nonzero(&self) -> Option<Vec<usize>> {
        let kept = |keep: &dyn Fn(usize) -> bool| (0..self.len()).filter(|&i| keep(i)).collect();
        match self {
            Self::I64(v) => v.contains(&0).then(|| kept(&|i| v[i] != 0)),
            Self::I128(v) => v.contains(&0).then(|| kept(&|i| v[i] != 0)),
            Self::Limbs { width, data } => {
                let zero = |v: &[u64]| v.iter().all(|&w| w == 0);
                let at = |i: usize| &data[i * width..(i + 1) * width];
                let any = data.chunks_exact(*width).any(zero);
                any.then(|| kept(&|i| !zero(at(i))))
            }
            Self::Big(v) => v
                .contains(&Integer::ZERO)
                .then(|| kept(&|i| !v[i].is_zero())),
        }
    }

    fn bits(&self) -> u64 {
        Integers::bits(self)
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn product(
        a: &Poly<Integer>,
        b: &Poly<Integer>,
        budget: &Budget<'_>,
    ) -> Result<Poly<Integer>, Error> {
        crate::poly::product::plan::over_integers(a, b, budget)
    }

    fn quotient(
        a: &Poly<Integer>,
        b: &Poly<Integer>,
        budget: &Budget<'_>,
    ) -> Result<Option<Poly<Integer>>, Error> {
        crate::poly::division::plan::over_integers(a, b, budget)
    }
}

impl Ring for Integer {
    type Store = Integers;
    const EXACT: bool = true;
    const DOMAIN: bool = true;
    fn from_i64(value: i64) -> Self {
        value.into()
    }
    fn checked_div(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let quotient = self / other;
        (&quotient * other == *self).then_some(quotient)
    }
}
