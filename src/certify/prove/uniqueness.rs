//! Uniqueness of an exact decomposition by Kruskal's theorem.

use super::Proof;
use crate::Error;
use crate::certify::certificate::{Claim, ClaimedTensor, Entry};
use crate::certify::checker::theorems::Exact;
use crate::certify::format::Limits;
use crate::certify::numbers::{Budget, OP};
use crate::poly::{Integer, Rational, integer_gcd};
use serde_json::json;

const PRIME: u64 = 2_147_483_647;
/// Subsets of columns that are looked at for one number of columns.
const SUBSETS: u64 = 1 << 16;

/// Proves that an exact decomposition, factors by rows (`n x R`) over Q, is the only one of its rank up to order and
/// scale, which is then the rank of the tensor: any `k_m` columns of factor `m` are independent, and the `k_m` add up
/// to `2 R + d - 1` for `d` modes. The two claims are the decomposition itself and its uniqueness.
///
/// Jennrich's case, two factors of full column rank and no two columns of the third parallel, is among these.
///
/// # Errors
/// `Shape` for fewer than three factors or factors of different ranks, `Stopped` at the deadline.
///
/// # Complexity
/// `C(R, k)` eliminations of `k` columns modulo a prime, for at most 2^16 of them.
///
/// # Example
/// ```
/// use wickring::certify::{ClaimedTensor, Entry, Limits, prove_unique};
/// use wickring::poly::Rational;
/// let row = |x: i64, y: i64| vec![Rational::from(x), Rational::from(y)];
/// let unit = vec![row(1, 0), row(0, 1)];
/// let entries = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
/// let target = ClaimedTensor::Floats(vec![2, 2, 2], entries.to_vec());
/// let proof = prove_unique(&[unit.clone(), unit.clone(), unit], &target, Limits::default())?;
/// assert_eq!(proof.claims.len(), 2);
/// # Ok::<(), wickring::Error>(())
/// ```
///
/// # Source
/// Kruskal 1977; Sidiropoulos, Bro 2000 for more than three modes.
pub fn prove_unique(
    factors: &[Vec<Vec<Rational>>],
    target: &ClaimedTensor,
    limits: Limits,
) -> Result<Proof, Error> {
    let rank = factors.first().and_then(|f| f.first()).map_or(0, Vec::len);
    let even = factors.iter().flatten().all(|row| row.len() == rank);
    if factors.len() < 3 || rank == 0 || !even {
        let found = format!("{} factors", factors.len());
        return Err(Error::shape(OP, "three factors or more of one rank", found));
    }
    let mut budget = Budget::new(OP, limits.steps, limits.deadline);
    let mut m = Exact {
        budget: &mut budget,
    };
    let mut ranks = Vec::new();
    for factor in factors {
        let columns = cleared(factor, rank);
        let mut known = 0;
        for k in 1..=rank.min(factor.len()) {
            let subsets = (0..k).fold(1u64, |c, j| {
                c.saturating_mul((rank - j) as u64) / (j as u64 + 1)
            });
            if subsets <= SUBSETS && m.independent(&columns, k, PRIME)? {
                known = k;
            } else if subsets <= SUBSETS {
                break;
            }
        }
        ranks.push(known);
    }
    let (sum, wanted) = (ranks.iter().sum::<usize>(), 2 * rank + factors.len() - 1);
    if ranks.contains(&0) || (rank > 1 && sum < wanted) {
        return Ok(Proof::refusal(format!(
            "uniqueness: any {ranks:?} columns of the factors are independent, and Kruskal's theorem needs numbers \
             that add up to {wanted}"
        )));
    }
    let entry = |row: &Vec<Rational>| row.iter().cloned().map(Entry::from).collect();
    let rows: Vec<Vec<Vec<Entry>>> = factors
        .iter()
        .map(|f| f.iter().map(entry).collect())
        .collect();
    let exact = Claim::cp_exact("Q", &rows, &target.rational());
    let data = json!({ "model": 0, "prime": PRIME, "ranks": ranks });
    let words =
        format!("the rank is {rank}, and the decomposition is unique up to order and scale");
    Proof::replayed(vec![exact, Claim::new("cp-unique", data)], words, limits)
}

/// Columns in integers: rows times their common denominators, which changes no rank.
fn cleared(factor: &[Vec<Rational>], rank: usize) -> Vec<Vec<Integer>> {
    let mut columns = vec![Vec::with_capacity(factor.len()); rank];
    for row in factor {
        let lcm = |l: Integer, x: &Rational| {
            let d = x.denominator();
            &l / integer_gcd(&l, &d) * d
        };
        let common = row.iter().fold(Integer::from(1), lcm);
        for (column, x) in columns.iter_mut().zip(row) {
            column.push(x.numerator() * (&common / x.denominator()));
        }
    }
    columns
}
