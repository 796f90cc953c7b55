//! Factorisations of tensors. The entry at `(i, j, ..)` of a tensor is the term with exponents `i, j, ..`, so
//! that the product of vectors in different modes is their outer product.

use super::terms::{Checked, Machine, Terms, one};
use crate::Error;
use crate::certify::format::Verdict;
use crate::certify::json::{Json, malformed};
use crate::certify::numbers::{OP, limited, whole};
use crate::certify::rings::{MAX_EXPONENT, Ring};
use dashu_ratio::RBig;
use std::collections::{BTreeMap, BTreeSet};

const MAX_MODES: usize = 64;

impl Machine {
    /// Adds an entry of the ring to a tensor; the power of the adjoined element comes after the indices.
    fn place(&mut self, sum: &mut Terms, index: &[usize], json: &Json, ring: &Ring) -> Checked<()> {
        for (power, c) in ring.entry(json, &mut self.budget)? {
            self.budget.spend(2 + index.len())?;
            let full = index.iter().map(|&i| i as i64).chain([power]);
            self.put(sum, full.collect(), c)?;
        }
        Ok(())
    }

    /// What of a difference is not zero in the ring, or is not allowed for.
    fn nonzero(&mut self, gap: &Terms, modes: usize, ring: &Ring) -> Checked<Terms> {
        let mut rest = Terms::new();
        for (e, c) in gap {
            if let Some((k, c)) = ring.rest(e.get(modes).copied().unwrap_or(0), c) {
                self.put(&mut rest, [padded(e, modes), vec![k]].concat(), c)?;
            }
        }
        Ok(rest)
    }
}

/// The indices of a term.
fn padded(e: &[i64], modes: usize) -> Vec<i64> {
    (0..modes).map(|k| e.get(k).copied().unwrap_or(0)).collect()
}

fn sizes(json: &Json) -> Checked<Vec<usize>> {
    let sizes = json.list()?.iter();
    sizes
        .map(|n| Ok(whole(n, 1, MAX_EXPONENT)? as usize))
        .collect()
}

/// The tensor of matrix multiplication, or entries row by row, the last index fastest; and what it is called.
fn target(json: &Json, shape: &[usize], ring: &Ring, m: &mut Machine) -> Checked<(Terms, String)> {
    let mut sum = Terms::new();
    let strange = || {
        malformed(format!(
            "the target has not the shape {shape:?} of the cores"
        ))
    };
    if let Ok([dims]) = json.fields(["matmul"]) {
        let [r, s, t] = sizes(dims)?[..] else {
            return malformed("a matrix multiplication has three sizes");
        };
        if shape != [r * s, s * t, r * t] {
            return strange();
        }
        for (i, j) in (0..r).flat_map(|i| (0..s).map(move |j| (i, j))) {
            for k in 0..t {
                let at = [i * s + j, j * t + k, i * t + k].map(|i| i as i64);
                m.put(&mut sum, at.to_vec(), RBig::ONE)?;
            }
        }
        return Ok((sum, format!("matrix multiplication <{r},{s},{t}>")));
    }
    let [dense] = json.fields(["dense"])?;
    let [stated, entries] = dense.fields(["shape", "entries"])?;
    let volume = shape.iter().try_fold(1usize, |v, &n| v.checked_mul(n));
    if sizes(stated)? != shape || volume != Some(entries.list()?.len()) {
        return strange();
    }
    let mut index = vec![0; shape.len()];
    for entry in entries.list()? {
        m.place(&mut sum, &index, entry, ring)?;
        for (i, &n) in index.iter_mut().zip(shape).rev() {
            *i = (*i + 1) % n;
            if *i > 0 {
                break;
            }
        }
    }
    Ok((sum, format!("a tensor of {shape:?}")))
}

/// What cores `R x n x R'` multiply out to, with its shape and the largest rank. For `cp` the cores are
/// `1 x n x R`, the diagonals of diagonal matrices.
fn product(
    cores: &[Json<'_>],
    cp: bool,
    ring: &Ring,
    m: &mut Machine,
) -> Checked<(Vec<usize>, Terms, usize)> {
    let (mut matrices, mut shape, mut ranks) = (Vec::new(), Vec::new(), Vec::new());
    if cores.len() > MAX_MODES {
        return Err(Error::limit(OP, "modes", MAX_MODES as u64));
    }
    for (k, core) in cores.iter().enumerate() {
        let first = core.list()?.first().map_or(Ok(&[][..]), Json::list)?;
        let right = first.first().map_or(Ok(&[][..]), Json::list)?.len();
        let n = first.len();
        let mut matrix: BTreeMap<usize, BTreeMap<usize, Terms>> = BTreeMap::new();
        for (a, slice) in core.list()?.iter().enumerate() {
            let uneven = |row: &Json| row.list().map_or(0, <[_]>::len) != right;
            let rows = slice.list()?;
            if rows.len() != n || rows.iter().any(uneven) || right == 0 || (cp && a > 0) {
                return malformed("a core is lists of lists of lists of equal lengths");
            }
            for (i, row) in rows.iter().enumerate() {
                for (b, json) in row.list()?.iter().enumerate() {
                    let (row, mut index) = (if cp { b } else { a }, vec![0; cores.len()]);
                    index[k] = i;
                    let cell = matrix.entry(row).or_default().entry(b).or_default();
                    m.place(cell, &index, json, ring)?;
                }
            }
        }
        shape.push(n);
        ranks.push((matrix.len(), right));
        matrices.push(matrix);
    }
    let mut next = ranks.iter().cycle().skip(1);
    if ranks.is_empty() || ranks.iter().any(|a| next.next().map(|b| b.0) != Some(a.1)) {
        return malformed(format!("the ranks {ranks:.9?} do not close to a ring"));
    }
    let mut sum = Terms::new();
    for start in 0..ranks[0].0 {
        let mut paths = BTreeMap::from([(start, one())]);
        for matrix in &matrices {
            let mut longer: BTreeMap<usize, Terms> = BTreeMap::new();
            for (bond, path) in &paths {
                for (end, step) in &matrix[bond] {
                    m.budget.spend(8)?;
                    m.add(longer.entry(*end).or_default(), false, path, step)?;
                }
            }
            paths = longer;
        }
        for (e, c) in paths.remove(&start).unwrap_or_default() {
            m.put(&mut sum, e, c)?;
        }
    }
    Ok((shape, sum, ranks.iter().map(|r| r.1).max().unwrap_or(0)))
}

/// `cp-exact`, `ring-exact` and `numeric-residual`; `bound` is that of a numeric claim, zero for the others.
pub(super) fn replay(kind: &str, data: &Json, m: &mut Machine) -> Checked<Verdict> {
    let [model, field, cores, wanted, order, bound] =
        data.fields(["model", "field", "cores", "target", "order", "bound"])?;
    let (model, field) = (model.text()?, field.text()?);
    let numeric = kind == "numeric-residual";
    let order = limited(order, 0, MAX_EXPONENT, "order")?;
    let ring = Ring::named(field, order).filter(|r| numeric == matches!(r, Ring::Floats));
    let known = matches!(model, "cp" | "ring") && (numeric || kind == format!("{model}-exact"));
    let (Some(ring), true) = (ring, known) else {
        return malformed(format!(
            "no {kind} of {model:.9?} over {field:.9?}, {order}"
        ));
    };
    let limit = m.budget.rational(bound, numeric)?;
    if limit < RBig::ZERO || (!numeric && limit > RBig::ZERO) {
        return malformed("the bound is negative, or not zero for an exact claim");
    }
    let (shape, mut gap, rank) = product(cores.list()?, model == "cp", &ring, m)?;
    let (target, of) = target(wanted, &shape, &ring, m)?;
    for (e, c) in &target {
        m.put(&mut gap, e.clone(), -c)?;
    }
    let what = format!("a {model} decomposition of rank {rank} of {of}");
    if numeric {
        let mut squared = |t: &Terms| {
            t.values().try_fold(RBig::ZERO, |sum, c| {
                let square = m.budget.product(c, c)?;
                m.budget.sum(&sum, &square)
            })
        };
        let (gap, all) = (squared(&gap)?, squared(&target)?);
        let squared = m.budget.product(&limit, &limit)?;
        let allowed = m.budget.product(&squared, &all)?;
        let what = format!("{what} with residual <= {}", bound.short());
        return Ok(match gap <= allowed {
            true if all <= allowed => Verdict::Vacuous(format!("{what}, as zeros are")),
            true => Verdict::True(what),
            false => Verdict::False(format!("not {what}")),
        });
    }
    let wrong = m.nonzero(&gap, shape.len(), &ring)?;
    let places: BTreeSet<_> = wrong.keys().map(|e| padded(e, shape.len())).collect();
    Ok(match places.first() {
        Some(first) => Verdict::False(format!("{} wrong entries, first {first:?}", places.len())),
        None if m.nonzero(&target, shape.len(), &ring)?.is_empty() => Verdict::Vacuous(what),
        None if order > 0 => Verdict::True(format!("{what} up to O(x^{order})")),
        None => Verdict::True(format!("{what} over {field}")),
    })
}
