//! Rationals from floats, and the last factor by linear algebra over the rationals.

use super::system::CpSystem;
use crate::poly::Rational;
use num_traits::{One, Zero};

/// The rational of smallest denominator within `tol` of `x`, by continued fractions; `None` beyond `most`.
pub(in crate::decomp) fn nearby_rational(x: f64, most: i64, tol: f64) -> Option<Rational> {
    let (mut p, mut q) = ((1i64, x.floor() as i64), (0i64, 1i64));
    if !x.is_finite() || x.abs() > 1e6 {
        return None;
    }
    let mut rest = x - x.floor();
    for _ in 0..24 {
        if (p.1 as f64 / q.1 as f64 - x).abs() <= tol {
            return Rational::new(p.1, q.1);
        }
        if rest < 1e-12 {
            return None;
        }
        let inverse = 1.0 / rest;
        let a = inverse.floor();
        rest = inverse - a;
        let next = |v: (i64, i64)| {
            (a as i64)
                .checked_mul(v.1)?
                .checked_add(v.0)
                .map(|n| (v.1, n))
        };
        (p, q) = (next(p)?, next(q)?);
        if q.1 > most {
            return None;
        }
    }
    None
}

/// Columns of two modes as rationals, if all entries are near some.
pub(in crate::decomp) fn rational_mode(
    system: &CpSystem,
    x: &[f64],
    mode: usize,
    most: i64,
) -> Option<Vec<Vec<Rational>>> {
    let column = |r| {
        let entries = system.column(x, mode, r).iter();
        entries
            .map(|v| nearby_rational(*v, most, 1e-9))
            .collect::<Option<Vec<_>>>()
    };
    (0..system.rank).map(column).collect()
}

/// Solves `sum_r a_r (x) b_r (x) c_r = T` for the columns `c_r` of mode `last`, exactly.
///
/// `known` are the columns of the two other modes, in order; `target` has the first index fastest. `None` when
/// there is no solution; where there are several, the free unknowns are zero.
pub(in crate::decomp) fn solve_mode(
    dims: [usize; 3],
    target: &[Rational],
    last: usize,
    known: [&[Vec<Rational>]; 2],
) -> Option<Vec<Vec<Rational>>> {
    let others: Vec<usize> = (0..3).filter(|k| *k != last).collect();
    let (rank, n) = (known[0].len(), dims[last]);
    let mut rows: Vec<Vec<Rational>> = Vec::new();
    for i in 0..dims[others[0]] {
        for j in 0..dims[others[1]] {
            let mut row: Vec<Rational> = (0..rank)
                .map(|r| &known[0][r][i] * &known[1][r][j])
                .collect();
            for k in 0..n {
                let mut index = [0; 3];
                (index[others[0]], index[others[1]], index[last]) = (i, j, k);
                row.push(target[index[0] + dims[0] * (index[1] + dims[1] * index[2])].clone());
            }
            rows.push(row);
        }
    }
    let pivots = eliminated(&mut rows, rank)?;
    if rows[pivots.len()..]
        .iter()
        .any(|row| row[rank..].iter().any(|v| !v.is_zero()))
    {
        return None;
    }
    let mut solution = vec![vec![Rational::zero(); n]; rank];
    for (row, &column) in rows.iter().zip(&pivots) {
        solution[column] = row[rank..].to_vec();
    }
    Some(solution)
}

/// Eliminates the first `rank` columns; the columns of the pivots, or `None` where numbers become too long.
fn eliminated(rows: &mut [Vec<Rational>], rank: usize) -> Option<Vec<usize>> {
    let mut pivots = Vec::new();
    for column in 0..rank {
        let top = pivots.len();
        // The smallest pivot keeps the numbers small.
        let usable = (top..rows.len()).filter(|&i| !rows[i][column].is_zero());
        let Some(pivot) = usable.min_by_key(|&i| rows[i][column].bits()) else {
            continue;
        };
        rows.swap(top, pivot);
        let inverse = rows[top][column].recip()?;
        rows[top].iter_mut().for_each(|v| *v *= &inverse);
        let line = rows[top].clone();
        for (i, row) in rows.iter_mut().enumerate() {
            if i != top && !row[column].is_zero() {
                let factor = row[column].clone();
                for (v, w) in row
                    .iter_mut()
                    .zip(&line)
                    .skip(column)
                    .filter(|(_, w)| !w.is_zero())
                {
                    *v -= &(&factor * w);
                    if v.bits() > 1 << 12 {
                        return None;
                    }
                }
            }
        }
        pivots.push(column);
    }
    Some(pivots)
}

/// The exact residual norm squared of rational columns, `sum (model - T)^2`.
pub(in crate::decomp) fn exact_residual(
    dims: [usize; 3],
    target: &[Rational],
    columns: &[Vec<Vec<Rational>>; 3],
) -> Rational {
    let mut gap: Vec<Rational> = target.iter().map(|t| -t).collect();
    for r in 0..columns[0].len() {
        for (k, c) in columns[2][r]
            .iter()
            .enumerate()
            .filter(|(_, c)| !c.is_zero())
        {
            for (j, b) in columns[1][r]
                .iter()
                .enumerate()
                .filter(|(_, b)| !b.is_zero())
            {
                let w = if b.is_one() { c.clone() } else { b * c };
                for (i, a) in columns[0][r]
                    .iter()
                    .enumerate()
                    .filter(|(_, a)| !a.is_zero())
                {
                    gap[i + dims[0] * (j + dims[1] * k)] += &(a * &w);
                }
            }
        }
    }
    let mut sum = Rational::zero();
    gap.iter().for_each(|g| sum += &(g * g));
    sum
}
