//! Resultants and discriminants of small degree with many symbols: Bezout's matrix, its determinant by minors.

use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

/// Degrees beyond this have too many minors.
pub(crate) const MAX_DEGREE: u32 = 8;

type P = Poly<Integer>;

/// The coefficients in variable `v` from the constant one to that of degree `n`.
pub(crate) fn coefficients(p: &P, v: usize, n: usize) -> Vec<P> {
    let mut list = vec![P::zero(); n + 1];
    for (k, c) in p.coefficients_in(v) {
        if let Some(slot) = list.get_mut(k as usize) {
            *slot = c;
        }
    }
    list
}

/// The resultant of two polynomials that count as of degree `n`, given by their `n + 1` coefficients, constant first.
///
/// # Complexity
/// `n 2^n` products of minors by entries.
///
/// # Source
/// Bezout 1779; Gentleman, Johnson 1976 (minors).
pub(crate) fn resultant(a: &[P], b: &[P], budget: &Budget<'_>) -> Result<P, Error> {
    let n = a.len() - 1;
    let minor = |i: usize, j: usize| -> Result<P, Error> {
        let left = a[i].mul_within(&b[j], budget)?;
        Ok(&left - &a[j].mul_within(&b[i], budget)?)
    };
    let mut matrix = vec![vec![P::zero(); n]; n];
    for i in 0..n {
        for j in i..n {
            let mut sum = P::zero();
            for k in 0..=i.min(n - 1 - j) {
                sum += &minor(j + k + 1, i - k)?;
            }
            matrix[j][i] = sum.clone();
            matrix[i][j] = sum;
        }
    }
    let found = determinant(&matrix, budget)?;
    Ok(if n * (n - 1) / 2 % 2 == 1 {
        -&found
    } else {
        found
    })
}

/// The determinant: minors of the first rows for all sets of columns.
fn determinant(matrix: &[Vec<P>], budget: &Budget<'_>) -> Result<P, Error> {
    let n = matrix.len();
    let mut minors = vec![P::zero(); 1 << n];
    minors[0] = Poly::constant(Integer::ONE);
    for set in 1usize..1 << n {
        budget.check_time("Poly::resultant")?;
        let row = set.count_ones() as usize - 1;
        let mut sum = P::zero();
        for j in (0..n).filter(|j| set >> j & 1 == 1) {
            let product = minors[set ^ (1 << j)].mul_within(&matrix[row][j], budget)?;
            // Columns of the set after this one.
            if (set >> (j + 1)).count_ones() % 2 == 1 {
                sum -= &product;
            } else {
                sum += &product;
            }
        }
        budget.check_terms("Poly::resultant", sum.len())?;
        minors[set] = sum;
    }
    Ok(minors.pop().unwrap_or_else(P::zero))
}
