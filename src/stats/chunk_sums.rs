//! Central sums of a block of rows, and the rule that merges two blocks.

use faer::{Mat, MatRef};

/// Count, mean and central sums of products of second and, if wanted, third order.
///
/// `second[a,b] = sum (z_a - m_a)(z_b - m_b)` for `a <= b`, packed with `a` fastest; `third[a,b,c]` likewise
/// for `a <= b <= c`. Empty `third` means that it is not kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChunkSums {
    pub(crate) count: u64,
    pub(crate) mean: Vec<f64>,
    pub(crate) second: Vec<f64>,
    pub(crate) third: Vec<f64>,
}

/// Rows whose pair products are formed at a time: bounds the working memory of the third order.
const BLOCK: usize = 512;

pub(crate) fn pair(a: usize, b: usize) -> usize {
    b * (b + 1) / 2 + a
}

pub(crate) fn pairs(d: usize) -> usize {
    d * (d + 1) / 2
}

pub(crate) fn triples(d: usize) -> usize {
    d * (d + 1) * (d + 2) / 6
}

pub(crate) fn triple(a: usize, b: usize, c: usize) -> usize {
    c * (c + 1) * (c + 2) / 6 + pair(a, b)
}

impl ChunkSums {
    /// The sums of a block of rows (row-major, `columns` entries each).
    ///
    /// Cost: `n d^2` multiply-adds for the second order and `n d^3 / 2` for the third, as matrix products.
    pub(crate) fn of(rows: &[f64], columns: usize, third_order: bool) -> Self {
        let (n, d) = (rows.len() / columns, columns);
        let mut mean = vec![0.0; d];
        for row in rows.chunks_exact(d) {
            row.iter().zip(&mut mean).for_each(|(x, m)| *m += x);
        }
        mean.iter_mut().for_each(|m| *m /= n as f64);
        let mut centred = rows.to_vec();
        for row in centred.chunks_exact_mut(d) {
            row.iter_mut().zip(&mean).for_each(|(x, m)| *x -= m);
        }
        let z = MatRef::from_row_major_slice(&centred, n, d);
        let gram = z.transpose() * z;
        let mut second = vec![0.0; pairs(d)];
        for b in 0..d {
            (0..=b).for_each(|a| second[pair(a, b)] = gram[(a, b)]);
        }
        let third = if third_order {
            third_sums(&centred, d)
        } else {
            Vec::new()
        };
        Self {
            count: n as u64,
            mean,
            second,
            third,
        }
    }

    /// The sums of both blocks together (Chan, Golub and LeVeque 1983; Pebay 2008 for the third order).
    ///
    /// With `e = mean_B - mean_A` and `n = n_A + n_B`:
    /// `second += e e' n_A n_B / n`, and
    /// `third += e e e n_A n_B (n_A - n_B) / n^2 + sum over the three places of e (n_A second_B - n_B second_A) / n`.
    pub(crate) fn merge(&self, other: &Self) -> Self {
        let d = self.mean.len();
        let (na, nb) = (self.count as f64, other.count as f64);
        let n = na + nb;
        let e: Vec<f64> = other
            .mean
            .iter()
            .zip(&self.mean)
            .map(|(b, a)| b - a)
            .collect();
        let mean = self
            .mean
            .iter()
            .zip(&e)
            .map(|(m, e)| m + e * (nb / n))
            .collect();
        let mut second = vec![0.0; self.second.len()];
        let mut third = vec![0.0; self.third.len()];
        let cross = na * nb / n;
        let mix: Vec<f64> = self
            .second
            .iter()
            .zip(&other.second)
            .map(|(a, b)| (na * b - nb * a) / n)
            .collect();
        for b in 0..d {
            for a in 0..=b {
                let ab = pair(a, b);
                second[ab] = self.second[ab] + other.second[ab] + e[a] * e[b] * cross;
            }
        }
        if !third.is_empty() {
            let cubic = cross * (na - nb) / n;
            for c in 0..d {
                for b in 0..=c {
                    for a in 0..=b {
                        let i = triple(a, b, c);
                        let mixed = e[a] * mix[pair(b, c)]
                            + e[b] * mix[pair(a, c)]
                            + e[c] * mix[pair(a, b)];
                        third[i] =
                            self.third[i] + other.third[i] + e[a] * e[b] * e[c] * cubic + mixed;
                    }
                }
            }
        }
        Self {
            count: self.count + other.count,
            mean,
            second,
            third,
        }
    }
}

/// `sum z_a z_b z_c` for `a <= b <= c`, by products of all pairs with the rows.
fn third_sums(centred: &[f64], d: usize) -> Vec<f64> {
    let p = pairs(d);
    let mut sums = Mat::<f64>::zeros(p, d);
    let mut products = Vec::with_capacity(BLOCK * p);
    for block in centred.chunks(BLOCK * d) {
        let n = block.len() / d;
        products.clear();
        for row in block.chunks_exact(d) {
            for b in 0..d {
                products.extend((0..=b).map(|a| row[a] * row[b]));
            }
        }
        let left = MatRef::from_row_major_slice(&products, n, p);
        let right = MatRef::from_row_major_slice(block, n, d);
        sums += left.transpose() * right;
    }
    let mut third = vec![0.0; triples(d)];
    for c in 0..d {
        for b in 0..=c {
            (0..=b).for_each(|a| third[triple(a, b, c)] = sums[(pair(a, b), c)]);
        }
    }
    third
}
