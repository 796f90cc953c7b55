//! The kernels of Hermite degrees between samples, and the law of a quadratic form in them under permutation.

use faer::Mat;
use rayon::prelude::*;
use std::ops::Range;

/// Rows of a block of kernels.
const BLOCK: usize = 128;

/// Power sums of a residual that no permutation changes.
pub(super) struct Squares {
    second: f64,
    fourth: f64,
    n: f64,
}

impl Squares {
    pub(super) fn of(e: &[f64]) -> Self {
        let sum = |p: i32| e.iter().map(|v| v.powi(p)).sum::<f64>();
        Self {
            second: sum(2),
            fourth: sum(4),
            n: e.len() as f64,
        }
    }
}

/// Sums of a symmetric kernel off its diagonal: of the entries, of their squares, of the squared row sums.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub entries: f64,
    pub squares: f64,
    pub rows: f64,
}

/// Mean and standard deviation of `e'Ke` over all orders of `e`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Law {
    mean: f64,
    sd: f64,
}

impl Sums {
    /// Over ordered pairs: those that are equal or turned, those that share one index, those that share none.
    pub(super) fn law(&self, e: &Squares) -> Law {
        let n = e.n;
        let of = |total: f64, squares: f64, rows: f64| {
            let shared = rows - squares;
            let apart = total * total + 2.0 * squares - 4.0 * rows;
            (squares, shared, apart)
        };
        let k = of(self.entries, self.squares, self.rows);
        let y = of(-e.second, e.second * e.second - e.fourth, e.fourth);
        let pairs = n * (n - 1.0);
        let mean = -self.entries * e.second / pairs;
        let second =
            2.0 * k.0 * y.0 + 4.0 * k.1 * y.1 / (n - 2.0) + k.2 * y.2 / ((n - 2.0) * (n - 3.0));
        let variance = second / pairs - mean * mean;
        let sd = variance.max(0.0).sqrt();
        Law { mean, sd }
    }
}

impl Law {
    pub(super) fn deviation(&self, value: f64) -> f64 {
        if self.sd > 0.0 {
            (value - self.mean) / self.sd
        } else {
            0.0
        }
    }

    /// The energy at so many deviations against the residual's, which is one.
    pub(super) fn visible(&self, deviations: f64, n: usize) -> f64 {
        let pairs = n as f64 * (n as f64 - 1.0);
        (deviations * self.sd / pairs).min(1.0)
    }
}

/// What the kernels of all degrees give: their sums, and `e'Ke` for `e` and each of its orders.
pub(super) struct Tables {
    pub laws: Vec<Sums>,
    /// By order of the residual, then by degree.
    pub values: Vec<Vec<f64>>,
}

/// A block of rows of the lower triangles of all kernels.
struct Block {
    entries: Vec<f64>,
    squares: Vec<f64>,
    /// By degree, what the block adds to the row sums.
    rows: Vec<Vec<f64>>,
    values: Vec<Vec<f64>>,
}

/// The kernels `<H_k(x), H_k(x')> / k!`, off the diagonal, for `k = 1..=top`.
///
/// With `c = <x, x'>` and `q = |x|^2 + |x'|^2` they have
/// `(m+1) f_{m+1} = c f_m + (d - q + 2(m-1)) f_{m-1} + c f_{m-2} - (d + m - 3) f_{m-3}`.
pub(super) fn kernels(x: &Mat<f64>, top: usize, e: &[f64], orders: Option<&Mat<f64>>) -> Tables {
    let n = x.nrows();
    let blocks: Vec<Block> = (0..n.div_ceil(BLOCK))
        .into_par_iter()
        .map(|b| block(x, top, e, orders, b * BLOCK))
        .collect();
    let count = 1 + orders.map_or(0, Mat::ncols);
    let mut rows = vec![vec![0.0; n]; top];
    let mut out = Tables {
        laws: vec![Sums::default(); top],
        values: vec![vec![0.0; top]; count],
    };
    for b in &blocks {
        for k in 0..top {
            out.laws[k].entries += 2.0 * b.entries[k];
            out.laws[k].squares += 2.0 * b.squares[k];
            let pairs = rows[k].iter_mut().zip(&b.rows[k]);
            pairs.for_each(|(r, part)| *r += part);
            for (v, part) in out.values.iter_mut().zip(&b.values) {
                v[k] += 2.0 * part[k];
            }
        }
    }
    for (law, rows) in out.laws.iter_mut().zip(&rows) {
        law.rows = rows.iter().map(|r| r * r).sum();
    }
    out
}

fn block(x: &Mat<f64>, top: usize, e: &[f64], orders: Option<&Mat<f64>>, from: usize) -> Block {
    let (n, d) = (x.nrows(), x.ncols() as f64);
    let m = BLOCK.min(n - from);
    let width = from + m;
    let columns = x.transpose();
    let products = columns.subcols(0, width).transpose() * columns.subcols(from, m);
    let length = |i: usize| x.row(i).iter().map(|v| v * v).sum::<f64>();
    let lengths: Vec<f64> = (0..width).map(length).collect();
    // Four steps back, the degree at hand, and one matrix for each degree: `width x m`, zero from the diagonal on.
    let size = if orders.is_some() { width } else { 0 };
    let mut tables: Vec<Mat<f64>> = (0..top).map(|_| Mat::zeros(size, m)).collect();
    let mut out = Block {
        entries: vec![0.0; top],
        squares: vec![0.0; top],
        rows: vec![vec![0.0; width]; top],
        values: Vec::new(),
    };
    let mut seen = vec![0.0; top];
    let mut f = vec![vec![0.0; width]; 5];
    for j in 0..m {
        let here = from + j;
        let c = &products.col_as_slice(j)[..here];
        f.iter_mut().for_each(|f| f.fill(0.0));
        f[0].fill(1.0);
        for k in 0..top {
            // f[0] has degree k, f[3] degree k - 3; f[4] becomes degree k + 1.
            let (at, last) = (k as f64, f.len() - 1);
            let (old, new) = f.split_at_mut(last);
            let lead = d + 2.0 * (at - 1.0) - lengths[here];
            let (mut sum, mut square, mut value) = (0.0, 0.0, 0.0);
            for a in 0..here {
                let v = (c[a] * (old[0][a] + old[2][a]) + (lead - lengths[a]) * old[1][a]
                    - (d + at - 3.0) * old[3][a])
                    / (at + 1.0);
                new[0][a] = v;
                sum += v;
                square += v * v;
                value += v * e[a];
                out.rows[k][a] += v;
            }
            out.rows[k][here] += sum;
            out.entries[k] += sum;
            out.squares[k] += square;
            seen[k] += value * e[here];
            if size > 0 {
                tables[k].col_as_slice_mut(j)[..here].copy_from_slice(&new[0][..here]);
            }
            f.rotate_right(1);
        }
    }
    out.values.push(seen);
    if let Some(orders) = orders {
        out.values.extend(by_order(&tables, orders, from..width));
    }
    out
}

/// The forms of the tables in each of the orders, by degree; `rows` are those of this block.
fn by_order(tables: &[Mat<f64>], orders: &Mat<f64>, rows: Range<usize>) -> Vec<Vec<f64>> {
    let mut values = vec![vec![0.0; tables.len()]; orders.ncols()];
    for (k, table) in tables.iter().enumerate() {
        let images = table.transpose() * orders.as_ref().subrows(0, rows.end);
        for (p, values) in values.iter_mut().enumerate() {
            let own = &orders.col_as_slice(p)[rows.clone()];
            let pairs = images.col_as_slice(p).iter().zip(own);
            values[k] = pairs.map(|(a, b)| a * b).sum();
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pseudo(i: usize) -> f64 {
        (i as f64 * 1.7 + 0.3).sin() * 1.5
    }

    /// Every order of five residuals, one by one.
    #[test]
    fn moments_under_permutation_are_exact() {
        let n = 5;
        let k = |i: usize, j: usize| {
            if i == j {
                0.0
            } else {
                pseudo(7 * i.min(j) + i.max(j))
            }
        };
        let mut e: Vec<f64> = (0..n).map(|i| pseudo(90 + i * i)).collect();
        let mean = e.iter().sum::<f64>() / n as f64;
        e.iter_mut().for_each(|v| *v -= mean);
        let row = |i: usize| (0..n).map(|j| k(i, j)).sum::<f64>();
        let all = |p: i32| (0..n * n).map(|a| k(a / n, a % n).powi(p)).sum::<f64>();
        let sums = Sums {
            entries: all(1),
            squares: all(2),
            rows: (0..n).map(|i| row(i).powi(2)).sum(),
        };
        let law = sums.law(&Squares::of(&e));
        let mut values = Vec::new();
        for code in 0..n.pow(n as u32) {
            let order: Vec<usize> = (0..n).map(|i| code / n.pow(i as u32) % n).collect();
            if (0..n).all(|i| order.contains(&i)) {
                let pair = |a: usize| k(a / n, a % n) * e[order[a / n]] * e[order[a % n]];
                values.push((0..n * n).map(pair).sum::<f64>());
            }
        }
        let count = values.len() as f64;
        let centre = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / count;
        assert_eq!(count, 120.0);
        assert!((law.mean - centre).abs() < 1e-12, "{law:?} {centre}");
        assert!(
            (law.sd - variance.sqrt()).abs() < 1e-12,
            "{law:?} {variance}"
        );
    }

    /// In one dimension the kernel is `He_k(x) He_k(y) / k!`.
    #[test]
    fn kernels_are_those_of_hermite_polynomials() {
        let n = 150;
        let x = Mat::from_fn(n, 1, |i, _| pseudo(i));
        let e: Vec<f64> = (0..n).map(|i| pseudo(1000 + i)).collect();
        let mut orders = Mat::from_fn(n, 2, |i, p| pseudo(2000 + 3 * i + p));
        orders.col_as_slice_mut(1).copy_from_slice(&e);
        let tables = kernels(&x, 5, &e, Some(&orders));
        let he = |k: usize, z: f64| {
            let step = |(a, b): (f64, f64), j: usize| (b, z * b - j as f64 * a);
            (0..k).fold((0.0, 1.0), step).1
        };
        let mut factorial = 1.0;
        for k in 1..=5 {
            factorial *= k as f64;
            let h: Vec<f64> = (0..n).map(|i| he(k, x[(i, 0)])).collect();
            let inner: f64 = h.iter().zip(&e).map(|(a, b)| a * b).sum();
            let own: f64 = h.iter().zip(&e).map(|(a, b)| (a * b).powi(2)).sum();
            let right = (inner * inner - own) / factorial;
            let [seen, again] = [0, 2].map(|p| tables.values[p][k - 1]);
            assert!((seen - right).abs() <= 1e-10 * own, "{k}: {seen} {right}");
            assert!((again - right).abs() <= 1e-10 * own, "{k}: {again} {right}");
        }
    }
}
