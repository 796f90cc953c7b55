//! Exact identities behind the algebraic ring methods, over any commutative ring that divides.

use crate::laws::broken::{Broken, check};
use crate::poly::Ring;

/// A square matrix, rows one after the other.
///
/// # Example
/// ```
/// use wickring::laws::ring::identities::SquareMatrix;
/// use wickring::poly::Rational;
/// let m = SquareMatrix::from_fn(2, |i, j| Rational::from(if i == j { 1 } else { 2 }));
/// assert_eq!(m.times(&m).trace(), Rational::from(10));
/// assert_eq!(m.rank_and_determinant(), (2, Rational::from(-3)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SquareMatrix<R> {
    size: usize,
    rows: Vec<R>,
}

impl<R: Ring> SquareMatrix<R> {
    /// A matrix from a function of row and column.
    pub fn from_fn(size: usize, mut f: impl FnMut(usize, usize) -> R) -> Self {
        let mut rows = Vec::with_capacity(size * size);
        for i in 0..size {
            rows.extend((0..size).map(|j| f(i, j)));
        }
        Self { size, rows }
    }

    /// Entry `(i, j)`.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn at(&self, i: usize, j: usize) -> &R {
        &self.rows[i * self.size + j]
    }

    /// `self * other`.
    ///
    /// # Panics
    /// If the sizes differ.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self::from_fn(self.size, |i, j| {
            let mut sum = R::zero();
            for k in 0..self.size {
                let mut term = self.at(i, k).clone();
                term *= other.at(k, j);
                sum += &term;
            }
            sum
        })
    }

    /// `self + factor * other`.
    ///
    /// # Panics
    /// If the sizes differ.
    #[must_use]
    pub fn plus(&self, factor: &R, other: &Self) -> Self {
        Self::from_fn(self.size, |i, j| {
            let mut term = factor.clone();
            term *= other.at(i, j);
            term += self.at(i, j);
            term
        })
    }

    /// `2 (self . other) = self other + other self`: twice the Jordan product, so that no half is needed.
    #[must_use]
    pub fn jordan2(&self, other: &Self) -> Self {
        self.times(other).plus(&R::one(), &other.times(self))
    }

    /// The trace.
    pub fn trace(&self) -> R {
        let mut sum = R::zero();
        (0..self.size).for_each(|i| sum += self.at(i, i));
        sum
    }

    /// Row echelon form by exact elimination: the rank and the determinant.
    pub fn rank_and_determinant(&self) -> (usize, R) {
        let rows = (0..self.size).map(|i| self.rows[i * self.size..(i + 1) * self.size].to_vec());
        rank_and_determinant(rows.collect())
    }
}

/// Rank of a rectangular matrix, and the determinant when it is square.
pub fn rank_and_determinant<R: Ring>(mut rows: Vec<Vec<R>>) -> (usize, R) {
    let width = rows.first().map_or(0, Vec::len);
    let mut rank = 0;
    let mut determinant = R::one();
    for col in 0..width {
        let Some(pivot) = (rank..rows.len()).find(|&i| !rows[i][col].is_zero()) else {
            determinant = R::zero();
            continue;
        };
        if pivot != rank {
            rows.swap(pivot, rank);
            determinant = -determinant;
        }
        let (head, tail) = rows.split_at_mut(rank + 1);
        let lead = &head[rank];
        determinant *= &lead[col];
        for row in tail.iter_mut().filter(|row| !row[col].is_zero()) {
            let Some(factor) = row[col].checked_div(&lead[col]) else {
                continue;
            };
            for (x, y) in row.iter_mut().zip(lead).skip(col) {
                let mut term = factor.clone();
                term *= y;
                *x -= &term;
            }
        }
        rank += 1;
        if rank == rows.len() {
            break;
        }
    }
    if rank < width {
        determinant = R::zero();
    }
    (rank, determinant)
}

/// `det(X - l Y)` of two slice combinations of a ring of order three is the `r`-th power of `det(x - l y)` up
/// to a constant: the multiplicity that blockwise diagonalisation rests on.
///
/// `left` and `right` are the outer cores as `r^2 x r^2` matrices, rows and columns `(bond, a)`; `x`, `y` the
/// middle combinations; the identity is compared at two values of `l`.
///
/// # Errors
/// [`Broken`].
pub fn pencil_is_a_power<R: Ring>(
    left: &SquareMatrix<R>,
    right: &SquareMatrix<R>,
    x: &SquareMatrix<R>,
    y: &SquareMatrix<R>,
    at: (&R, &R),
) -> Result<(), Broken> {
    let r = x.size;
    let inflated = |m: &SquareMatrix<R>| {
        SquareMatrix::from_fn(r * r, |i, j| {
            if i % r == j % r {
                m.at(i / r, j / r).clone()
            } else {
                R::zero()
            }
        })
    };
    let big = |l: &R| {
        let slices = inflated(&x.plus(l, y));
        left.times(&slices).times(right).rank_and_determinant().1
    };
    let small = |l: &R| {
        let d = x.plus(l, y).rank_and_determinant().1;
        let mut power = R::one();
        (0..r).for_each(|_| power *= &d);
        power
    };
    let (mut one, mut two) = (big(at.0), big(at.1));
    one *= &small(at.1);
    two *= &small(at.0);
    check("ring_identities::pencil_is_a_power", one == two, || {
        format!("r = {r}: {one:?} and {two:?}")
    })
}

/// `A . (A^2 . X) = A^2 . (A . X)` for symmetric matrices, and `Tr(A . B) (r + 1) / 2 = Tr L_{A.B}`, where
/// `L` multiplies in the Jordan algebra.
///
/// # Errors
/// [`Broken`].
pub fn jordan_identities<R: Ring>(
    a: &SquareMatrix<R>,
    b: &SquareMatrix<R>,
    x: &SquareMatrix<R>,
) -> Result<(), Broken> {
    let square = a.times(a);
    let left = a.jordan2(&square.jordan2(x));
    let right = square.jordan2(&a.jordan2(x));
    check("ring_identities::jordan", left == right, || {
        format!("r = {}", a.size)
    })?;
    // Tr L_C over the symmetric matrices: the coefficient of each unit in its own image.
    let c = a.jordan2(b);
    let r = c.size;
    let mut total = R::zero();
    for j in 0..r {
        for i in 0..=j {
            let unit = SquareMatrix::from_fn(r, |p, q| {
                let here = (p, q) == (i, j) || (q, p) == (i, j);
                if here { R::one() } else { R::zero() }
            });
            total += c.jordan2(&unit).at(i, j);
        }
    }
    // c = 2 (a . b) and the products are doubled: Tr L = (r + 1) / 2 Tr becomes total = (r + 1) Tr c.
    let mut expected = c.trace();
    expected *= &R::from_i64(r as i64 + 1);
    check("ring_identities::trace_form", total == expected, || {
        format!("r = {r}: {total:?} and {expected:?}")
    })
}

/// `L_p (2 L_p - 1)(L_p - 1) = 0` for the idempotent `p = u u' / u.u`, without dividing: with `v = u u'`,
/// `s = u.u` and `M X = v X + X v = 2 s L_p X`, `M (M - s)(M - 2 s) X = 0`.
///
/// # Errors
/// [`Broken`].
pub fn peirce_identity<R: Ring>(u: &[R], x: &SquareMatrix<R>) -> Result<(), Broken> {
    let v = SquareMatrix::from_fn(u.len(), |i, j| {
        let mut p = u[i].clone();
        p *= &u[j];
        p
    });
    let s = v.trace();
    let mut twice = s.clone();
    twice += &s;
    let first = v.jordan2(x).plus(&-twice, x);
    let second = v.jordan2(&first).plus(&-s, &first);
    let third = v.jordan2(&second);
    let zero = third.rows.iter().all(R::is_zero);
    check("ring_identities::peirce", zero, || {
        format!("r = {}", u.len())
    })
}

/// Derivations of `Tr(X^3)` on the symmetric `r x r` matrices, given by any basis, have dimension `r(r-1)/2`.
///
/// # Errors
/// [`Broken`].
pub fn derivations_have_the_dimension_of_rotations<R: Ring>(
    basis: &[SquareMatrix<R>],
) -> Result<(), Broken> {
    let n = basis.len();
    let r = basis.first().map_or(0, |q| q.size);
    let mut t = Vec::with_capacity(n * n * n);
    for c in basis {
        for b in basis {
            let bc = b.times(c);
            t.extend(basis.iter().map(|a| a.times(&bc).trace()));
        }
    }
    let at = |a: usize, b: usize, c: usize| &t[a + n * (b + n * c)];
    let mut rows = Vec::new();
    for c in 0..n {
        for b in 0..=c {
            for a in 0..=b {
                // The unknown D[x, y] stands at x + n y.
                let mut row = vec![R::zero(); n * n];
                for x in 0..n {
                    row[x + n * a] += at(x, b, c);
                    row[x + n * b] += at(a, x, c);
                    row[x + n * c] += at(a, b, x);
                }
                rows.push(row);
            }
        }
    }
    let (rank, _) = rank_and_determinant(rows);
    let null = n * n - rank;
    check(
        "ring_identities::derivations",
        null == r * (r - 1) / 2,
        || format!("r = {r}: dimension {null}"),
    )
}
