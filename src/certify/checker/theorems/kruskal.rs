//! Uniqueness of exact decompositions by ranks of sets of columns (docs/FORMATS.md, `cp-unique`).

use super::super::terms::Checked;
use super::integers::Exact;
use crate::certify::json::{Json, malformed};
use crate::certify::rings::Ring;
use dashu_int::IBig;
use dashu_ratio::RBig;

impl Exact<'_> {
    /// The factors of a claim of kind `cp-exact` over the rationals, column by column in integers.
    pub(super) fn columns(&mut self, claim: &Json) -> Checked<Vec<Vec<Vec<IBig>>>> {
        let [kind, _, data] = claim.fields(["kind", "about", "data"])?;
        let [_, field, cores, ..] =
            data.fields(["model", "field", "cores", "target", "order", "bound"])?;
        let field = field.text()?;
        let ring = Ring::named(field, 0).filter(|_| matches!(field, "ZT" | "Z" | "Z[1/2]" | "Q"));
        let (Some(ring), "cp-exact") = (ring, kind.text()?) else {
            return malformed("uniqueness is that of an earlier cp-exact claim over the rationals");
        };
        let mut factors = Vec::new();
        for core in cores.list()? {
            let [rows] = core.list()? else {
                return malformed("a factor is a core of 1 x n x R");
            };
            let mut columns: Vec<Vec<IBig>> = Vec::new();
            for row in rows.list()? {
                let mut values = Vec::new();
                for entry in row.list()? {
                    // An empty sum is zero.
                    let value = ring.entry(entry, self.budget)?.into_values().next();
                    values.push(value.unwrap_or(RBig::ZERO));
                }
                // A row times a number spans what it did.
                let (values, _) = self.cleared(&values)?;
                columns.resize_with(values.len(), Vec::new);
                columns.iter_mut().zip(values).for_each(|(c, v)| c.push(v));
            }
            factors.push(columns);
        }
        Ok(factors)
    }

    /// Whether any `count` of these columns are independent modulo the prime, so that they are over Q.
    pub(in crate::certify) fn independent(
        &mut self,
        columns: &[Vec<IBig>],
        count: usize,
        prime: u64,
    ) -> Checked<bool> {
        let mut residues = Vec::new();
        for column in columns {
            let column = column.iter().map(|x| self.residue(x, prime));
            residues.push(column.collect::<Checked<Vec<_>>>()?);
        }
        let mut chosen: Vec<usize> = (0..count).collect();
        loop {
            self.budget
                .spend(64 + 2 * count * residues.first().map_or(0, Vec::len))?;
            let rows = chosen.iter().map(|&r| residues[r].clone()).collect();
            if self.modular_rank(rows, prime)? < count {
                return Ok(false);
            }
            // The next subset in order.
            let last = columns.len() - count;
            let Some(k) = (0..count).rev().find(|&k| chosen[k] < last + k) else {
                return Ok(true);
            };
            chosen[k] += 1;
            (k + 1..count).for_each(|l| chosen[l] = chosen[l - 1] + 1);
        }
    }
}
