//! The rows that are fitted: outliers aside, copies counted, seen in the coordinates of each group of families.

use super::coordinates::{Coordinates, Group};
use super::floor::Floor;
use super::learner::OP;
use crate::Error;
use crate::learn::mixture::input_check::{finite_rows, first_of_equals};
use crate::learn::mixture::whitening::Whitening;
use crate::stats::goodness::rounding::steps;
use faer::MatRef;

/// A row farther from the centre of the bulk than this many times the median row is set aside ...
const FAR: f64 = 1000.0;
/// ... if no more than this share of the rows is that far, which takes at least as many rows.
const FAR_SHARE: f64 = 0.01;
/// Rows that the bulk is looked for in, and rounds of it.
const LOOK: usize = 20_000;
const ROUNDS: usize = 10;
/// Rows that starts are compared on, and for each component.
const START_ROWS: usize = 2000;
const START_ROWS_EACH: usize = 60;
/// Below this share of repeated rows they are not asked where they come from.
const FEW_COPIES: f64 = 0.1;
/// How many times more pairs of equal rows than their steps explain are copies.
const TOO_MANY: f64 = 30.0;

/// The rows in one kind of coordinates.
pub(in crate::learn::mixture) struct View {
    pub(in crate::learn::mixture) rows: Vec<f64>,
    /// The rows that starts are compared on: evenly spaced.
    pub(in crate::learn::mixture) few: Vec<f64>,
    pub(in crate::learn::mixture) at: Coordinates,
    pub(in crate::learn::mixture) floor: Floor,
}

/// What is fitted.
pub(in crate::learn::mixture) struct Sample {
    pub(in crate::learn::mixture) dim: usize,
    /// Number of rows used.
    pub(in crate::learn::mixture) count: usize,
    /// The rows used, in the coordinates of the columns.
    pub(in crate::learn::mixture) rows: Vec<f64>,
    pub(in crate::learn::mixture) set_aside: usize,
    /// One over the number of rows equal to this one.
    pub(in crate::learn::mixture) shares: Vec<f64>,
    /// Different rows.
    pub(in crate::learn::mixture) distinct: usize,
    /// Whether equal rows are copies: more than the steps of the columns explain.
    pub(in crate::learn::mixture) copied: bool,
    views: Vec<(Group, View)>,
}

impl Sample {
    /// The sample for mixtures of at most so many components, seen from each of the groups.
    ///
    /// # Errors
    /// `InvalidInput` for no more rows than columns, constant columns and linear relations; `NonFinite`.
    pub(in crate::learn::mixture) fn open(
        samples: MatRef<'_, f64>,
        groups: &[Group],
        components: usize,
    ) -> Result<Self, Error> {
        let (n, dim) = (samples.nrows(), samples.ncols());
        let all = finite_rows(OP, samples)?;
        let rows = without_outliers(all, dim);
        let whitening = Whitening::of(OP, &rows, dim)?;
        let count = rows.len() / dim;
        let first = first_of_equals(&rows, dim);
        let mut sizes = vec![0u32; count];
        first.iter().for_each(|f| sizes[*f as usize] += 1);
        let distinct = sizes.iter().filter(|s| **s > 0).count();
        let step = steps(&evenly(&rows, dim, LOOK), dim);
        let repeated = 1.0 - distinct as f64 / count.max(1) as f64;
        let copied = repeated > FEW_COPIES && {
            let looked = evenly(&rows, dim, LOOK);
            let lattices =
                (0..dim).map(|a| lattice(looked.iter().skip(a).step_by(dim)).max(step[a]));
            are_copies(&sizes, &lattices.collect::<Vec<f64>>(), &whitening.scales)
        };
        let last_bit = |a: usize| {
            let entries = rows.iter().skip(a).step_by(dim);
            f64::EPSILON * entries.fold(0.0f64, |m, x| m.max(x.abs()))
        };
        let variances: Vec<f64> = (0..dim)
            .map(|a| (step[a].max(last_bit(a)).powi(2) / 12.0).max(f64::MIN_POSITIVE * 1e20))
            .collect();
        let view = |group: Group| {
            let at = Coordinates::of(group, &whitening);
            let floor = Floor::of_rounding(&variances, &at);
            let rows = at.enter(&rows);
            let view = View {
                few: evenly(&rows, dim, START_ROWS.max(START_ROWS_EACH * components)),
                rows,
                floor: match group {
                    Group::Motions => floor.rounded_up(),
                    _ => floor,
                },
                at,
            };
            (group, view)
        };
        Ok(Self {
            views: groups.iter().copied().map(view).collect(),
            shares: first
                .iter()
                .map(|f| 1.0 / f64::from(sizes[*f as usize]))
                .collect(),
            set_aside: n - count,
            dim,
            count,
            rows,
            distinct,
            copied,
        })
    }

    /// The view of a group that was asked for.
    pub(in crate::learn::mixture) fn view(&self, group: Group) -> &View {
        let own = self.views.iter().find(|(g, _)| *g == group);
        // Groups are those of the families that are fitted; the first stands in for none.
        &own.unwrap_or(&self.views[0]).1
    }

    /// Rows that count in the choice of a model: copies once.
    pub(in crate::learn::mixture) fn effective(&self) -> f64 {
        (if self.copied {
            self.distinct
        } else {
            self.count
        }) as f64
    }

    /// Share of the rows that repeat another one.
    pub(in crate::learn::mixture) fn repeated(&self) -> f64 {
        1.0 - self.distinct as f64 / self.count.max(1) as f64
    }
}

/// About `most` rows, evenly spaced.
fn evenly(rows: &[f64], dim: usize, most: usize) -> Vec<f64> {
    let step = (rows.len() / dim).div_ceil(most).max(1);
    let picked = rows.chunks_exact(dim).step_by(step);
    picked.flatten().copied().collect()
}

/// Whether equal rows are copies of one another and no accident of the steps in which columns are written.
///
/// Two independent rows share an entry with a probability of about the step over `2 sqrt(pi)` standard deviations, of a
/// normal law; other laws are more concentrated, hence the wide margin.
fn are_copies(sizes: &[u32], step: &[f64], scales: &[f64]) -> bool {
    let n = sizes.iter().map(|s| f64::from(*s)).sum::<f64>();
    let pairs: f64 = sizes
        .iter()
        .map(|s| f64::from(*s) * (f64::from(*s) - 1.0) / 2.0)
        .sum();
    let meet = step
        .iter()
        .zip(scales)
        .map(|(h, s)| (h / (3.5 * s)).min(1.0));
    pairs > TOO_MANY * 0.5 * n * (n - 1.0) * meet.product::<f64>()
}

/// The spacing of a column whose entries all lie on one lattice, in whatever unit (quarters, sixtieths); else zero.
fn lattice<'a>(column: impl Iterator<Item = &'a f64>) -> f64 {
    let mut values: Vec<f64> = column.copied().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    let gaps = || values.windows(2).map(|w| w[1] - w[0]);
    let least = gaps().fold(f64::INFINITY, f64::min);
    let whole = |gap: f64| ((gap / least).round() - gap / least).abs() < 1e-3;
    if least.is_finite() && gaps().all(whole) {
        least
    } else {
        0.0
    }
}

/// Rows without those that are far from the bulk, in whichever coordinates.
///
/// The half of the rows nearest to its own mean, in the metric of its own covariance, is found by concentration steps from
/// the whole (Rousseeuw and Van Driessen 1999); distances in that metric do not change under affine maps.
fn without_outliers(rows: Vec<f64>, dim: usize) -> Vec<f64> {
    let n = rows.len() / dim;
    if (n as f64) * FAR_SHARE < 1.0 || n <= 2 * dim {
        return rows;
    }
    let looked = evenly(&rows, dim, LOOK);
    let count = looked.len() / dim;
    let lengths = |w: &Whitening, rows: &[f64]| -> Vec<f64> {
        let each = Coordinates::of(Group::Affine, w).enter(rows);
        each.chunks_exact(dim).map(crate::linalg::norm2).collect()
    };
    let mut half: Vec<usize> = (0..count).collect();
    let mut bulk: Option<Whitening> = None;
    for _ in 0..ROUNDS {
        let inside: Vec<f64> = half
            .iter()
            .flat_map(|i| &looked[i * dim..(i + 1) * dim])
            .copied()
            .collect();
        // Half of the rows in a plane: there is no metric, and nothing is set aside.
        let Ok(w) = Whitening::of(OP, &inside, dim) else {
            return rows;
        };
        let far = lengths(&w, &looked);
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_unstable_by(|i, j| far[*i].total_cmp(&far[*j]).then(i.cmp(j)));
        order.truncate(count.div_ceil(2).max(dim + 1));
        order.sort_unstable();
        let same = order == half;
        (half, bulk) = (order, Some(w));
        if same {
            break;
        }
    }
    let Some(w) = bulk else { return rows };
    let mut sorted = lengths(&w, &looked);
    sorted.sort_unstable_by(f64::total_cmp);
    let limit = FAR * sorted[count / 2];
    let far = sorted.iter().filter(|l| **l > limit).count();
    if far == 0 && count == n || far as f64 > FAR_SHARE * count as f64 || !(limit > 0.0) {
        return rows;
    }
    let keep = lengths(&w, &rows);
    let kept = rows
        .chunks_exact(dim)
        .zip(&keep)
        .filter(|(_, l)| **l <= limit);
    kept.flat_map(|(r, _)| r).copied().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};

    fn normal(n: usize) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        (0..n).map(|_| StandardNormal.sample(&mut rng)).collect()
    }

    fn open(rows: &[f64], dim: usize) -> Sample {
        let x = MatRef::from_row_major_slice(rows, rows.len() / dim, dim);
        Sample::open(x, &Group::ALL, 1).unwrap()
    }

    /// A far row is far in the unit of its own column, and along a thin direction.
    #[test]
    fn outliers_are_far_in_any_unit() {
        let mut x = normal(1000);
        x.iter_mut().step_by(2).for_each(|v| *v *= 1e6);
        assert_eq!(open(&x, 2).set_aside, 0);
        x[501] = 5000.0;
        assert_eq!(open(&x, 2).set_aside, 1);
        let mut thin = normal(1000);
        for row in thin.chunks_exact_mut(2) {
            row[1] = row[0] + 1e-5 * row[1];
        }
        assert_eq!(open(&thin, 2).set_aside, 0);
        thin[501] += 0.5;
        assert_eq!(open(&thin, 2).set_aside, 1);
        // Two far clusters of equal weight are no outliers.
        let two: Vec<f64> = normal(400)
            .iter()
            .enumerate()
            .map(|(i, x)| x + if i % 2 == 0 { 0.0 } else { 1e7 })
            .collect();
        assert_eq!(open(&two, 1).set_aside, 0);
    }

    #[test]
    fn copies_are_told_from_entries_of_few_digits() {
        let x = normal(120);
        let copies: Vec<f64> = (0..10).flat_map(|_| x.clone()).collect();
        let s = open(&copies, 2);
        assert!(s.copied && s.distinct == 60 && s.effective() == 60.0);
        // Copies of entries with three decimals are copies, equal whole numbers are not.
        let written = |copies: usize, unit: f64, n: usize| -> Vec<f64> {
            let x = normal(n);
            (0..copies)
                .flat_map(|_| {
                    x.iter()
                        .map(|v| (v / unit).round() * unit)
                        .collect::<Vec<_>>()
                })
                .collect()
        };
        assert!(open(&written(8, 1.0 / 1024.0, 120), 2).copied);
        let whole = open(&written(1, 1.0, 2000), 2);
        assert!(!whole.copied && whole.repeated() > 0.9);
        for unit in [0.125, 1.0 / 6.0, 0.25] {
            assert!(!open(&written(1, unit, 4000), 2).copied, "{unit}");
        }
    }
}
