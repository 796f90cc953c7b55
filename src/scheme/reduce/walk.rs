//! Simulated cooling over equivalent schemes with entries -1, 0, 1.

use super::ternary::Table;
use crate::scheme::model::Target;
use crate::scheme::search::flip_graph::Walk;
use crate::scheme::search::vectors::{Dice, Signs, Vector};
use crate::scheme::whole::Term;

/// One step in so many is a sandwiching, where flips are possible.
const SANDWICH: usize = 6;
/// Temperatures at the beginning of each descent and at its end, in additions.
const HOT: f64 = 1.6;
const COLD: f64 = 0.25;
/// Steps of one descent at most.
const DESCENT: u64 = 1 << 14;

/// One walker.
pub(crate) struct Cooling {
    dims: Option<[usize; 3]>,
    outputs: usize,
    dice: Dice,
    now: Walk<Signs>,
    costs: [usize; 3],
    best: Walk<Signs>,
    best_cost: usize,
    step: u64,
    descent: u64,
}

impl Cooling {
    pub(crate) fn new(
        vectors: &[[Signs; 3]],
        target: &Target,
        seed: u64,
        number: usize,
        steps: u64,
    ) -> Self {
        let now = Walk::from_vectors(vectors);
        let dims = match target {
            Target::Matmul(dims) => Some(*dims),
            _ => None,
        };
        let mut cooling = Self {
            dims,
            outputs: target.shape()[2],
            dice: Dice::new(seed, 1000 + number as u64),
            best: now.clone(),
            now,
            costs: [0; 3],
            best_cost: 0,
            step: 0,
            descent: DESCENT.min(steps.max(1)),
        };
        cooling.costs = [0, 1, 2].map(|k| cooling.cost(k));
        cooling.best_cost = cooling.costs.iter().sum();
        cooling
    }

    pub(crate) fn best_cost(&self) -> usize {
        self.best_cost
    }

    pub(crate) fn best_terms(&self) -> Vec<Term> {
        self.best.terms()
    }

    /// Additions of one factor after elimination.
    fn cost(&mut self, k: usize) -> usize {
        let column = self.now.column(k);
        let (rows, variables) = match k {
            2 => (self.outputs, column.len()),
            _ => (column.len(), 0),
        };
        match rows {
            0..=64 => cost::<1>(&column, k == 2, variables, &mut self.dice),
            65..=128 => cost::<2>(&column, k == 2, variables, &mut self.dice),
            _ => cost::<4>(&column, k == 2, variables, &mut self.dice),
        }
    }

    /// So many steps. Each descent begins at the best scheme or goes on from where the last one ended.
    pub(crate) fn advance(&mut self, steps: u64) {
        for _ in 0..steps {
            let phase = self.step % self.descent;
            if phase == 0 && self.step > 0 && self.dice.below(2) == 0 {
                self.now = self.best.clone();
                self.costs = [0, 1, 2].map(|k| self.cost(k));
            }
            self.step += 1;
            let share = phase as f64 / self.descent as f64;
            self.try_one(HOT * (COLD / HOT).powf(share));
        }
    }

    fn try_one(&mut self, temperature: f64) {
        let before = self.now.clone();
        let flips = self.now.flippable() > 0;
        let moved = match (flips, self.dims) {
            (true, Some(_)) if self.dice.below(SANDWICH) > 0 => self.now.flip(&mut self.dice),
            (true, None) => self.now.flip(&mut self.dice),
            (_, Some(dims)) => self.sandwich(dims),
            (false, None) => false,
        };
        if !moved {
            self.now = before;
            return;
        }
        let mut costs = self.costs;
        for k in 0..3 {
            if self.now.rank() != before.rank() || self.now.column(k) != before.column(k) {
                costs[k] = self.cost(k);
            }
        }
        let (old, new): (usize, usize) = (self.costs.iter().sum(), costs.iter().sum());
        let worse = new.saturating_sub(old) as f64;
        let draw = (self.dice.next() >> 11) as f64 / (1u64 << 53) as f64;
        if self.now.rank() < before.rank() || worse <= -temperature * draw.max(1e-300).ln() {
            self.costs = costs;
            if new < self.best_cost {
                self.best_cost = new;
                self.best = self.now.clone();
            }
        } else {
            self.now = before;
        }
    }

    /// Adds a multiple of one row or column to another in two of the matrices, so that the product stays what it is.
    fn sandwich(&mut self, [n, m, p]: [usize; 3]) -> bool {
        // The index i is the row of a and of c, j the column of a and the row of b, k the column of b and of c.
        let size = [n, m, p];
        let axis = self.dice.below(3);
        if size[axis] < 2 {
            return false;
        }
        let x = self.dice.below(size[axis]);
        let mut y = self.dice.below(size[axis] - 1);
        y += usize::from(y >= x);
        let minus = self.dice.next() & 1 == 1;
        // (factor, columns of its matrices, whether the index is the row)
        let [one, two] = [
            [(0, m, true), (2, p, true)],
            [(0, m, false), (1, p, true)],
            [(1, p, false), (2, p, false)],
        ][axis];
        let vectors = self.now.vectors();
        let rows = [n, m, n];
        let mut changed = Vec::with_capacity(vectors.len());
        for mut three in vectors {
            for ((k, columns, is_row), from, to, minus) in [(one, x, y, minus), (two, y, x, !minus)]
            {
                let (mask, stride) = match is_row {
                    true => (((1u128 << columns) - 1) << (from * columns), columns),
                    false => (
                        (0..rows[k]).fold(0, |mask, r| mask | 1u128 << (r * columns + from)),
                        1,
                    ),
                };
                let shift = (to as i64 - from as i64) * stride as i64;
                let part = three[k].moved(mask as u64, shift);
                let part = if minus { part.negated() } else { part };
                match three[k].plus(part) {
                    Some(sum) => three[k] = sum,
                    None => return false,
                }
            }
            changed.push(three);
        }
        self.now = Walk::from_vectors(&changed);
        true
    }
}

/// The additions of a factor: rows are products, or (`transposed`) outputs over the products.
fn cost<const W: usize>(
    column: &[Signs],
    transposed: bool,
    variables: usize,
    dice: &mut Dice,
) -> usize {
    let mut table = if transposed {
        let words = column.iter().take(variables).map(|v| v.words());
        let wide = |w: u64| {
            let mut line = [0; W];
            line[0] = w;
            line
        };
        let (plus, minus) = words.map(|[p, m]| (wide(p), wide(m))).unzip();
        Table::<W>::new(plus, minus)
    } else {
        let used = column
            .iter()
            .fold(0, |all, v| all | v.words()[0] | v.words()[1]);
        let size = 64 - used.leading_zeros() as usize;
        let (mut plus, mut minus) = (vec![[0; W]; size], vec![[0; W]; size]);
        for (r, v) in column.iter().enumerate() {
            let [mut p, mut m] = v.words();
            while p != 0 {
                plus[p.trailing_zeros() as usize][r / 64] |= 1 << (r % 64);
                p &= p - 1;
            }
            while m != 0 {
                minus[m.trailing_zeros() as usize][r / 64] |= 1 << (r % 64);
                m &= m - 1;
            }
        }
        Table::<W>::new(plus, minus)
    };
    table.eliminate(1, dice).len() + table.additions()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::scheme::search::starts::standard;
    use crate::scheme::whole::scheme_of;
    use crate::scheme::{SchemeField, Verdict, examine};

    #[test]
    fn cooled_schemes_stay_on_their_tensor() -> Result<(), Error> {
        for target in [
            Target::Matmul([2, 3, 2]),
            Target::Matmul([3, 1, 4]),
            Target::Polymul([3, 3]),
        ] {
            let vectors: Option<Vec<[Signs; 3]>> = standard(&target, 0)?
                .iter()
                .map(|[a, b, c]| Some([Signs::of(a)?, Signs::of(b)?, Signs::of(c)?]))
                .collect();
            let vectors = vectors.ok_or(Error::Stopped { op: "test" })?;
            let mut cooling = Cooling::new(&vectors, &target, 5, 0, 400);
            for _ in 0..20 {
                cooling.advance(20);
                let scheme = scheme_of(&cooling.now.terms(), &target)?;
                let found = examine(&scheme, Some(&target), SchemeField::Integers)?;
                assert_eq!(found.verdict, Verdict::Exact, "{}", target.name());
                assert_eq!(found.convention(), "");
            }
        }
        Ok(())
    }
}
