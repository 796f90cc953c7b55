//! Which modes to group so that a ring becomes one of order three with room on both sides.

use super::pencil::Bonds;

/// Three runs of neighbouring modes, from mode `first` around the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::decomp::ring) struct Plan {
    /// Where the first run starts.
    pub(in crate::decomp::ring) first: usize,
    /// Lengths of the three runs.
    pub(in crate::decomp::ring) counts: [usize; 3],
    /// Sizes of the three grouped modes.
    pub(in crate::decomp::ring) sizes: [usize; 3],
    /// Ranks between the runs: before the first, the second and the third.
    pub(in crate::decomp::ring) ranks: [usize; 3],
}

/// A largest pencil that is still solved: eigenvalues cost its cube.
const MAX_PENCIL: usize = 512;

impl Plan {
    /// The cheapest grouping for which the outer runs have full rank, or the best one that is not admissible
    /// with its shortfall: `max(needed / size)` over the outer runs.
    pub(in crate::decomp::ring) fn choose(dims: &[usize], ranks: &[usize]) -> Result<Self, f64> {
        let m = dims.len();
        let mut best: Option<((usize, usize), Self)> = None;
        let mut shortfall = f64::INFINITY;
        for first in 0..m {
            for a in 1..m {
                for b in 1..m.saturating_sub(a) {
                    let plan = Self::of(dims, ranks, first, [a, b, m - a - b]);
                    let lack = plan.shortfall();
                    shortfall = shortfall.min(lack);
                    if lack > 1.0 || plan.bonds().size() > MAX_PENCIL {
                        continue;
                    }
                    // Then the least work to compress the outer runs, and no turning of the data if it can be.
                    let key = (plan.bonds().size(), plan.sizes[0].max(plan.sizes[2]));
                    if best.as_ref().is_none_or(|(k, _)| key < *k) {
                        best = Some((key, plan));
                    }
                }
            }
        }
        best.map(|(_, plan)| plan).ok_or(shortfall)
    }

    fn of(dims: &[usize], ranks: &[usize], first: usize, counts: [usize; 3]) -> Self {
        let m = dims.len();
        let mut at = first;
        let (mut sizes, mut bonds) = ([1; 3], [1; 3]);
        for k in 0..3 {
            bonds[k] = ranks[at % m];
            sizes[k] = (at..at + counts[k])
                .map(|i| dims[i % m])
                .fold(1, usize::saturating_mul);
            at += counts[k];
        }
        let ranks = bonds;
        Self {
            first,
            counts,
            sizes,
            ranks,
        }
    }

    /// The ranks as the pencil sees them.
    pub(in crate::decomp::ring) fn bonds(&self) -> Bonds {
        let [outer, left, right] = self.ranks;
        Bonds { outer, left, right }
    }

    /// Above 1 when an outer run is smaller than the product of its ranks, or the middle one has too few
    /// slices for three independent combinations.
    fn shortfall(&self) -> f64 {
        let Bonds { outer, left, right } = self.bonds();
        let one = outer == 1 || left * right == 1;
        let middle = if one { 1 } else { 3 };
        let ratio = |needed: usize, size: usize| needed as f64 / size.max(1) as f64;
        ratio(outer * left, self.sizes[0])
            .max(ratio(outer * right, self.sizes[2]))
            .max(ratio(middle, self.sizes[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_grouped_until_there_is_room() {
        let plan = Plan::choose(&[3; 6], &[2; 6]).unwrap();
        assert!(plan.sizes[0] >= 4 && plan.sizes[2] >= 4 && plan.sizes[1] >= 3);
        assert!(Plan::choose(&[3; 3], &[2; 3]).unwrap_err() > 1.0);
        // Two equal ranks around the middle give the smallest pencil.
        let plan = Plan::choose(&[20, 20, 20], &[3, 2, 3]).unwrap();
        assert_eq!(plan.bonds().size(), 6, "{plan:?}");
        let plan = Plan::choose(&[30, 30, 30], &[2, 3, 4]).unwrap();
        assert_eq!(plan.bonds().size(), 12, "{plan:?}");
    }
}
