//! Why a scheme modulo a prime has no lift modulo its square.

use crate::Error;
use crate::poly::{Integer, Rational};
use crate::scheme::model::{Scheme, Target};
use crate::scheme::whole::{Term, residue_terms, scheme_of};
use num_traits::Zero;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SCHEMA: &str = "wickring/no-lift/1";
const OP: &str = "NoLift::from_json";
/// Products of entries in one check.
const MAX_PRODUCTS: u64 = 1 << 32;

/// A proof that a scheme, exact modulo a prime, is congruent to no scheme that is exact modulo its square.
///
/// Let `J` be the matrix of derivatives of all entries by all unknowns and `E = (target - scheme) / p`, both modulo `p`. A
/// lift would be a solution of `J d = E`; `y` with `y J = 0` and `y E != 0` shows that there is none.
///
/// ```
/// use wickring::scheme::{NoLift, SchemeFormat, read_schemes};
/// let scheme = read_schemes("a11*b11*c11", SchemeFormat::Products, "")?.remove(0);
/// // y = 0 proves nothing.
/// assert!(!NoLift::new(scheme, 2, Vec::new())?.holds()?);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NoLift {
    scheme: Scheme,
    prime: u32,
    /// Entries of the tensor (first index slowest) and multipliers below the prime.
    combination: Vec<(usize, u8)>,
}

fn whole(v: &Value) -> Option<usize> {
    v.as_u64().and_then(|n| usize::try_from(n).ok())
}

/// Three sizes of modes.
fn sizes(v: &Value) -> Option<Vec<usize>> {
    let sizes: Option<Vec<usize>> = v.as_array()?.iter().map(whole).collect();
    sizes.filter(|s| s.len() == 3 && s.iter().all(|n| (1..=1 << 12).contains(n)))
}

impl NoLift {
    /// The claim that `combination` shows that `scheme` has no lift modulo the square of `prime`; nothing is checked yet.
    ///
    /// # Errors
    /// `InvalidInput` when the prime is neither 2 nor 3 or the scheme names no tensor.
    pub fn new(scheme: Scheme, prime: u32, combination: Vec<(usize, u8)>) -> Result<Self, Error> {
        if !matches!(prime, 2 | 3) || scheme.target.is_none() {
            let what =
                format!("needs a scheme of a named tensor and the prime 2 or 3, not {prime}");
            return Err(Error::invalid(OP, what));
        }
        Ok(Self {
            scheme,
            prime,
            combination,
        })
    }

    /// The entries of the tensor that are combined.
    pub fn len(&self) -> usize {
        self.combination.len()
    }

    /// Whether no entry is combined.
    pub fn is_empty(&self) -> bool {
        self.combination.is_empty()
    }

    /// Computes everything anew, in plain loops over integers: is the scheme exact modulo the prime, is `y J = 0`, and is
    /// `y E` not zero?
    ///
    /// # Errors
    /// `InvalidInput` when an entry has no value modulo the prime, `LimitExceeded` beyond 2^24 entries of the tensor.
    ///
    /// # Complexity
    /// Terms times the product of the sizes.
    pub fn holds(&self) -> Result<bool, Error> {
        let p = i64::from(self.prime);
        let terms = residue_terms(&self.scheme, self.prime);
        let terms =
            terms.ok_or_else(|| Error::invalid(OP, "an entry has no value modulo the prime"))?;
        let Some(target) = &self.scheme.target else {
            return Ok(false);
        };
        let shape = target.shape();
        let [n, m, l] = shape[..] else {
            return Err(Error::shape(OP, "three factors", format!("{shape:?}")));
        };
        let volume = n.checked_mul(m).and_then(|v| v.checked_mul(l));
        let volume = volume.filter(|v| *v <= 1 << 24);
        let volume = volume.ok_or(Error::limit(OP, "entries of the tensor", 1 << 24))?;
        let products = |t: &Term| t.iter().fold(1u64, |p, v| p.saturating_mul(v.len() as u64));
        if terms.iter().map(products).fold(0, u64::saturating_add) > MAX_PRODUCTS {
            return Err(Error::limit(OP, "products of entries", MAX_PRODUCTS));
        }
        let mut gap = vec![0i64; volume];
        for (at, value) in wanted(target)? {
            gap[at] = value;
        }
        for [a, b, c] in &terms {
            for (i, x) in a {
                for (j, y) in b {
                    c.iter()
                        .for_each(|(k, z)| gap[(i * m + j) * l + k] -= x * y * z);
                }
            }
        }
        if gap.iter().any(|g| g % p != 0) {
            return Ok(false);
        }
        let mut sum = 0;
        for (at, y) in &self.combination {
            let Some(g) = gap.get(*at) else {
                return Ok(false);
            };
            sum += i64::from(*y) * (g / p).rem_euclid(p);
        }
        Ok(sum % p != 0 && terms.iter().all(|t| self.vanishes(t, [n, m, l])))
    }

    /// Whether the combination of derivatives by the entries of a term is zero modulo the prime.
    fn vanishes(&self, term: &Term, sizes: [usize; 3]) -> bool {
        let p = i64::from(self.prime);
        let mut dense = sizes.map(|n| vec![0i64; n]);
        for (line, entries) in dense.iter_mut().zip(term) {
            entries.iter().for_each(|(at, c)| line[*at] = *c);
        }
        let mut sums = sizes.map(|n| vec![0i64; n]);
        for (at, y) in &self.combination {
            let index = [
                at / (sizes[1] * sizes[2]),
                at / sizes[2] % sizes[1],
                at % sizes[2],
            ];
            for k in 0..3 {
                let (s, t) = ((k + 1) % 3, (k + 2) % 3);
                sums[k][index[k]] += i64::from(*y) * dense[s][index[s]] * dense[t][index[t]];
            }
        }
        sums.iter().flatten().all(|s| s % p == 0)
    }

    /// The proof as JSON, with the scheme and the target in it.
    pub fn to_json(&self) -> String {
        let terms = residue_terms(&self.scheme, self.prime).unwrap_or_default();
        let entry = |v: &(usize, i64)| json!([v.0, v.1]);
        let list = |v: &Vec<(usize, i64)>| Value::Array(v.iter().map(entry).collect());
        let terms: Vec<Value> = terms
            .iter()
            .map(|t| Value::Array(t.iter().map(list).collect()))
            .collect();
        let target = self.scheme.target.as_ref();
        let entries: Vec<Value> = target
            .map(|t| t.entries().into_iter())
            .into_iter()
            .flatten()
            .map(|(at, v)| json!([at, v.to_string()]))
            .collect();
        let text = json!({
            "schema": SCHEMA, "prime": self.prime, "modulus": self.prime * self.prime,
            "target": target.map(Target::name), "shape": target.map(Target::shape), "entries": entries,
            "terms": terms, "combination": self.combination,
        });
        format!("{text}\n")
    }

    /// Reads what [`NoLift::to_json`] wrote; [`NoLift::holds`] says whether it is true.
    ///
    /// # Errors
    /// `InvalidInput` naming the field that is missing or wrong.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let fault = |what: &str| Error::invalid(OP, format!("needs {what}"));
        let top: Value =
            serde_json::from_str(text).map_err(|e| Error::invalid(OP, e.to_string()))?;
        if top["schema"] != SCHEMA {
            return Err(fault("the schema wickring/no-lift/1"));
        }
        let prime = top["prime"].as_u64().filter(|p| matches!(p, 2 | 3));
        let prime = prime.ok_or_else(|| fault("the prime 2 or 3"))? as u32;
        let sizes =
            sizes(&top["shape"]).ok_or_else(|| fault("a shape of three sizes up to 4096"))?;
        let volume: usize = sizes.iter().product();
        let list = |name: &str| {
            top[name]
                .as_array()
                .ok_or_else(|| fault(&format!("a list {name}")))
        };
        let mut entries = BTreeMap::new();
        for pair in list("entries")? {
            let at = whole(&pair[0]).filter(|at| *at < volume);
            let value = pair[1].as_str().filter(|t| t.len() < 64);
            let value: Option<Rational> = value.and_then(|t| t.parse().ok());
            let (Some(at), Some(value)) = (at, value) else {
                return Err(fault("entries [position, \"value\"] inside the shape"));
            };
            entries.insert(at, value);
        }
        let mut terms = Vec::new();
        for term in list("terms")? {
            let mut built = Term::default();
            for k in 0..3 {
                let entries = term[k].as_array().into_iter().flatten();
                for pair in entries {
                    let at = whole(&pair[0]).filter(|at| *at < sizes[k]);
                    let value = pair[1]
                        .as_i64()
                        .filter(|v| (0..i64::from(prime)).contains(v));
                    let (Some(at), Some(value)) = (at, value) else {
                        return Err(fault("terms of entries [position, residue]"));
                    };
                    built[k].push((at, value));
                }
            }
            terms.push(built);
        }
        let mut combination = Vec::new();
        for pair in list("combination")? {
            let y = pair[1].as_u64().filter(|y| *y < u64::from(prime));
            let (Some(at), Some(y)) = (whole(&pair[0]).filter(|at| *at < volume), y) else {
                return Err(fault("a combination [position, multiplier]"));
            };
            combination.push((at, y as u8));
        }
        let scheme = scheme_of(&terms, &Target::Dense(sizes, entries))?;
        Self::new(scheme, prime, combination)
    }
}

/// The entries of a target as machine integers.
fn wanted(target: &Target) -> Result<Vec<(usize, i64)>, Error> {
    let whole = |v: &Rational| {
        let small = v.is_integer().then(|| i64::try_from(&v.numerator()).ok());
        small.flatten().filter(|n| n.unsigned_abs() < 1 << 31)
    };
    target.require_real(OP)?;
    let entries = target.entries().into_iter();
    let entries = entries.filter(|(_, v)| v.numerator() != Integer::zero());
    let wrong = || Error::invalid(OP, "needs a tensor of whole numbers below 2^31");
    let list = entries.map(|(at, v)| Ok((at, whole(&v).ok_or_else(wrong)?)));
    list.collect()
}
