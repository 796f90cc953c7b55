//! A walk in the flip graph: schemes of one tensor, joined by changes of two terms.
//!
//! Two terms with a factor in common may be rewritten (Kauers and Moosbauer, "Flip graphs for matrix multiplication", 2022):
//! `a (x) b (x) c + a (x) b' (x) c' = a (x) (b + b') (x) c + a (x) b' (x) (c' - c)`. A vector that vanishes is a
//! reduction of the rank. A plus transition (Arai, Ichikawa, Hukushima, "Adaptive flip graph algorithm", 2024) splits
//! two terms into three and leaves a component of the graph.

use super::vectors::{Dice, Vector};
use crate::scheme::whole::Term;

/// Vectors by mode, up to sign, the signs of the terms apart, and all pairs of terms with a vector in common.
#[derive(Clone, Debug)]
pub(crate) struct Walk<V> {
    modes: [Vec<V>; 3],
    negative: Vec<bool>,
    pairs: [Vec<(u16, u16)>; 3],
}

impl<V: Vector> Walk<V> {
    /// From terms; `None` where entries leave the representation. Terms that are zero are left out.
    pub(crate) fn of(terms: &[Term]) -> Option<Self> {
        let mut walk = Self {
            modes: Default::default(),
            negative: Vec::new(),
            pairs: Default::default(),
        };
        for term in terms {
            let [a, b, c] = [V::of(&term[0])?, V::of(&term[1])?, V::of(&term[2])?];
            walk.push([a, b, c], false);
        }
        walk.merge_all();
        Some(walk)
    }

    /// The terms, the sign in the last factor.
    pub(crate) fn terms(&self) -> Vec<Term> {
        self.vectors()
            .into_iter()
            .map(|t| t.map(V::entries))
            .collect()
    }

    /// The vectors of each term as words.
    pub(crate) fn words(&self) -> Vec<[[u64; 2]; 3]> {
        self.vectors()
            .into_iter()
            .map(|t| t.map(V::words))
            .collect()
    }

    /// Back from words, in the same order.
    pub(crate) fn from_words(words: &[[[u64; 2]; 3]]) -> Option<Self> {
        let vector = |w: &[[u64; 2]; 3]| {
            Some([
                V::from_words(w[0])?,
                V::from_words(w[1])?,
                V::from_words(w[2])?,
            ])
        };
        let vectors: Option<Vec<[V; 3]>> = words.iter().map(vector).collect();
        Some(Self::from_vectors(&vectors?))
    }

    /// From vectors that are not zero.
    pub(crate) fn from_vectors(vectors: &[[V; 3]]) -> Self {
        let mut walk = Self {
            modes: Default::default(),
            negative: Vec::new(),
            pairs: Default::default(),
        };
        vectors.iter().for_each(|v| walk.push(*v, false));
        walk.find_pairs();
        walk
    }

    /// The vectors of each term, the sign in the last.
    pub(crate) fn vectors(&self) -> Vec<[V; 3]> {
        let last = self.column(2);
        (0..self.rank())
            .map(|r| [self.modes[0][r], self.modes[1][r], last[r]])
            .collect()
    }

    /// The vectors of one mode; the signs of the terms are in the last.
    pub(crate) fn column(&self, mode: usize) -> Vec<V> {
        let sign = |(v, negative): (&V, &bool)| {
            if mode == 2 && *negative {
                v.negated()
            } else {
                *v
            }
        };
        self.modes[mode]
            .iter()
            .zip(&self.negative)
            .map(sign)
            .collect()
    }

    #[inline]
    pub(crate) fn rank(&self) -> usize {
        self.negative.len()
    }

    /// How many pairs of terms can be flipped.
    pub(crate) fn flippable(&self) -> usize {
        self.pairs.iter().map(Vec::len).sum()
    }

    fn push(&mut self, vectors: [V; 3], negative: bool) {
        if vectors.iter().any(|v| v.is_zero()) {
            return;
        }
        let mut sign = negative;
        for (mode, v) in self.modes.iter_mut().zip(vectors) {
            let (v, negated) = v.up_to_sign();
            mode.push(v);
            sign ^= negated;
        }
        self.negative.push(sign);
    }

    fn remove(&mut self, r: usize) {
        for mode in &mut self.modes {
            mode.swap_remove(r);
        }
        self.negative.swap_remove(r);
    }

    /// Lists all pairs of equal vectors anew, in the order of the terms.
    pub(crate) fn find_pairs(&mut self) {
        for (mode, pairs) in self.modes.iter().zip(&mut self.pairs) {
            pairs.clear();
            for i in 0..mode.len() {
                let equal = (i + 1..mode.len()).filter(|&j| mode[j] == mode[i]);
                pairs.extend(equal.map(|j| (i as u16, j as u16)));
            }
        }
    }

    /// The mode in which two terms differ, when they agree in the other two; one of them when they agree in all.
    fn only_difference(&self, i: usize, j: usize) -> Option<usize> {
        let equal = [0, 1, 2].map(|k| self.modes[k][i] == self.modes[k][j]);
        match equal {
            [_, true, true] => Some(0),
            [true, _, true] => Some(1),
            [true, true, _] => Some(2),
            _ => None,
        }
    }

    /// Joins two terms that differ in one mode; `false` where the sum is outside of the representation.
    fn merge(&mut self, i: usize, j: usize, mode: usize) -> bool {
        let other = self.modes[mode][j];
        let same = self.negative[i] == self.negative[j];
        let other = if same { other } else { other.negated() };
        let Some(sum) = self.modes[mode][i].plus(other) else {
            return false;
        };
        let (sum, negated) = sum.up_to_sign();
        self.modes[mode][i] = sum;
        self.negative[i] ^= negated;
        let (low, high) = (i.min(j), i.max(j));
        let gone = sum.is_zero();
        if gone || j == high {
            self.remove(high);
        }
        if gone || j == low {
            self.remove(low);
        }
        true
    }

    /// Joins terms while two of them differ in one mode only.
    fn merge_all(&mut self) {
        'again: loop {
            for i in 0..self.rank() {
                for j in i + 1..self.rank() {
                    if let Some(mode) = self.only_difference(i, j)
                        && self.merge(i, j, mode)
                    {
                        continue 'again;
                    }
                }
            }
            break;
        }
        self.find_pairs();
    }

    /// A random flip. `false` when no two terms have a vector in common, or the flip leaves the representation.
    #[inline]
    pub(crate) fn flip(&mut self, dice: &mut Dice) -> bool {
        let [p, q, r] = self.pairs.each_ref().map(Vec::len);
        let total = p + q + r;
        if total == 0 {
            return false;
        }
        let word = dice.next();
        let mut at = (((word >> 32) * total as u64) >> 32) as usize;
        let mut mode = 0;
        while at >= self.pairs[mode].len() {
            at -= self.pairs[mode].len();
            mode += 1;
        }
        let (i, j) = self.pairs[mode][at];
        let (i, j) = if word & 1 == 0 { (i, j) } else { (j, i) };
        let (i, j) = (usize::from(i), usize::from(j));
        let (one, two) = ((mode + 1) % 3, (mode + 2) % 3);
        let (b, c) = if word & 2 == 0 {
            (one, two)
        } else {
            (two, one)
        };
        self.flip_at(i, j, b, c, word & 4 != 0)
    }

    /// `b_i += b_j`, `c_j -= c_i`, or with the other signs.
    fn flip_at(&mut self, i: usize, j: usize, b: usize, c: usize, minus: bool) -> bool {
        let sign = |v: V, negative: bool| if negative { v.negated() } else { v };
        // With the signs of the terms in c: b_i + s b_j and t_j c_j - s t_i c_i.
        let sum = self.modes[b][i].plus(sign(self.modes[b][j], minus));
        let (own, other) = (self.negative[j], self.negative[i]);
        let less = sign(self.modes[c][i], !(other ^ minus));
        let rest = sign(self.modes[c][j], own).plus(less);
        let (Some(sum), Some(rest)) = (sum, rest) else {
            return false;
        };
        let (sum, negated) = sum.up_to_sign();
        self.modes[b][i] = sum;
        self.negative[i] ^= negated;
        let (rest, negated) = rest.up_to_sign();
        self.modes[c][j] = rest;
        self.negative[j] = negated;
        if sum.is_zero() || rest.is_zero() {
            let (low, high) = (i.min(j), i.max(j));
            let zero = |w: &Self, r: usize| w.modes.iter().any(|m| m[r].is_zero());
            for r in [high, low] {
                if zero(self, r) {
                    self.remove(r);
                }
            }
            self.merge_all();
            return true;
        }
        let joins = self.changed(b, i) | self.changed(c, j);
        if joins {
            self.merge_all();
        }
        true
    }

    /// Renews the pairs of term `r` in a mode; whether it now agrees with another in two modes.
    #[inline]
    fn changed(&mut self, mode: usize, r: usize) -> bool {
        let (pairs, vectors) = (&mut self.pairs[mode], &self.modes[mode]);
        let own = r as u16;
        let mut at = 0;
        while at < pairs.len() {
            if pairs[at].0 == own || pairs[at].1 == own {
                pairs.swap_remove(at);
            } else {
                at += 1;
            }
        }
        let wanted = vectors[r];
        let mut joins = false;
        for (k, v) in vectors.iter().enumerate() {
            if *v == wanted && k != r {
                pairs.push((own, k as u16));
                joins |= [(mode + 1) % 3, (mode + 2) % 3]
                    .iter()
                    .any(|&m| self.modes[m][k] == self.modes[m][r]);
            }
        }
        joins
    }

    /// Splits two random terms into three: `a b c + a' b' c' = a (b + b') c + a b' (c' - c) + (a' - a) b' c'`.
    pub(crate) fn plus(&mut self, dice: &mut Dice) -> bool {
        let rank = self.rank();
        if rank < 2 || rank >= usize::from(u16::MAX) {
            return false;
        }
        let (i, mut j) = (dice.below(rank), dice.below(rank - 1));
        j += usize::from(j >= i);
        let order = [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ];
        let [a, b, c] = order[dice.below(6)];
        let vector = |w: &Self, r: usize, k: usize| {
            // The sign of a term is in c.
            let v = w.modes[k][r];
            if k == c && w.negative[r] {
                v.negated()
            } else {
                v
            }
        };
        let [a1, b1, c1] = [a, b, c].map(|k| vector(self, i, k));
        let [a2, b2, c2] = [a, b, c].map(|k| vector(self, j, k));
        let (sum, rest, left) = (b1.plus(b2), c2.plus(c1.negated()), a2.plus(a1.negated()));
        let (Some(sum), Some(rest), Some(left)) = (sum, rest, left) else {
            return false;
        };
        if sum.is_zero() || rest.is_zero() || left.is_zero() {
            return false;
        }
        let (low, high) = (i.min(j), i.max(j));
        self.remove(high);
        self.remove(low);
        for three in [[a1, sum, c1], [a1, b2, rest], [left, b2, c2]] {
            let mut vectors = three;
            for (k, v) in [a, b, c].into_iter().zip(three) {
                vectors[k] = v;
            }
            self.push(vectors, false);
        }
        self.find_pairs();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::vectors::{Bits, Signs};
    use super::*;
    use crate::Error;
    use crate::scheme::search::starts::standard;
    use crate::scheme::whole::scheme_of;
    use crate::scheme::{SchemeField, Target, Verdict, examine};

    /// Every scheme on a walk is the tensor that it began with.
    fn stays<V: Vector>(target: &Target, field: SchemeField) -> Result<(), Error> {
        let mut dice = Dice::new(7, 0);
        let mut walk = Walk::<V>::of(&standard(target, V::CHARACTERISTIC)?)
            .ok_or(Error::Stopped { op: "test" })?;
        let (mut flips, mut pluses) = (0, 0);
        for step in 0..600 {
            flips += usize::from(walk.flip(&mut dice));
            if step % 50 == 49 {
                pluses += usize::from(walk.plus(&mut dice));
            }
            if step % 10 == 0 {
                let scheme = scheme_of(&walk.terms(), target)?;
                let found = examine(&scheme, Some(target), field)?;
                assert_eq!(found.verdict, Verdict::Exact, "step {step}");
                let again = Walk::<V>::from_words(&walk.words());
                assert_eq!(again.map(|w| w.terms()), Some(walk.terms()));
            }
            let mut fresh = walk.clone();
            fresh.find_pairs();
            assert_eq!(fresh.flippable(), walk.flippable(), "step {step}");
        }
        assert!(flips > 200 && pluses > 0, "{flips} flips, {pluses} pluses");
        Ok(())
    }

    #[test]
    fn walks_stay_on_their_tensor() -> Result<(), Error> {
        for target in [
            Target::Matmul([2, 2, 2]),
            Target::Matmul([2, 3, 4]),
            Target::Polymul([3, 4]),
        ] {
            stays::<Bits>(&target, SchemeField::Modulo(2))?;
            stays::<Signs>(&target, SchemeField::Integers)?;
        }
        Ok(())
    }
}
