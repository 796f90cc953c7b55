//! Which ranks of a ring have given unfolding ranks: integers whose products are prescribed.

/// The rank of the unfolding that separates modes `first .. first + count` from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::decomp::ring) struct Counts {
    pub(in crate::decomp::ring) first: usize,
    pub(in crate::decomp::ring) count: usize,
    pub(in crate::decomp::ring) rank: usize,
    /// Whether the rank is only a lower bound for the product of the two ranks.
    pub(in crate::decomp::ring) full: bool,
}

/// Greatest rank considered, in steps: the smallest step with a solution is the last.
const CAPS: [usize; 5] = [4, 8, 16, 32, 64];
/// Nodes of the search for each step; rings are small integers, so this is a safeguard.
const MAX_NODES: usize = 200_000;
/// Solutions kept for sorting.
const MAX_FOUND: usize = 64;

/// Every choice of ranks that agrees with the unfoldings and has fewer free parameters than the tensor has
/// entries (every tensor is a ring with as many, which explains nothing), fewest parameters first.
pub(in crate::decomp::ring) fn rings(dims: &[usize], counts: &[Counts]) -> Vec<Vec<usize>> {
    for cap in CAPS {
        let mut search = Search {
            dims,
            counts,
            cap,
            chosen: Vec::new(),
            found: Vec::new(),
            nodes: 0,
        };
        search.descend();
        let mut found = search.found;
        if !found.is_empty() {
            found.sort_by_key(|r| parameters(dims, r));
            return found;
        }
    }
    Vec::new()
}

/// The ranks of the train, cut at the bond that makes it smallest, when the unfoldings of all its bonds are
/// known: `R_first = 1`, and the others are the ranks of the runs that start there.
pub(in crate::decomp::ring) fn train(dims: &[usize], counts: &[Counts]) -> Option<Vec<usize>> {
    let m = dims.len();
    let of_run = |first: usize, count: usize| {
        // A run and its complement have the same unfolding.
        let same = |c: &&Counts| {
            (c.first, c.count) == (first, count)
                || (c.first, c.count) == ((first + count) % m, m - count)
        };
        counts.iter().find(same).map(|c| c.rank)
    };
    let mut best: Option<Vec<usize>> = None;
    for first in 0..m {
        let mut ranks = vec![1; m];
        let mut known = true;
        for count in 1..m {
            match of_run(first, count) {
                Some(r) if r > 0 => ranks[(first + count) % m] = r,
                _ => known = false,
            }
        }
        let smaller = |b: &Vec<usize>| parameters(dims, &ranks) < parameters(dims, b);
        if known && smaller_than_the_tensor(dims, &ranks) && best.as_ref().is_none_or(smaller) {
            best = Some(ranks);
        }
    }
    best
}

fn parameters(dims: &[usize], r: &[usize]) -> usize {
    let m = dims.len();
    (0..m).map(|k| r[k] * dims[k] * r[(k + 1) % m]).sum()
}

fn smaller_than_the_tensor(dims: &[usize], r: &[usize]) -> bool {
    let entries = dims.iter().fold(1usize, |n, &d| n.saturating_mul(d));
    // Common scalars act trivially, so the gauge has one dimension less than the sum of the squares.
    let gauge: usize = r.iter().map(|x| x * x).sum();
    parameters(dims, r) + 1 < entries.saturating_add(gauge)
}

struct Search<'a> {
    dims: &'a [usize],
    counts: &'a [Counts],
    cap: usize,
    chosen: Vec<usize>,
    found: Vec<Vec<usize>>,
    nodes: usize,
}

impl Search<'_> {
    /// Depth-first over the ranks in order; every unfolding between two assigned bonds must agree.
    fn descend(&mut self) {
        let m = self.dims.len();
        if self.chosen.len() == m {
            if smaller_than_the_tensor(self.dims, &self.chosen) {
                self.found.push(self.chosen.clone());
            }
            return;
        }
        for rank in 1..=self.cap {
            self.nodes += 1;
            // Enough to see that the data do not decide; more would only cost time.
            if self.nodes > MAX_NODES || self.found.len() >= MAX_FOUND {
                return;
            }
            self.chosen.push(rank);
            if self.agrees(m) {
                self.descend();
            }
            self.chosen.pop();
        }
    }

    /// Whether the unfoldings that end at the bond chosen last agree.
    fn agrees(&self, m: usize) -> bool {
        let last = self.chosen.len() - 1;
        self.counts.iter().all(|c| {
            let (a, b) = (c.first, (c.first + c.count) % m);
            if a.max(b) != last {
                return true;
            }
            let product = self.chosen[a] * self.chosen[b];
            if c.full {
                product >= c.rank
            } else {
                product == c.rank
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[(usize, usize, usize, bool)]) -> Vec<Counts> {
        let one = |&(first, count, rank, full): &(usize, usize, usize, bool)| Counts {
            first,
            count,
            rank,
            full,
        };
        rows.iter().map(one).collect()
    }

    #[test]
    fn products_determine_the_ranks() {
        let c = counts(&[(0, 1, 6, false), (1, 1, 12, false), (2, 1, 8, false)]);
        assert_eq!(rings(&[20, 20, 20], &c), [[2, 3, 4]]);
        let c = counts(&[(0, 1, 3, false), (1, 1, 3, false), (2, 1, 3, false)]);
        assert!(rings(&[8, 8, 8], &c).is_empty());
        assert_eq!(train(&[8, 8, 8], &c), Some(vec![1, 3, 3]));
        // All full: nothing smaller than two is possible, and the balanced choice comes first.
        let c = counts(&[(0, 1, 3, true), (1, 1, 3, true), (2, 1, 3, true)]);
        assert_eq!(rings(&[3, 3, 3], &c)[0], [2, 2, 2]);
    }
}
