//! Which algorithm an exact division takes.

use super::by_list;
use super::by_series;
use super::by_slab::{Dividend, Plan};
use super::by_table::{Boxes, Outcome, divide};
use super::keys::{Box2, Fields};
use super::numbers::{Limbs, Narrow, Numbers, Plain, Wide};
use super::{by_map, by_slab};
use crate::Error;
use crate::poly::coefficients::integers::Integers;
use crate::poly::coefficients::rational::Integer;
use crate::poly::coefficients::ring::Ring;
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::packed::{Monomials, Width};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

/// Terms of a dividend that blocks are not worth.
const FEW: usize = 100;

/// Monomials and coefficients of a quotient, when there is one.
type Quotient = Option<(Monomials, Integers)>;

/// `a / b` for a nonzero `b`.
pub(crate) fn over_integers(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Option<Poly<Integer>>, Error> {
    let (left, right) = ((a.monomials(), a.store()), (b.monomials(), b.store()));
    let quotient = integers(left, right, budget)?;
    Ok(quotient.map(|(monomials, store)| Poly::from_parts(monomials, store)))
}

/// The boxes of dividend and divisor; `None` when there is no quotient, because degrees and lowest exponents add in a product
/// over a domain.
fn boxes(ma: &Monomials, mb: &Monomials) -> Option<(Box2, Box2)> {
    let nvars = ma.nvars.max(mb.nvars);
    let (mut a, mut b) = (ma.ranges(), mb.ranges());
    for r in [&mut a, &mut b] {
        r.0.resize(nvars, 0);
        r.1.resize(nvars, 0);
    }
    let fits = (0..nvars).all(|v| a.1[v] >= b.1[v] && a.0[v] >= b.0[v])
        && (0..nvars).all(|v| a.1[v] - b.1[v] >= a.0[v] - b.0[v]);
    fits.then_some((a, b))
}

/// `a / b` in parts.
pub(crate) fn integers(
    (ma, a): (&Monomials, &Integers),
    (mb, b): (&Monomials, &Integers),
    budget: &Budget<'_>,
) -> Result<Quotient, Error> {
    if a.is_empty() {
        return Ok(Some((Monomials::empty(), Integers::default())));
    }
    let Some((da, db)) = boxes(ma, mb) else {
        return Ok(None);
    };
    budget.check_time("Poly::divide_exact")?;
    if let (Integers::I64(x), Integers::I64(y)) = (a, b)
        && let Some(done) = by_list::integers(((ma, x), &da), ((mb, y), &db), budget)?
    {
        return Ok(done);
    }
    if let Some(done) = by_series::integers(((ma, a), &da), ((mb, b), &db), budget)? {
        return Ok(done);
    }
    let (nvars, width) = (da.0.len(), ma.width().max(mb.width()));
    if a.len() > FEW
        && let (Integers::I64(y), Some(x)) = (b, Dividend::of(a))
        && width != Width::Rows
        && let (Some(ma), Some(mb)) = (ma.repacked(nvars, width), mb.repacked(nvars, width))
        && let Some(plan) = by_slab::Plan::new(&da, &db, &ma, &mb, budget)
    {
        match Plan::run(&plan, &ma, x, y, budget)? {
            Outcome::Exact(monomials, values) => {
                return Ok(Some((monomials, Integers::I64(values))));
            }
            Outcome::Rejected => return Ok(None),
            Outcome::Unsure => {}
        }
    }
    // In one layout both lie packed as they are.
    let same = mb.repacked(ma.nvars, ma.width());
    let mb = same.as_deref().unwrap_or(mb);
    let division = Division {
        monomials: (ma, mb),
        boxes: Boxes { a: &da, b: &db },
        fields: Fields::packed(ma, mb, nvars).unwrap_or_else(|| Fields::new(&da)),
        budget,
    };
    if division.fields.bits <= 128
        && let Some(done) = division.words_and_limbs(a, b)?
    {
        return Ok(done);
    }
    let a = Poly::<Integer>::from_parts(ma.clone(), a.clone());
    let b = Poly::<Integer>::from_parts(mb.clone(), b.clone());
    let quotient = plain(&a, &b, budget)?;
    Ok(quotient.map(|q| (q.monomials().clone(), q.store().clone())))
}

/// A division by a table.
struct Division<'a> {
    monomials: (&'a Monomials, &'a Monomials),
    boxes: Boxes<'a>,
    fields: Fields,
    budget: &'a Budget<'a>,
}

impl Division<'_> {
    /// The division in numbers of one kind.
    fn by<N: Numbers>(&self, numbers: &N) -> Result<Outcome<N::Column>, Error> {
        match self.fields.bits {
            0..=64 => divide::<u64, N>(
                self.monomials,
                &self.boxes,
                &self.fields,
                numbers,
                self.budget,
            ),
            _ => divide::<u128, N>(
                self.monomials,
                &self.boxes,
                &self.fields,
                numbers,
                self.budget,
            ),
        }
    }

    /// The narrowest numbers that are certain; `None` when only whole integers are.
    fn words_and_limbs(&self, a: &Integers, b: &Integers) -> Result<Option<Quotient>, Error> {
        let done = |outcome| match outcome {
            Outcome::Exact(monomials, values) => Some(Some((monomials, values))),
            Outcome::Rejected => Some(None),
            Outcome::Unsure => None,
        };
        let fewer = b.len().min(a.len()) as u64;
        // Sums have a few bits more than the dividend, mostly.
        let bits = a.bits() + u64::from(64 - fewer.leading_zeros()) + 2;
        if let (Integers::I64(a), Integers::I64(b)) = (a, b)
            && bits <= 63
            && let Some(done) = done(self.by(&Narrow { a, b })?)
        {
            return Ok(Some(done));
        }
        if let (Some(x), Integers::I64(b)) = (Dividend::of(a), b)
            && bits <= 126
            && let Some(done) = done(self.by(&Wide { a: x, b })?)
        {
            return Ok(Some(done));
        }
        // Widths that differ much: whole integers are as long as they are.
        if matches!(a, Integers::Big(_)) || matches!(b, Integers::Big(_)) {
            return Ok(None);
        }
        let width = ((bits + 1).max(b.bits() + 1) / 64 + 1) as usize;
        macro_rules! fixed {
            ($($w:literal),*) => {
                match width {
                    $(w if w <= $w => return Ok(done(self.by(&Limbs::<$w>::new(a, b))?)),)*
                    _ => {}
                }
            };
        }
        fixed!(2, 3, 4, 6, 9, 17, 33);
        Ok(None)
    }
}

/// `a / b` over any ring, for a nonzero `b`.
pub(crate) fn plain<C: Ring>(
    a: &Poly<C>,
    b: &Poly<C>,
    budget: &Budget<'_>,
) -> Result<Option<Poly<C>>, Error> {
    if a.is_zero() || b.is_zero() {
        return Ok((!b.is_zero()).then(Poly::zero));
    }
    let Some((da, db)) = boxes(a.monomials(), b.monomials()) else {
        return match C::DOMAIN {
            true => Ok(None),
            false => by_map::plain(a, b, budget),
        };
    };
    let division = Division {
        monomials: (a.monomials(), b.monomials()),
        boxes: Boxes { a: &da, b: &db },
        fields: Fields::packed(a.monomials(), b.monomials(), da.0.len())
            .unwrap_or_else(|| Fields::new(&da)),
        budget,
    };
    // Without a domain degrees need not add, and the boxes mean nothing.
    if !C::DOMAIN || division.fields.bits > 128 {
        return by_map::plain(a, b, budget);
    }
    Ok(match division.by(&Plain::new(a, b))? {
        Outcome::Exact(monomials, values) => {
            Some(Poly::from_parts(monomials, C::Store::from_vec(values)))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::over_integers;
    use crate::poly::coefficients::rational::Integer;
    use crate::poly::coefficients::rational::Rational;
    use crate::poly::division::by_map;
    use crate::poly::polynomial::value::Poly;
    use crate::poly::product::budget::Budget;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    type P = Poly<Integer>;

    fn number(rng: &mut impl Rng, bits: usize) -> Integer {
        let words = (0..bits.div_ceil(64)).map(|_| rng.random::<u64>());
        let n = words.fold(Integer::ONE, |n, w| (n << 64) + Integer::from(w));
        let n = n % (Integer::ONE << rng.random_range(1..=bits)) + Integer::ONE;
        if rng.random() { -n } else { n }
    }

    /// At most `terms` terms with exponents from `low` to `low + degree`.
    fn random(rng: &mut impl Rng, (nvars, degree): (usize, u32), terms: usize, bits: usize) -> P {
        let low = rng.random_range(0..3);
        let count = rng.random_range(1..=terms);
        let term = |_| {
            let e = (0..nvars)
                .map(|_| low + rng.random_range(0..=degree))
                .collect();
            (e, number(rng, bits))
        };
        Poly::from_terms((0..count).map(term).collect::<Vec<_>>())
    }

    fn check(rng: &mut impl Rng, a: &P, b: &P) {
        let budget = Budget::default();
        let product = a * b;
        let quotient = over_integers(&product, b, &budget);
        assert_eq!(quotient, Ok(Some(a.clone())), "({a:?}) * ({b:?}) / ({b:?})");
        // Any change of one coefficient: the slow way is right.
        let at = rng.random_range(0..product.len());
        let Some((e, _)) = product.iter().nth(at) else {
            return;
        };
        let changed = &product + &Poly::monomial(&e, number(rng, 70));
        let wanted = by_map::plain(&changed, b, &budget);
        assert_eq!(over_integers(&changed, b, &budget), wanted);
        assert_eq!(
            over_integers(b, &product, &budget),
            by_map::plain(b, &product, &budget)
        );
    }

    #[test]
    fn quotients_are_those_of_the_definition() {
        let rng = &mut ChaCha8Rng::seed_from_u64(11);
        let shapes = [
            (1, 40),
            (1, 100_000),
            (2, 8),
            (3, 3),
            (5, 2),
            (8, 40),
            (20, 6),
            (3, 1 << 30),
            (40, 9),
        ];
        for round in 0..400 {
            let shape = shapes[round % shapes.len()];
            let bits = [4, 20, 31, 62, 63, 90, 130, 500, 3000];
            let (one, two) = (bits[round % 7], bits[(round / 7) % 9]);
            let (a, b) = (random(rng, shape, 14, one), random(rng, shape, 9, two));
            check(rng, &a, &b);
        }
    }

    /// Long enough for transforms, of every width, in one variable and in several.
    #[test]
    fn dense_quotients_are_those_of_the_definition() {
        let rng = &mut ChaCha8Rng::seed_from_u64(12);
        for (shape, bits) in [
            ((1, 900), 4),
            ((1, 500), 40),
            ((1, 400), 63),
            ((2, 20), 130),
            ((3, 6), 20),
        ] {
            let (a, b) = (
                random(rng, shape, 2000, bits),
                random(rng, shape, 2000, bits),
            );
            check(rng, &a, &b);
        }
    }

    /// Quotients longer than the dividend tells, and with coefficients far above its own.
    #[test]
    fn telescopes_divide() {
        let budget = Budget::default();
        let one = P::constant(Integer::ONE);
        for (n, m) in [(600, 2), (600, 300), (1024, 32), (30_000, 10_000)] {
            let (a, b) = (
                &Poly::monomial(&[n], Integer::ONE) - &one,
                &Poly::monomial(&[m], Integer::ONE) - &one,
            );
            let ones = Poly::from_terms((0..n / m).map(|k| (vec![k * m], Integer::ONE)));
            assert_eq!(over_integers(&a, &b, &budget), Ok(Some(ones)));
        }
        // 1 - x^(3^5 5) is divisible by the cyclotomic polynomial of order 105 times others.
        let power = |k: u32| &Poly::monomial(&[k], Integer::ONE) - &one;
        let quotient = |a: &P, b: &P| {
            over_integers(a, b, &budget)
                .ok()
                .flatten()
                .unwrap_or_else(P::zero)
        };
        let phi = quotient(
            &(&(&(&power(105) * &power(3)) * &power(5)) * &power(7)),
            &(&(&(&power(15) * &power(21)) * &power(35)) * &power(1)),
        );
        assert_eq!(phi.len(), 33);
        assert_eq!(phi.coefficient(&[7]), Integer::from(-2));
    }

    #[test]
    fn rationals_divide_with_contents() {
        let rng = &mut ChaCha8Rng::seed_from_u64(13);
        for _ in 0..50 {
            let draw = |rng: &mut ChaCha8Rng| {
                let (p, n, d) = (random(rng, (3, 9), 9, 80), number(rng, 9), number(rng, 70));
                let by = Rational::from_integers(n, d).unwrap_or_default();
                p.map(|c| &Rational::from(c.clone()) * &by)
            };
            let (a, b) = (draw(rng), draw(rng));
            let quotient = (&a * &b).divide_exact(&b, &Budget::default());
            assert_eq!(quotient, Ok(Some(a)));
        }
    }

    #[test]
    fn budgets_hold_and_errors_name_the_operation() {
        let rng = &mut ChaCha8Rng::seed_from_u64(14);
        let (a, b) = (random(rng, (9, 40), 400, 20), random(rng, (9, 40), 400, 20));
        let product = &a * &b;
        let late = Budget::default().deadline(std::time::Instant::now());
        let error = product.divide_exact(&b, &late);
        if product.len() > 2000 {
            assert_eq!(
                error,
                Err(crate::Error::Stopped {
                    op: "Poly::divide_exact"
                })
            );
        }
        let work = product.divide_exact(&b, &Budget::default().work(b.len() as u64 - 1));
        assert!(work.is_err());
    }
}
