//! Is the sample what the fitted mixture would give? The same test for every method.

use super::input_check::first_of_equals;
use crate::Error;
use crate::fit::Check;
use crate::run::Observer;
use crate::stats::goodness::law_test::LawTest;
use crate::stats::goodness::neighbours::{self, crowds};
use crate::stats::goodness::rounding::steps;
use faer::MatRef;
use rand::{Rng, RngExt};

/// Rows below which there is nothing to compare.
const LEAST: usize = 10;
/// Rows from which on neighbours are compared, and rows that steps are looked for in.
const NEIGHBOURS: usize = 60;
const LOOK: usize = 20_000;
/// Kolmogorov's distance that must not go unnoticed.
pub(super) const UNNOTICED: f64 = 0.15;

/// The keys under which a method reports.
pub(super) struct Keys {
    pub(super) law: &'static str,
    pub(super) near: &'static str,
    pub(super) detectable: &'static str,
}

/// What the test is to know of the fit.
pub(super) struct Terms {
    /// Rows compared at most.
    pub(super) most: usize,
    /// How much worse than the empirical law the learner may meet mean and covariance.
    pub(super) loose: f64,
    /// Whether too few rows leave the fit undecided, or are only said.
    pub(super) decides: bool,
}

/// At most `most` of the rows, evenly spread, against fresh draws of the law that was learned from all of them; and the
/// smallest deviation that they would have shown. Empty for fewer than ten rows.
///
/// # Errors
/// `Stopped`; what `draw` says.
pub(super) fn follows<G: Rng>(
    (rows, dim): (&[f64], usize),
    (keys, terms): (&Keys, &Terms),
    draw: &mut dyn FnMut(usize, &mut G) -> Result<Vec<f64>, Error>,
    rng: &mut G,
    observer: Observer<'_>,
) -> Result<Vec<Check>, Error> {
    let rows = shuffled(&as_drawn(rows, dim, rng), dim, rng);
    let all = rows.len() / dim;
    if all < LEAST {
        return Ok(Vec::new());
    }
    let some = |most: usize| -> Vec<f64> {
        let count = all.min(most);
        let row = |i: usize| &rows[i * all / count * dim..(i * all / count + 1) * dim];
        (0..count).flat_map(row).copied().collect()
    };
    let compared = some(terms.most);
    let count = compared.len() / dim;
    let x = MatRef::from_row_major_slice(&compared, count, dim);
    let test = LawTest::run(x, (all, terms.loose), &mut *draw, rng, &mut *observer)?;
    let label = format!(
        "Kolmogorov's distance of the sample from the law that {count} rows would have shown nine times in ten"
    );
    let mut checks = vec![test.check(keys.law, "the sample")];
    if all > NEIGHBOURS {
        let near = some(neighbours::MOST_ROWS.min(terms.most));
        let sample = (&near[..], dim);
        checks.push(crowds(keys.near, sample, all, draw, rng, observer)?);
    }
    checks.push(if terms.decides {
        Check::power(keys.detectable, label, test.detectable, UNNOTICED)
    } else {
        Check::reported(keys.detectable, label, test.detectable)
    });
    Ok(checks)
}

/// The rows in random order: those of a sample may come in turns, of which evenly spaced rows show one.
fn shuffled(rows: &[f64], dim: usize, rng: &mut impl Rng) -> Vec<f64> {
    let mut order: Vec<usize> = (0..rows.len() / dim).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    let row = |i: usize| &rows[i * dim..(i + 1) * dim];
    order.into_iter().flat_map(row).copied().collect()
}

/// Rows as the law draws them: entries written in steps are spread over their steps, and in columns written to the last bit
/// equal rows are copies, which say nothing more.
fn as_drawn(rows: &[f64], dim: usize, rng: &mut impl Rng) -> Vec<f64> {
    let spaced: Vec<f64> = rows
        .chunks_exact(dim)
        .step_by((rows.len() / dim).div_ceil(LOOK).max(1))
        .flatten()
        .copied()
        .collect();
    let step = steps(&spaced, dim);
    if step.iter().all(|h| *h == 0.0) {
        let first = first_of_equals(rows, dim);
        let own = rows.chunks_exact(dim).zip(&first).enumerate();
        let own = own.filter(|(i, (_, f))| *i == **f as usize);
        return own.flat_map(|(_, (r, _))| r).copied().collect();
    }
    let mut out = rows.to_vec();
    for row in out.chunks_exact_mut(dim) {
        for (x, h) in row.iter_mut().zip(&step) {
            *x += h * (rng.random::<f64>() - 0.5);
        }
    }
    out
}
