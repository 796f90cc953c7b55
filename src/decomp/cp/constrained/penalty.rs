//! The penalties of a model, and what they pull at in one column.

use super::rule::Rule;
use super::smooth::roughness;
use crate::linalg::small;
use crate::tensor::Factor;

/// One column, measured.
#[derive(Clone, Copy, Debug, Default)]
struct Column {
    length: f64,
    moduli: f64,
    rough: f64,
}

/// What acts on a column `a` besides the data: `smooth/2 ||D a||^2 + sparse ||a||_1 + ridge/2 ||a||^2 + group ||a||`. The
/// first two come from the rule of its mode, the others from those of the other modes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pull {
    pub(super) smooth: f64,
    pub(super) sparse: f64,
    pub(super) ridge: f64,
    pub(super) group: f64,
}

/// All columns of a model, measured where rules have a cost.
pub(super) struct Penalty<'a> {
    rules: &'a [Rule],
    columns: Vec<Vec<Column>>,
    any: bool,
}

impl<'a> Penalty<'a> {
    pub(super) fn of(rules: &'a [Rule], factors: &[Factor]) -> Self {
        let any = rules.iter().any(Rule::is_penalised);
        let mut columns: Vec<Vec<Column>> = Vec::new();
        if any {
            columns.extend(rules.iter().zip(factors).map(|(r, f)| measured(r, f)));
        }
        Self {
            rules,
            columns,
            any,
        }
    }

    /// Measures the columns of one mode again.
    pub(super) fn update(&mut self, mode: usize, factor: &Factor) {
        if self.any {
            self.columns[mode] = measured(&self.rules[mode], factor);
        }
    }

    /// The product of the lengths of component `r` in all modes but those.
    fn lengths(&self, r: usize, skip: [usize; 2]) -> f64 {
        let others = (0..self.columns.len()).filter(|k| !skip.contains(k));
        others.map(|k| self.columns[k][r].length).product()
    }

    /// What acts on column `r` of `mode`.
    pub(super) fn pull(&self, mode: usize, r: usize) -> Pull {
        if !self.any {
            return Pull::default();
        }
        let rule = &self.rules[mode];
        let own = self.lengths(r, [mode, mode]);
        let mut pull = Pull {
            smooth: rule.smooth * own * own,
            sparse: rule.sparse * own,
            ..Pull::default()
        };
        for (k, other) in self.rules.iter().enumerate() {
            if k != mode && other.is_penalised() {
                let rest = self.lengths(r, [mode, k]);
                pull.ridge += other.smooth * self.columns[k][r].rough * rest * rest;
                pull.group += other.sparse * self.columns[k][r].moduli * rest;
            }
        }
        pull
    }

    /// What acts on every column of `mode`.
    pub(super) fn pulls(&self, mode: usize, rank: usize) -> Vec<Pull> {
        (0..rank).map(|r| self.pull(mode, r)).collect()
    }

    /// The sum of all penalties.
    pub(super) fn value(&self) -> f64 {
        let mut sum = 0.0;
        for (k, columns) in self.columns.iter().enumerate() {
            let rule = &self.rules[k];
            for (r, column) in columns.iter().enumerate().filter(|_| rule.is_penalised()) {
                let rest = self.lengths(r, [k, k]);
                sum += 0.5 * rule.smooth * column.rough * rest * rest;
                sum += rule.sparse * column.moduli * rest;
            }
        }
        sum
    }
}

fn measured(rule: &Rule, factor: &Factor) -> Vec<Column> {
    let one = |a: &[f64]| Column {
        length: small::norm_sq(a).sqrt(),
        moduli: a.iter().map(|x| x.abs()).sum(),
        rough: if rule.smooth > 0.0 { roughness(a) } else { 0.0 },
    };
    factor.columns().map(one).collect()
}
