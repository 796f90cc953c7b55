//! Coordinates in which a sample has covariance one, and the linear relations that leave it without any.
//!
//! Columns are scaled by their standard deviations first and the singular values are those of the rows, not of their
//! products, which would lose half of the digits. So neither the units of the columns nor nearly equal columns matter.

use super::input_check::constant_column;
use crate::Error;
use crate::linalg::{thin_qr, thin_svd};
use faer::Mat;

/// A direction is a relation when its spread is below so many units in the last place of the entries that it combines.
const ULPS: f64 = 64.0;
/// Coefficients of a relation below this share of the largest are rounding.
const NO_PART: f64 = 1e-8;
/// Rows that are factored together.
const BLOCK: usize = 4096;
/// Relations that are written out.
const WRITTEN: usize = 3;

/// `y = down (x - centre)` has mean zero and covariance one over the rows.
#[derive(Clone, Debug)]
pub(super) struct Whitening {
    pub(super) centre: Vec<f64>,
    /// Standard deviations of the columns.
    pub(super) scales: Vec<f64>,
    /// Standard deviations along the axes of the scaled columns, decreasing.
    pub(super) spreads: Vec<f64>,
    /// The axes as columns, `dim x dim`.
    pub(super) axes: Mat<f64>,
}

impl Whitening {
    /// Of row-major `rows`.
    ///
    /// # Errors
    /// `InvalidInput` for no more rows than columns, a constant column or columns with an exact linear relation, which is
    /// written out.
    ///
    /// # Complexity
    /// `O(rows * dim^2)`.
    pub(super) fn of(op: &'static str, rows: &[f64], dim: usize) -> Result<Self, Error> {
        let n = rows.len() / dim.max(1);
        if n <= dim {
            let requirement = format!(
                "more rows than columns: {n} rows of {dim} columns lie in a plane, where no law with a density puts them; \
                 bring more rows or leave columns out"
            );
            return Err(Error::invalid(op, requirement));
        }
        constant_column(op, rows, dim)?;
        let column = |a: usize| rows.iter().skip(a).step_by(dim);
        let mut centre = Vec::with_capacity(dim);
        let mut scales = Vec::with_capacity(dim);
        for a in 0..dim {
            // About the first entry, so that a far mean costs no digits.
            let first = rows[a];
            let shift = column(a).map(|x| x - first).sum::<f64>() / n as f64;
            let square = column(a).map(|x| (x - first - shift).powi(2)).sum::<f64>() / n as f64;
            centre.push(first + shift);
            scales.push(square.sqrt().max(f64::MIN_POSITIVE));
        }
        let root = (n as f64).sqrt();
        let entry = |row: &[f64], a: usize| (row[a] - centre[a]) / scales[a] / root;
        // Block after block, so that no second copy of the rows is made.
        let mut triangle = Mat::<f64>::zeros(0, dim);
        for block in rows.chunks(BLOCK.max(2 * dim) * dim) {
            let (above, count) = (triangle.nrows(), block.len() / dim);
            let stacked = Mat::from_fn(above + count, dim, |i, a| match i.checked_sub(above) {
                None => triangle[(i, a)],
                Some(i) => entry(&block[i * dim..(i + 1) * dim], a),
            });
            triangle = thin_qr(op, stacked.as_ref())?.1;
        }
        let svd = thin_svd(op, triangle.as_ref())?;
        let whitening = Self {
            centre,
            scales,
            spreads: svd.s,
            axes: svd.v,
        };
        whitening.without_relations(op, rows)?;
        Ok(whitening)
    }

    /// Refuses directions whose spread is what rounding alone would give.
    fn without_relations(&self, op: &'static str, rows: &[f64]) -> Result<(), Error> {
        let dim = self.scales.len();
        let largest: Vec<f64> = (0..dim)
            .map(|a| {
                let entries = rows.iter().skip(a).step_by(dim);
                1.0 + entries.fold(0.0f64, |m, x| m.max(x.abs())) / self.scales[a]
            })
            .collect();
        let rounding = |k: usize| -> f64 {
            let each = (0..dim).map(|a| (self.axes[(a, k)] * largest[a]).powi(2));
            ULPS * f64::EPSILON * each.sum::<f64>().sqrt()
        };
        let null: Vec<usize> = (0..dim)
            .filter(|&k| !(self.spreads[k] > rounding(k)))
            .collect();
        if null.is_empty() {
            return Ok(());
        }
        let directions = Mat::from_fn(null.len(), dim, |i, a| self.axes[(a, null[i])]);
        let relations = self.written(directions);
        let more = null.len().saturating_sub(WRITTEN);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let requirement = format!(
            "columns without an exact linear relation, but {}{more} in every row; leave out a column of each",
            relations.join(", ")
        );
        Err(Error::invalid(op, requirement))
    }

    /// The relations of a basis of null directions, each solved for one column that the others do not contain.
    fn written(&self, mut v: Mat<f64>) -> Vec<String> {
        let (count, dim) = (v.nrows(), v.ncols());
        let mut pivots: Vec<usize> = Vec::new();
        for i in 0..count {
            let places = (i..count).flat_map(|r| (0..dim).map(move |a| (r, a)));
            let best = places.max_by(|x, y| v[*x].abs().total_cmp(&v[*y].abs()));
            let Some((r, a)) = best else { break };
            for b in 0..dim {
                let (upper, lower) = (v[(i, b)], v[(r, b)]);
                (v[(i, b)], v[(r, b)]) = (lower, upper);
            }
            let lead = v[(i, a)];
            (0..dim).for_each(|b| v[(i, b)] /= lead);
            for r in (0..count).filter(|r| *r != i) {
                let factor = v[(r, a)];
                (0..dim).for_each(|b| v[(r, b)] -= factor * v[(i, b)]);
            }
            pivots.push(a);
        }
        let text = |(i, &p): (usize, &usize)| {
            let mut terms = Vec::new();
            let mut constant = self.centre[p];
            let mut size = self.centre[p].abs() + self.scales[p];
            for b in (0..dim).filter(|b| *b != p && v[(i, *b)].abs() > NO_PART) {
                let c = -v[(i, b)] * self.scales[p] / self.scales[b];
                constant -= c * self.centre[b];
                size += (c * self.centre[b]).abs();
                terms.push(format!("{} * column {b}", short(c)));
            }
            if constant.abs() > 1e-12 * size || terms.is_empty() {
                terms.push(short(constant));
            }
            format!("column {p} = {}", terms.join(" + "))
        };
        pivots.iter().enumerate().take(WRITTEN).map(text).collect()
    }
}

/// Nine significant digits, without zeros at the end.
fn short(x: f64) -> String {
    let rounded: f64 = format!("{x:.8e}").parse().unwrap_or(x);
    format!("{rounded}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn wave(i: usize, a: usize) -> f64 {
        ((i * i * (a + 1) + 7 * i) as f64 * 0.618).sin()
    }

    fn rows(f: impl Fn(usize) -> Vec<f64>) -> (Vec<f64>, usize) {
        let dim = f(0).len();
        ((0..80).flat_map(f).collect(), dim)
    }

    #[test]
    fn exact_relations_are_named_in_the_units_of_the_columns() {
        let refused = |(rows, dim): (Vec<f64>, usize)| {
            let e = Whitening::of("test", &rows, dim).unwrap_err();
            assert!(matches!(e, Error::InvalidInput { .. }), "{e}");
            e.to_string()
        };
        let twice = refused(rows(|i| vec![wave(i, 0), 2.0 * wave(i, 0)]));
        let named = twice.contains("column 1 = 2 * column 0")
            || twice.contains("column 0 = 0.5 * column 1");
        assert!(named, "{twice}");
        let shares = refused(rows(|i| {
            let (a, b, c) = (wave(i, 0).abs(), wave(i, 1).abs(), 0.1 + wave(i, 2).abs());
            let sum = a + b + c;
            vec![1e6 * a / sum, b / sum, c / sum]
        }));
        let right = shares.contains("-1 * column 1 + 1")
            || shares.contains("-1 * column 2 + 1")
            || shares.contains("1000000");
        assert!(right, "{shares}");
        // Rank two of five.
        let five = refused(rows(|i| {
            let (a, b) = (wave(i, 0), wave(i, 1));
            vec![a, b, a + b, a - b, 3.0 * a + 1e4]
        }));
        assert_eq!(five.matches(" = ").count(), 3, "{five}");
        refused(((0..40).map(|i| wave(i, 3)).collect(), 10));
    }

    #[test]
    fn nearly_equal_columns_and_far_units_are_no_relations() {
        for (a, b) in [(1e-4, 0.0), (1e-10, 0.0), (1e-6, 1e3)] {
            let (x, dim) = rows(|i| vec![wave(i, 0) + b, 1e7 * (wave(i, 0) + a * wave(i, 1))]);
            let w = Whitening::of("test", &x, dim).unwrap();
            assert!(
                w.spreads[1] > 0.1 * a && w.spreads[1] < 2.0 * a,
                "{:?}",
                w.spreads
            );
        }
    }
}
