//! The S-pairs that suffice: Gebauer's and Moeller's criteria.

use super::monomials::{by_degree, divides, lcm};
use crate::Error;

/// Two elements of a basis, by number, and the least common multiple of their leading monomials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) i: usize,
    pub(crate) j: usize,
    pub(crate) lcm: Vec<u32>,
}

fn coprime(a: &[u32], b: &[u32]) -> bool {
    a.iter().zip(b).all(|(&x, &y)| x == 0 || y == 0)
}

/// Pairs whose S-polynomials decide: when all of them reduce to zero, so do those of all pairs.
///
/// # Errors
/// What `check` says, which is asked once for each leading monomial.
///
/// # Source
/// Gebauer, Moeller 1988, "On an installation of Buchberger's algorithm".
pub(crate) fn sufficient(
    leads: &[Vec<u32>],
    check: &dyn Fn() -> Result<(), Error>,
) -> Result<Vec<Pair>, Error> {
    let mut all: Vec<Pair> = Vec::new();
    for (j, new) in leads.iter().enumerate() {
        check()?;
        // A pair of old ones whose multiple the new one divides follows from two others, unless one of these is as large.
        all.retain(|p| {
            !divides(new, &p.lcm)
                || lcm(&leads[p.i], new) == p.lcm
                || lcm(&leads[p.j], new) == p.lcm
        });
        let mut fresh: Vec<Pair> = (0..j)
            .map(|i| Pair {
                i,
                j,
                lcm: lcm(&leads[i], new),
            })
            .collect();
        // Among equal multiples a coprime pair comes first: it stands for the others and needs no reduction.
        fresh.sort_by(|a, b| {
            let order = by_degree(&a.lcm, &b.lcm);
            order.then_with(|| coprime(&leads[b.i], new).cmp(&coprime(&leads[a.i], new)))
        });
        let mut kept: Vec<Pair> = Vec::new();
        for p in fresh {
            if kept.iter().all(|k| !divides(&k.lcm, &p.lcm)) {
                kept.push(p);
            }
        }
        all.extend(kept.into_iter().filter(|p| !coprime(&leads[p.i], new)));
    }
    all.sort_by(|a, b| by_degree(&a.lcm, &b.lcm).then_with(|| (a.i, a.j).cmp(&(b.i, b.j))));
    Ok(all)
}
