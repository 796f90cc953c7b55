//! Ranks of the matrices of each product, shared vectors, and dimensions of families and of stabilisers.

use crate::Error;
use crate::scheme::model::{Scheme, Target};
use crate::scheme::whole::{Term, inverse, require_three, residue_terms};
use std::collections::BTreeMap;
use std::time::Instant;

const OP: &str = "invariants";
/// The prime of ranks over the rationals; a rank modulo a prime is at most that over the rationals, and equal to it unless the
/// prime divides a minor.
const PRIME: u32 = 2_147_483_647;
/// Products of residues in one elimination at most.
const MAX_WORK: usize = 1 << 34;

/// What does not change under equivalence.
///
/// See [`invariants`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Invariants {
    /// How many products have matrices of ranks `(a, b, c)`; of vectors that are no matrices, rank 1.
    pub types: BTreeMap<[usize; 3], usize>,
    /// For each factor, how many vectors (up to multiples) occur how often: multiplicity to count.
    pub shared: [BTreeMap<usize, usize>; 3],
    /// The rank of the derivative of the sum by all entries; `None` where that is too large to compute.
    pub jacobian_rank: Option<usize>,
    /// Unknowns less the rank of the derivative and the two scalings of each term: the dimension of the tangent space of
    /// all schemes nearby.
    pub family_dimension: Option<usize>,
    /// The dimension of the group that maps the scheme to itself; `None` when not asked for, and for other tensors than matrix
    /// products.
    pub stabiliser_dimension: Option<usize>,
    /// The dimension of the schemes that sandwiching makes of this one; equal to the family dimension, the scheme is isolated.
    pub orbit_dimension: Option<usize>,
    /// The prime modulo which ranks were computed.
    pub prime: u32,
}

impl Invariants {
    /// `4 X Y Z + 3 X^2 Y Z`, in the order of ranks.
    pub fn type_polynomial(&self) -> String {
        let power = |letter: &str, e: usize| match e {
            0 => String::new(),
            1 => format!(" {letter}"),
            e => format!(" {letter}^{e}"),
        };
        let term = |(t, count): (&[usize; 3], &usize)| {
            format!(
                "{count}{}{}{}",
                power("X", t[0]),
                power("Y", t[1]),
                power("Z", t[2])
            )
        };
        self.types.iter().map(term).collect::<Vec<_>>().join(" + ")
    }
}

/// The invariants of a scheme in the convention of `target`; modulo 2 when the scheme is meant so. The dimensions are left
/// out on request: they cost most.
///
/// # Errors
/// `Shape` for other than three factors, `InvalidInput` for entries that have no value modulo the prime, `Stopped`.
///
/// # Complexity
/// An elimination of unknowns times entries of the tensor; left out beyond 2^34 products.
///
/// ```
/// use wickring::run::unobserved;
/// use wickring::scheme::{Search, Target, invariants};
/// let target = Target::Matmul([2, 2, 2]);
/// let seven = Search { rank: Some(7), ..Search::default() }.standard(&target, &mut unobserved)?.scheme;
/// let found = invariants(&seven, &target, None, true)?;
/// assert_eq!((found.family_dimension, found.orbit_dimension), (Some(9), Some(9)));
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn invariants(
    scheme: &Scheme,
    target: &Target,
    deadline: Option<Instant>,
    dimensions: bool,
) -> Result<Invariants, Error> {
    require_three(scheme, OP)?;
    let prime = if scheme.modulo_two { 2 } else { PRIME };
    let no_value = || Error::invalid(OP, format!("an entry has no value modulo {prime}"));
    let terms = residue_terms(scheme, prime).ok_or_else(no_value)?;
    let p = i64::from(prime);
    let shape = target.shape();
    // Each matrix costs its entries times its smaller side.
    let side = |k: usize| width(target, k).map_or(1, |w| w.min(shape[k] / w));
    let work = (0..3).map(|k| shape[k].saturating_mul(side(k)).saturating_mul(terms.len()));
    if work.fold(0, usize::saturating_add) > MAX_WORK {
        return Err(Error::limit(OP, "products of residues", MAX_WORK as u64));
    }
    let (types, shared) = counted(&terms, target, &shape, p);
    let jacobian_rank = match dimensions {
        true => jacobian_rank(&terms, &shape, p, deadline)?,
        false => None,
    };
    let unknowns = terms.len() * shape.iter().sum::<usize>();
    let family_dimension = jacobian_rank.map(|r| (unknowns - r).saturating_sub(2 * terms.len()));
    let stabiliser_dimension = match target {
        Target::Matmul(dims @ [n, m, l]) if dimensions => {
            let unknowns = n * n + m * m + l * l + 2 * terms.len();
            let rows = shape.iter().sum::<usize>().saturating_mul(terms.len());
            let work = rows.saturating_mul(unknowns).saturating_mul(unknowns);
            (work <= MAX_WORK).then(|| stabiliser_dimension(&terms, *dims, p))
        }
        _ => None,
    };
    let orbit_dimension = match (target, stabiliser_dimension) {
        (Target::Matmul([n, m, p]), Some(s)) => Some((n * n + m * m + p * p).saturating_sub(3 + s)),
        _ => None,
    };
    Ok(Invariants {
        types,
        shared,
        jacobian_rank,
        family_dimension,
        stabiliser_dimension,
        orbit_dimension,
        prime,
    })
}

/// The products of each kind by ranks, and how often vectors are shared.
fn counted(
    terms: &[Term],
    target: &Target,
    shape: &[usize],
    p: i64,
) -> (BTreeMap<[usize; 3], usize>, [BTreeMap<usize, usize>; 3]) {
    let mut types = BTreeMap::new();
    let mut lines: [BTreeMap<Vec<(usize, i64)>, usize>; 3] = Default::default();
    for term in terms {
        let mut ranks = [1; 3];
        for k in 0..3 {
            if let Some(width) = width(target, k) {
                let mut rows = vec![vec![0; width]; shape[k] / width];
                term[k]
                    .iter()
                    .for_each(|(at, c)| rows[at / width][at % width] = *c);
                ranks[k] = rank(&mut rows, p);
            }
            let first = term[k].first().and_then(|e| inverse(e.1, p)).unwrap_or(1);
            let scaled = term[k].iter().map(|(at, c)| (*at, c * first % p)).collect();
            *lines[k].entry(scaled).or_default() += 1;
        }
        *types.entry(ranks).or_default() += 1;
    }
    let shared = lines.map(|l| {
        let mut counts = BTreeMap::new();
        l.into_values()
            .for_each(|n| *counts.entry(n).or_default() += 1);
        counts
    });
    (types, shared)
}

/// Columns of the matrices of a factor.
fn width(target: &Target, k: usize) -> Option<usize> {
    match target {
        Target::Matmul([_, m, p]) => Some([*m, *p, *p][k]),
        _ => None,
    }
}

/// The rank of a matrix modulo a prime below 2^31, which is eliminated in place.
pub(crate) fn rank(rows: &mut [Vec<i64>], p: i64) -> usize {
    let columns = rows.first().map_or(0, Vec::len);
    let mut rank = 0;
    for column in 0..columns {
        let Some(found) = (rank..rows.len()).find(|&i| rows[i][column] != 0) else {
            continue;
        };
        rows.swap(rank, found);
        let (head, tail) = rows.split_at_mut(rank + 1);
        let pivot = &head[rank];
        let Some(inverse) = inverse(pivot[column], p) else {
            continue;
        };
        for row in tail.iter_mut().filter(|r| r[column] != 0) {
            let factor = row[column] * inverse % p;
            for (x, y) in row[column..].iter_mut().zip(&pivot[column..]) {
                *x = (*x + (p - factor) * y) % p;
            }
        }
        rank += 1;
    }
    rank
}

fn jacobian_rank(
    terms: &[Term],
    shape: &[usize],
    p: i64,
    deadline: Option<Instant>,
) -> Result<Option<usize>, Error> {
    let &[n, m, l] = shape else { return Ok(None) };
    let unknowns = terms.len() * (n + m + l);
    let volume = n.saturating_mul(m).saturating_mul(l);
    if volume.saturating_mul(unknowns).saturating_mul(unknowns) > MAX_WORK {
        return Ok(None);
    }
    if deadline.is_some_and(|d| Instant::now() >= d) {
        return Err(Error::Stopped { op: OP });
    }
    let mut rows = Vec::with_capacity(unknowns);
    for [a, b, c] in terms {
        let mut line = |fill: &mut dyn FnMut(&mut Vec<i64>)| {
            let mut row = vec![0; volume];
            fill(&mut row);
            rows.push(row);
        };
        let at = |i: usize, j: usize, k: usize| (i * m + j) * l + k;
        for i in 0..n {
            line(&mut |row| {
                b.iter()
                    .for_each(|(j, y)| c.iter().for_each(|(k, z)| row[at(i, *j, *k)] = y * z % p))
            });
        }
        for j in 0..m {
            line(&mut |row| {
                a.iter()
                    .for_each(|(i, x)| c.iter().for_each(|(k, z)| row[at(*i, j, *k)] = x * z % p))
            });
        }
        for k in 0..l {
            line(&mut |row| {
                a.iter()
                    .for_each(|(i, x)| b.iter().for_each(|(j, y)| row[at(*i, *j, k)] = x * y % p))
            });
        }
    }
    Ok(Some(rank(&mut rows, p)))
}

/// Infinitesimal sandwichings that move every term along itself: `X a - a Y = l a`, `Y b - b Z = k b`, `c Z' - X' c = -(l + k) c`,
/// less the three multiples of identities.
fn stabiliser_dimension(terms: &[Term], [n, m, l]: [usize; 3], p: i64) -> usize {
    let unknowns = n * n + m * m + l * l + 2 * terms.len();
    let (y0, z0, s0) = (n * n, n * n + m * m, n * n + m * m + l * l);
    let mut rows = Vec::new();
    let add = |row: &mut Vec<i64>, at: usize, c: i64| row[at] = (row[at] + c).rem_euclid(p);
    for (r, term) in terms.iter().enumerate() {
        let sizes = [(n, m), (m, l), (n, l)];
        for (k, (height, width)) in sizes.into_iter().enumerate() {
            let mut value = vec![0; height * width];
            term[k].iter().for_each(|(at, c)| value[*at] = *c);
            for i in 0..height {
                for j in 0..width {
                    let mut row = vec![0; unknowns];
                    let at = |i: usize, j: usize| value[i * width + j];
                    match k {
                        0 => {
                            (0..n).for_each(|x| add(&mut row, i * n + x, at(x, j)));
                            (0..m).for_each(|y| add(&mut row, y0 + y * m + j, -at(i, y)));
                            add(&mut row, s0 + 2 * r, -at(i, j));
                        }
                        1 => {
                            (0..m).for_each(|y| add(&mut row, y0 + i * m + y, at(y, j)));
                            (0..l).for_each(|z| add(&mut row, z0 + z * l + j, -at(i, z)));
                            add(&mut row, s0 + 2 * r + 1, -at(i, j));
                        }
                        _ => {
                            (0..n).for_each(|x| add(&mut row, x * n + i, -at(x, j)));
                            (0..l).for_each(|z| add(&mut row, z0 + j * l + z, at(i, z)));
                            add(&mut row, s0 + 2 * r, at(i, j));
                            add(&mut row, s0 + 2 * r + 1, at(i, j));
                        }
                    }
                    rows.push(row);
                }
            }
        }
    }
    (unknowns - rank(&mut rows, p)).saturating_sub(3)
}
