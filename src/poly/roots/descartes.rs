//! Intervals that hold one positive root each: Descartes' rule and bisection, on numbers of one width in flat memory.

use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::product::budget::Budget;
use dashu_int::ops::BitTest;

const OP: &str = "Poly::real_roots";

/// The interval `(n, n + 1) * 2^(scale - depth)`, which holds one root.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) n: Integer,
    pub(crate) depth: usize,
}

/// The scale `k` and cells of `(0, 1)` for the roots of `f(2^k x)`, ascending; all positive roots lie below `2^k`. No root may
/// be rational.
///
/// # Source
/// Collins, Akritas 1976; Rouillier, Zimmermann 2004 (coefficients of bounded precision); the bound is Kioustelidis' (1986).
pub(crate) fn positive_roots(
    f: &[Integer],
    budget: &Budget<'_>,
) -> Result<(i64, Vec<Cell>), Error> {
    let Some(k) = scale(f) else {
        return Ok((0, Vec::new()));
    };
    let whole = Flat::new(&scaled(f, k));
    // Taylor shifts lose as many bits as the degree; the rest is for cancellations, and keeps shallow trees exact.
    let mut precision = 4 * f.len() + SPARE;
    loop {
        if let Some(found) = cells(&whole, precision, budget)? {
            return Ok((k, found));
        }
        precision *= 2;
    }
}

/// Bits of the first precision beyond four times the degree.
const SPARE: usize = 192;

/// The cells, with coefficients cut to so many bits; `None` when that leaves a number of sign changes open.
fn cells(whole: &Flat, precision: usize, budget: &Budget<'_>) -> Result<Option<Vec<Cell>>, Error> {
    let mut found = Vec::new();
    let whole = whole.copied(whole.width, false).cut(precision);
    let mut open = vec![(whole, Integer::ZERO, 0usize)];
    while let Some((g, n, depth)) = open.pop() {
        budget.check_time(OP)?;
        budget.check_bits(OP, (g.data.len() * 64) as u64)?;
        match g.variations(budget)? {
            None => return Ok(None),
            Some(0) => {}
            Some(1) => found.push(Cell { n, depth }),
            Some(_) => {
                let (left, error) = g.halved(precision);
                let right = left.shifted(error, budget)?.cut(precision);
                let low = &n + &n;
                let high = &low + Integer::ONE;
                // The left half is on top: cells come out ascending.
                open.push((right, high, depth + 1));
                open.push((left, low, depth + 1));
            }
        }
    }
    Ok(Some(found))
}

/// `k` with all positive roots below `2^k`: twice the greatest `(|c| / lead)^(1/(n-i))` over the coefficients of the other
/// sign. `None` when there is no such coefficient and so no positive root.
fn scale(f: &[Integer]) -> Option<i64> {
    let n = f.len() - 1;
    let lead = &f[n];
    let other = |c: &Integer| !c.is_zero() && c.signum() != lead.signum();
    let each = f[..n].iter().enumerate().filter(|(_, c)| other(c));
    each.map(|(i, c)| {
        let ratio = c.bit_len() as i64 - lead.bit_len() as i64 + 1;
        1 + ratio.div_euclid((n - i) as i64) + i64::from(ratio.rem_euclid((n - i) as i64) > 0)
    })
    .max()
}

/// `f(2^k x)` times a power of two.
pub(crate) fn scaled(f: &[Integer], k: i64) -> Vec<Integer> {
    let (n, by) = (f.len() - 1, k.unsigned_abs() as usize);
    let times = |i: usize| if k >= 0 { i } else { n - i };
    f.iter()
        .enumerate()
        .map(|(i, c)| c << (times(i) * by))
        .collect()
}

/// Integers of `width` words each, in two's complement, constant coefficient first, up to a common power of two.
struct Flat {
    width: usize,
    data: Vec<u64>,
    /// Every coefficient is off by less than 2 to this power; `None` when all are exact.
    error: Option<usize>,
}

impl Flat {
    fn new(f: &[Integer]) -> Self {
        let bits = f.iter().map(BitTest::bit_len).max().unwrap_or(1);
        let width = bits / 64 + 1;
        let mut data = Vec::with_capacity(width * f.len());
        for c in f {
            let (sign, words) = c.as_sign_words();
            let start = data.len();
            data.extend_from_slice(words);
            data.resize(start + width, 0);
            if sign == dashu_int::Sign::Negative {
                negate(&mut data[start..]);
            }
        }
        Self {
            width,
            data,
            error: None,
        }
    }

    fn len(&self) -> usize {
        self.data.len() / self.width
    }

    /// -1, 0 or 1.
    fn sign(&self, i: usize) -> i32 {
        let words = &self.data[i * self.width..(i + 1) * self.width];
        match words.last() {
            Some(&top) if top >> 63 == 1 => -1,
            _ => i32::from(words.iter().any(|&w| w != 0)),
        }
    }

    /// Bits of coefficient `i`, its sign not counted.
    fn bits_of(&self, i: usize) -> usize {
        let words = &self.data[i * self.width..(i + 1) * self.width];
        let fill = if words[words.len() - 1] >> 63 == 1 {
            u64::MAX
        } else {
            0
        };
        match words.iter().rposition(|&w| w != fill) {
            Some(k) => 64 * (k + 1) - (words[k] ^ fill).leading_zeros() as usize,
            None => 0,
        }
    }

    /// The most bits of a coefficient, with one for the sign.
    fn bits(&self) -> usize {
        (0..self.len()).map(|i| self.bits_of(i)).max().unwrap_or(0) + 1
    }

    /// The sign of a coefficient that is off by less than `2^error`, when that is known; a zero is one of exact numbers.
    fn sure(&self, i: usize, error: Option<usize>) -> Option<i32> {
        match error {
            Some(e) if self.bits_of(i) <= e => None,
            _ => Some(self.sign(i)),
        }
    }

    /// The first so many bits of the longest coefficients, and of the others what stands above the same place.
    fn cut(self, precision: usize) -> Self {
        let bits = self.bits();
        if bits <= precision {
            return self;
        }
        let drop = bits - precision;
        let width = precision / 64 + 1;
        let mut data = vec![0; width * self.len()];
        for (from, to) in self.data.chunks(self.width).zip(data.chunks_mut(width)) {
            shift_into(from, -(drop as i64), to);
        }
        // Rounding down adds less than one unit.
        let error = self.error.map_or(0, |e| e.saturating_sub(drop) + 1);
        Self {
            width,
            data,
            error: Some(error),
        }
    }

    /// The same numbers in `width` words, in reverse order on request.
    fn copied(&self, width: usize, reverse: bool) -> Self {
        let mut data = Vec::with_capacity(width * self.len());
        let mut put = |words: &[u64]| {
            let fill = if words[words.len() - 1] >> 63 == 1 {
                u64::MAX
            } else {
                0
            };
            let start = data.len();
            data.extend_from_slice(&words[..words.len().min(width)]);
            data.resize(start + width, fill);
        };
        let chunks = self.data.chunks(self.width);
        match reverse {
            true => chunks.rev().for_each(&mut put),
            false => chunks.for_each(&mut put),
        }
        let error = self.error;
        Self { width, data, error }
    }

    /// `2^n g(x / 2)`, divided by the power of two that all coefficients share and by what exceeds the precision; and the power of
    /// two that bounds the error after a shift by one, less than the one of any numbers with these errors, because errors fall
    /// off with the powers of one half.
    fn halved(&self, precision: usize) -> (Self, Option<usize>) {
        let n = self.len() - 1;
        let zeros = |i: usize| {
            let words = &self.data[i * self.width..(i + 1) * self.width];
            let low = words.iter().position(|&w| w != 0)?;
            Some(64 * low + words[low].trailing_zeros() as usize + n - i)
        };
        let shared = match self.error {
            None => (0..=n).filter_map(zeros).min().unwrap_or(0),
            Some(_) => 0,
        };
        // Coefficient i is shifted by n - i - down, up or down.
        let reach = |i: usize| self.bits_of(i) + n - i;
        let most = (0..=n).map(reach).max().unwrap_or(0) + 1;
        let extra = (most.saturating_sub(shared)).saturating_sub(precision);
        let down = shared + extra;
        let width = most.saturating_sub(down) / 64 + 1;
        let mut data = vec![0; width * (n + 1)];
        for (i, to) in data.chunks_mut(width).enumerate() {
            let from = &self.data[i * self.width..(i + 1) * self.width];
            shift_into(from, (n - i) as i64 - down as i64, to);
        }
        let (error, shifted) = match self.error {
            None if extra == 0 => (None, None),
            // Units of roundings: binomial coefficients add up to 2^(n+1) at most.
            None => (Some(0), Some(n + 1)),
            Some(e) => {
                let scaled = (e + n).saturating_sub(down);
                (Some(scaled + 1), Some(scaled.max(n) + 2))
            }
        };
        (Self { width, data, error }, shifted)
    }

    /// `g(x + 1)`, with its error: every coefficient takes the sum of those above, again and again.
    fn shifted(&self, error: Option<usize>, budget: &Budget<'_>) -> Result<Self, Error> {
        let mut g = self.copied((self.bits() + self.len()) / 64 + 1, false);
        for i in 0..g.len() {
            g.row(i);
            if i % 64 == 63 {
                budget.check_time(OP)?;
            }
        }
        g.error = error;
        Ok(g)
    }

    /// Adds to every coefficient from `i` on the one above it, from the top down.
    fn row(&mut self, i: usize) {
        let w = self.width;
        match w {
            1 => add_down::<1>(&mut self.data, i),
            2 => add_down::<2>(&mut self.data, i),
            3 => add_down::<3>(&mut self.data, i),
            4 => add_down::<4>(&mut self.data, i),
            5 => add_down::<5>(&mut self.data, i),
            6 => add_down::<6>(&mut self.data, i),
            _ => {
                for j in (i + 1..self.data.len() / w).rev() {
                    let (below, above) = self.data.split_at_mut(j * w);
                    add(&mut below[(j - 1) * w..], &above[..w]);
                }
            }
        }
    }

    /// Sign changes of `(1 + x)^n g(1 / (1 + x))`: as many as roots in (0, 1), or more by an even number. Counting ends at
    /// two: more make no difference. `None` when the errors leave the number open.
    fn variations(&self, budget: &Budget<'_>) -> Result<Option<usize>, Error> {
        let first = self.sure(0, self.error);
        let same = |s: Option<i32>| s == first || self.error.is_none() && s == Some(0);
        if first.is_some_and(|s| s != 0) && (1..self.len()).all(|i| same(self.sure(i, self.error)))
        {
            return Ok(Some(0));
        }
        let mut g = self.copied((self.bits() + self.len()) / 64 + 1, true);
        // The binomial coefficients of one place add up to 2^(n+1) at most.
        let error = self.error.map(|e| e + self.len());
        let (mut changes, mut sign) = (0, 0);
        // Coefficients of unknown sign since the last known one, and whether they may hide changes.
        let (mut unknown, mut open) = (0, false);
        for i in 0..g.len() {
            g.row(i);
            // Coefficient i is final.
            match g.sure(i, error) {
                None => unknown += 1,
                Some(0) => {}
                Some(own) => {
                    let change = own * sign < 0;
                    changes += usize::from(change);
                    // One unknown between two different signs changes nothing.
                    open |= unknown > usize::from(change);
                    (sign, unknown) = (own, 0);
                }
            }
            if changes == 2 {
                return Ok(Some(2));
            }
            if i % 64 == 63 {
                budget.check_time(OP)?;
            }
        }
        Ok((!open && unknown == 0).then_some(changes))
    }
}

fn negate(words: &mut [u64]) {
    let mut carry = true;
    for w in words {
        (*w, carry) = (!*w).overflowing_add(carry.into());
    }
}

fn add(to: &mut [u64], by: &[u64]) {
    let mut carry = false;
    for (x, y) in to.iter_mut().zip(by) {
        let (sum, first) = x.overflowing_add(*y);
        let (sum, second) = sum.overflowing_add(carry.into());
        *x = sum;
        carry = first | second;
    }
}

/// [`Flat::row`] for a width that the compiler knows.
fn add_down<const W: usize>(data: &mut [u64], i: usize) {
    let (all, _) = data.as_chunks_mut::<W>();
    let Some(mut above) = all.last().copied() else {
        return;
    };
    let top = all.len() - 1;
    for x in all[i.min(top)..top].iter_mut().rev() {
        add(x, &above);
        above = *x;
    }
}

/// `source * 2^by`, rounded down.
fn shift_into(source: &[u64], by: i64, to: &mut [u64]) {
    let fill = if source[source.len() - 1] >> 63 == 1 {
        u64::MAX
    } else {
        0
    };
    let (words, bits) = (by.div_euclid(64), by.rem_euclid(64) as u32);
    let at = |i: i64| match usize::try_from(i) {
        Ok(i) => source.get(i).copied().unwrap_or(fill),
        Err(_) => 0,
    };
    for (i, out) in to.iter_mut().enumerate() {
        let low = i as i64 - words;
        *out = match bits {
            0 => at(low),
            _ => at(low) << bits | at(low - 1) >> (64 - bits),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{Flat, cells, scale, scaled};
    use crate::poly::coefficients::rational::Integer;
    use crate::poly::product::budget::Budget;

    /// A precision either gives the cells of exact numbers or gives up, also for clustered roots.
    #[test]
    fn precision_decides_nothing() -> Result<(), crate::Error> {
        let (mut state, mut cut, mut given_up) = (9u64, 0, 0);
        let mut next = |n: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) % n
        };
        for round in 0..60 {
            let degree = 3 + next(25) as usize;
            let bits = [4, 30, 200][round % 3];
            let mut f: Vec<Integer> = (0..=degree)
                .map(|_| {
                    (Integer::from(next(1 << 40)) << bits >> 40) - (Integer::ONE << (bits - 1))
                })
                .collect();
            f[0] |= Integer::ONE;
            f[degree] |= Integer::ONE;
            if round % 4 == 0 {
                // Mignotte's: two roots very near to each other.
                f = vec![Integer::ZERO; degree + 1];
                f[degree] = Integer::ONE;
                let a = Integer::from(3 + next(1000));
                (f[0], f[1], f[2]) = (Integer::from(-2), &a << 2, -((&a * &a) << 1));
            }
            let Some(k) = scale(&f) else {
                continue;
            };
            let whole = Flat::new(&scaled(&f, k));
            let list = |precision| -> Result<Option<Vec<(Integer, usize)>>, crate::Error> {
                let found = cells(&whole, precision, &Budget::default())?;
                Ok(found.map(|c| c.into_iter().map(|c| (c.n, c.depth)).collect()))
            };
            let exact = list(1 << 20)?;
            assert!(exact.is_some());
            for precision in [12, 40, 80, 160, 320] {
                match list(precision)? {
                    None => given_up += 1,
                    found => {
                        cut += 1;
                        assert_eq!(found, exact, "{f:?} {precision}");
                    }
                }
            }
        }
        assert!(cut > 50 && given_up > 20, "{cut} {given_up}");
        Ok(())
    }
}
