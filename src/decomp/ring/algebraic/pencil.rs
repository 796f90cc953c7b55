//! Blockwise simultaneous diagonalisation: one core of a ring of order three from its slices.
//!
//! Seen in bases of their row and column spaces, the slices of
//! `T[i,j,k] = sum A[a,i,b] B[b,j,c] C[c,k,a]` are `T_j = A (B_j (x) I) C` with square invertible `A`
//! (columns `(b, a)`, `a` fastest) and `C`; `B_j` is `R_b x R_c` and `I` has size `R_a`. With `p R_b = q R_c`
//! copies stacked into a `p x q` block matrix of random combinations of slices,
//! `X Y^-1 = (I (x) A)(x y^-1 (x) I)(I (x) A)^-1`: every eigenvalue of `x y^-1` appears `R_a` times. One
//! eigenspace for each group, tied together by a third combination, gives `A` up to gauge.

use crate::Error;
use crate::linalg::{complex_frobenius, complex_solve, complex_svd, inverse_iteration};
use crate::tensor::Scalar;
use faer::{Mat, MatRef};
use num_complex::Complex;
use rand::Rng;

type C = Complex<f64>;

/// Pencils drawn before the one with the clearest groups is used; only eigenvalues are computed for each.
const DRAWS: usize = 3;
/// Groups this clear are used at once: the eigenspaces lose at most as many digits as `overlap` shows above
/// rounding, so that answers are exact to rounding times the condition.
const CLEAR: f64 = 1e-14;

/// The core `A` as a square matrix with columns `(b, a)`, and how clear the eigenvalue groups were.
pub(in crate::decomp::ring) struct Pencil {
    pub(in crate::decomp::ring) core: Mat<C>,
    /// `max spread of a group / min distance between groups`: 0 for exact data, small for good data.
    pub(in crate::decomp::ring) overlap: f64,
}

/// Ranks around the pencil: `A` is `outer x n x left`, `B` is `left x n x right`.
#[derive(Clone, Copy)]
pub(in crate::decomp::ring) struct Bonds {
    pub(in crate::decomp::ring) outer: usize,
    pub(in crate::decomp::ring) left: usize,
    pub(in crate::decomp::ring) right: usize,
}

impl Bonds {
    /// Copies of rows and of columns that make the block matrix square.
    fn copies(self) -> (usize, usize) {
        let mut gcd = (self.left, self.right);
        while gcd.1 > 0 {
            gcd = (gcd.1, gcd.0 % gcd.1);
        }
        (self.right / gcd.0, self.left / gcd.0)
    }

    /// Size of the pencil.
    pub(in crate::decomp::ring) fn size(self) -> usize {
        self.outer * self.left * self.copies().0
    }
}

impl Pencil {
    /// `slices[j]` is `T_j`, of size `outer*left x outer*right`.
    pub(in crate::decomp::ring) fn solve<T: Scalar>(
        op: &'static str,
        slices: &[Mat<T>],
        bonds: Bonds,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let mut best: Option<Groups> = None;
        for _ in 0..DRAWS {
            // A singular denominator is bad luck or a property of the data; another draw tells.
            let Ok(drawn) = Groups::draw(op, slices, bonds, rng) else {
                continue;
            };
            if best.as_ref().is_none_or(|b| drawn.overlap < b.overlap) {
                best = Some(drawn);
            }
            if best.as_ref().is_some_and(|b| b.overlap <= CLEAR) {
                break;
            }
        }
        let hypothesis = "an invertible combination of slices with separated eigenvalue groups";
        let drawn = best.ok_or(Error::degenerate(op, hypothesis, 0.0))?;
        let overlap = drawn.overlap;
        let core = drawn.core(op, bonds, rng)?;
        Ok(Self { core, overlap })
    }
}

/// One draw: two quotients of combinations and the groups of eigenvalues of the first.
struct Groups {
    quotient: Mat<C>,
    second: Mat<C>,
    centres: Vec<C>,
    overlap: f64,
}

impl Groups {
    fn draw<T: Scalar>(
        op: &'static str,
        slices: &[Mat<T>],
        bonds: Bonds,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let mut combine = || blocks(slices, bonds, rng);
        let (x, y, z) = (combine(), combine(), combine());
        let n = y.nrows();
        // [X; Z] Y^-1 by one factorisation of the transpose.
        let mut numerators = Mat::<T>::zeros(n, 2 * n);
        for (i, j) in (0..n).flat_map(|j| (0..n).map(move |i| (i, j))) {
            numerators[(i, j)] = x[(j, i)];
            numerators[(i, n + j)] = z[(j, i)];
        }
        let both = T::solve(op, y.transpose(), numerators.as_ref())?;
        let quotient = both.subcols(0, n).transpose().to_owned();
        let values = T::eigenvalues(op, quotient.as_ref())?;
        let complex = |from: usize| Mat::from_fn(n, n, |i, j| both[(j, from + i)].to_complex());
        let (quotient, second) = (complex(0), complex(n));
        let (centres, overlap) = grouped(values, bonds.outer);
        Ok(Self {
            quotient,
            second,
            centres,
            overlap,
        })
    }

    fn core(self, op: &'static str, bonds: Bonds, rng: &mut impl Rng) -> Result<Mat<C>, Error> {
        let (n, r) = (self.quotient.nrows(), bonds.outer);
        let mut spaces = Mat::<C>::zeros(n, n);
        let start = Mat::from_fn(n, r, |_, _| C::gaussian(rng));
        for (g, &centre) in self.centres.iter().enumerate() {
            // Exact data need one step; noise splits a group, and each step shrinks what leaks in from
            // the others by the ratio of distances to the centre.
            let steps = if self.overlap < 1e-6 { 2 } else { 6 };
            let quotient = self.quotient.as_ref();
            let space = inverse_iteration(op, quotient, centre, start.as_ref(), steps)?;
            spaces.subcols_mut(g * r, r).copy_from(&space);
        }
        // Blocks of P^-1 (Z Y^-1) P are z_ij D_i D_j^-1: row i of blocks gives every D_j up to a scalar.
        let moved = C::product(self.second.as_ref(), spaces.as_ref());
        let tie = complex_solve(op, spaces.as_ref(), moved.as_ref())?;
        let block = |i: usize, j: usize| tie.submatrix(i * r, j * r, r, r);
        let row = best_row(op, self.centres.len(), &block)?;
        let identity = Mat::<C>::identity(r, r);
        for g in 0..self.centres.len() {
            if g == row {
                continue;
            }
            let scaled = unit(block(row, g));
            let tied = complex_solve(op, scaled.as_ref(), identity.as_ref())?;
            let turned = C::product(spaces.subcols(g * r, r), unit(tied.as_ref()).as_ref());
            spaces.subcols_mut(g * r, r).copy_from(&turned);
        }
        merged(op, spaces, bonds)
    }
}

/// A `p x q` block matrix of independent random combinations of the slices.
fn blocks<T: Scalar>(slices: &[Mat<T>], bonds: Bonds, rng: &mut impl Rng) -> Mat<T> {
    let (p, q) = bonds.copies();
    let (rows, cols) = (bonds.outer * bonds.left, bonds.outer * bonds.right);
    let mut out = Mat::<T>::zeros(p * rows, q * cols);
    for (a, b) in (0..p).flat_map(|a| (0..q).map(move |b| (a, b))) {
        let mut block = out.submatrix_mut(a * rows, b * cols, rows, cols);
        for slice in slices {
            // Real weights keep real data real, so that groups come in conjugate pairs.
            let weight = T::from_real(f64::gaussian(rng));
            for j in 0..cols {
                for i in 0..rows {
                    block[(i, j)] += slice[(i, j)] * weight;
                }
            }
        }
    }
    out
}

/// Splits the values into groups of `size`, greedily by distance from the value farthest out, and returns
/// their means and the overlap.
fn grouped(mut values: Vec<C>, size: usize) -> (Vec<C>, f64) {
    let mut centres = Vec::with_capacity(values.len() / size.max(1));
    let mut spread = 0.0f64;
    while !values.is_empty() {
        // The farthest value has neighbours on one side only, so greedy choice errs least there.
        let mean: C = values.iter().sum::<C>() / values.len() as f64;
        let far = |z: &C| (z - mean).norm();
        let seed = values.iter().copied().fold(mean, |s, z| {
            // A relative margin keeps the order under rounding.
            if far(&z) > far(&s) * (1.0 + 1e-9) {
                z
            } else {
                s
            }
        });
        values.sort_by(|a, b| (a - seed).norm().total_cmp(&(b - seed).norm()));
        let group: Vec<C> = values.drain(..size.min(values.len())).collect();
        let centre = group.iter().sum::<C>() / group.len() as f64;
        let widest = group.iter().map(|z| (z - centre).norm());
        spread = spread.max(widest.fold(0.0, f64::max));
        centres.push(centre);
    }
    let mut gap = f64::INFINITY;
    for (i, a) in centres.iter().enumerate() {
        for b in &centres[..i] {
            gap = gap.min((a - b).norm());
        }
    }
    let size = centres.iter().map(|z| z.norm()).fold(0.0, f64::max);
    // Rounding keeps the spread from being zero, so the gap itself must count too.
    let overlap = (spread + 1e-15 * size) / gap;
    (
        centres,
        if overlap.is_nan() {
            f64::INFINITY
        } else {
            overlap
        },
    )
}

/// The row of blocks whose worst-conditioned block is best.
fn best_row<'a>(
    op: &'static str,
    count: usize,
    block: &impl Fn(usize, usize) -> MatRef<'a, C>,
) -> Result<usize, Error> {
    let mut best = (0, -1.0);
    for i in 0..count {
        let mut worst = f64::INFINITY;
        for j in (0..count).filter(|&j| j != i) {
            let s = complex_svd(op, block(i, j))?.s;
            let ratio = match (s.first(), s.last()) {
                (Some(&first), Some(&last)) if first > 0.0 => last / first,
                _ => 0.0,
            };
            worst = worst.min(ratio);
        }
        if worst > best.1 {
            best = (i, worst);
        }
        // A good row ends the search: the others could gain a factor of 20 in condition at most.
        if worst > 0.05 {
            break;
        }
    }
    let hypothesis = "eigenspaces tied by a third combination (least ratio of singular values)";
    if best.1 > 1e-12 || count == 1 {
        return Ok(best.0);
    }
    Err(Error::degenerate(op, hypothesis, best.1.max(0.0)))
}

fn unit(m: MatRef<'_, C>) -> Mat<C> {
    let size = complex_frobenius(m);
    let (a, b) = crate::linalg::reciprocal(if size > 0.0 { size } else { 1.0 });
    Mat::from_fn(m.nrows(), m.ncols(), |i, j| m[(i, j)] * a * b)
}

/// From `(I_p (x) A)(S (x) I)` to `A`: with one copy they are the same up to gauge; with more, the copies
/// side by side, rows `(i, a)`, are `A [S_1 .. S_p]`, of rank `R_b`.
fn merged(op: &'static str, spaces: Mat<C>, bonds: Bonds) -> Result<Mat<C>, Error> {
    let (p, _) = bonds.copies();
    if p == 1 {
        return Ok(spaces);
    }
    let (r, rows) = (bonds.outer, bonds.outer * bonds.left);
    let groups = spaces.ncols() / r;
    let wide = Mat::from_fn(rows * r, p * groups, |ia, tg| {
        let (i, a) = (ia % rows, ia / rows);
        let (t, g) = (tg / groups, tg % groups);
        spaces[(t * rows + i, g * r + a)]
    });
    let svd = complex_svd(op, wide.as_ref())?;
    Ok(Mat::from_fn(rows, rows, |i, ba| {
        let (b, a) = (ba / r, ba % r);
        svd.u[(i + rows * a, b)]
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_and_their_overlap_measured() {
        let z = |x: f64, y: f64| C::new(x, y);
        let values = vec![z(1.0, 0.0), z(-1.0, 2.0), z(1.1, 0.0), z(-1.0, 2.1)];
        let (centres, overlap) = grouped(values, 2);
        assert_eq!(centres.len(), 2);
        assert!(overlap > 0.01 && overlap < 0.05, "{overlap}");
    }
}
