//! Exact division by power series modulo word primes.
//!
//! Dividend and divisor become lists by Kronecker's substitution in the dividend's box. Modulo a prime `p` that does not divide
//! the leading coefficient the quotient `q` is one of power series, and `q b = a` is checked; where that fails, `b` does not
//! divide `a`. The lift of all `q` to an integer list agrees with `a` modulo the product of the primes, and over the integers as
//! soon as `|a| + min(|q|, |b|) |q|_inf |b|_inf` is below half that product.

use super::keys::Box2;
use crate::Error;
use crate::poly::coefficients::integers::Integers;
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::packed::{Monomials, Width, width_for};
use crate::poly::monomials::word::Word;
use crate::poly::parallel;
use crate::poly::product::budget::Budget;
use crate::poly::product::transform::convolution::{
    Limbed, Placed, Residues, by_floats, count_for,
};
use crate::poly::product::transform::digits::Digits;
use crate::poly::product::transform::float_primes::float_primes;
use crate::poly::product::transform::kronecker::{Substitution, transforms};
use crate::poly::product::transform::points::{Floats, Points, Words};
use crate::poly::product::transform::primes::primes;
use crate::poly::product::transform::recombine;
use crate::poly::product::transform::roots::Patience;
use crate::poly::product::transform::series::Series;

const OP: &str = "Poly::divide_exact";
/// Nanoseconds of a product in another algorithm, one word a coefficient (bench `poly_families`).
const OTHERWISE: f64 = 1.5;
/// Primes that are tried at most.
const MOST_PRIMES: usize = 128;

/// A quotient or the certainty that there is none.
type Quotient = Option<(Monomials, Integers)>;
type Side<'a> = ((&'a Monomials, &'a Integers), &'a Box2);

/// `a / b`, if this is the fastest way; `None` when it is not, or when it came to no answer.
pub(crate) fn integers(
    a: Side<'_>,
    b: Side<'_>,
    budget: &Budget<'_>,
) -> Result<Option<Quotient>, Error> {
    let ((ma, x), da) = a;
    let ((mb, _), db) = b;
    if mb.len() < 16 || ma.len() < 256 {
        return Ok(None);
    }
    let Some(shape) = Substitution::of_box(da, db) else {
        return Ok(None);
    };
    let (total, divisor) = (shape.total(), shape.divisor());
    let entries = total - divisor + 1;
    // The quotient is about as full as the dividend.
    let full = ma.len() as f64 / total as f64;
    let terms = (entries as f64 * full).max(ma.len() as f64 / mb.len() as f64);
    let fewer = terms.min(mb.len() as f64).max(1.0) as u64;
    let bits = x.bits() + u64::from(64 - fewer.leading_zeros()) + 3;
    let least = count_for(2 * total, bits);
    let words = (x.bits() / 64 + 1) as f64;
    let butterfly = if by_floats(2 * total) { 0.5 } else { 1.1 };
    let each = transforms(total, 3.0, butterfly) + transforms(2 * entries, 9.0, butterfly);
    let otherwise = terms * mb.len() as f64 * OTHERWISE * words.max(1.0);
    if least > MOST_PRIMES || least as f64 * each > otherwise {
        return Ok(None);
    }
    let mut tried = least;
    while tried <= MOST_PRIMES {
        match shape.lifted(a, b, tried, budget)? {
            Lift::Done(quotient) => return Ok(Some(quotient)),
            Lift::Short => tried *= 2,
            Lift::Unlucky => return Ok(None),
        }
    }
    Ok(None)
}

enum Lift {
    Done(Quotient),
    /// More primes are needed.
    Short,
    /// A prime divides the leading coefficient.
    Unlucky,
}

/// What a division modulo one prime comes to.
enum Image<N> {
    Quotient(Vec<N>),
    Remainder,
    Unlucky,
}

/// `a / b` modulo a prime, both as lists.
fn image<P: Points>(
    points: P,
    a: &[P::Number],
    b: &[P::Number],
) -> Result<Image<P::Number>, Error> {
    if b.last().is_none_or(|&top| points.is_zero(top)) {
        return Ok(Image::Unlucky);
    }
    Ok(match Series(points).exact(a, b)? {
        Some(quotient) => Image::Quotient(quotient),
        None => Image::Remainder,
    })
}

/// The images modulo all primes; the first one tells whether the others are worth it.
fn images<P: Clone + Send, N: Send>(
    primes: &[P],
    one: impl Fn(P) -> Result<Image<N>, Error> + Sync + Send,
) -> Result<Result<Vec<Vec<N>>, Lift>, Error> {
    let mut lists = Vec::with_capacity(primes.len());
    let (first, others) = primes.split_at(1);
    for part in [first, others] {
        for image in parallel::map(part.to_vec(), &one) {
            match image? {
                Image::Quotient(list) => lists.push(list),
                Image::Remainder => return Ok(Err(Lift::Done(None))),
                Image::Unlucky => return Ok(Err(Lift::Unlucky)),
            }
        }
    }
    Ok(Ok(lists))
}

/// The quotients of two lists modulo so many primes.
fn quotients(
    (left, right): (&Placed<'_>, &Placed<'_>),
    (total, divisor): (usize, usize),
    count: usize,
    budget: &Budget<'_>,
) -> Result<Result<Residues, Lift>, Error> {
    let check = || budget.check_time(OP);
    let patience = &Patience::new(&check);
    Ok(if by_floats(2 * total) {
        let (left, right) = (Digits::new(left), Digits::new(right));
        let primes = float_primes(count);
        let lists = images(&primes, |prime| {
            let (a, b) = (left.modulo(&prime, total), right.modulo(&prime, divisor));
            let prime = &prime;
            let op = OP;
            image(
                Floats {
                    prime,
                    patience,
                    op,
                },
                &a,
                &b,
            )
        })?;
        lists.map(|lists| Residues::Floats(primes, lists))
    } else {
        let (left, right) = (Limbed::new(left), Limbed::new(right));
        let primes = primes(count);
        let lists = images(&primes, |prime| {
            let (a, b) = (left.modulo(&prime, total), right.modulo(&prime, divisor));
            let prime = &prime;
            let op = OP;
            image(
                Words {
                    prime,
                    patience,
                    op,
                },
                &a,
                &b,
            )
        })?;
        lists.map(|lists| Residues::Words(primes, lists))
    })
}

impl Substitution {
    /// The quotient from so many primes.
    fn lifted(
        &self,
        ((ma, x), da): Side<'_>,
        ((mb, y), db): Side<'_>,
        count: usize,
        budget: &Budget<'_>,
    ) -> Result<Lift, Error> {
        let (total, divisor) = (self.total(), self.divisor());
        let placed = |m: &Monomials, values, low: &[u32], length| Placed {
            values,
            places: self.places(m, low),
            length,
        };
        let (left, right) = (placed(ma, x, &da.0, total), placed(mb, y, &db.0, divisor));
        let residues = match quotients((&left, &right), (total, divisor), count, budget)? {
            Ok(residues) => residues,
            Err(end) => return Ok(end),
        };
        let low: Vec<u32> = da.0.iter().zip(&db.0).map(|(a, b)| a - b).collect();
        let shape = self.of_quotient(low);
        let most = da.1.iter().zip(&db.1).map(|(a, b)| u64::from(a - b));
        match width_for(self.nvars(), most.max().unwrap_or(0)) {
            Width::W1 => shape.checked::<u64>(&residues, (x, y), (da, db), budget),
            Width::W2 => shape.checked::<u128>(&residues, (x, y), (da, db), budget),
            Width::Rows => Ok(Lift::Unlucky),
        }
    }

    fn checked<W: Word>(
        &self,
        residues: &Residues,
        (x, y): (&Integers, &Integers),
        (da, db): (&Box2, &Box2),
        budget: &Budget<'_>,
    ) -> Result<Lift, Error> {
        let (words, places) = self.found::<W>(residues);
        budget.check_terms(OP, words.len())?;
        let values = recombine::integers(residues, &places, None, &|| budget.check_time(OP))?;
        let fewer = words.len().min(y.len()) as u64;
        let bits = values.bits() + y.bits() + u64::from(64 - fewer.leading_zeros());
        if !residues.hold(bits.max(x.bits()) + 1) {
            return Ok(Lift::Short);
        }
        let monomials = Monomials::from_words(self.nvars(), words);
        // Lists multiply as polynomials do only where no variable carries into the next.
        let top = monomials.degrees();
        let inside = (0..top.len()).all(|v| top[v] <= da.1[v] - db.1[v]);
        Ok(Lift::Done(inside.then_some((monomials, values))))
    }
}
