//! Polynomials in several variables as lists: Kronecker's substitution, and when it pays.

use super::convolution::{self, Placed, Residues};
use super::recombine;
use super::roots::length;
use crate::Error;
use crate::poly::coefficients::integers::Integers;
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::packed::{Exps, Monomials, Width, pack, width_for};
use crate::poly::monomials::word::Word;
use crate::poly::product::budget::Task;
use crate::poly::product::plan::Product;
use crate::poly::product::slab::Output;
use crate::poly::simd;

const OP: &str = "Poly::mul_within";
/// Products below which no transform pays.
const FEW: usize = 1 << 13;
/// Most entries of a product: places have 32 bits.
const MOST: f64 = (1u64 << 31) as f64;

/// The box of a product: `x_v^e` becomes `t^(stride_v (e - low_v))`.
pub(crate) struct Substitution {
    /// Least exponents of the product.
    low: Vec<u32>,
    /// Exponents of the product in each variable, and what one of them counts.
    size: Vec<usize>,
    stride: Vec<usize>,
    /// Entries of the factors.
    left: usize,
    right: usize,
}

impl Substitution {
    fn new(
        nvars: usize,
        (la, ha): &(Vec<u32>, Vec<u32>),
        (lb, hb): &(Vec<u32>, Vec<u32>),
    ) -> Option<Self> {
        let at = |v: &[u32], i: usize| v.get(i).copied().unwrap_or(0) as usize;
        let mut low = Vec::with_capacity(nvars);
        let mut size = Vec::with_capacity(nvars);
        for v in 0..nvars {
            low.push(u32::try_from(at(la, v) + at(lb, v)).ok()?);
            u32::try_from(at(ha, v) + at(hb, v)).ok()?;
            size.push(at(ha, v) - at(la, v) + at(hb, v) - at(lb, v) + 1);
        }
        let all: f64 = size.iter().map(|&s| s as f64).product();
        if all > MOST {
            return None;
        }
        let mut stride = vec![1; nvars];
        for v in (1..nvars).rev() {
            stride[v - 1] = stride[v] * size[v];
        }
        let last = |l: &[u32], h: &[u32]| {
            1 + (0..nvars)
                .map(|v| (at(h, v) - at(l, v)) * stride[v])
                .sum::<usize>()
        };
        Some(Self {
            left: last(la, ha),
            right: last(lb, hb),
            low,
            size,
            stride,
        })
    }

    /// The box of a dividend, which holds divisor and quotient.
    pub(crate) fn of_box(
        dividend: &(Vec<u32>, Vec<u32>),
        divisor: &(Vec<u32>, Vec<u32>),
    ) -> Option<Self> {
        let nvars = dividend.0.len();
        let zero = (vec![0; nvars], vec![0; nvars]);
        let mut shape = Self::new(nvars, dividend, &zero)?;
        let range = |v: usize| (divisor.1[v] - divisor.0[v]) as usize;
        shape.right = 1
            + (0..nvars)
                .map(|v| range(v) * shape.stride[v])
                .sum::<usize>();
        shape.left += 1;
        shape.left -= shape.right;
        Some(shape)
    }

    /// Entries of the divisor, for [`Substitution::of_box`].
    pub(crate) fn divisor(&self) -> usize {
        self.right
    }

    /// The same for the quotient, whose least exponents are given.
    pub(crate) fn of_quotient(&self, low: Vec<u32>) -> Self {
        Self {
            low,
            size: self.size.clone(),
            stride: self.stride.clone(),
            left: self.left,
            right: 1,
        }
    }

    pub(crate) fn nvars(&self) -> usize {
        self.size.len()
    }

    pub(crate) fn total(&self) -> usize {
        self.left + self.right - 1
    }

    /// Where the terms of a factor with the least exponents `low` go.
    pub(crate) fn places(&self, m: &Monomials, low: &[u32]) -> Vec<u32> {
        if let ([_], Exps::W1(words)) = (self.size.as_slice(), &m.exps)
            && m.nvars == 1
        {
            return words
                .iter()
                .map(|&w| (w - u64::from(low[0])) as u32)
                .collect();
        }
        let mut row = vec![0; m.nvars];
        let mut place = |i: usize| {
            m.row(i, &mut row);
            let each = row.iter().zip(low).zip(&self.stride);
            each.map(|((&e, &l), &s)| (e - l) as usize * s)
                .sum::<usize>() as u32
        };
        (0..m.len()).map(&mut place).collect()
    }

    /// The monomials of the places that are not zero, greatest first, and these places.
    pub(crate) fn found<W: Word>(&self, residues: &Residues) -> (Vec<W>, Vec<u32>) {
        let nvars = self.size.len();
        let (total, inner) = (self.total(), self.size.last().copied().unwrap_or(1));
        let (mut words, mut places) = (Vec::new(), Vec::new());
        let mut row = vec![0; nvars];
        for outer in (0..total.div_ceil(inner)).rev() {
            let mut rest = outer;
            for v in (0..nvars.saturating_sub(1)).rev() {
                row[v] = self.low[v] + (rest % self.size[v]) as u32;
                rest /= self.size[v];
            }
            if let (Some(last), Some(&low)) = (row.last_mut(), self.low.last()) {
                *last = low;
            }
            let base = pack::<W>(nvars, &row);
            let start = outer * inner;
            for i in (start..total.min(start + inner))
                .rev()
                .filter(|&i| !residues.is_zero(i))
            {
                words.push(base + W::of((i - start) as u32));
                places.push(i as u32);
            }
        }
        (words, places)
    }
}

/// Nanoseconds of an entry that is written to and read from a list, and of a term that is placed (bench `poly_families`).
const ENTRY: f64 = 5.0;
const TERM: f64 = 4.0;
/// Of a butterfly, and of one digit by another in the recombination, in words.
const WORDS: (f64, f64) = (1.1, 1.2);
/// The same by vectors.
const FLOATS: (f64, f64) = (0.5, 0.5);

/// What so many transforms take modulo one prime, in nanoseconds.
pub(crate) fn transforms(total: usize, count: f64, butterfly: f64) -> f64 {
    let size = length(total) as f64;
    count * size * (0.5 * size.log2() * butterfly + 1.0)
}

/// What a product takes, in nanoseconds.
fn cost(total: usize, terms: usize, bits: u64, transforms: f64) -> f64 {
    let (butterfly, digits) = match convolution::by_floats(total) {
        true => FLOATS,
        false => WORDS,
    };
    let primes = convolution::count_for(total, bits);
    let k = primes as f64;
    let each = self::transforms(total, transforms, butterfly);
    let recombined = ENTRY + if primes > 1 { k * k * digits } else { 0.0 };
    k * each + total as f64 * recombined + terms as f64 * TERM * (1.0 + k)
}

/// What one product of coefficients takes otherwise, at best, in nanoseconds: by vector rows, in cells, or in limbs.
fn other(ma: &Monomials, mb: &Monomials, limbs: usize, bits: u64) -> f64 {
    let rows = simd::has_rows() && ma.has_long_rows() && mb.has_long_rows();
    let n = limbs as f64;
    match (rows, bits) {
        (true, 0..=63) => 0.2,
        (true, 64..=115) if limbs == 1 => 0.4,
        (true, _) => 0.4 * n * n.max(2.0),
        (false, 0..=63) => 0.9,
        (false, 64..=127) => 1.8,
        (false, _) if limbs > 16 => 2.5 * n * n,
        (false, _) => 1.6 * n * n + 3.0,
    }
}

/// The product by transforms, if that is the fastest way; `bits` bound the coefficients of the result.
pub(crate) fn product(
    (ma, a): (&Monomials, &Integers),
    (mb, b): (&Monomials, &Integers),
    bits: u64,
    task: &Task<'_>,
) -> Result<Option<(Monomials, Integers)>, Error> {
    let products = a.len().saturating_mul(b.len());
    let nvars = ma.nvars.max(mb.nvars);
    if products < FEW || nvars == 0 {
        return Ok(None);
    }
    let limbs = (a.bits().max(b.bits()) / 64 + 1) as usize;
    let otherwise = products as f64 * other(ma, mb, limbs, bits);
    let square = std::ptr::eq(ma, mb) && std::ptr::eq(a, b);
    let transforms = if square { 2.0 } else { 3.0 };
    // Even the fewest entries that so many terms may have would take too long.
    let terms = a.len() + b.len();
    let cost = |total: usize| cost(total, terms, bits, transforms);
    if cost(terms) > otherwise {
        return Ok(None);
    }
    let (x, y) = (ma.ranges(), mb.ranges());
    let Some(box_) = Substitution::new(nvars, &x, &y) else {
        return Ok(None);
    };
    if cost(box_.total()) > otherwise {
        return Ok(None);
    }
    box_.product(
        ((ma, a), &x.0),
        (!square).then_some(((mb, b), &y.0)),
        bits,
        task,
    )
}

/// A factor and its least exponents.
type Side<'a> = ((&'a Monomials, &'a Integers), &'a [u32]);

impl Substitution {
    /// The product; none as the second factor means the first one again. `None` for exponents that fit no word.
    fn product(
        &self,
        left: Side<'_>,
        right: Option<Side<'_>>,
        bits: u64,
        task: &Task<'_>,
    ) -> Result<Option<(Monomials, Integers)>, Error> {
        let nvars = self.size.len();
        let most = (0..nvars).map(|v| u64::from(self.low[v]) + self.size[v] as u64 - 1);
        let width = width_for(nvars, most.max().unwrap_or(0));
        if width == Width::Rows {
            return Ok(None);
        }
        let left = self.placed(left, self.left);
        let right = right.map(|side| self.placed(side, self.right));
        let residues = convolution::convolution(&left, right.as_ref(), bits, OP, &task.budget)?;
        match width {
            Width::W1 => self.read::<u64>(&residues, task),
            _ => self.read::<u128>(&residues, task),
        }
        .map(Some)
    }

    fn placed<'a>(&self, ((m, values), low): Side<'a>, length: usize) -> Placed<'a> {
        let places = self.places(m, low);
        Placed {
            values,
            places,
            length,
        }
    }

    fn read<W: Word>(&self, residues: &Residues, task: &Task<'_>) -> Product<Integers> {
        let (words, places) = self.found::<W>(residues);
        task.budget.check_terms(OP, words.len())?;
        let check = || task.budget.check_time(OP);
        let values = recombine::integers(residues, &places, task.modulus, &check)?;
        let mut out = Output { words, values };
        if task.modulus.is_some()
            && let Some(kept) = out.values.nonzero()
        {
            out.words = kept.iter().map(|&i| out.words[i]).collect();
            out.values = out.values.gather(&kept);
        }
        Ok((
            Monomials::from_words(self.size.len(), out.words),
            out.values,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::Substitution;
    use crate::poly::coefficients::rational::Integer;
    use crate::poly::coefficients::reducer::Reducer;
    use crate::poly::polynomial::value::Poly;
    use crate::poly::product::budget::{Budget, Task};
    use rand::{Rng, RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    type P = Poly<Integer>;

    /// The definition: every product of two terms, summed.
    fn slow(a: &P, b: &P) -> P {
        let row = |e: &[u32], v: usize| e.get(v).copied().unwrap_or(0);
        let mut all = Vec::new();
        for (e, c) in a.iter() {
            for (f, d) in b.iter() {
                let n = e.len().max(f.len());
                all.push(((0..n).map(|v| row(&e, v) + row(&f, v)).collect(), &c * &d));
            }
        }
        Poly::from_terms(all)
    }

    fn random(rng: &mut impl Rng, nvars: usize, degree: u32, bits: usize) -> P {
        let shift = rng.random_range(0..4);
        let terms = (0..rng.random_range(1..12)).map(|_| {
            let e = (0..nvars)
                .map(|_| shift + rng.random_range(0..=degree))
                .collect();
            let words = (0..bits.div_ceil(64)).map(|_| rng.random::<u64>());
            let n = words.fold(Integer::ONE, |n, w| (n << 64) + Integer::from(w));
            let n = n % (Integer::ONE << rng.random_range(1..=bits));
            (e, if rng.random() { -n } else { n })
        });
        Poly::from_terms(terms.collect::<Vec<_>>())
    }

    fn by_transform(a: &P, b: &P, square: bool, modulus: Option<&Reducer>) -> Option<P> {
        let budget = Budget::default();
        let task = Task { budget, modulus };
        let bits = a.store().bits() + b.store().bits() + 8;
        let (x, y) = (a.monomials().ranges(), b.monomials().ranges());
        let nvars = a.monomials().nvars.max(b.monomials().nvars);
        let pad = |mut low: Vec<u32>| {
            low.resize(nvars, 0);
            low
        };
        let shape = Substitution::new(nvars, &x, &y)?;
        let left = ((a.monomials(), a.store()), pad(x.0));
        let right = ((b.monomials(), b.store()), pad(y.0));
        let right = (!square).then_some((right.0, right.1.as_slice()));
        let (m, s) = shape
            .product((left.0, &left.1), right, bits, &task)
            .ok()??;
        Some(Poly::from_parts(m, s))
    }

    #[test]
    fn products_by_transforms_are_those_of_the_definition() {
        let rng = &mut ChaCha8Rng::seed_from_u64(5);
        for round in 0..300 {
            let nvars = 1 + round % 4;
            let bits = [3, 20, 40, 60, 64, 90, 128, 300, 1000, 4200][round % 10];
            let degree = [200, 20, 6, 3][nvars - 1];
            let (a, b) = (
                random(rng, nvars, degree, bits),
                random(rng, nvars, degree, bits),
            );
            if a.is_zero() || b.is_zero() {
                continue;
            }
            assert_eq!(by_transform(&a, &b, false, None), Some(slow(&a, &b)));
            assert_eq!(by_transform(&a, &a, true, None), Some(slow(&a, &a)));
        }
    }

    #[test]
    fn products_modulo_primes_are_reduced() {
        let rng = &mut ChaCha8Rng::seed_from_u64(6);
        for round in 0..100 {
            let p = [2, 3, 32_003, (1 << 31) - 1, (1 << 62) - 57][round % 5];
            let by = Reducer::new(p);
            let draw = |rng: &mut ChaCha8Rng| {
                let all = random(rng, 2, 9, 62);
                let reduced = all.iter().map(|(e, c)| {
                    let c = c.clone() % Integer::from(p);
                    (
                        e,
                        if c < Integer::ZERO {
                            c + Integer::from(p)
                        } else {
                            c
                        },
                    )
                });
                Poly::from_terms(reduced.collect::<Vec<_>>())
            };
            let (a, b) = (draw(rng), draw(rng));
            if a.is_zero() || b.is_zero() {
                continue;
            }
            let wanted = slow(&a, &b);
            let wanted = wanted.iter().map(|(e, c)| (e, c % Integer::from(p)));
            let wanted = Poly::from_terms(wanted.collect::<Vec<_>>());
            assert_eq!(by_transform(&a, &b, false, Some(&by)), Some(wanted));
        }
    }

    /// Whichever look at the clock says stop, the product says that it was stopped, or comes out right.
    #[test]
    fn products_stop_when_told() {
        let p = Poly::from_terms((0..4000).map(|k| (vec![k], Integer::from(k) + Integer::ONE)));
        let whole = p.mul_within(&p, &Budget::default());
        let mut stopped = 0;
        for looks in 0..20 {
            let seen = std::sync::atomic::AtomicUsize::new(0);
            // A wish that is taken back was a wish.
            let stop = || seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == looks;
            let found = p.mul_within(&p, &Budget::default().stop(&stop));
            let op = "Poly::mul_within";
            match found == Err(crate::Error::Stopped { op }) {
                true => stopped += 1,
                false => assert!(found == whole),
            }
        }
        assert!(stopped > 3);
    }

    /// Products that overlap everywhere and cancel.
    #[test]
    fn telescopes_cancel() {
        let x = P::variable(0);
        let ones = Poly::from_terms((0..700).map(|k| (vec![k], Integer::ONE)));
        let wanted = &Poly::monomial(&[700], Integer::ONE) - &P::constant(Integer::ONE);
        assert_eq!(
            by_transform(&ones, &(&x - &P::constant(Integer::ONE)), false, None),
            Some(wanted)
        );
    }
}
