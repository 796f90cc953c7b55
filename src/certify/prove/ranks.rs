//! Ranks from commuting slices, and lower bounds from Koszul flattenings.

use super::{Proof, numbers};
use crate::Error;
use crate::certify::certificate::{Claim, ClaimedTensor};
use crate::certify::checker::theorems::{Exact, Slices, Tensor};
use crate::certify::format::Limits;
use crate::certify::json::Json;
use crate::certify::numbers::{Budget, OP};
use crate::poly::Integer;
use serde_json::{Value, json};

const TOO_LONG: &str = "the rank: its numbers grow beyond what a check allows";

/// The largest prime below `2^31`.
const PRIME: u64 = 2_147_483_647;
const TRIES: u64 = 3;

/// Small whole numbers that depend on `seed` alone (SplitMix64).
fn weights(count: usize, seed: u64, most: i64) -> Vec<Integer> {
    let value = |k: usize| {
        let mut z = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (k as u64 + 1) << 32;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let span = 2 * most as u64 + 1;
        Integer::from(((z ^ (z >> 31)) % span) as i64 - most)
    };
    (0..count).map(value).collect()
}

/// The tensor in integers, and how a claim holds it; `None` when it is not of order three.
fn read(target: &ClaimedTensor, m: &mut Exact<'_>) -> Result<Option<(Tensor, Value)>, Error> {
    let value = target.rational().json();
    let text = value.to_string();
    let tensor = m.target(&Json::read(&text, OP)?)?;
    Ok((tensor.shape.len() == 3).then_some((tensor, value)))
}

fn about_order() -> Proof {
    Proof::refusal("the rank: slices and Koszul flattenings are those of tensors of order three")
}

/// Decides, where slices of the tensor allow it, whether its rank is `rank`: over C, over R, with how many
/// decompositions; or that it, or its border rank, is larger.
///
/// # Shapes
/// Of order three; others are refused in words.
///
/// # Errors
/// `InvalidInput` for a tensor that a certificate cannot hold, `Stopped` at the deadline.
///
/// # Complexity
/// `O(n R^3)` products of numbers of up to `R` times the length of the entries, for `n` slices.
///
/// # Example
/// ```
/// use wickring::certify::{ClaimedTensor, Limits, prove_rank};
/// // Multiplication of complex numbers: rank 2 over C and more over R.
/// let entries = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, -1.0, 0.0];
/// let t = ClaimedTensor::Floats(vec![2, 2, 2], entries.to_vec());
/// let proof = prove_rank(&t, 2, Limits::default())?;
/// assert!(proof.claims.len() == 1 && proof.proved[0].contains("larger one over R"));
/// # Ok::<(), wickring::Error>(())
/// ```
///
/// # Source
/// Strassen 1983 for commuting slices; Leurgans, Ross, Abel 1993 for the decomposition.
pub fn prove_rank(target: &ClaimedTensor, rank: usize, limits: Limits) -> Result<Proof, Error> {
    let mut budget = Budget::new(OP, limits.steps, limits.deadline);
    let mut m = Exact {
        budget: &mut budget,
    };
    let Some((tensor, value)) = read(target, &mut m)? else {
        return Ok(about_order());
    };
    let (mut weaker, mut widest) = (None, 0);
    // The more slices, the smaller the matrices.
    let mut modes = [0, 1, 2];
    modes.sort_by_key(|&k| std::cmp::Reverse(tensor.shape[k]));
    for (mode, seed) in modes
        .into_iter()
        .flat_map(|k| (0..TRIES).map(move |s| (k, s)))
    {
        let count = tensor.shape[mode];
        let (a, b) = (weights(count, 2 * seed, 4), weights(count, 2 * seed + 1, 4));
        let (found, says) = match m.slices(&tensor, mode, [&a, &b]) {
            Ok(answer) => answer,
            Err(Error::LimitExceeded { .. }) => return Ok(Proof::refusal(TOO_LONG)),
            Err(e) => return Err(e),
        };
        widest = widest.max(found);
        let above = |border| rank_above((&value, mode, rank), [&a, &b], border);
        let (claim, words) = match says {
            _ if found > rank => above(true),
            Slices::Commuting { real } if found == rank => {
                let data = json!({
                    "target": value, "mode": mode, "rank": rank, "a": numbers(&a), "b": numbers(&b),
                    "real": real == rank,
                });
                let words = match real == rank {
                    true => format!("the rank is {rank} over R and over C"),
                    false => format!("the rank is {rank} over C and a larger one over R"),
                };
                let words =
                    words + ", and the decomposition over C is unique up to order and scale";
                (Claim::new("cp-commuting", data), words)
            }
            Slices::NotCommuting if found == rank => above(true),
            Slices::NotDiagonal if found == rank => {
                weaker.get_or_insert(above(false));
                continue;
            }
            _ => continue,
        };
        return Proof::replayed(vec![claim], words, limits);
    }
    match weaker {
        Some((claim, words)) => Proof::replayed(vec![claim], words, limits),
        None if widest < rank => Ok(Proof::refusal(format!(
            "the exact rank: slices combine to matrices of rank {widest} at most, and {rank} would be needed"
        ))),
        None => Ok(Proof::refusal(
            "the exact rank: slices commute, but their eigenvalues are not distinct or they leave a common space",
        )),
    }
}

/// The claim that the rank, or the border rank, is larger than `rank`, with its words.
fn rank_above(
    (value, mode, rank): (&Value, usize, usize),
    [a, b]: [&[Integer]; 2],
    border: bool,
) -> (Claim, String) {
    let data = json!({
        "target": value, "mode": mode, "rank": rank, "a": numbers(a), "b": numbers(b), "border": border,
    });
    let what = if border {
        "border rank of the tensor, exactly as stored,"
    } else {
        "rank of the tensor over every field that contains Q"
    };
    (
        Claim::new("rank-above", data),
        format!("the {what} is larger than {rank}"),
    )
}

/// The largest lower bound of the border rank that Koszul flattenings of up to `entries` entries prove, or matrices
/// of combined slices, and its claim; zero and none for the zero tensor or one of another order than three.
///
/// # Errors
/// As [`prove_rank`]; `LimitExceeded` beyond the limits.
///
/// # Complexity
/// The cube of the size of the largest flattening, `C(2p+1, p) n`, for each mode and `p`.
///
/// # Example
/// ```
/// use wickring::certify::{ClaimedTensor, Limits, prove_border_rank};
/// let (bound, _) = prove_border_rank(&ClaimedTensor::Matmul([2, 2, 2]), 1 << 16, Limits::default())?;
/// assert_eq!(bound, 6);
/// # Ok::<(), wickring::Error>(())
/// ```
///
/// # Source
/// Landsberg, Ottaviani, New lower bounds for the border rank of matrix multiplication, 2015.
pub fn prove_border_rank(
    target: &ClaimedTensor,
    entries: usize,
    limits: Limits,
) -> Result<(usize, Proof), Error> {
    let mut budget = Budget::new(OP, limits.steps, limits.deadline);
    let mut m = Exact {
        budget: &mut budget,
    };
    let Some((tensor, value)) = read(target, &mut m)? else {
        return Ok((0, about_order()));
    };
    let mut best = (0, None);
    for mode in 0..3 {
        let n = tensor.shape[mode];
        let (a, b) = (weights(n, 0, 4), weights(n, 1, 4));
        if tensor.entries.len() <= entries {
            let (found, _) = m.combined_rank(&tensor, mode, &a)?;
            if found > best.0 {
                let data = json!({
                    "target": value, "mode": mode, "rank": found - 1, "a": numbers(&a), "b": numbers(&b),
                    "border": true,
                });
                best = (found, Some(Claim::new("rank-above", data)));
            }
        }
        if let Some((found, claim)) =
            koszul_claims(&mut m, (&tensor, &value), mode, entries, best.0)?
        {
            best = (found, Some(claim));
        }
    }
    match best {
        (bound, Some(claim)) => {
            let words = format!("the border rank is at least {bound}");
            Ok((bound, Proof::replayed(vec![claim], words, limits)?))
        }
        _ => Ok((
            0,
            Proof::refusal("a lower bound of the border rank: the tensor is zero"),
        )),
    }
}

/// The best bound above `bound` that Koszul flattenings along a mode prove, with its claim.
fn koszul_claims(
    m: &mut Exact<'_>,
    (tensor, value): (&Tensor, &Value),
    mode: usize,
    entries: usize,
    mut bound: usize,
) -> Result<Option<(usize, Claim)>, Error> {
    let (n, mut best) = (tensor.shape[mode], None);
    let others: usize = (0..3)
        .filter(|k| *k != mode)
        .map(|k| tensor.shape[k])
        .product();
    for p in 1..=n.saturating_sub(1) / 2 {
        let subsets = (1..=p).fold(1u64, |c, k| c * (2 * p + 2 - k) as u64 / k as u64);
        if p > 8 || subsets.saturating_pow(2).saturating_mul(others as u64) > entries as u64 {
            break;
        }
        let d = 2 * p + 1;
        let row = |i: usize| match d == n {
            true => (0..n).map(|j| Integer::from(u8::from(i == j))).collect(),
            false => weights(n, i as u64, 3),
        };
        let projection: Vec<Vec<Integer>> = (0..d).map(row).collect();
        let found = m.koszul(tensor, (mode, p), &projection, PRIME)?;
        if found > bound {
            let rows: Vec<Value> = projection.iter().map(|r| numbers(r)).collect();
            let data = json!({
                "target": value, "mode": mode, "p": p, "projection": rows, "prime": PRIME, "bound": found,
            });
            (bound, best) = (found, Some((found, Claim::new("border-rank", data))));
        }
    }
    Ok(best)
}
