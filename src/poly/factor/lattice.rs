//! Reduction of integer lattices: long vectors are removed by exact determinants, short ones found in floating point.

use super::modular::Check;
use crate::Error;
use crate::poly::coefficients::rational::Integer;

/// Entries stay below this, so that inner products fit 128 bits.
const MAX_ENTRY: i64 = 1 << 56;
/// Lovasz's constant.
const DELTA: f64 = 0.99;

/// Independent rows of integers.
pub(crate) struct Lattice {
    pub(crate) rows: Vec<Vec<i64>>,
}

/// What the floating-point side knows: exact inner products, and the orthogonalisation computed from them.
struct Gram {
    exact: Vec<Vec<i128>>,
    /// `r[k][j] = <b_k, b*_j>` for `j <= k`.
    r: Vec<Vec<f64>>,
    mu: Vec<Vec<f64>>,
}

fn inner(a: &[i64], b: &[i64]) -> i128 {
    let products = a.iter().zip(b);
    products.map(|(&x, &y)| i128::from(x) * i128::from(y)).sum()
}

impl Gram {
    fn new(rows: &[Vec<i64>]) -> Self {
        let n = rows.len();
        let exact = rows
            .iter()
            .map(|a| rows.iter().map(|b| inner(a, b)).collect())
            .collect();
        let zeros = vec![vec![0.0; n]; n];
        Self {
            exact,
            r: zeros.clone(),
            mu: zeros,
        }
    }

    /// Row `k` of the orthogonalisation.
    fn project(&mut self, k: usize) {
        for j in 0..=k {
            let mut sum = self.exact[k][j] as f64;
            for i in 0..j {
                sum -= self.mu[j][i] * self.r[k][i];
            }
            self.r[k][j] = sum;
            if j < k {
                self.mu[k][j] = sum / self.r[j][j];
            }
        }
    }

    /// `b_k -= x b_j`.
    fn subtract(&mut self, k: usize, j: usize, x: i64) {
        let x = i128::from(x);
        let (kj, jj) = (self.exact[k][j], self.exact[j][j]);
        self.exact[k][k] += x * (x * jj - 2 * kj);
        for i in (0..self.exact.len()).filter(|&i| i != k) {
            self.exact[k][i] -= x * self.exact[j][i];
            self.exact[i][k] = self.exact[k][i];
        }
    }

    fn swap(&mut self, i: usize, j: usize) {
        self.exact.swap(i, j);
        for row in &mut self.exact {
            row.swap(i, j);
        }
    }
}

impl Lattice {
    /// Reduces the rows (Lenstra, Lenstra, Lovasz; orthogonalisation in floating point from exact inner products). `false`
    /// when entries grow too long or rounding stands in the way: the rows are then of no use any more.
    ///
    /// # Errors
    /// What `check` says.
    pub(crate) fn reduce(&mut self, check: Check<'_>) -> Result<bool, Error> {
        let n = self.rows.len();
        let mut gram = Gram::new(&self.rows);
        let (mut k, mut steps) = (0, 0u64);
        while k < n {
            steps += 1;
            if steps.is_multiple_of(64) {
                check()?;
            }
            if steps > 200 * (n as u64 + 10) * (n as u64 + 10) || !self.shorten(&mut gram, k) {
                return Ok(false);
            }
            if k == 0 {
                k = 1;
                continue;
            }
            let r = &gram.r;
            let projected = r[k][k] + gram.mu[k][k - 1] * r[k][k - 1];
            if projected >= DELTA * r[k - 1][k - 1] {
                k += 1;
            } else {
                self.rows.swap(k, k - 1);
                gram.swap(k, k - 1);
                k -= 1;
            }
        }
        Ok(true)
    }

    /// Takes multiples of the rows before from row `k` until it is as short as that makes it.
    fn shorten(&mut self, gram: &mut Gram, k: usize) -> bool {
        for _ in 0..100 {
            gram.project(k);
            let mut changed = false;
            for j in (0..k).rev() {
                let x = gram.mu[k][j];
                if x.abs() <= 0.51 {
                    continue;
                }
                let whole = x.round();
                if !(whole.abs() < 1e15) || !self.subtract(k, j, whole as i64) {
                    return false;
                }
                gram.subtract(k, j, whole as i64);
                for i in 0..j {
                    gram.mu[k][i] -= whole * gram.mu[j][i];
                }
                gram.mu[k][j] -= whole;
                changed = true;
            }
            if !changed {
                return true;
            }
        }
        false
    }

    fn subtract(&mut self, k: usize, j: usize, x: i64) -> bool {
        let (low, high) = self.rows.split_at_mut(k);
        for (a, &b) in high[0].iter_mut().zip(&low[j]) {
            let next = b.checked_mul(x).and_then(|y| a.checked_sub(y));
            match next.filter(|v| v.abs() < MAX_ENTRY) {
                Some(v) => *a = v,
                // The row is left half way: the caller gives up with the whole lattice.
                None => return false,
            }
        }
        true
    }

    /// Removes trailing rows whose orthogonal parts are longer than `square` allows: no vector of the lattice with at most
    /// this square needs them. Exact: the orthogonal squares are quotients of Gram determinants (Bareiss 1968).
    pub(crate) fn remove_long(&mut self, square: i64) {
        let n = self.rows.len();
        let mut m: Vec<Vec<Integer>> = self
            .rows
            .iter()
            .map(|a| self.rows.iter().map(|b| inner(a, b).into()).collect())
            .collect();
        let mut before = Integer::ONE;
        let mut determinants = vec![Integer::ONE];
        for k in 0..n {
            let pivot = m[k][k].clone();
            if pivot == Integer::ZERO {
                return;
            }
            for i in k + 1..n {
                for j in k + 1..=i {
                    let value = (&pivot * &m[i][j] - &m[i][k] * &m[j][k]) / &before;
                    m[i][j] = value;
                }
            }
            determinants.push(pivot.clone());
            before = pivot;
        }
        let square = Integer::from(square);
        while let [.., low, high] = determinants.as_slice() {
            if *high <= low * &square {
                break;
            }
            determinants.pop();
            self.rows.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lattice;

    #[test]
    fn a_short_vector_hidden_by_long_ones_is_found() -> Result<(), crate::Error> {
        // Rows (1, 0, 0, a), (0, 1, 0, b), (0, 0, 1, c), (0, 0, 0, m) with 3 a - 5 b + 2 c = 0 modulo m.
        let (a, b, m) = (123_456_789i64, 987_654_321i64, 2_000_000_011i64);
        let c = (5 * b - 3 * a) / 2;
        assert_eq!(3 * a - 5 * b + 2 * c, 0);
        let rows = vec![
            vec![1, 0, 0, 1000 * (a % m)],
            vec![0, 1, 0, 1000 * (b % m)],
            vec![0, 0, 1, 1000 * (c % m)],
            vec![0, 0, 0, 1000 * m],
        ];
        let mut lattice = Lattice { rows };
        assert!(lattice.reduce(&|| Ok(()))?);
        lattice.remove_long(100);
        let short = |r: &Vec<i64>| r[..] == [3, -5, 2, 0] || r[..] == [-3, 5, -2, 0];
        assert!(lattice.rows.len() == 1 && lattice.rows.iter().all(short));
        Ok(())
    }
}
