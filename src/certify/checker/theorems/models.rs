//! Models of tensors as polynomials of their entries: sums of rank-one terms, symmetric ones, rings.

use super::super::terms::Checked;
use super::integers::{Exact, Tensor, length};
use super::krawczyk::Equation;
use crate::Error;
use crate::certify::json::{Json, malformed};
use crate::certify::numbers::OP;
use dashu_int::IBig;

const MAX_TERMS: usize = 1 << 16;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Cp,
    /// Two cores: weights `1 x 1 x R`, the one factor `1 x n x R`.
    Symmetric,
    Ring,
}

/// Cores `R x n x R'` (for sums of terms `1 x n x R`); the entry at `(a, i, b)` of a core is the parameter
/// `start + (a n + i) R' + b`.
pub(super) struct Model {
    pub(super) kind: Kind,
    pub(super) parameters: Vec<IBig>,
    cores: Vec<(usize, usize, usize, usize)>,
    order: usize,
}

impl Model {
    pub(super) fn read(kind: Kind, json: &Json, target: &Tensor, m: &mut Exact) -> Checked<Self> {
        let (mut parameters, mut cores) = (Vec::new(), Vec::new());
        for core in json.list()? {
            let (left, start) = (core.list()?, parameters.len());
            let first = left.first().map_or(Ok(&[][..]), Json::list)?;
            let right = first.first().map_or(Ok(&[][..]), Json::list)?.len();
            for slice in left {
                let rows = m.matrix(slice, (first.len(), right))?;
                parameters.extend(rows.into_iter().flatten());
            }
            cores.push((start, left.len(), first.len(), right));
        }
        let order = target.shape.len();
        let rank = cores.first().map_or(0, |c| c.3);
        let sizes: Vec<usize> = cores.iter().map(|c| c.2).collect();
        let single = cores.iter().all(|c| c.1 == 1 && c.3 == rank);
        let mut next = cores.iter().cycle().skip(1);
        let fits = rank > 0
            && match kind {
                Kind::Cp => single && sizes == target.shape,
                Kind::Symmetric => {
                    let wanted = vec![*sizes.last().unwrap_or(&0); order];
                    single && sizes.len() == 2 && sizes[0] == 1 && wanted == target.shape
                }
                Kind::Ring => {
                    sizes == target.shape
                        && cores.iter().all(|c| next.next().map(|n| n.1) == Some(c.3))
                }
            };
        if !fits || !(2..=16).contains(&order) {
            return malformed("the cores do not have the shape of the target");
        }
        Ok(Self {
            kind,
            parameters,
            cores,
            order,
        })
    }

    /// Factors of each monomial.
    pub(super) fn degree(&self) -> usize {
        self.order + usize::from(self.kind == Kind::Symmetric)
    }

    pub(super) fn rank(&self) -> usize {
        self.cores.iter().map(|c| c.3).max().unwrap_or(0)
    }

    /// The core and the column of a parameter.
    fn column(&self, parameter: usize) -> (usize, usize) {
        let at = self.cores.partition_point(|c| c.0 <= parameter) - 1;
        let (start, _, _, right) = self.cores[at];
        (at, (parameter - start) % right)
    }

    /// Whether holding these parameters, none of them zero, takes exactly the freedom of scaling from each term.
    pub(super) fn is_gauge(&self, held: &[usize]) -> bool {
        let modes = if self.kind == Kind::Cp {
            self.order - 1
        } else {
            1
        };
        let mut columns: Vec<_> = held.iter().map(|&p| self.column(p)).collect();
        columns.sort_unstable();
        let repeated = columns.windows(2).any(|w| w[0] == w[1]);
        let count = |r: usize| columns.iter().filter(|c| c.1 == r).count();
        self.kind != Kind::Ring
            && !repeated
            && (0..self.rank()).all(|r| count(r) == modes)
            && held.iter().all(|&p| !self.parameters[p].is_zero())
    }

    /// The monomials of the entry at an index.
    fn monomials(&self, index: &[usize], m: &mut Exact) -> Checked<Vec<Vec<usize>>> {
        let at = |k: usize, a: usize, i: usize, b: usize| {
            let (start, _, n, right) = self.cores[k];
            start + (a * n + i) * right + b
        };
        let mut found = Vec::new();
        if self.kind != Kind::Ring {
            for r in 0..self.rank() {
                m.budget.spend(32 + 16 * self.degree())?;
                let vector = |(k, i): (usize, &usize)| match self.kind {
                    Kind::Cp => at(k, 0, *i, r),
                    _ => at(1, 0, *i, r),
                };
                let weight = (self.kind == Kind::Symmetric).then(|| at(0, 0, 0, r));
                found.push(
                    weight
                        .into_iter()
                        .chain(index.iter().enumerate().map(vector))
                        .collect(),
                );
            }
            return Ok(found);
        }
        for first in 0..self.cores[0].1 {
            let mut paths = vec![(first, Vec::new())];
            for (k, &i) in index.iter().enumerate() {
                let mut longer = Vec::new();
                for (bond, path) in &paths {
                    for b in 0..self.cores[k].3 {
                        m.budget.spend(32 + 8 * path.len())?;
                        longer.push((
                            b,
                            path.iter().copied().chain([at(k, *bond, i, b)]).collect(),
                        ));
                    }
                }
                if longer.len() > MAX_TERMS {
                    return Err(Error::limit(OP, "terms of an entry", MAX_TERMS as u64));
                }
                paths = longer;
            }
            found.extend(paths.into_iter().filter(|p| p.0 == first).map(|p| p.1));
        }
        Ok(found)
    }

    /// The equations "model - target = 0" times the denominator of the target, one for each entry; `None` where a
    /// symmetric model meets a target that is not. Of entries that symmetry makes equal only one is kept when `once`.
    pub(super) fn equations(
        &self,
        t: &Tensor,
        once: bool,
        m: &mut Exact,
    ) -> Checked<Option<Vec<Equation>>> {
        let (mut equations, mut index) = (Vec::new(), vec![0; self.order]);
        for value in &t.entries {
            let mut sorted = index.clone();
            sorted.sort_unstable();
            let symmetric = self.kind == Kind::Symmetric;
            if symmetric && sorted != index {
                let at = sorted.iter().zip(&t.shape).fold(0, |at, (i, n)| at * n + i);
                if t.entries[at] != *value {
                    return Ok(None);
                }
            }
            if !(once && symmetric && sorted != index) {
                let monomials = self.monomials(&index, m)?.into_iter();
                // In memory: places, lists, and the numbers.
                let each = 96 + length(&t.denominator) * 8;
                m.budget
                    .spend(each * (1 + monomials.len()) + 8 * length(value))?;
                let term = |factors| (t.denominator.clone(), factors);
                equations.push(monomials.map(term).chain([(-value, Vec::new())]).collect());
            }
            for (i, n) in index.iter_mut().zip(&t.shape).rev() {
                *i = (*i + 1) % n;
                if *i > 0 {
                    break;
                }
            }
        }
        Ok(Some(equations))
    }
}
