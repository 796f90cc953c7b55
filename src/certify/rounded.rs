//! Residuals in binary64 with a proved bound of their rounding: the arithmetic of `rounded-residual` claims.
//!
//! Every operation is rounded to nearest in the order that `docs/FORMATS.md` gives, so whoever repeats it gets the
//! same bits. With `u = 2^-53`, an entry of the model on the way to which lie `n` roundings is off by at most `2 n u`
//! times the same sum of absolute values (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1 to
//! 3.5), and the norm of those sums is at most the sum of the products of the norms of the factors. A product may
//! lose `2^-1075` more where it underflows. The rest, sums of squares and norms, has fewer than `2^28` roundings on
//! any way, which a factor `1 + 2^-20` outweighs.

use super::format::Verdict;
use super::json::{Json, is_whole, malformed};
use super::numbers::{Budget, OP, whole};
use super::rings::MAX_EXPONENT;
use crate::Error;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

const MAX_MODES: usize = 64;
/// Far more than `2^-1075`, far less than anything that matters: `2^-1020`.
const TINY: f64 = 4.0 * f64::MIN_POSITIVE;
/// Products of norms below this are replaced by it, so that none is lost to underflow.
const FLOOR: f64 = f64::from_bits((1023 - 900) << 52);
const SLACK: f64 = 1.0 / (1 << 20) as f64;
const MOST_ROUNDINGS: usize = 1 << 28;
/// Entries of the first mode that are summed at a time, within the cache; the order of additions is the same.
const BLOCK: usize = 1024;

/// A tensor, for claims that name theirs by its digest; a missing entry is NaN.
/// # Example
/// ```
/// use wickring::certify::{TensorData, sha256};
/// let t = TensorData { shape: &[2], entries: &[1.0, -0.5] };
/// let bytes = [&b"2\n"[..], &1f64.to_le_bytes(), &(-0.5f64).to_le_bytes()].concat();
/// assert_eq!(t.digest(), sha256(&bytes));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorData<'a> {
    /// The sizes of the modes.
    pub shape: &'a [usize],
    /// The entries, the first index fastest.
    pub entries: &'a [f64],
}

impl TensorData<'_> {
    /// SHA-256 of the sizes as `2x3x4` and a newline, followed by the entries, the first index fastest, each as the
    /// eight bytes of its binary64, least significant byte first, every NaN as `7ff8000000000000`. Formats of files do
    /// not matter to it.
    pub fn digest(&self) -> String {
        let sizes: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        let mut digest = Sha256::new();
        digest.update(sizes.join("x") + "\n");
        let mut bytes = [0; 8 * BLOCK];
        for block in self.entries.chunks(BLOCK) {
            for (to, x) in bytes.chunks_exact_mut(8).zip(block) {
                to.copy_from_slice(&if x.is_nan() { f64::NAN } else { *x }.to_le_bytes());
            }
            digest.update(&bytes[..8 * block.len()]);
        }
        let digest = digest.finalize();
        digest.iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// A core `R x n x R'`; the entry at `(a, i, b)` stands at `(i R + a) R' + b`.
pub(crate) struct Core {
    pub(crate) left: usize,
    pub(crate) size: usize,
    pub(crate) right: usize,
    pub(crate) entries: Vec<f64>,
}

/// Factors as cores `1 x n x R` with weights, or the cores of a ring.
pub(crate) struct Model {
    pub(crate) weights: Option<Vec<f64>>,
    pub(crate) cores: Vec<Core>,
}

/// The Euclidean norm, not less than it is but for rounding.
fn norm<'a>(values: impl ExactSizeIterator<Item = &'a f64>) -> f64 {
    let lost = values.len() as f64 * TINY;
    (values.fold(0.0, |sum, x| sum + x * x) + lost).sqrt()
}

impl Model {
    fn shape(&self) -> Vec<usize> {
        self.cores.iter().map(|c| c.size).collect()
    }

    /// Bond of the first core to the last, bond to the second; one and the rank for CP.
    fn ends(&self) -> (usize, usize) {
        self.cores.first().map_or((1, 1), |c| (c.left, c.right))
    }

    /// Roundings on the way to an entry; `None` where the proof does not reach.
    fn roundings(&self, volume: usize) -> Option<usize> {
        let (left, right) = self.ends();
        let size = self.cores.first().map_or(0, |c| c.size).max(1);
        let inner = match self.weights {
            Some(_) => 0,
            None => self.cores.iter().skip(1).map(|c| c.right).sum(),
        };
        let roundings = self.cores.len() + inner + left * right;
        let held: usize = self.cores.iter().map(|c| c.entries.len()).sum();
        let all = [size, volume / size, roundings, held];
        let all = all.iter().fold(0usize, |sum, n| sum.saturating_add(*n));
        (all <= MOST_ROUNDINGS).then_some(roundings)
    }

    /// The norm of the model of absolute values, at most.
    fn majorant(&self) -> f64 {
        let times = |p: f64, q: f64| if p * q > FLOOR { p * q } else { FLOOR };
        let Some(weights) = &self.weights else {
            let norms = self.cores.iter().map(|c| norm(c.entries.iter()));
            return norms.fold(1.0, times);
        };
        let term = |(r, w): (usize, &f64)| {
            let columns = self.cores.iter();
            let norms = columns.map(|c| norm(c.entries[r..].iter().step_by(c.right)));
            norms.fold(w.abs(), times)
        };
        weights.iter().enumerate().map(term).fold(0.0, |a, b| a + b)
    }

    /// What underflow may take from an entry, at most, without the factor `TINY`.
    fn lost(&self, roundings: usize) -> f64 {
        let one = |most: f64, x: &f64| if x.abs() > most { x.abs() } else { most };
        let largest = |all: &Vec<f64>| all.iter().fold(1.0, one);
        let scale = self.cores.iter().map(|c| largest(&c.entries));
        let scale = scale.fold(self.weights.as_ref().map_or(1.0, largest), |a, b| a * b);
        let paths = match self.weights {
            Some(_) => self.ends().1 as f64,
            None => self.cores.iter().fold(1.0, |p, c| p * c.left as f64),
        };
        paths * roundings as f64 * scale
    }

    /// A bound of `norm(tensor - model) / norm(tensor)` over the entries that are not NaN, the first index fastest;
    /// `None` where there is none, or none in this arithmetic.
    pub(crate) fn relative_bound(
        &self,
        entries: &[f64],
        budget: &mut Budget,
    ) -> Result<Option<f64>, Error> {
        let (left, _) = self.ends();
        let (Some(roundings), Some(first)) = (self.roundings(entries.len()), self.cores.first())
        else {
            return Ok(None);
        };
        let row = |b: usize, a: usize| {
            let at = move |i: usize| (i * first.left + a) * first.right + b;
            (0..first.size).map(move |i| first.entries[at(i)])
        };
        let rows = (0..first.right).flat_map(|b| (0..left).map(move |a| (b, a)));
        let unit = || (0..left * left).map(|k| if k % (left + 1) == 0 { 1.0 } else { 0.0 });
        let start = self.weights.clone().unwrap_or_else(|| unit().collect());
        let mut walk = Walk {
            model: self,
            first: rows.flat_map(|(b, a)| row(b, a)).collect(),
            sums: vec![0.0; first.size.min(BLOCK)],
            entries,
            gap: 0.0,
            all: 0.0,
            budget,
        };
        walk.mode(self.cores.len() - 1, &start, 0, entries.len())?;
        let n = entries.len() as f64;
        let off = roundings as f64 * f64::EPSILON * self.majorant();
        let lost = n.sqrt() * self.lost(roundings) * TINY;
        let gap = ((walk.gap + n * TINY).sqrt() + off + lost) * (1.0 + SLACK);
        let all = (walk.all - n * TINY).sqrt() * (1.0 - SLACK);
        let bound = gap / all * (1.0 + SLACK);
        // Squares that overflow would make any residual look small.
        let finite = walk.gap.is_finite() && walk.all.is_finite();
        Ok(Some(bound).filter(|b| finite && b.is_finite() && all > 0.0))
    }

    /// The product of slice `i` of a core with what the later modes gave.
    fn step(&self, k: usize, i: usize, tail: &[f64]) -> Vec<f64> {
        let core = &self.cores[k];
        let slice = &core.entries[i * core.left * core.right..][..core.left * core.right];
        if self.weights.is_some() {
            return slice.iter().zip(tail).map(|(x, y)| x * y).collect();
        }
        let width = tail.len() / core.right;
        let mut next = vec![0.0; core.left * width];
        for (row, x) in next.chunks_mut(width).zip(slice.chunks(core.right)) {
            for (x, below) in x.iter().zip(tail.chunks(width)) {
                row.iter_mut().zip(below).for_each(|(sum, y)| *sum += x * y);
            }
        }
        next
    }

    fn read(data: [&Json; 3]) -> Result<Self, Error> {
        let [model, weights, cores] = data;
        let cp = match model.text()? {
            "cp" => true,
            "ring" => false,
            other => return malformed(format!("there is no model {other:.20?}")),
        };
        let weights = floats(weights.list()?)?;
        let cores = cores
            .list()?
            .iter()
            .map(core)
            .collect::<Result<Vec<_>, _>>()?;
        if cores.len() > MAX_MODES {
            return Err(Error::limit(OP, "modes", MAX_MODES as u64));
        }
        let next = cores.iter().cycle().skip(1);
        let fits = match cp {
            true => cores
                .iter()
                .all(|c| c.left == 1 && c.right == weights.len()),
            false => weights.is_empty() && cores.iter().zip(next).all(|(c, n)| c.right == n.left),
        };
        if cores.len() < 2 || !fits {
            return malformed("the cores, two or more, and the weights do not fit together");
        }
        let weights = cp.then_some(weights);
        Ok(Self { weights, cores })
    }
}

struct Walk<'a> {
    model: &'a Model,
    /// Rows over the first mode, one for each pair `(b, a)` of its bonds, `a` fastest.
    first: Vec<f64>,
    sums: Vec<f64>,
    entries: &'a [f64],
    gap: f64,
    all: f64,
    budget: &'a mut Budget,
}

impl Walk<'_> {
    /// All fibres below mode `k`, among `count` entries from `at` on.
    fn mode(&mut self, k: usize, tail: &[f64], at: usize, count: usize) -> Result<(), Error> {
        let core = &self.model.cores[k];
        if k == 0 {
            self.budget.spend(1 + core.size * tail.len() / 64)?;
            self.fibre(tail, at);
            return Ok(());
        }
        for i in 0..core.size {
            self.budget.spend(1 + core.left * tail.len() / 64)?;
            let next = self.model.step(k, i, tail);
            let below = count / core.size;
            self.mode(k - 1, &next, at + i * below, below)?;
        }
        Ok(())
    }

    /// One fibre of the first mode, from its entries and the coefficients of the rows.
    fn fibre(&mut self, tail: &[f64], at: usize) {
        let size = self.model.cores[0].size;
        let (mut gap, mut all) = (0.0, 0.0);
        for from in (0..size).step_by(BLOCK) {
            let to = size.min(from + BLOCK);
            let sums = &mut self.sums[..to - from];
            sums.fill(0.0);
            for (row, y) in self.first.chunks(size).zip(tail) {
                let pairs = sums.iter_mut().zip(&row[from..to]);
                pairs.for_each(|(sum, x)| *sum += x * y);
            }
            for (t, m) in self.entries[at + from..at + to].iter().zip(sums) {
                // Adding zero changes no bit of a sum of squares.
                let (t, m) = if t.is_nan() { (0.0, 0.0) } else { (*t, *m) };
                gap += (t - m) * (t - m);
                all += t * t;
            }
        }
        self.gap += gap;
        self.all += all;
    }
}

/// A number as binary64; whole numbers must be that exactly.
pub(super) fn float(json: &Json) -> Result<f64, Error> {
    let small = |n: i64| n.unsigned_abs() <= 1 << 53;
    let value = match json {
        Json::Number(n) if !is_whole(n) || n.parse().is_ok_and(small) => n.parse::<f64>().ok(),
        _ => None,
    };
    let value = value.filter(|x| x.is_finite());
    value.map_or_else(|| malformed(format!("{} is no binary64", json.short())), Ok)
}

fn floats(list: &[Json]) -> Result<Vec<f64>, Error> {
    list.iter().map(float).collect()
}

/// Entries of a tensor of which some are missing: `null`.
fn floats_or_null(list: &[Json]) -> Result<Vec<f64>, Error> {
    let entry = |json: &Json| match json {
        Json::Null => Ok(f64::NAN),
        number => float(number),
    };
    list.iter().map(entry).collect()
}

/// How many entries are missing.
pub(super) fn absent(entries: &[f64]) -> usize {
    entries.iter().filter(|x| x.is_nan()).count()
}

fn core(json: &Json) -> Result<Core, Error> {
    let slices = json.list()?;
    let rows = slices.first().map_or(Ok(&[][..]), Json::list)?;
    let right = rows.first().map_or(Ok(&[][..]), Json::list)?.len();
    let (left, size) = (slices.len(), rows.len());
    let even = |row: &Json| row.list().map_or(0, <[_]>::len) == right;
    for slice in slices {
        let rows = slice.list()?;
        if rows.len() != size || right == 0 || !rows.iter().all(even) {
            return malformed("a core is lists of lists of lists of equal lengths");
        }
    }
    let mut entries = Vec::new();
    for i in 0..size {
        for slice in slices {
            entries.extend(floats(slice.list()?[i].list()?)?);
        }
    }
    Ok(Core {
        left,
        size,
        right,
        entries,
    })
}

/// Entries with the last index fastest, as claims hold them, with the first index fastest.
fn first_fastest(shape: &[usize], entries: &[f64]) -> Vec<f64> {
    let mut order = vec![0];
    let mut stride = entries.len();
    for &n in shape {
        stride /= n.max(1);
        let longer = (0..n).flat_map(|i| order.iter().map(move |at| at + i * stride));
        order = longer.collect();
    }
    order.into_iter().map(|at| entries[at]).collect()
}

fn sizes(json: &Json) -> Result<Vec<usize>, Error> {
    let size = |n: &Json| Ok(whole(n, 1, MAX_EXPONENT * MAX_EXPONENT)? as usize);
    json.list()?.iter().map(size).collect()
}

/// How many entries a target says are missing.
fn stated_missing(json: &Json) -> Result<usize, Error> {
    Ok(whole(json, 1, MAX_EXPONENT * MAX_EXPONENT)? as usize)
}

/// The entries of a target, the first index fastest; or the digest of a tensor that is not among those offered.
fn entries_of<'a>(
    target: &Json,
    shape: &[usize],
    offered: &[TensorData<'a>],
) -> Result<Result<Cow<'a, [f64]>, String>, Error> {
    let volume = shape.iter().try_fold(1usize, |v, &n| v.checked_mul(n));
    let fits = |stated: &Json| match sizes(stated)? == shape {
        true => Ok(()),
        false => malformed(format!(
            "the target has not the shape {shape:?} of the cores"
        )),
    };
    let held = if let Ok([dense]) = target.fields(["dense"]) {
        let [stated, entries] = dense.fields(["shape", "entries"])?;
        fits(stated)?;
        Some((floats(entries.list()?)?, 0))
    } else if let Ok([observed]) = target.fields(["observed"]) {
        let [stated, entries, missing] = observed.fields(["shape", "entries", "missing"])?;
        fits(stated)?;
        Some((floats_or_null(entries.list()?)?, stated_missing(missing)?))
    } else {
        None
    };
    if let Some((entries, missing)) = held {
        if volume != Some(entries.len()) || missing != absent(&entries) {
            return malformed("the target has not as many entries, or missing ones, as it says");
        }
        return Ok(Ok(Cow::Owned(first_fastest(shape, &entries))));
    }
    let [digest] = target.fields(["digest"])?;
    let (stated, sha256, missing) = match digest.fields(["shape", "sha256"]) {
        Ok([stated, sha256]) => (stated, sha256, 0),
        Err(_) => {
            let [stated, sha256, missing] = digest.fields(["shape", "sha256", "missing"])?;
            (stated, sha256, stated_missing(missing)?)
        }
    };
    let sha256 = sha256.text()?;
    fits(stated)?;
    let hex = |b| b"0123456789abcdef".contains(&b);
    if sha256.len() != 64 || !sha256.bytes().all(hex) {
        return malformed("the sha256 of a tensor must have 64 digits");
    }
    let whole = |t: &&TensorData| {
        t.shape == shape && volume == Some(t.entries.len()) && absent(t.entries) == missing
    };
    let mut same = offered.iter().filter(whole);
    let found = same.find(|t| t.digest() == sha256);
    Ok(found
        .map(|t| Cow::Borrowed(t.entries))
        .ok_or_else(|| sha256.to_owned()))
}

/// Claims of kind `rounded-residual`.
pub(super) fn replay(
    data: &Json,
    budget: &mut Budget,
    offered: &[TensorData<'_>],
) -> Result<Verdict, Error> {
    let [model, weights, cores, target, stated] =
        data.fields(["model", "weights", "cores", "target", "bound"])?;
    let name = model.text()?;
    let model = Model::read([model, weights, cores])?;
    let (shape, bound) = (model.shape(), float(stated)?);
    if bound < 0.0 {
        return malformed("the bound is negative");
    }
    let entries = match entries_of(target, &shape, offered)? {
        Ok(entries) => entries,
        Err(sha256) => {
            return Ok(Verdict::Open(format!(
                "the {name} model is read, the residual not replayed: it needs the tensor of {shape:?} with the \
                 digest {sha256}, by check --data FILE"
            )));
        }
    };
    let found = model.relative_bound(&entries, budget)?;
    let missing = absent(&entries);
    let observed = match missing {
        0 => String::new(),
        n => format!(" over its {} observed entries", entries.len() - n),
    };
    let what = format!(
        "a {name} model of a tensor of {shape:?} with residual <= {}{observed}",
        stated.short()
    );
    Ok(match found {
        Some(found) if found <= bound && bound >= 1.0 => {
            Verdict::Vacuous(format!("{what}, as zeros are"))
        }
        Some(found) if found <= bound => Verdict::True(format!("{what}, rounding included")),
        Some(found) => Verdict::False(format!("not {what}: with rounding it is {found:e}")),
        None => Verdict::Undecided(format!("binary64 gives no bound: {what}")),
    })
}
