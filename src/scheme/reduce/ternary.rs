//! Elimination of common sums of two in matrices with entries -1, 0, 1, on words of bits.

use crate::scheme::search::vectors::Dice;

/// Variables, the fresh ones included.
pub(crate) const MAX_VARIABLES: usize = 1 << 11;

/// For each variable the rows that hold it and those that hold its negative; `W` words of 64 rows.
#[derive(Clone, Debug)]
pub(crate) struct Table<const W: usize> {
    plus: Vec<[u64; W]>,
    minus: Vec<[u64; W]>,
    /// For each pair `v < w`, at `w (w - 1) / 2 + v`: rows with equal signs, and with opposite signs.
    counts: Vec<[u8; 2]>,
}

/// A fresh variable: `first + second`, or `first - second`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) opposite: bool,
}

fn ones<const W: usize>(a: &[u64; W], b: &[u64; W], c: &[u64; W], d: &[u64; W]) -> u8 {
    let words = (0..W).map(|k| ((a[k] & b[k]) | (c[k] & d[k])).count_ones());
    words.sum::<u32>().min(255) as u8
}

impl<const W: usize> Table<W> {
    /// From the rows that hold each variable and its negative.
    pub(crate) fn new(plus: Vec<[u64; W]>, minus: Vec<[u64; W]>) -> Self {
        let n = plus.len();
        let mut table = Self {
            plus,
            minus,
            counts: Vec::with_capacity(n * n),
        };
        for w in 0..n {
            for v in 0..w {
                let count = table.count(v, w);
                table.counts.push(count);
            }
        }
        table
    }

    /// From sparse rows with entries 1 and -1.
    pub(crate) fn of(rows: &[Vec<(usize, i8)>], variables: usize) -> Self {
        let (mut plus, mut minus) = (vec![[0; W]; variables], vec![[0; W]; variables]);
        for (row, entries) in rows.iter().enumerate() {
            for (v, sign) in entries {
                let side = if *sign > 0 { &mut plus } else { &mut minus };
                side[*v][row / 64] |= 1 << (row % 64);
            }
        }
        Self::new(plus, minus)
    }

    #[inline]
    fn count(&self, v: usize, w: usize) -> [u8; 2] {
        let (p, m) = (&self.plus, &self.minus);
        [
            ones(&p[v], &p[w], &m[v], &m[w]),
            ones(&p[v], &m[w], &m[v], &p[w]),
        ]
    }

    /// Entries of all rows.
    fn entries(&self) -> usize {
        let words = self.plus.iter().chain(&self.minus).flatten();
        words.map(|w| w.count_ones() as usize).sum()
    }

    /// Additions of the rows as they stand.
    pub(crate) fn additions(&self) -> usize {
        let mut used = [0; W];
        for line in self.plus.iter().chain(&self.minus) {
            (0..W).for_each(|k| used[k] |= line[k]);
        }
        let rows: usize = used.iter().map(|w| w.count_ones() as usize).sum();
        self.entries() - rows
    }

    /// The entries of a row.
    pub(crate) fn row(&self, row: usize) -> Vec<(usize, i8)> {
        let bit = |line: &[u64; W]| line[row / 64] >> (row % 64) & 1 == 1;
        let sign = |v: usize| i8::from(bit(&self.plus[v])) - i8::from(bit(&self.minus[v]));
        let all = (0..self.plus.len()).map(|v| (v, sign(v)));
        all.filter(|e| e.1 != 0).collect()
    }

    /// The place of a pair that occurs most often, at random among equals, and how often it occurs; `None` below two.
    fn most(&self, dice: &mut Dice) -> Option<(usize, usize, u8)> {
        let top = self.counts.iter().fold(0, |m: u8, c| m.max(c[0]).max(c[1]));
        if top < 2 {
            return None;
        }
        let equal: usize = self
            .counts
            .iter()
            .map(|c| usize::from(c[0] == top) + usize::from(c[1] == top))
            .sum();
        let mut left = dice.below(equal);
        for (at, c) in self.counts.iter().enumerate() {
            for (side, _) in c.iter().enumerate().filter(|(_, n)| **n == top) {
                if left == 0 {
                    return Some((at, side, top));
                }
                left -= 1;
            }
        }
        None
    }

    /// Puts a fresh variable in the place of a pair.
    fn substitute(&mut self, v: usize, w: usize, side: usize) {
        let (mut pp, mut mm) = ([0; W], [0; W]);
        for k in 0..W {
            let (x, y) = match side {
                0 => (self.plus[w][k], self.minus[w][k]),
                _ => (self.minus[w][k], self.plus[w][k]),
            };
            pp[k] = self.plus[v][k] & x;
            mm[k] = self.minus[v][k] & y;
            let gone = !(pp[k] | mm[k]);
            for z in [v, w] {
                self.plus[z][k] &= gone;
                self.minus[z][k] &= gone;
            }
        }
        self.plus.push(pp);
        self.minus.push(mm);
        let n = self.plus.len();
        for z in [v, w] {
            for u in 0..n - 1 {
                if u != z {
                    let (low, high) = (u.min(z), u.max(z));
                    self.counts[high * (high - 1) / 2 + low] = self.count(low, high);
                }
            }
        }
        for u in 0..n - 1 {
            let count = self.count(u, n - 1);
            self.counts.push(count);
        }
    }

    /// How many additions further pairs could save, roughly.
    fn promise(&self) -> usize {
        let saved = |n: u8| usize::from(n.saturating_sub(1));
        self.counts.iter().map(|c| saved(c[0]) + saved(c[1])).sum()
    }

    /// Eliminates the pair that occurs most often until none occurs twice. With `ahead > 1` so many of the equals are tried, and
    /// the one after which most is left to save is taken.
    pub(crate) fn eliminate(&mut self, ahead: usize, dice: &mut Dice) -> Vec<Pair> {
        let mut pairs = Vec::new();
        while self.plus.len() < MAX_VARIABLES
            && let Some((at, side, _)) = self.most(dice)
        {
            let mut chosen = (at, side);
            if ahead > 1 {
                let mut best = None;
                for trial in 0..ahead {
                    let (at, side) = match trial {
                        0 => (at, side),
                        _ => self.most(dice).map_or((at, side), |m| (m.0, m.1)),
                    };
                    let mut copy = self.clone();
                    let (v, w) = place(at);
                    copy.substitute(v, w, side);
                    let promise = copy.promise();
                    if best.is_none_or(|b| promise > b) {
                        (best, chosen) = (Some(promise), (at, side));
                    }
                }
            }
            let (v, w) = place(chosen.0);
            self.substitute(v, w, chosen.1);
            pairs.push(Pair {
                first: v,
                second: w,
                opposite: chosen.1 == 1,
            });
        }
        pairs
    }
}

/// The pair `v < w` at a place.
fn place(at: usize) -> (usize, usize) {
    let mut w = (1 + 8 * at).isqrt().div_ceil(2);
    while w * (w - 1) / 2 > at {
        w -= 1;
    }
    (at - w * (w - 1) / 2, w)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_pairs() {
        let mut at = 0;
        for w in 1..60 {
            for v in 0..w {
                assert_eq!(place(at), (v, w));
                at += 1;
            }
        }
    }

    /// Counts kept up to date are those computed anew, and rows stay what they were.
    #[test]
    fn elimination_keeps_the_rows() {
        for case in 0..200 {
            let mut dice = Dice::new(case, 0);
            let (rows, n) = (1 + dice.below(100), 2 + dice.below(8));
            let mut matrix = vec![vec![0i64; n]; rows];
            for x in matrix.iter_mut().flatten() {
                *x = dice.below(3) as i64 - 1;
            }
            let sparse: Vec<Vec<(usize, i8)>> = matrix
                .iter()
                .map(|r| {
                    let all = r.iter().enumerate().map(|(v, x)| (v, *x as i8));
                    all.filter(|e| e.1 != 0).collect()
                })
                .collect();
            let mut table = Table::<2>::of(&sparse, n);
            let naive = table.additions();
            let pairs = table.eliminate(1 + dice.below(3), &mut dice);
            let fresh = Table::<2>::new(table.plus.clone(), table.minus.clone());
            assert_eq!(fresh.counts, table.counts);
            assert!(table.additions() + pairs.len() <= naive);
            let mut values: Vec<Vec<i64>> = (0..n)
                .map(|v| (0..n).map(|u| i64::from(u == v)).collect())
                .collect();
            for p in &pairs {
                let sign = if p.opposite { -1 } else { 1 };
                let sum = values[p.first].iter().zip(&values[p.second]);
                values.push(sum.map(|(x, y)| x + sign * y).collect());
            }
            for (r, wanted) in matrix.iter().enumerate() {
                let mut sum = vec![0; n];
                for (v, sign) in table.row(r) {
                    sum.iter_mut()
                        .zip(&values[v])
                        .for_each(|(s, x)| *s += i64::from(sign) * x);
                }
                assert_eq!(&sum, wanted, "case {case}, row {r}");
            }
        }
    }
}
