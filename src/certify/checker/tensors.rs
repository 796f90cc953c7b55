//! Factorisations of tensors. The entry at `(i, j, ..)` of a tensor is the term with exponents `i, j, ..`, so
//! that the product of vectors in different modes is their outer product.

use super::terms::{Checked, Machine, Terms, malformed, monomial, one, rational};
use crate::certify::format::{Factorisation, Target, Verdict};
use dashu_int::{UBig, ops::Gcd, ops::PowerOfTwo};
use dashu_ratio::RBig;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const FIELDS: [&str; 7] = ["ZT", "Z", "Z[1/2]", "Q", "binary64", "Q(i)", "Q[x,1/x]"];

const MAX_MODES: usize = 64;

/// The unit tensor at an index.
fn place(index: &[usize]) -> Terms {
    monomial(index.iter().map(|&i| i as i64).collect(), RBig::ONE)
}

impl Factorisation {
    fn modulus(&self) -> Option<UBig> {
        let n: u32 = self.field.strip_prefix("mod ")?.parse().ok()?;
        (n > 1).then(|| n.into())
    }

    /// The entry at an index: a number, or pairs `[exponent, number]` of the adjoined `i` or `x`, whose exponent
    /// comes after the indices.
    fn entry(&self, index: &[usize], json: &Value, m: &mut Machine) -> Checked<Terms> {
        let field = &self.field[..];
        let pairs = match json.is_array() {
            true => Vec::deserialize(json),
            false => Ok(vec![(0, json.clone())]),
        };
        let mut sum = Terms::new();
        for (exponent, c) in pairs.or_else(|e| malformed(e.to_string()))? {
            let (value, float) = (rational(&c)?, c.is_f64());
            let d = value.denominator();
            let lies = match field {
                "ZT" => d.is_one() && (RBig::NEG_ONE..=RBig::ONE).contains(&value),
                "Z" => d.is_one(),
                "Z[1/2]" => d.is_power_of_two(),
                _ => self.modulus().is_none_or(|n| d.gcd(&n).is_one()),
            };
            let constant = exponent == 0 || FIELDS[5..].contains(&field);
            if !lies || !constant || (float && field != "binary64") {
                return malformed(format!("{:.60} lies not in {field}", c.to_string()));
            }
            let mut full = vec![0; self.cores.len()];
            full.push(exponent);
            m.add(&mut sum, 1, &place(index), &monomial(full, value))?;
        }
        Ok(sum)
    }

    fn target(&self, m: &mut Machine) -> Checked<(Vec<usize>, Terms)> {
        let mut sum = Terms::new();
        let shape = match &self.target {
            Target::Matmul(dims) => {
                let [r, s, t] = dims.map(usize::from);
                for (i, j) in (0..r).flat_map(|i| (0..s).map(move |j| (i, j))) {
                    for k in 0..t {
                        let at = [i * s + j, j * t + k, i * t + k];
                        m.add(&mut sum, 1, &one(), &place(&at))?;
                    }
                }
                vec![r * s, s * t, r * t]
            }
            Target::Dense { shape, entries } => {
                let volume = |s: &[usize]| s.iter().try_fold(1usize, |v, &n| v.checked_mul(n));
                if volume(shape) != Some(entries.len()) || shape.len() > MAX_MODES {
                    return malformed(format!("{} entries for {shape:.9?}", entries.len()));
                }
                for (flat, entry) in entries.iter().enumerate() {
                    let stride = |k| volume(&shape[k + 1..]).unwrap_or(1);
                    let index = (0..shape.len()).map(|k| flat / stride(k) % shape[k]);
                    let entry = self.entry(&index.collect::<Vec<_>>(), entry, m)?;
                    m.add(&mut sum, 1, &one(), &entry)?;
                }
                shape.clone()
            }
        };
        Ok((shape, sum))
    }

    /// What the cores multiply out to, with its shape and the largest rank.
    fn product(&self, m: &mut Machine) -> Checked<(Vec<usize>, Terms, usize)> {
        let (mut cores, mut shape, mut ranks) = (Vec::new(), Vec::new(), Vec::new());
        let cp = self.model == "cp";
        for (k, core) in self.cores.iter().enumerate() {
            let n = core.first().map_or(0, Vec::len);
            let right = core.first().and_then(|c| c.first()).map_or(0, Vec::len);
            let equal = core.iter().all(|c| c.len() == n);
            let equal = equal && core.iter().flatten().all(|r| r.len() == right);
            if right == 0 || !equal || (cp && core.len() != 1) || k > MAX_MODES {
                return malformed("a core is lists of lists of lists of equal lengths");
            }
            let mut matrix: BTreeMap<usize, BTreeMap<usize, Terms>> = BTreeMap::new();
            for (a, i) in (0..core.len()).flat_map(|a| (0..n).map(move |i| (a, i))) {
                for (b, json) in core[a][i].iter().enumerate() {
                    let entry = self.entry(&[&vec![0; k][..], &[i]].concat(), json, m)?;
                    let row = matrix.entry(if cp { b } else { a }).or_default();
                    m.add(row.entry(b).or_default(), 1, &one(), &entry)?;
                }
            }
            shape.push(n);
            ranks.push((matrix.len(), right));
            cores.push(matrix);
        }
        let mut next = ranks.iter().cycle().skip(1);
        if ranks.is_empty() || ranks.iter().any(|a| next.next().map(|b| b.0) != Some(a.1)) {
            return malformed(format!("the ranks {ranks:.9?} do not close to a ring"));
        }
        let mut sum = Terms::new();
        for start in 0..ranks[0].0 {
            let mut paths = BTreeMap::from([(start, one())]);
            for core in &cores {
                let mut longer: BTreeMap<usize, Terms> = BTreeMap::new();
                for (bond, path) in &paths {
                    for (end, step) in &core[bond] {
                        m.add(longer.entry(*end).or_default(), 1, path, step)?;
                    }
                }
                paths = longer;
            }
            let closed = paths.remove(&start).unwrap_or_default();
            m.add(&mut sum, 1, &one(), &closed)?;
        }
        let rank = ranks.iter().map(|r| r.1).max();
        Ok((shape, sum, rank.unwrap_or(0)))
    }
}

/// `cp-exact`, `ring-exact` and `numeric-residual`.
pub(super) fn replay(kind: &str, claim: &Factorisation, m: &mut Machine) -> Checked<Verdict> {
    let (model, field, modulus) = (&claim.model[..], &claim.field[..], claim.modulus());
    let (numeric, order) = (kind == "numeric-residual", i64::from(claim.order));
    let known = modulus.is_some() || FIELDS.contains(&field);
    let known = known && matches!(model, "cp" | "ring") && numeric == (field == "binary64");
    let fits = (numeric || kind == format!("{model}-exact")) && (order == 0 || field == FIELDS[6]);
    if !known || !fits {
        return malformed(format!("no {kind} of a {model:.9?} over {field:.9?}"));
    }
    let (shape, mut gap, rank) = claim.product(m)?;
    let (wanted, target) = claim.target(m)?;
    if shape != wanted {
        return malformed(format!("the shapes {shape:.9?} and {wanted:.9?}"));
    }
    m.add(&mut gap, -1, &one(), &target)?;
    let of = claim.target.describe();
    let what = format!("a {model} decomposition of rank {rank} of {of}");
    if numeric {
        let bound = rational(&claim.bound)?;
        let squared = |t: &Terms| t.values().fold(RBig::ZERO, |s, c| s + c.sqr());
        let holds = bound >= RBig::ZERO && squared(&gap) <= squared(&target) * bound.sqr();
        let what = format!("{what} with residual <= {:e}", bound.to_f64().value());
        return Ok(holds.then(|| what.clone()).ok_or(format!("not {what}")));
    }
    let mut wrong = Terms::new();
    for (mut e, c) in gap {
        e.resize(shape.len() + 1, 0);
        let power = e.pop().unwrap_or(0);
        if field == "Q(i)" {
            // i^2 = -1; the real and the imaginary part are told apart by a last index.
            e.push(power.rem_euclid(2));
            let sign = 1 - 2 * (power.rem_euclid(4) / 2);
            m.add(&mut wrong, sign, &monomial(e, c), &one())?;
        } else if (order == 0 || power < order)
            && !modulus
                .as_ref()
                .is_some_and(|n| (c.numerator() % n).is_zero())
        {
            e.push(power);
            wrong.insert(e, c);
        }
    }
    let padded = wrong.into_keys().map(|mut e| {
        e.resize(shape.len(), 0);
        e
    });
    let places: BTreeSet<Vec<i64>> = padded.collect();
    Ok(match places.first() {
        Some(first) => Err(format!("{} wrong entries, first {first:?}", places.len())),
        None if order > 0 => Ok(format!("{what} up to O(x^{order})")),
        None => Ok(format!("{what} over {field}")),
    })
}
