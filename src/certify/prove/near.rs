//! Theorems within a radius of a computed decomposition: that an exact one exists, that the best fit nearby is
//! one point and a minimum; and, where neither holds, the dimension of the family that passes through.

use super::entries::{Entries, fixed};
use super::existence::existence;
use super::minimum::minimum;
use super::{Proof, number, numbers};
use crate::Error;
use crate::certify::format::Limits;
use crate::certify::numbers::OP;
use crate::poly::{Integer, Rational};
use crate::tensor::{CpTensor, Factor, SymmetricCp, TensorRing, TensorView};
use faer::Mat;
use serde_json::Value;

/// Binary digits after the point of printed parameters.
pub(super) const SCALE: usize = 60;
/// Unknowns at most, as in the checker.
pub(super) const MAX_UNKNOWNS: usize = 600;
/// Relative residual below which an exact decomposition is looked for.
const EXACT: f64 = 1e-6;

/// Proves what can be proved about a decomposition of a real tensor near a computed one: where there are at least as
/// many parameters as entries and they suffice, that an exact one of this rank exists; else that the squared distance
/// has exactly one critical point nearby, a strict local minimum up to scaling. What fails is said with its reason.
///
/// # Shapes
/// Those of the model; at most 2^16 entries and 600 unknowns, beyond which the refusal says so.
///
/// # Errors
/// `Shape`, `NonFinite`, `Stopped`.
///
/// # Complexity
/// `O(N^3)` products of integers of some hundred bits for `N` unknowns.
///
/// # Example
/// ```
/// use wickring::certify::{Limits, prove_cp};
/// use wickring::tensor::{CpTensor, Factor, Tensor};
/// let factor = |v: [f64; 2]| Factor::new(2, 1, v.to_vec());
/// let model = CpTensor::new(vec![2.0], vec![factor([0.6, 0.8])?, factor([0.8, 0.6])?, factor([1.0, 0.0])?])?;
/// let noisy = Tensor::from_fn(&[2, 2, 2], |i| if i[2] == 0 { [[1.0, 0.7], [1.3, 0.9]][i[0]][i[1]] } else { 0.01 })?;
/// let proof = prove_cp(&model, noisy.view(), Limits::default())?;
/// assert!(proof.proved[0].contains("strict local minimum"));
/// # Ok::<(), wickring::Error>(())
/// ```
///
/// # Source
/// Krawczyk 1969; Rump, Verification methods, Acta Numerica 2010.
pub fn prove_cp(model: &CpTensor, t: TensorView<'_>, limits: Limits) -> Result<Proof, Error> {
    require(&model.dims(), t)?;
    if t.order() < 2 {
        return Ok(one_mode());
    }
    let factors = model.balanced();
    let cores = factors.iter().map(|f| [1, f.rows(), f.cols()]).collect();
    let parameters = factors.iter().flat_map(by_rows).collect();
    attempt(Entries::new("cp", cores, parameters, t), limits)
}

/// The same for a symmetric model of a symmetric tensor; its weights are held for the minimum.
///
/// # Errors
/// As [`prove_cp`].
///
/// # Complexity
/// As [`prove_cp`].
pub fn prove_symmetric(
    model: &SymmetricCp,
    t: TensorView<'_>,
    limits: Limits,
) -> Result<Proof, Error> {
    let vectors = model.vectors();
    require(&vec![vectors.rows(); model.order()], t)?;
    let rank = vectors.cols();
    let sorted = |index: &[usize]| {
        let mut sorted = index.to_vec();
        sorted.sort_unstable();
        t.get(&sorted).copied()
    };
    let mut index = vec![0; t.order()];
    for _ in 0..t.as_slice().len() {
        if t.get(&index).copied() != sorted(&index) {
            let why = "theorems near the factors: the tensor is not exactly symmetric";
            return Ok(Proof::refusal(why));
        }
        for (i, n) in index.iter_mut().zip(t.dims()).rev() {
            *i = (*i + 1) % n;
            if *i > 0 {
                break;
            }
        }
    }
    // The vectors carry the sizes, the weights only signs where the order is even.
    let order = model.order() as f64;
    let size: Vec<f64> = model
        .weights()
        .iter()
        .map(|w| w.abs().powf(1.0 / order))
        .collect();
    let sign = |w: &f64| if *w < 0.0 { -1.0 } else { 1.0 };
    let weights = model.weights().iter().map(sign);
    let entries = by_rows(vectors)
        .enumerate()
        .map(|(k, x)| x * size[k % rank]);
    let parameters = weights.chain(entries).collect();
    let cores = vec![[1, 1, rank], [1, vectors.rows(), rank]];
    attempt(Entries::new("symmetric", cores, parameters, t), limits)
}

/// That an exact ring of these ranks exists near a computed one. Whether a ring of noisy data is the best one nearby
/// is not decided here: its gauge is larger than scalings.
///
/// # Errors
/// As [`prove_cp`].
///
/// # Complexity
/// As [`prove_cp`], with the product of the ranks for terms.
pub fn prove_ring(ring: &TensorRing, t: TensorView<'_>, limits: Limits) -> Result<Proof, Error> {
    require(&ring.dims(), t)?;
    if t.order() < 2 {
        return Ok(one_mode());
    }
    let (mut cores, mut parameters) = (Vec::new(), Vec::new());
    for g in ring.cores() {
        let (l, n, r) = (g.dims()[0], g.dims()[1], g.dims()[2]);
        cores.push([l, n, r]);
        let at = |k: usize| g.as_slice()[k / r / n + l * (k / r % n + n * (k % r))];
        parameters.extend((0..l * n * r).map(at));
    }
    attempt(Entries::new("ring", cores, parameters, t), limits)
}

fn one_mode() -> Proof {
    Proof::refusal("theorems near the factors: a tensor of one mode is of rank one as it stands")
}

fn require(dims: &[usize], t: TensorView<'_>) -> Result<(), Error> {
    match dims == t.dims() && (2..=16).contains(&dims.len()) {
        true => t.require_finite(OP),
        false => Err(Error::shape(
            OP,
            format!("a tensor of {dims:?}"),
            format!("{:?}", t.dims()),
        )),
    }
}

fn by_rows(f: &Factor) -> impl Iterator<Item = f64> + '_ {
    let (n, r) = (f.rows(), f.cols());
    (0..n * r).map(move |k| f.as_slice()[k / r + n * (k % r)])
}

fn attempt(entries: Result<Entries, Error>, limits: Limits) -> Result<Proof, Error> {
    let entries = match entries {
        Ok(entries) => entries,
        Err(Error::LimitExceeded { limit, .. }) => {
            let why =
                format!("theorems near the factors: the tensor has more than {limit} entries");
            return Ok(Proof::refusal(why));
        }
        Err(e) => return Err(e),
    };
    let largest = entries
        .parameters
        .iter()
        .fold(0.0f64, |m, x| m.max(x.abs()));
    if !(largest < 2f64.powi(40)) || entries.rank == 0 {
        return Ok(Proof::refusal(format!(
            "theorems near the factors: their largest entry is {largest:.1e}; such sums cancel, as where a \
             decomposition of this rank exists only in the limit"
        )));
    }
    let (gap, all) = entries.residual();
    let count = entries.first.iter().filter(|f| **f).count();
    let mut proof = Proof::default();
    if gap <= EXACT * all {
        let found = existence(&entries, count, limits)?;
        if !found.claims.is_empty() {
            return Ok(found);
        }
        proof = proof.and(found);
    }
    match entries.model {
        "ring" if proof.refused.is_empty() => Ok(Proof::refusal(
            "an exact ring: the residual is not that of one, and that a ring is the best nearby is not decided",
        )),
        "ring" => Ok(proof),
        _ => Ok(proof.and(minimum(&entries, limits)?)),
    }
}

/// Dimension of the scalings, or of the gauge group of a ring, that change no entry.
pub(super) fn freedom(entries: &Entries) -> usize {
    match entries.model {
        "cp" => entries.rank * (entries.shape.len() - 1),
        "symmetric" => entries.rank,
        _ => entries.cores.iter().map(|c| c[0] * c[0]).sum::<usize>() - 1,
    }
}

/// How far Newton's method went from the computed parameters, in words.
pub(super) fn moved(entries: &Entries, x: &[Integer]) -> String {
    let gap = |(x, y): (&Integer, &f64)| {
        let n = x - fixed(*y, SCALE);
        Rational::from_integers(n, Integer::from(1) << SCALE).map_or(f64::NAN, |x| x.to_f64())
    };
    let gaps: Vec<f64> = x.iter().zip(&entries.parameters).map(gap).collect();
    format!("which are {:.0e} from the computed ones", largest(&gaps))
}

pub(super) fn largest(values: &[f64]) -> f64 {
    values
        .iter()
        .fold(0.0f64, |m, x| if x.abs() <= m { m } else { x.abs() })
}

/// `[1, e]` with `2^e` just above a length, or the unit of the printed numbers.
pub(super) fn radius(length: f64) -> [i64; 2] {
    let e = length.max(2f64.powi(-(SCALE as i32))).log2().ceil();
    [1, (e as i64).clamp(-512, 0)]
}

/// Binary digits that leave `a b` close to the unit matrix when `a` is rounded.
pub(super) fn digits(a: &Mat<f64>, b: &Mat<f64>, n: usize) -> usize {
    let most = |m: &Mat<f64>| (0..n * n).fold(0.0f64, |x, k| x.max(m[(k / n, k % n)].abs()));
    let wanted = 16.0 + (n as f64 * most(b)).log2();
    // No more than binary64 has, and 128 bits hold.
    let most = 100.0 - most(a).log2();
    wanted.min(most).clamp(8.0, 200.0) as usize
}

pub(super) fn matrix(m: &Mat<f64>, precision: usize) -> Vec<Value> {
    let row = |i: usize| {
        (0..m.ncols())
            .map(|j| number(&fixed(m[(i, j)], precision)))
            .collect()
    };
    (0..m.nrows()).map(row).collect()
}

pub(super) fn cores(entries: &Entries, x: &[Integer]) -> Value {
    let mut at = 0;
    let core = |[left, n, right]: &[usize; 3]| -> Value {
        let slice = |a: usize| -> Value {
            (0..*n)
                .map(|i| numbers(&x[at + (a * n + i) * right..][..*right]))
                .collect()
        };
        let core = (0..*left).map(slice).collect();
        at += left * n * right;
        core
    };
    let mut core = core;
    entries.cores.iter().map(&mut core).collect()
}
