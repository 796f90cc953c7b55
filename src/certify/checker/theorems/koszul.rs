//! Koszul flattenings modulo a prime (docs/FORMATS.md, `border-rank`).

use super::super::terms::Checked;
use super::integers::{Exact, Matrix, Tensor};
use crate::Error;
use crate::certify::json::malformed;
use crate::certify::numbers::OP;
use dashu_int::IBig;

const MAX_P: usize = 8;
const MAX_ENTRIES: usize = 1 << 25;

/// Whether `n < 2^31` is a prime, by division.
pub(super) fn is_prime(n: u64) -> bool {
    n > 1
        && (2..=n / 2)
            .take_while(|d| d * d <= n)
            .all(|d| !n.is_multiple_of(d))
}

/// Subsets of `0..n` of a size, as bits, in order.
fn subsets(n: usize, size: usize) -> Vec<usize> {
    (0..1usize << n)
        .filter(|s| s.count_ones() as usize == size)
        .collect()
}

impl Exact<'_> {
    pub(super) fn residue(&mut self, x: &IBig, prime: u64) -> Checked<u64> {
        self.budget.spend(2 + x.as_sign_words().1.len())?;
        let rest = x % IBig::from(prime);
        let rest = if rest < IBig::ZERO {
            rest + IBig::from(prime)
        } else {
            rest
        };
        Ok(u64::try_from(rest).unwrap_or(0))
    }

    /// The rank of a matrix modulo a prime below 2^31.
    pub(super) fn modular_rank(&mut self, mut m: Vec<Vec<u64>>, prime: u64) -> Checked<usize> {
        let (width, mut rank) = (m.first().map_or(0, Vec::len), 0);
        for column in 0..width {
            self.budget.spend(32 + m.len())?;
            let Some(row) = (rank..m.len()).find(|&i| m[i][column] != 0) else {
                continue;
            };
            m.swap(rank, row);
            // Fermat: the inverse is the power prime - 2.
            let (mut inverse, mut base, mut e) = (1, m[rank][column], prime - 2);
            while e > 0 {
                if e % 2 == 1 {
                    inverse = inverse * base % prime;
                }
                (base, e) = (base * base % prime, e / 2);
            }
            let (above, below) = m.split_at_mut(rank + 1);
            let line = &above[rank][column..];
            for row in below.iter_mut().filter(|row| row[column] != 0) {
                self.budget.spend(1 + line.len() / 2)?;
                let factor = prime - row[column] * inverse % prime;
                for (x, y) in row[column..].iter_mut().zip(line) {
                    *x = (*x + factor * y) % prime;
                }
            }
            rank += 1;
        }
        Ok(rank)
    }

    /// The slices along a mode combined by the rows of the projection, modulo the prime: row, then the two other modes.
    fn projected(
        &mut self,
        t: &Tensor,
        (mode, others, d): (usize, [usize; 2], usize),
        projection: &Matrix,
        prime: u64,
    ) -> Checked<Vec<u64>> {
        let strides = [t.shape[1] * t.shape[2], t.shape[2], 1];
        let [nb, nc] = others.map(|k| t.shape[k]);
        let residues = t.entries.iter().map(|x| self.residue(x, prime));
        let residues = residues.collect::<Checked<Vec<_>>>()?;
        let mut projected = vec![0; d * nb * nc];
        for (i, weights) in projection.iter().enumerate() {
            for (a, w) in weights.iter().enumerate() {
                let w = self.residue(w, prime)?;
                self.budget.spend(nb * nc / 4)?;
                for (b, c) in (0..nb).flat_map(|b| (0..nc).map(move |c| (b, c))) {
                    let at = a * strides[mode] + b * strides[others[0]] + c * strides[others[1]];
                    let slot = &mut projected[(i * nb + b) * nc + c];
                    *slot = (*slot + w * residues[at]) % prime;
                }
            }
        }
        Ok(projected)
    }

    /// The least border rank that the Koszul flattening with this projection of a mode to dimension `2p + 1` shows.
    pub(in crate::certify) fn koszul(
        &mut self,
        t: &Tensor,
        (mode, p): (usize, usize),
        projection: &Matrix,
        prime: u64,
    ) -> Checked<usize> {
        if t.shape.len() != 3 {
            return malformed("Koszul flattenings are those of a tensor of order three");
        }
        self.budget.spend(1 << 14)?;
        if prime >= 1 << 31 || !is_prime(prime) {
            return malformed(format!("{prime} is no prime below 2^31"));
        }
        if p > MAX_P {
            return Err(Error::limit(OP, "p", MAX_P as u64));
        }
        let d = 2 * p + 1;
        let others = [[1, 2], [0, 2], [0, 1]][mode];
        let [nb, nc] = others.map(|k| t.shape[k]);
        let (smaller, larger) = (subsets(d, p), subsets(d, p + 1));
        // C(2p + 1, p) = C(2p + 1, p + 1), and a vector of rank one has rank C(2p, p).
        let single = subsets(d - 1, p).len();
        let (rows, columns) = (larger.len() * nc, smaller.len() * nb);
        let entries = rows.saturating_mul(columns);
        if entries > MAX_ENTRIES {
            return Err(Error::limit(
                OP,
                "entries of a flattening",
                MAX_ENTRIES as u64,
            ));
        }
        self.budget.spend(8 * entries)?;
        self.budget.spend(8 * t.entries.len())?;
        let projected = self.projected(t, (mode, others, d), projection, prime)?;
        // e_S (x) b goes to the sum of e_i ^ e_S (x) T(i, b, .) over the i that are not in S.
        let mut matrix = vec![vec![0; columns]; rows];
        for (s, set) in smaller.iter().enumerate() {
            for i in (0..d).filter(|i| set >> i & 1 == 0) {
                let Ok(into) = larger.binary_search(&(set | 1 << i)) else {
                    continue;
                };
                let odd = (set & ((1 << i) - 1)).count_ones() % 2 == 1;
                for (b, c) in (0..nb).flat_map(|b| (0..nc).map(move |c| (b, c))) {
                    let x = projected[(i * nb + b) * nc + c];
                    let x = if odd && x > 0 { prime - x } else { x };
                    matrix[into * nc + c][s * nb + b] = x;
                }
            }
        }
        Ok(self.modular_rank(matrix, prime)?.div_ceil(single))
    }
}
