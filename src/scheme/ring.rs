//! Tensor rings and trains with exact entries, held against a tensor.

use super::model::Target;
use super::residual::{MAX_STEPS, Residual};
use crate::Error;
use crate::certify::numbers::Budget;
use crate::certify::{Claim, Entry};
use crate::poly::{Integer, Rational, integer_gcd};
use crate::tensor::Tensor;
use num_traits::Zero;
use std::collections::BTreeMap;
use std::time::Instant;

const OP: &str = "examine";
/// Words of partial products held at a time.
const MAX_HELD: usize = 1 << 25;
/// Bits of a common denominator; floats of very different sizes need the most.
const MAX_BITS: usize = 1 << 13;

/// `T[i, j, ..] = Tr(G_0[.., i, ..] G_1[.., j, ..] ..)` with rational cores `R_k x n_k x R_(k+1)`; a train is
/// a ring whose first rank is one.
///
/// # Example
/// ```
/// use wickring::poly::Rational;
/// use wickring::scheme::{RationalRing, Target};
/// use wickring::tensor::Tensor;
/// // The products of 1 and 2 with 1 and 2.
/// let core = vec![vec![vec![Rational::from(1)], vec![Rational::from(2)]]];
/// let ring = RationalRing::new("", &[core.clone(), core])?;
/// let table = Tensor::from_vec(&[2, 2], vec![1.0, 2.0, 2.0, 4.0])?;
/// assert!(ring.is_train() && ring.residual(&Target::dense(table.view())?)?.is_zero());
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RationalRing {
    /// Its name within its file; empty if the file holds one.
    pub name: String,
    cores: Vec<Core>,
}

/// The entry at `(a, i, b)` stands at `(a * dims[1] + i) * dims[2] + b`.
#[derive(Clone, Debug, PartialEq)]
struct Core {
    dims: [usize; 3],
    entries: Vec<Rational>,
}

impl RationalRing {
    /// From cores as lists of slices `R x n x R'`.
    ///
    /// # Errors
    /// `Shape` when a core is not a block or the ranks do not close to a ring.
    pub fn new(name: &str, cores: &[Vec<Vec<Vec<Rational>>>]) -> Result<Self, Error> {
        let mut built = Vec::new();
        for (k, core) in cores.iter().enumerate() {
            let size = core.first().map_or(0, Vec::len);
            let right = core.first().and_then(|c| c.first()).map_or(0, Vec::len);
            let equal = core
                .iter()
                .all(|c| c.len() == size && c.iter().all(|r| r.len() == right));
            if right == 0 || !equal {
                let expected = format!("core {k} as lists of lists of lists of equal lengths");
                return Err(Error::shape(OP, expected, "others"));
            }
            let entries = core.iter().flatten().flatten().cloned().collect();
            built.push(Core {
                dims: [core.len(), size, right],
                entries,
            });
        }
        Self::closed(name, built)
    }

    /// The exact values of the floats of cores `R x n x R'`.
    ///
    /// # Errors
    /// `Shape` as for [`RationalRing::new`], `NonFinite`.
    pub fn from_tensors(name: &str, cores: &[&Tensor]) -> Result<Self, Error> {
        let mut built = Vec::new();
        for (k, core) in cores.iter().enumerate() {
            let dims = <[usize; 3]>::try_from(core.dims());
            let dims = dims.map_err(|_| {
                let found = format!("{:?}", core.dims());
                Error::shape(OP, format!("core {k} of order three"), found)
            })?;
            core.view().require_finite(OP)?;
            let [left, size, right] = dims;
            let value = |flat: usize| {
                let (a, i, b) = (flat / (size * right), flat / right % size, flat % right);
                Rational::from_f64(core.as_slice()[a + left * (i + size * b)]).unwrap_or_default()
            };
            let entries = (0..left * size * right).map(value).collect();
            built.push(Core { dims, entries });
        }
        Self::closed(name, built)
    }

    fn closed(name: &str, cores: Vec<Core>) -> Result<Self, Error> {
        let next = cores.iter().cycle().skip(1);
        let closes = cores.iter().zip(next).all(|(c, n)| c.dims[2] == n.dims[0]);
        if cores.is_empty() || !closes || cores.iter().any(|c| c.dims.contains(&0)) {
            let found: Vec<_> = cores.iter().map(|c| c.dims).collect();
            let expected = "cores R_0 x n_0 x R_1, R_1 x n_1 x R_2, .. that close on R_0";
            return Err(Error::shape(OP, expected, format!("{found:?}")));
        }
        let name = name.to_owned();
        Ok(Self { name, cores })
    }

    /// The ranks `R_0, R_1, ..`.
    pub fn ranks(&self) -> Vec<usize> {
        self.cores.iter().map(|c| c.dims[0]).collect()
    }

    /// The sizes of the modes.
    pub fn sizes(&self) -> Vec<usize> {
        self.cores.iter().map(|c| c.dims[1]).collect()
    }

    /// Whether the ring is open: its first rank is one.
    pub fn is_train(&self) -> bool {
        self.cores.first().is_some_and(|c| c.dims[0] == 1)
    }

    /// The smallest of `Z`, `Z[1/2]`, `Q` that holds the entries.
    pub fn field(&self) -> &'static str {
        let values = || self.cores.iter().flat_map(|c| &c.entries);
        let one = Integer::from(1);
        if values().all(Rational::is_integer) {
            "Z"
        } else if values().all(|v| (&v.denominator() & (&v.denominator() - &one)).is_zero()) {
            "Z[1/2]"
        } else {
            "Q"
        }
    }

    /// What the ring multiplies out to, minus the target, exactly.
    ///
    /// # Errors
    /// `Shape` when the sizes differ from those of the target, `LimitExceeded` beyond 2^33 steps: a product of
    /// integers is 16 and the product of their words.
    ///
    /// # Complexity
    /// `R_0 n_0 .. n_k R_k R_(k+1)` products of integers for each core `k`.
    pub fn residual(&self, target: &Target) -> Result<Residual, Error> {
        self.residual_until(target, None)
    }

    /// The same until a deadline.
    ///
    /// # Errors
    /// As [`RationalRing::residual`], and `Stopped`.
    pub fn residual_until(
        &self,
        target: &Target,
        deadline: Option<Instant>,
    ) -> Result<Residual, Error> {
        let shape = target.shape();
        if self.sizes() != shape {
            let expected = format!("cores of sizes {shape:?} for {}", target.name());
            return Err(Error::shape(OP, expected, format!("{:?}", self.sizes())));
        }
        target.require_real(OP)?;
        let mut scale = Integer::from(1);
        let mut cores = Vec::new();
        for core in &self.cores {
            let (cleared, denominator) = core.cleared()?;
            cores.push((core.dims, cleared));
            scale *= denominator;
        }
        let mut budget = Budget::new(OP, MAX_STEPS, deadline);
        let sums = multiply_out(&cores, &mut budget)?;
        budget.spend(target.count().saturating_mul(64))?;
        let wanted = target.entries();
        let mut terms = BTreeMap::new();
        for (at, sum) in sums.into_iter().enumerate() {
            let sum = Rational::from_integers(sum, scale.clone()).unwrap_or_default();
            let gap = match wanted.get(&at) {
                Some(v) => &sum - v,
                None => sum,
            };
            if !gap.is_zero() {
                terms.insert((at, 0), gap);
            }
        }
        Ok(Residual { shape, terms })
    }

    fn entries(&self) -> Vec<Vec<Vec<Vec<Entry>>>> {
        let core = |c: &Core| {
            let rows: Vec<Vec<Entry>> = c
                .entries
                .chunks(c.dims[2])
                .map(|row| row.iter().cloned().map(Entry::from).collect())
                .collect();
            rows.chunks(c.dims[1]).map(<[_]>::to_vec).collect()
        };
        self.cores.iter().map(core).collect()
    }

    /// How many numbers a claim about this ring lists.
    pub fn claim_size(&self, target: &Target) -> usize {
        let volume = target
            .shape()
            .iter()
            .fold(1, |v: usize, &n| v.saturating_mul(n));
        self.cores
            .iter()
            .fold(volume, |sum, c| sum.saturating_add(c.entries.len()))
    }

    /// The claim that the ring is exactly `target`.
    pub fn claim(&self, target: &Target) -> Claim {
        let claim = Claim::ring_exact(self.field(), &self.entries(), &target.claimed());
        claim.about(format!(
            "{} as a ring of ranks {:?}",
            target.name(),
            self.ranks()
        ))
    }

    /// The claim that the ring is `target` up to a relative residual of at most `bound`.
    pub fn residual_claim(&self, target: &Target, bound: f64) -> Claim {
        let claim = Claim::ring_residual(&self.entries(), &target.claimed(), bound);
        claim.about(format!(
            "{} as a ring of ranks {:?}",
            target.name(),
            self.ranks()
        ))
    }
}

impl Core {
    /// The entries times their least common denominator, and that.
    fn cleared(&self) -> Result<(Vec<Integer>, Integer), Error> {
        let mut lcm = Integer::from(1);
        for v in &self.entries {
            let d = v.denominator();
            lcm = &lcm / integer_gcd(&lcm, &d) * d;
            if Rational::from(lcm.clone()).bits() > MAX_BITS {
                return Err(Error::limit(
                    OP,
                    "bits of a common denominator",
                    MAX_BITS as u64,
                ));
            }
        }
        let whole = |v: &Rational| v.numerator() * (&lcm / v.denominator());
        Ok((self.entries.iter().map(whole).collect(), lcm))
    }
}

/// All entries of the ring of integer cores, the last index fastest.
fn multiply_out(
    cores: &[([usize; 3], Vec<Integer>)],
    budget: &mut Budget,
) -> Result<Vec<Integer>, Error> {
    let Some((last, inner)) = cores.split_last() else {
        return Ok(Vec::new());
    };
    let first = cores[0].0[0];
    // The words of a partial product, and of an entry of the next core.
    let mut words = 1;
    // The products so far, `(a, indices, b)` with `a` the slowest.
    let mut paths: Vec<Integer> = (0..first * first)
        .map(|q| Integer::from(u8::from(q / first == q % first)))
        .collect();
    let mut count = 1;
    for ([left, size, right], core) in inner {
        let wide = widest(core);
        hold([first, count, *size, *right, words + wide])?;
        let mut longer = vec![Integer::zero(); first * count * size * right];
        for (head, path) in paths.chunks_exact(*left).enumerate() {
            budget.spend((left * size * right).saturating_mul(16 + words * wide))?;
            let block = &mut longer[head * size * right..][..size * right];
            for (b, p) in path.iter().enumerate().filter(|(_, p)| !p.is_zero()) {
                let slice = &core[b * size * right..][..size * right];
                for (sum, g) in block.iter_mut().zip(slice).filter(|(_, g)| !g.is_zero()) {
                    *sum += p * g;
                }
            }
        }
        (paths, count, words) = (longer, count * size, words + wide);
    }
    let ([left, size, _], core) = last;
    let wide = widest(core);
    hold([count, *size, 1, 1, words + wide])?;
    let mut entries = vec![Integer::zero(); count * size];
    for (head, path) in paths.chunks_exact(*left).enumerate() {
        budget.spend((left * size).saturating_mul(16 + words * wide))?;
        let (a, at) = (head / count, head % count);
        for (b, p) in path.iter().enumerate().filter(|(_, p)| !p.is_zero()) {
            for (i, sum) in entries[at * size..][..*size].iter_mut().enumerate() {
                *sum += p * &core[(b * size + i) * first + a];
            }
        }
    }
    Ok(entries)
}

/// The words of the longest entry.
fn widest(core: &[Integer]) -> usize {
    let words = core.iter().map(|n| n.as_sign_words().1.len());
    words.max().unwrap_or(1)
}

/// Refuses partial products of more words than may be held.
fn hold(parts: [usize; 5]) -> Result<(), Error> {
    let held = parts.iter().try_fold(1usize, |p, &n| p.checked_mul(n));
    match held.is_some_and(|h| h <= MAX_HELD) {
        true => Ok(()),
        false => {
            let what = "words of partial products";
            Err(Error::limit(OP, what, MAX_HELD as u64))
        }
    }
}
