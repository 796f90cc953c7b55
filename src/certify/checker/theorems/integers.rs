//! Tensors and matrices of integers; each operation is paid before it is done.

use super::super::terms::Checked;
use crate::Error;
use crate::certify::json::{Json, is_whole, malformed};
use crate::certify::numbers::{Budget, OP, whole, words};
use crate::certify::rings::MAX_EXPONENT;
use dashu_int::{IBig, ops::BitTest, ops::Gcd};
use dashu_ratio::RBig;

pub(in crate::certify) type Matrix = Vec<Vec<IBig>>;
const MAX_MODES: usize = 64;

/// Entries with the last index fastest, times the positive number `denominator`.
#[derive(Clone)]
pub(in crate::certify) struct Tensor {
    pub(in crate::certify) shape: Vec<usize>,
    pub(in crate::certify) entries: Vec<IBig>,
    pub(in crate::certify) denominator: IBig,
}

/// What elimination finds: the columns of the pivots, the first independent ones; the last pivot; and whether an
/// odd number of rows changed places.
pub(super) struct Echelon {
    pub(super) columns: Vec<usize>,
    pub(super) last: IBig,
    pub(super) odd: bool,
}

/// Arithmetic with a budget.
pub(in crate::certify) struct Exact<'a> {
    pub(in crate::certify) budget: &'a mut Budget,
}

pub(super) fn length(a: &IBig) -> usize {
    1 + a.bit_len() / 64
}

impl Exact<'_> {
    pub(super) fn mul(&mut self, a: &IBig, b: &IBig) -> Checked<IBig> {
        self.budget.spend(2 + length(a) * length(b))?;
        Ok(a * b)
    }

    /// `sum += a b`.
    pub(super) fn fma(&mut self, sum: &mut IBig, a: &IBig, b: &IBig) -> Checked<()> {
        if !a.is_zero() && !b.is_zero() {
            self.budget.spend(3 + length(a) * length(b) + length(sum))?;
            *sum += a * b;
        }
        Ok(())
    }

    /// The quotient of a division without remainder.
    fn exact_quotient(&mut self, a: &IBig, b: &IBig) -> Checked<IBig> {
        self.budget.spend(4 + length(a) * length(b))?;
        Ok(a / b)
    }

    /// The greatest common divisor, not negative.
    pub(super) fn gcd(&mut self, a: &IBig, b: &IBig) -> Checked<IBig> {
        if a.is_zero() || b.is_zero() {
            return Ok(if *a < IBig::ZERO || *b < IBig::ZERO {
                -(a + b)
            } else {
                a + b
            });
        }
        let n = length(a) + length(b);
        self.budget.spend(4 + n * n)?;
        Ok(a.gcd(b).into())
    }

    /// A whole number of any length.
    pub(super) fn integer(&mut self, json: &Json) -> Checked<IBig> {
        match json {
            Json::Number(text) if is_whole(text) => (),
            Json::Text(_) => (),
            other => return malformed(format!("{} is no whole number", other.short())),
        }
        let value = self.budget.rational(json, false)?;
        match value.is_int() {
            true => Ok(value.numerator().clone()),
            false => malformed(format!("{} is no whole number", json.short())),
        }
    }

    pub(super) fn integers(&mut self, json: &Json) -> Checked<Vec<IBig>> {
        json.list()?.iter().map(|n| self.integer(n)).collect()
    }

    pub(super) fn matrix(
        &mut self,
        json: &Json,
        (rows, columns): (usize, usize),
    ) -> Checked<Matrix> {
        let list = json.list()?.iter();
        let matrix = list
            .map(|row| self.integers(row))
            .collect::<Checked<Matrix>>()?;
        if matrix.len() != rows || matrix.iter().any(|row| row.len() != columns) {
            return malformed(format!(
                "a matrix must have {rows} rows of {columns} numbers"
            ));
        }
        Ok(matrix)
    }

    /// Rationals times their least common denominator, and that.
    pub(super) fn cleared(&mut self, values: &[RBig]) -> Checked<(Vec<IBig>, IBig)> {
        let mut common = IBig::ONE;
        for value in values {
            let d = IBig::from(value.denominator().clone());
            if d != IBig::ONE {
                let divisor = self.gcd(&common, &d)?;
                let rest = self.exact_quotient(&d, &divisor)?;
                common = self.mul(&common, &rest)?;
            }
        }
        let mut cleared = Vec::with_capacity(values.len());
        for value in values {
            // In memory: a place and the number.
            self.budget
                .spend(24 + 8 * (words(value) + length(&common)))?;
            let rest = self.exact_quotient(&common, &value.denominator().clone().into())?;
            cleared.push(self.mul(value.numerator(), &rest)?);
        }
        Ok((cleared, common))
    }

    /// `{"matmul": [n, m, p]}` or `{"dense": {"shape", "entries"}}` over the rationals.
    pub(in crate::certify) fn target(&mut self, json: &Json) -> Checked<Tensor> {
        let size = |n: &Json| Ok(whole(n, 1, MAX_EXPONENT)? as usize);
        let sizes = |json: &Json| json.list()?.iter().map(size).collect::<Checked<Vec<_>>>();
        if let Ok([dims]) = json.fields(["matmul"]) {
            let [r, s, t] = sizes(dims)?[..] else {
                return malformed("a matrix multiplication has three sizes");
            };
            let shape = vec![r * s, s * t, r * t];
            let volume = shape.iter().try_fold(1usize, |v, n| v.checked_mul(*n));
            let volume = volume.ok_or(Error::limit(OP, "entries", u64::MAX))?;
            self.budget.spend(volume.saturating_mul(32))?;
            let mut entries = vec![IBig::ZERO; volume];
            for (i, j) in (0..r).flat_map(|i| (0..s).map(move |j| (i, j))) {
                for k in 0..t {
                    let at = ((i * s + j) * s * t + j * t + k) * r * t + i * t + k;
                    entries[at] = IBig::ONE;
                }
            }
            let denominator = IBig::ONE;
            return Ok(Tensor {
                shape,
                entries,
                denominator,
            });
        }
        let [dense] = json.fields(["dense"])?;
        let [shape, entries] = dense.fields(["shape", "entries"])?;
        let (shape, list) = (sizes(shape)?, entries.list()?);
        let volume = shape.iter().try_fold(1usize, |v, n| v.checked_mul(*n));
        if volume != Some(list.len()) || shape.len() > MAX_MODES {
            return malformed(format!("the target has not {} entries", list.len()));
        }
        let values = list.iter().map(|v| self.budget.rational(v, false));
        let values = values.collect::<Checked<Vec<_>>>()?;
        let (entries, denominator) = self.cleared(&values)?;
        Ok(Tensor {
            shape,
            entries,
            denominator,
        })
    }

    pub(super) fn product(&mut self, a: &Matrix, b: &Matrix) -> Checked<Matrix> {
        let columns = b.first().map_or(0, Vec::len);
        let mut product = vec![vec![IBig::ZERO; columns]; a.len()];
        for (row, out) in a.iter().zip(&mut product) {
            for (x, line) in row.iter().zip(b) {
                for (sum, y) in out.iter_mut().zip(line) {
                    self.fma(sum, x, y)?;
                }
            }
        }
        Ok(product)
    }

    /// Gauss-Jordan elimination without fractions (Bareiss 1968) on the first `width` columns: each pivot column
    /// ends as the last pivot in the pivot's row and zeros elsewhere.
    pub(super) fn eliminate(&mut self, m: &mut Matrix, width: usize) -> Checked<Echelon> {
        let (mut columns, mut last, mut odd) = (Vec::new(), IBig::ONE, false);
        for column in 0..width {
            let top = columns.len();
            self.budget.spend(1 + m.len())?;
            let Some(row) = (top..m.len()).find(|&i| !m[i][column].is_zero()) else {
                continue;
            };
            odd ^= row != top;
            m.swap(top, row);
            let line = m[top].clone();
            for (_, row) in m.iter_mut().enumerate().filter(|row| row.0 != top) {
                let factor = -row[column].clone();
                for (j, value) in row.iter_mut().enumerate() {
                    let mut next = self.mul(&line[column], value)?;
                    self.fma(&mut next, &factor, &line[j])?;
                    *value = self.exact_quotient(&next, &last)?;
                }
            }
            last = line[column].clone();
            columns.push(column);
        }
        Ok(Echelon { columns, last, odd })
    }

    /// The determinant of a square matrix.
    pub(super) fn determinant(&mut self, mut m: Matrix) -> Checked<IBig> {
        let n = m.len();
        let found = self.eliminate(&mut m, n)?;
        Ok(match (found.columns.len() == n, found.odd) {
            (false, _) => IBig::ZERO,
            (true, true) => -found.last,
            (true, false) => found.last,
        })
    }

    /// `d` and `d A^-1` for a number `d` that is not zero; `None` for a singular matrix.
    pub(super) fn inverse(&mut self, a: &Matrix) -> Checked<Option<(IBig, Matrix)>> {
        let n = a.len();
        let unit = |i: usize| (0..n).map(move |j| IBig::from(u8::from(i == j)));
        let beside = |(i, row): (usize, &Vec<IBig>)| row.iter().cloned().chain(unit(i)).collect();
        let mut wide: Matrix = a.iter().enumerate().map(beside).collect();
        let found = self.eliminate(&mut wide, n)?;
        let right = wide.into_iter().map(|row| row[n..].to_vec()).collect();
        Ok((found.columns.len() == n).then_some((found.last, right)))
    }
}
