//! How many components? A table of evidence, and a choice with its reason.

use super::core_consistency::{core_consistency, kruskal_slack};
use crate::decomp::cp::checks::{CANCELLATION, STARTS_AGREEING};
use crate::decomp::cp::decomposition::Cp;
use crate::decomp::cp::missing::masked::CpMasked;
use crate::decomp::cp::nonnegative::decomposition::CpNonnegative;
use crate::fit::Fit;
use crate::linalg::Scalar;
use crate::poly::Ring;
use crate::run::Observer;
use crate::tensor::{CpTensor, Tensor, TensorView};
use crate::{Error, Status};
use rand::Rng;

/// Least core consistency, in percent, of a number of components that is believed.
const LEAST_CONSISTENCY: f64 = 80.0;
/// Residual at which a fit is exact and more components cannot help.
const EXACT: f64 = 1e-8;
/// Least relative fall of the unexplained variance that one more component must bring.
const LEAST_GAIN: f64 = 0.05;

/// What was measured at one number of components.
#[derive(Clone, Debug)]
pub struct RankRow<T = f64> {
    /// The fit.
    pub fit: Fit<CpTensor<T>>,
    /// Core consistency in percent, where it can be formed.
    pub core_consistency: Option<f64>,
    /// Slack in Kruskal's condition: nonnegative means unique.
    pub kruskal_slack: i64,
    /// Whether the Kruskal ranks behind the slack are exact or lower bounds.
    pub kruskal_exact: bool,
}

/// The table and the choice.
#[derive(Clone, Debug)]
pub struct RankTable<T = f64> {
    /// One row for each number of components tried, increasing.
    pub rows: Vec<RankRow<T>>,
    /// Index of the chosen row.
    pub chosen: usize,
    /// Why, in words.
    pub reason: String,
}

impl<T: Scalar + Ring> RankRow<T> {
    fn of(t: TensorView<'_, T>, fit: Fit<CpTensor<T>>) -> Result<Self, Error> {
        let core_consistency = core_consistency(t, &fit.model)?;
        let (kruskal_slack, kruskal_exact) = kruskal_slack(&fit.model);
        Ok(Self {
            fit,
            core_consistency,
            kruskal_slack,
            kruskal_exact,
        })
    }

    fn measured(&self, key: &str) -> f64 {
        self.fit
            .evidence
            .check(key)
            .map_or(f64::NAN, |c| c.measured)
    }

    /// Starts at the best value, and starts in all.
    pub fn agreement(&self) -> (usize, usize) {
        let agreeing = self.measured(STARTS_AGREEING);
        (agreeing.max(0.0) as usize, self.fit.work.starts)
    }

    /// Whether components diverge against each other.
    pub fn is_degenerate(&self) -> bool {
        self.fit.evidence.fails(CANCELLATION)
    }

    /// Whether the model reproduces the data, and not by diverging.
    fn is_exact(&self) -> bool {
        self.fit.evidence.rel_residual <= EXACT && !self.is_degenerate()
    }

    /// Whether nothing speaks against this number of components.
    fn is_credible(&self) -> bool {
        let (agreeing, starts) = self.agreement();
        let consistent = self.core_consistency.is_none_or(|c| c >= LEAST_CONSISTENCY);
        // One component always has consistency 100, and with two modes the figure says nothing.
        let modes = self.fit.model.factors().iter().filter(|f| f.rows() > 1);
        let consistent = consistent || self.fit.model.rank() == 1 || modes.count() < 3;
        consistent && !self.is_degenerate() && 2 * agreeing >= starts
    }
}

/// Fits every rank in the range `ranks.0` with `engine` (its own rank is replaced) and chooses.
///
/// The smallest exact rank wins; else the greatest credible one: core consistency at least 80, no diverging
/// components, at least half of the starts agreeing, and at least 5% less unexplained variance than the
/// credible rank before. The table ends early at an exact fit, or after `ranks.1` ranks in a row that are
/// not credible.
///
/// # Errors
/// `InvalidInput` when the range is empty, and those of [`Cp::decompose`].
pub fn rank_table<T: Scalar + Ring>(
    t: TensorView<'_, T>,
    engine: &Cp,
    ranks: (std::ops::RangeInclusive<usize>, usize),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<RankTable<T>, Error> {
    table(ranks, |rank| {
        let engine = Cp {
            rank,
            ..engine.clone()
        };
        RankRow::of(t, engine.decompose_observed(t, rng, observer)?)
    })
}

/// As [`rank_table`] for incomplete data; the core consistency is taken with the model in the gaps.
///
/// # Errors
/// As [`rank_table`], with those of [`CpMasked::decompose`].
pub fn rank_table_masked(
    t: TensorView<'_>,
    weights: TensorView<'_>,
    engine: &CpMasked,
    ranks: (std::ops::RangeInclusive<usize>, usize),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<RankTable, Error> {
    table(ranks, |rank| {
        let fit = engine
            .with_rank(rank)
            .decompose_observed(t, weights, rng, observer)?;
        let filled = fill(t, weights, &fit.model)?;
        RankRow::of(filled.view(), fit)
    })
}

/// As [`rank_table`] with nonnegative factors, for incomplete data where `weights` are given.
///
/// # Errors
/// As [`rank_table`], with those of [`CpNonnegative::decompose_masked`].
pub fn rank_table_nonnegative(
    t: TensorView<'_>,
    weights: Option<TensorView<'_>>,
    engine: &CpNonnegative,
    ranks: (std::ops::RangeInclusive<usize>, usize),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<RankTable, Error> {
    table(ranks, |rank| {
        let engine = engine.with_rank(rank);
        match weights {
            None => RankRow::of(t, engine.decompose_observed(t, rng, observer)?),
            Some(w) => {
                let fit = engine.decompose_masked(t, w, rng, observer)?;
                RankRow::of(fill(t, w, &fit.model)?.view(), fit)
            }
        }
    })
}

/// `t` with the model where the weight is zero.
fn fill(t: TensorView<'_>, weights: TensorView<'_>, model: &CpTensor) -> Result<Tensor, Error> {
    let mut out = model.to_dense()?;
    let known = t.as_slice().iter().zip(weights.as_slice());
    for (x, (&y, &w)) in out.as_mut_slice().iter_mut().zip(known) {
        if w > 0.0 {
            *x = y;
        }
    }
    Ok(out)
}

fn table<T: Scalar + Ring>(
    (ranks, patience): (std::ops::RangeInclusive<usize>, usize),
    mut row: impl FnMut(usize) -> Result<RankRow<T>, Error>,
) -> Result<RankTable<T>, Error> {
    let (first, last) = (*ranks.start(), *ranks.end());
    if first == 0 || first > last {
        let requirement = format!("a range of ranks from 1 upwards, got {first}..{last}");
        return Err(Error::invalid("rank_table", requirement));
    }
    let mut rows: Vec<RankRow<T>> = Vec::new();
    let mut doubtful = 0;
    for rank in ranks {
        let next = row(rank)?;
        let stopped = next.fit.status == Status::Stopped;
        let exact = next.is_exact();
        doubtful = if next.is_credible() || exact {
            0
        } else {
            doubtful + 1
        };
        rows.push(next);
        if exact || stopped || doubtful >= patience {
            break;
        }
    }
    let (chosen, reason) = choose(&rows);
    Ok(RankTable {
        rows,
        chosen,
        reason,
    })
}

fn choose<T: Scalar + Ring>(rows: &[RankRow<T>]) -> (usize, String) {
    if let Some(k) = rows.iter().position(RankRow::<T>::is_exact) {
        return (
            k,
            "the smallest number of components that fits exactly".into(),
        );
    }
    let variance = |k: usize| rows[k].fit.evidence.rel_residual.powi(2);
    let mut chosen: Option<usize> = None;
    for k in (0..rows.len()).filter(|&k| rows[k].is_credible()) {
        if chosen.is_none_or(|c| variance(k) <= (1.0 - LEAST_GAIN) * variance(c)) {
            chosen = Some(k);
        }
    }
    match chosen {
        Some(k) if k + 1 < rows.len() => {
            let next = &rows[k + 1];
            let (agreeing, starts) = next.agreement();
            let why = if next.is_degenerate() {
                "components that diverge against each other".to_owned()
            } else if next.core_consistency.is_some_and(|c| c < LEAST_CONSISTENCY) {
                format!(
                    "a core consistency of {:.0}",
                    next.core_consistency.unwrap_or(f64::NAN)
                )
            } else if 2 * agreeing < starts {
                format!("only {agreeing} of {starts} starts agreeing")
            } else {
                "no gain worth a component".to_owned()
            };
            (
                k,
                format!("the greatest credible number of components; one more has {why}"),
            )
        }
        Some(k) => (
            k,
            "the greatest number of components tried, and credible".into(),
        ),
        None => (
            0,
            "none of the numbers tried is credible; this is the smallest".into(),
        ),
    }
}
