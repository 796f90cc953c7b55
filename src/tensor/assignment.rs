//! The assignment problem, to match components.

/// The permutation `p` that maximises `sum_i score(i, p[i])` over a square table.
///
/// The Hungarian method with potentials (Kuhn 1955, in the shortest-augmenting-path form of Jonker and
/// Volgenant 1987). Scores must be finite.
///
/// # Complexity
/// `O(n^3)`.
pub fn best_assignment(n: usize, score: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    // Row and column potentials, and for each column the row it is matched to; index 0 is a sentinel.
    let mut u = vec![0.0; n + 1];
    let mut v = vec![0.0; n + 1];
    let mut row_of = vec![0usize; n + 1];
    for i in 1..=n {
        let mut least = vec![f64::INFINITY; n + 1];
        let mut before = vec![0usize; n + 1];
        let mut used = vec![false; n + 1];
        row_of[0] = i;
        let mut j = 0;
        // Each pass marks one more column, so at most n + 1 passes.
        for _ in 0..=n {
            used[j] = true;
            let row = row_of[j];
            let (mut delta, mut next) = (f64::INFINITY, 0);
            for k in 1..=n {
                if used[k] {
                    continue;
                }
                let reduced = -score(row - 1, k - 1) - u[row] - v[k];
                if reduced < least[k] {
                    (least[k], before[k]) = (reduced, j);
                }
                if least[k] < delta {
                    (delta, next) = (least[k], k);
                }
            }
            for k in 0..=n {
                if used[k] {
                    u[row_of[k]] += delta;
                    v[k] -= delta;
                } else {
                    least[k] -= delta;
                }
            }
            j = next;
            if row_of[j] == 0 {
                break;
            }
        }
        while j != 0 {
            row_of[j] = row_of[before[j]];
            j = before[j];
        }
    }
    let mut p = vec![0; n];
    for (k, &row) in row_of.iter().enumerate().skip(1) {
        if let Some(slot) = row.checked_sub(1).and_then(|i| p.get_mut(i)) {
            *slot = k - 1;
        }
    }
    p
}
