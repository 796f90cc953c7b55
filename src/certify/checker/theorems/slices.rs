//! Ranks from slices that commute (docs/FORMATS.md, `cp-commuting` and `rank-above`).

use super::super::terms::Checked;
use super::integers::{Exact, Matrix, Tensor};
use crate::certify::json::malformed;
use dashu_int::IBig;

/// What the slices of a tensor say about its rank, the slice matrix `A` being of rank `rank`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::certify) enum Slices {
    /// The rank over C is that of `A`, with one decomposition; so many of its terms are real.
    Commuting { real: usize },
    /// The border rank is larger.
    NotCommuting,
    /// The rank is larger over every field that contains Q.
    NotDiagonal,
    /// The eigenvalues are not distinct, or slices leave the row and column spaces of `A`: nothing is known.
    Nothing,
}

/// Slices, a combination of them, and where its rank is found.
pub(in crate::certify) struct Combined {
    slices: Vec<Matrix>,
    whole: Matrix,
    rows: Vec<usize>,
    columns: Vec<usize>,
}

/// Some rows and columns of a matrix.
fn cut(m: &Matrix, rows: &[usize], columns: &[usize]) -> Matrix {
    let row = |i: &usize| columns.iter().map(|&j| m[*i][j].clone()).collect();
    rows.iter().map(row).collect()
}

/// The slices of a tensor of order three along a mode, the other modes in their order.
fn slices(t: &Tensor, mode: usize) -> Checked<Vec<Matrix>> {
    let &[n0, n1, n2] = &t.shape[..] else {
        return malformed("slices are those of a tensor of order three");
    };
    let at = |i: usize, j: usize, k: usize| t.entries[(i * n1 + j) * n2 + k].clone();
    let (count, rows, columns) = [(n0, n1, n2), (n1, n0, n2), (n2, n0, n1)][mode];
    let entry = |s: usize, i: usize, j: usize| match mode {
        0 => at(s, i, j),
        1 => at(i, s, j),
        _ => at(i, j, s),
    };
    let row = |s: usize, i: usize| (0..columns).map(|j| entry(s, i, j)).collect();
    let slice = |s: usize| (0..rows).map(|i| row(s, i)).collect();
    Ok((0..count).map(slice).collect())
}

impl Exact<'_> {
    fn combination(&mut self, slices: &[Matrix], weights: &[IBig]) -> Checked<Matrix> {
        let (rows, columns) = (slices[0].len(), slices[0][0].len());
        let mut sum = vec![vec![IBig::ZERO; columns]; rows];
        for (slice, w) in slices.iter().zip(weights) {
            for (out, row) in sum.iter_mut().zip(slice) {
                for (s, x) in out.iter_mut().zip(row) {
                    self.fma(s, w, x)?;
                }
            }
        }
        Ok(sum)
    }

    fn equal_products(&mut self, left: [&Matrix; 3], right: [&Matrix; 3]) -> Checked<bool> {
        let mut sides = Vec::new();
        for [x, y, z] in [left, right] {
            let xy = self.product(x, y)?;
            sides.push(self.product(&xy, z)?);
        }
        Ok(sides[0] == sides[1])
    }

    /// The rank of `A = sum a_k T_k`, with its first independent rows and columns, whose minor is not zero.
    pub(in crate::certify) fn combined_rank(
        &mut self,
        t: &Tensor,
        mode: usize,
        a: &[IBig],
    ) -> Checked<(usize, Combined)> {
        self.budget.spend(t.entries.len().saturating_mul(32))?;
        let slices = slices(t, mode)?;
        if a.len() != slices.len() {
            return malformed(format!("there are {} slices", slices.len()));
        }
        let whole = self.combination(&slices, a)?;
        let width = whole[0].len();
        let mut turned: Matrix = (0..width)
            .map(|j| whole.iter().map(|row| row[j].clone()).collect())
            .collect();
        let rows = self.eliminate(&mut turned, whole.len())?.columns;
        let columns = self.eliminate(&mut whole.clone(), width)?.columns;
        Ok((
            rows.len(),
            Combined {
                slices,
                whole,
                rows,
                columns,
            },
        ))
    }

    /// The rank of `A = sum a_k T_k`, and what `A` and `B = sum b_k T_k` say.
    pub(in crate::certify) fn slices(
        &mut self,
        t: &Tensor,
        mode: usize,
        [a, b]: [&[IBig]; 2],
    ) -> Checked<(usize, Slices)> {
        let (rank, found) = self.combined_rank(t, mode, a)?;
        let Combined {
            slices,
            whole,
            rows,
            columns,
        } = &found;
        if b.len() != a.len() {
            return malformed(format!("there are {} slices", slices.len()));
        }
        let block = cut(whole, rows, columns);
        let Some((d, inverse)) = self.inverse(&block)? else {
            return Ok((rank, Slices::Nothing));
        };
        if rank == 0 {
            return Ok((0, Slices::Nothing));
        }
        let cores: Vec<Matrix> = slices.iter().map(|s| cut(s, rows, columns)).collect();
        let second = self.combination(&cores, b)?;
        // X_b X_k = X_k X_b, where X_k = T_k A^-1.
        for core in &cores {
            if !self.equal_products([&second, &inverse, core], [core, &inverse, &second])? {
                return Ok((rank, Slices::NotCommuting));
            }
        }
        let p = self.pencil(&block, &second)?;
        let (real, part) = self.roots(&p)?;
        if let Some(part) = part {
            let x = self.product(&second, &inverse)?;
            let value = self.at_matrix(&part, &x, &d)?;
            let zero = value.iter().flatten().all(IBig::is_zero);
            return Ok((
                rank,
                if zero {
                    Slices::Nothing
                } else {
                    Slices::NotDiagonal
                },
            ));
        }
        if !self.contained(&found, &cores, (&d, &inverse))? {
            return Ok((rank, Slices::Nothing));
        }
        Ok((rank, Slices::Commuting { real }))
    }

    /// Whether all of `T` lies in the spaces of `A`; `inverse / d` is that of the block of `A`.
    fn contained(
        &mut self,
        found: &Combined,
        cores: &[Matrix],
        (d, inverse): (&IBig, &Matrix),
    ) -> Checked<bool> {
        let Combined {
            slices,
            whole,
            rows,
            columns,
        } = found;
        // T_k = A[:, J] A^-1 T_k[I, J] A^-1 A[I, :].
        let (all_rows, all_columns): (Vec<_>, Vec<_>) =
            ((0..whole.len()).collect(), (0..whole[0].len()).collect());
        let left = self.product(&cut(whole, &all_rows, columns), inverse)?;
        let right = self.product(inverse, &cut(whole, rows, &all_columns))?;
        let square = self.mul(d, d)?;
        for (slice, core) in slices.iter().zip(cores) {
            let half = self.product(&left, core)?;
            let again = self.product(&half, &right)?;
            for (x, y) in slice.iter().flatten().zip(again.iter().flatten()) {
                if self.mul(x, &square)? != *y {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
