//! The polynomials of a system modulo small primes, eight at a time.

use super::backend::OP;
use super::reconstruction::{Crt, Factor};
use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::factor::reduced;
use crate::poly::polynomial::univariate::{Field, primes_below};
use crate::poly::product::budget::Budget;
use dashu_int::ops::BitTest;

/// Primes that are worked with side by side.
pub(super) const LANES: usize = 8;
/// Products of residues below this are less than 2^50, so that many of them add up in 64 bits.
const PRIMES: u64 = 1 << 25;
pub(super) const BITS: usize = 24;

pub(super) type Lanes = [u32; LANES];

/// The polynomials modulo some primes, each divided by its leading coefficient.
pub(super) struct Image {
    pub(super) primes: Lanes,
    pub(super) tails: Vec<Vec<Lanes>>,
    /// The inverses of the leading coefficients.
    pub(super) inverses: Vec<Lanes>,
}

/// The polynomials over the integers and as many images as were needed so far.
pub(super) struct Images<'a> {
    values: &'a [(Integer, Vec<Integer>)],
    /// Bits of the longest coefficient.
    pub(super) bits: usize,
    primes: Box<dyn Iterator<Item = u64>>,
    pub(super) done: Vec<Image>,
    pub(super) crt: Option<Crt>,
    /// Denominators of late, the last first.
    pub(super) seen: Vec<Integer>,
    /// The scale of the last proof.
    pub(super) last: Vec<Factor>,
}

impl<'a> Images<'a> {
    pub(super) fn new(values: &'a [(Integer, Vec<Integer>)]) -> Self {
        let all = values
            .iter()
            .flat_map(|(lead, tail)| tail.iter().chain([lead]));
        Self {
            values,
            bits: all.map(BitTest::bit_len).max().unwrap_or(1),
            primes: Box::new(primes_below(PRIMES).take_while(|p| p >> BITS > 0)),
            done: Vec::new(),
            crt: None,
            seen: Vec::new(),
            last: Vec::new(),
        }
    }

    pub(super) fn chunk(&mut self, k: usize, budget: &Budget<'_>) -> Result<&Image, Error> {
        while self.done.len() <= k {
            budget.check_time(OP)?;
            let image = self.next(budget)?;
            self.done.push(image);
        }
        Ok(&self.done[k])
    }

    fn next(&mut self, budget: &Budget<'_>) -> Result<Image, Error> {
        let values = self.values;
        let good = |p: &u64| values.iter().all(|(lead, _)| reduced(lead, *p) != 0);
        let primes: Vec<u64> = self.primes.by_ref().filter(good).take(LANES).collect();
        let primes: [u64; LANES] = primes
            .try_into()
            .map_err(|_| Error::limit(OP, "primes", PRIMES))?;
        let (mut tails, mut inverses) = (Vec::new(), Vec::new());
        for (lead, tail) in values {
            budget.check_time(OP)?;
            let units = primes.map(|p| Field { p }.inv(reduced(lead, p)));
            let image = |c: &Integer| {
                let c = residues(c, &primes);
                std::array::from_fn(|l| (c[l] * units[l] % primes[l]) as u32)
            };
            tails.push(tail.iter().map(image).collect());
            inverses.push(units.map(|u| u as u32));
        }
        let primes = primes.map(|p| p as u32);
        Ok(Image {
            primes,
            tails,
            inverses,
        })
    }
}

/// A number modulo each of some primes below 2^32.
fn residues(c: &Integer, primes: &[u64; LANES]) -> [u64; LANES] {
    let (sign, words) = c.as_sign_words();
    std::array::from_fn(|l| {
        let p = primes[l];
        let step = |r: u64, w: &u64| {
            let r = (r << 32 | w >> 32) % p;
            (r << 32 | w & u64::from(u32::MAX)) % p
        };
        let r = words.iter().rev().fold(0, step);
        match sign {
            dashu_int::Sign::Negative if r > 0 => p - r,
            _ => r,
        }
    })
}
