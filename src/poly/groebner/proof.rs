//! That rows reduce to zero by a basis, exactly, over a prime field and over the rationals.
//!
//! Over the rationals the multipliers of a reduction are computed modulo many small primes at once. A multiple of them by one
//! integer turns out to consist of integers so small that the sum of all rows, each times its multiplier, is less than the product
//! of the primes, by which it is divisible: so it is zero, and the start is a combination of rows with lower leading terms. No
//! coefficient is ever written out at full length.

use super::backend::OP;
use super::images::{BITS, Image, Images, LANES, Lanes};
use super::matrix::{Block, NONE, Row, Shape, Start, split};
use super::pairs::sufficient;
use super::reconstruction::{Crt, Factor, denominator};
use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::coefficients::residue::Residue;
use crate::poly::factor::primitive;
use crate::poly::monomials::order::Order;
use crate::poly::polynomial::univariate::Field;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

/// Denominators that are kept to be tried again.
const SEEN: usize = 16;
/// Products that are added before the sums are reduced.
const ADDED: usize = 1 << 13;

fn failed() -> Error {
    let routine = "groebner basis";
    Error::Backend { op: OP, routine }
}

/// The shapes of basis and generators and the starts: all S-pairs that suffice, and all generators.
fn work(shapes: &[Shape], divisors: usize, budget: &Budget<'_>) -> Result<Vec<Start>, Error> {
    let leads: Vec<Vec<u32>> = shapes[..divisors].iter().map(|s| s.lead.clone()).collect();
    let pairs = sufficient(&leads, &|| budget.check_time(OP))?;
    let generators = (divisors..shapes.len()).map(Start::Whole);
    Ok(pairs
        .into_iter()
        .map(Start::Pair)
        .chain(generators)
        .collect())
}

/// Calls `each` for every block of the work.
fn blocks(
    shapes: &[Shape],
    divisors: usize,
    order: &Order,
    budget: &Budget<'_>,
    mut each: impl FnMut(&Block) -> Result<(), Error>,
) -> Result<(), Error> {
    let starts = work(shapes, divisors, budget)?;
    let mut rest = starts.as_slice();
    while !rest.is_empty() {
        let (block, used) = Block::new(rest, shapes, divisors, order, budget)?;
        each(&block)?;
        rest = &rest[used..];
    }
    Ok(())
}

/// Checks that `basis` is a Groebner basis and reduces all generators to zero, modulo a prime.
///
/// # Errors
/// `Backend` when it is not or does not.
pub(crate) fn modulo(
    basis: &[Poly<Residue>],
    generators: &[&Poly<Residue>],
    p: u64,
    n: usize,
    order: &Order,
    budget: &Budget<'_>,
) -> Result<(), Error> {
    let field = Field { p };
    let (mut shapes, mut tails) = (Vec::new(), Vec::new());
    for g in basis.iter().chain(generators.iter().copied()) {
        let (shape, lead, tail) = split(g, n, order).ok_or_else(failed)?;
        let unit = field.inv(lead.value(p));
        let tail = tail.iter().map(|c| field.mul(c.value(p), unit));
        tails.push(tail.collect::<Vec<u64>>());
        shapes.push(shape);
    }
    blocks(&shapes, basis.len(), order, budget, |block| {
        let mut sum = vec![0u64; block.pivots.len()];
        let add = |sum: &mut [u64], row: &Row, c: u64| {
            for (&at, &x) in row.columns.iter().zip(&tails[row.shape]) {
                let s = &mut sum[at as usize];
                *s = field.add(*s, field.mul(c, x));
            }
        };
        for (rows, lead) in &block.starts {
            budget.check_time(OP)?;
            for (row, sign) in rows.iter().zip([1, p - 1]) {
                add(&mut sum, row, sign);
            }
            if let Some(lead) = lead {
                sum[*lead as usize] = field.add(sum[*lead as usize], 1);
            }
            for at in 0..sum.len() {
                let c = std::mem::take(&mut sum[at]);
                if c != 0 {
                    let row = block
                        .rows
                        .get(block.pivots[at] as usize)
                        .ok_or_else(failed)?;
                    add(&mut sum, row, p - c);
                }
            }
        }
        Ok(())
    })
}

/// Checks that `basis` is a Groebner basis and reduces all generators to zero, over the rationals.
///
/// # Errors
/// `Backend` when it is not or does not.
pub(crate) fn rational(
    basis: &[Poly<Rational>],
    generators: &[&Poly<Rational>],
    n: usize,
    order: &Order,
    budget: &Budget<'_>,
) -> Result<(), Error> {
    let (mut shapes, mut values) = (Vec::new(), Vec::new());
    for g in basis.iter().chain(generators.iter().copied()) {
        let (shape, lead, tail) = split(&primitive(g).1, n, order).ok_or_else(failed)?;
        shapes.push(shape);
        values.push((lead, tail));
    }
    let mut images = Images::new(&values);
    let mut wanted = 1;
    blocks(&shapes, basis.len(), order, budget, |block| {
        let mut sum = vec![[0u64; LANES]; block.pivots.len()];
        for start in 0..block.starts.len() {
            let mut found = Multipliers::new(block);
            loop {
                budget.check_time(OP)?;
                let chunk = found.residues.len();
                let image = images.chunk(chunk, budget)?;
                found.add(block, start, image, &mut sum, budget)?;
                if chunk + 1 >= wanted && images.proves(&found, budget)? {
                    // Fewer primes are tried now and then.
                    wanted = if start % 16 == 15 {
                        chunk.max(1)
                    } else {
                        chunk + 1
                    };
                    break;
                }
            }
        }
        Ok(())
    })
}

/// What the rows are multiplied by so that their sum with the start is zero, modulo the primes of the chunks.
struct Multipliers {
    /// The place of each row of the block among the multipliers, which follow those of the start.
    place: Vec<u32>,
    count: usize,
    residues: Vec<Vec<Lanes>>,
}

impl Multipliers {
    fn new(block: &Block) -> Self {
        let place = vec![NONE; block.rows.len()];
        Self {
            place,
            count: 0,
            residues: Vec::new(),
        }
    }

    /// One more chunk of primes.
    fn add(
        &mut self,
        block: &Block,
        start: usize,
        image: &Image,
        sum: &mut [[u64; LANES]],
        budget: &Budget<'_>,
    ) -> Result<(), Error> {
        let p = image.primes.map(u64::from);
        let (rows, lead) = &block.starts[start];
        let mut list: Vec<Lanes> = vec![[0; LANES]; self.count.max(rows.len())];
        self.count = list.len();
        let mut first = block.pivots.len();
        for (k, row) in rows.iter().enumerate() {
            let sign: Lanes = image.primes.map(|p| if k == 0 { 1 } else { p - 1 });
            add(sum, row, &image.tails[row.shape], &sign);
            let unit = &image.inverses[row.shape];
            list[k] =
                std::array::from_fn(|l| (u64::from(sign[l]) * u64::from(unit[l]) % p[l]) as u32);
            first = row.columns.iter().fold(first, |f, &c| f.min(c as usize));
        }
        if let Some(lead) = *lead {
            sum[lead as usize] = sum[lead as usize].map(|c| c + 1);
            first = first.min(lead as usize);
        }
        let mut added = 0;
        for at in first..sum.len() {
            let value = std::mem::take(&mut sum[at]);
            if value == [0; LANES] {
                continue;
            }
            let c: [u64; LANES] = std::array::from_fn(|l| value[l] % p[l]);
            if c == [0; LANES] {
                continue;
            }
            let pivot = block.pivots[at] as usize;
            let row = block.rows.get(pivot).ok_or_else(failed)?;
            let minus: Lanes = std::array::from_fn(|l| ((p[l] - c[l]) % p[l]) as u32);
            add(sum, row, &image.tails[row.shape], &minus);
            if self.place[pivot] == NONE {
                self.place[pivot] = self.count as u32;
                self.count += 1;
                list.push([0; LANES]);
            }
            let unit = &image.inverses[row.shape];
            let product = |l| (u64::from(minus[l]) * u64::from(unit[l]) % p[l]) as u32;
            list[self.place[pivot] as usize] = std::array::from_fn(product);
            added += 1;
            if added % ADDED == 0 {
                budget.check_time(OP)?;
                sum.iter_mut()
                    .for_each(|s| (0..LANES).for_each(|l| s[l] %= p[l]));
            }
        }
        self.residues.push(list);
        Ok(())
    }

    /// Multiplier `i` modulo all primes.
    fn get(&self, i: usize) -> impl Iterator<Item = u32> + '_ {
        let each = self.residues.iter();
        each.flat_map(move |chunk| chunk.get(i).copied().unwrap_or([0; LANES]))
    }
}

/// Adds a multiple of a row, without reduction.
fn add(sum: &mut [[u64; LANES]], row: &Row, tail: &[Lanes], by: &Lanes) {
    for (&at, x) in row.columns.iter().zip(tail) {
        let s = &mut sum[at as usize];
        for l in 0..LANES {
            s[l] += u64::from(by[l]) * u64::from(x[l]);
        }
    }
}

impl Images<'_> {
    /// Whether the multipliers, times one integer, are so small that their sum of rows is zero.
    fn proves(&mut self, found: &Multipliers, budget: &Budget<'_>) -> Result<bool, Error> {
        let chunks = found.residues.len();
        // The sum is less than 2^top times the greatest multiplier, so these must be below the product of the primes by as much.
        let top = self.bits + (usize::BITS - found.count.leading_zeros()) as usize + 1;
        if chunks * LANES * BITS <= top {
            return Ok(false);
        }
        let known = |s: &&Crt| s.primes.len() == chunks * LANES && s.top >= top;
        if self.crt.iter().find(known).is_none() {
            let primes = self.done[..chunks].iter().flat_map(|i| i.primes);
            self.crt = Some(Crt::new(primes.collect(), top.next_multiple_of(32)));
        }
        let Some(crt) = &self.crt else {
            return Ok(false);
        };
        // The denominator of the start before may do.
        let all = |scale: &[Factor]| {
            (0..found.count)
                .rev()
                .all(|i| crt.small(found.get(i), scale))
        };
        if self.last.len() == crt.primes.len() && all(&self.last) {
            return Ok(true);
        }
        let mut scale = crt.factors.clone();
        let (mut settled, mut sweep) = (0, true);
        while sweep {
            sweep = false;
            // The last multipliers have the longest denominators.
            for i in (0..found.count).rev() {
                if crt.small(found.get(i), &scale) {
                    continue;
                }
                budget.check_time(OP)?;
                sweep = true;
                settled += 1;
                if settled > 64 {
                    return Ok(false);
                }
                // Denominators come again and again.
                let again = self.seen.iter().position(|d| {
                    let next = crt.times(&scale, d);
                    let fits = crt.small(found.get(i), &next);
                    if fits {
                        scale = next;
                    }
                    fits
                });
                if let Some(k) = again {
                    self.seen[..=k].rotate_right(1);
                    continue;
                }
                let number = crt.number(found.get(i), &scale);
                let Some(d) = denominator(&number, &crt.product) else {
                    return Ok(false);
                };
                scale = crt.times(&scale, &d);
                self.seen.insert(0, d);
                self.seen.truncate(SEEN);
            }
        }
        // The start itself must not have been multiplied by zero.
        let proved = scale.iter().any(|s| s.value != 0);
        if proved {
            self.last = scale;
        }
        Ok(proved)
    }
}

#[cfg(test)]
mod tests {
    use super::{modulo, rational};
    use crate::poly::coefficients::rational::Rational;
    use crate::poly::coefficients::residue::Residue;
    use crate::poly::monomials::order::Order;
    use crate::poly::polynomial::value::Poly;
    use crate::poly::product::budget::Budget;
    use crate::poly::text::vars::Vars;

    type P = Poly<Rational>;

    /// A wrong coefficient, however small or large its error, and a missing element are seen; so is a generator outside.
    #[test]
    fn wrong_bases_are_refused() -> Result<(), crate::Error> {
        let (budget, mut vars) = (Budget::default(), Vars::fixed(["x", "y", "z"]));
        let texts = ["x^2 + y*z - 2/3", "y^2 - 5*x + 10^30*z", "z^2 + x*y - 7"];
        let system: Vec<P> = texts
            .iter()
            .map(|t| P::parse(t, &mut vars))
            .collect::<Result<_, _>>()?;
        let used: Vec<&P> = system.iter().collect();
        let order = Order::Lex;
        let basis = super::super::backend::basis(&used, 3, &order, 0, &budget)?;
        let holds = |b: &[P]| rational(b, &used, 3, &order, &budget).is_ok();
        assert!(holds(&basis));
        let image = |p: &P| p.modulo(10007);
        let images: Vec<Poly<Residue>> = system.iter().map(image).collect::<Result<_, _>>()?;
        let images: Vec<&Poly<Residue>> = images.iter().collect();
        let reduced = super::super::backend::basis(&images, 3, &order, 10007, &budget)?;
        let agrees = |b: &[Poly<Residue>]| modulo(b, &images, 10007, 3, &order, &budget).is_ok();
        assert!(agrees(&reduced));
        for k in 0..basis.len() {
            let mut less = basis.clone();
            less.remove(k);
            assert!(!holds(&less), "without {k}");
            for error in [Rational::from(1), Rational::from(1 << 40).pow(9)] {
                let mut wrong = basis.clone();
                wrong[k] += &Poly::constant(error);
                assert!(!holds(&wrong), "wrong {k}");
            }
        }
        for k in 0..reduced.len() {
            let mut wrong = reduced.clone();
            wrong[k] += &Poly::constant(Residue::known(1, 10007));
            assert!(!agrees(&wrong), "wrong {k} modulo a prime");
        }
        let outside = Poly::variable(2);
        let others: Vec<&P> = used.iter().copied().chain([&outside]).collect();
        assert!(rational(&basis, &others, 3, &order, &budget).is_err());
        Ok(())
    }
}
