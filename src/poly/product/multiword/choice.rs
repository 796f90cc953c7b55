//! Which algorithm a product of coefficients of several words takes.

use super::digits::{Positional, digits, spread};
use super::limbs::Limbs;
use super::residues::{Remainders, primes};
use crate::Error;
use crate::poly::coefficients::integers::{Integers, MAX_LIMBS};
use crate::poly::coefficients::rational::Integer;
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::packed::Monomials;
use crate::poly::product::budget::Task;
use crate::poly::product::cells::Plain;
use crate::poly::product::plan::{Product, Shape, by_terms};
use crate::poly::product::rows::{Plan, ROW_CELLS};
use crate::poly::simd;

/// Cells of a block times primes: a megabyte of remainders.
const REMAINDERS: usize = 1 << 17;
/// What a tap and a window cost, a pair of groups, and a cell, in multiplications of limbs (bench `bits`).
const ROWS_APART: [f64; 3] = [4.4, 4.7, 5.6];
const PAIR: f64 = 25.0;
const CELL: f64 = 0.5;
/// Products from which remainders and digits are worth their preparation.
const SEVERAL: f64 = 2e4;

/// Factors of more than 128 bits: a fixed number of limbs, or whole integers when there are very many.
pub(crate) fn limbs(
    (ma, a): (&Monomials, &Integers),
    (mb, b): (&Monomials, &Integers),
    bits: u64,
    task: &Task<'_>,
) -> Product<Integers> {
    let cells = (bits / 64 + 1) as usize;
    let factor = a.width().zip(b.width()).map(|(x, y)| x.max(y));
    if let Some(n) = factor.filter(|&n| n <= 16)
        && let Some(product) = several((ma, a), (mb, b), (n, bits), task)?
    {
        return Ok(product);
    }
    macro_rules! fixed {
        ($($n:literal $w:literal),*) => {
            match factor {
                $(Some(n) if n <= $n && cells <= $w => {
                    let terms = Limbs::<$n, $w>::new(a, b);
                    return by_terms(ma, mb, &terms, task);
                })*
                _ => {}
            }
        };
    }
    fixed!(2 3, 2 4, 2 5, 3 7, 4 8, 4 9, 8 17, 16 33);
    debug_assert!(factor.is_none_or(|n| n > 16 && n <= MAX_LIMBS));
    let all = |v: &Integers| (0..v.len()).map(|i| v.get(i)).collect();
    let terms = Plain::<Integer> {
        a: all(a),
        b: all(b),
    };
    let (monomials, values) = by_terms(ma, mb, &terms, task)?;
    Ok((monomials, Integers::from_vec(values)))
}

/// The product modulo primes or digit by digit, if that is faster than `n` limbs.
fn several(
    (ma, x): (&Monomials, &Integers),
    (mb, y): (&Monomials, &Integers),
    (n, bits): (usize, u64),
    task: &Task<'_>,
) -> Result<Option<(Monomials, Integers)>, Error> {
    let products = x.len() as f64 * y.len() as f64;
    // Four multiplications of limbs are hard to beat.
    if n <= 2 || products < SEVERAL || !simd::has_rows() {
        return Ok(None);
    }
    let (count, places) = (primes(bits), digits(x.bits().max(y.bits())).max(2));
    // A row of `places` digits meets another one; signs cost two more multiplications for each of digits.
    let meeting = (places.div_ceil(4) * (places + 3).div_ceil(8)) as f64;
    let signs = if x.has_negative() || y.has_negative() {
        2.0
    } else {
        1.0
    };
    let limbs = (n * n) as f64;
    let digitwise = signs
        * meeting
        * if places == 2 {
            ROWS_APART[1]
        } else {
            ROWS_APART[2]
        };
    if ma.has_long_rows() && mb.has_long_rows() {
        let shape = Shape::new(ma, mb, (REMAINDERS / count).min(ROW_CELLS), &task.budget)?;
        if let Some(blocks @ (grid, a, b, pairs)) = &shape.grid
            && let Some(plan) = Plan::new(a, b, ROWS_APART)
        {
            let groups = a.groups.len() as f64 * b.groups.len() as f64;
            let cells = pairs.len() as f64 * grid.cells as f64;
            let cost = (plan.cost + PAIR * groups + CELL * cells) * count as f64;
            if cost < products * limbs.min(digitwise)
                && let Some(kernel) = Remainders::new((a, x), (b, y), plan, bits, grid.cells)
            {
                return shape.blocks(blocks, &kernel, task).map(Some);
            }
        }
    }
    if digitwise < 0.8 * limbs {
        let shape = Shape::new(ma, mb, ROW_CELLS / spread(places), &task.budget)?;
        let size = (places, (bits / 64 + 1) as usize);
        if let Some(blocks @ (_, a, b, _)) = &shape.grid
            && let Some(kernel) = Positional::new((a, x), (b, y), size, ROWS_APART)
        {
            return shape.blocks(blocks, &kernel, task).map(Some);
        }
    }
    Ok(None)
}
