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
/// Collins, Akritas 1976; the bound is Kioustelidis' (1986).
pub(crate) fn positive_roots(
    f: &[Integer],
    budget: &Budget<'_>,
) -> Result<(i64, Vec<Cell>), Error> {
    let mut found = Vec::new();
    let Some(k) = scale(f) else {
        return Ok((0, found));
    };
    let whole = Flat::new(&scaled(f, k));
    let mut open = vec![(whole, Integer::ZERO, 0usize)];
    while let Some((g, n, depth)) = open.pop() {
        budget.check_time(OP)?;
        budget.check_bits(OP, (g.data.len() * 64) as u64)?;
        match g.variations(budget)? {
            0 => {}
            1 => found.push(Cell { n, depth }),
            _ => {
                let left = g.halved();
                let right = left.shifted(budget)?;
                let low = &n + &n;
                let high = &low + Integer::ONE;
                // The left half is on top: cells come out ascending.
                open.push((right, high, depth + 1));
                open.push((left, low, depth + 1));
            }
        }
    }
    Ok((k, found))
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

/// Integers of `width` words each, in two's complement, constant coefficient first.
struct Flat {
    width: usize,
    data: Vec<u64>,
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
        Self { width, data }
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

    /// The most bits of a coefficient, its sign not counted.
    fn bits(&self) -> usize {
        let each = self.data.chunks(self.width).map(|words| {
            let fill = if words[words.len() - 1] >> 63 == 1 {
                u64::MAX
            } else {
                0
            };
            match words.iter().rposition(|&w| w != fill) {
                Some(i) => 64 * (i + 1) - (words[i] ^ fill).leading_zeros() as usize,
                None => 0,
            }
        });
        each.max().unwrap_or(0) + 1
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
        Self { width, data }
    }

    /// `2^n g(x / 2)`, divided by the power of two that all coefficients share.
    fn halved(&self) -> Self {
        let n = self.len() - 1;
        let zeros = |i: usize| {
            let words = &self.data[i * self.width..(i + 1) * self.width];
            let low = words.iter().position(|&w| w != 0)?;
            Some(64 * low + words[low].trailing_zeros() as usize + n - i)
        };
        let shared = (0..=n).filter_map(zeros).min().unwrap_or(0);
        let bits = self.bits();
        // Coefficient i is shifted by n - i - shared, up or down; bits are counted for the greatest.
        let most = bits + n;
        let width = (most.saturating_sub(shared.min(n))) / 64 + 1;
        let width = width.max(bits / 64 + 1);
        let mut data = vec![0; width * (n + 1)];
        for i in 0..=n {
            let source = &self.data[i * self.width..(i + 1) * self.width];
            let by = (n - i) as i64 - shared as i64;
            shift_into(source, by, &mut data[i * width..(i + 1) * width]);
        }
        let all = Self { width, data };
        let own = all.bits() / 64 + 1;
        if own < width {
            all.copied(own, false)
        } else {
            all
        }
    }

    /// `g(x + 1)`: every coefficient takes the sum of those above, again and again.
    fn shifted(&self, budget: &Budget<'_>) -> Result<Self, Error> {
        let mut g = self.copied((self.bits() + self.len()) / 64 + 1, false);
        for i in 0..g.len() {
            g.row(i);
            if i % 64 == 63 {
                budget.check_time(OP)?;
            }
        }
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
    /// two: more make no difference.
    fn variations(&self, budget: &Budget<'_>) -> Result<usize, Error> {
        let mut signs = (0..self.len()).map(|i| self.sign(i)).filter(|&s| s != 0);
        let first = signs.next();
        if signs.all(|s| Some(s) == first) {
            return Ok(0);
        }
        let mut g = self.copied((self.bits() + self.len()) / 64 + 1, true);
        let (mut changes, mut sign) = (0, 0);
        for i in 0..g.len() {
            g.row(i);
            // Coefficient i is final.
            let own = g.sign(i);
            changes += usize::from(own * sign < 0);
            if own != 0 {
                sign = own;
            }
            if changes == 2 {
                break;
            }
            if i % 64 == 63 {
                budget.check_time(OP)?;
            }
        }
        Ok(changes)
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

/// `source * 2^by`, rounded to nothing: the bits that fall out below are zero.
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
