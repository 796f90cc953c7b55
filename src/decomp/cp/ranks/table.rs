//! How many components? A table of evidence, and a choice with its reason.

use super::core_consistency::kruskal_slack;
use super::noise_gain::best_rank_one;
use super::rule::{Best, RankEvidence};
use super::split_half::{LEAST_COSINE, half, halved_mode, least_cosine};
use crate::decomp::cp::checks::{CANCELLATION, STARTS_AGREEING};
use crate::decomp::cp::decomposition::{Cp, check_tensor};
use crate::decomp::cp::missing::decomposition::{CpMasked, cleaned};
use crate::decomp::cp::nonnegative::decomposition::CpNonnegative;
use crate::decomp::cp::scaled::Scaled;
use crate::fit::Fit;
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::run::Observer;
use crate::tensor::{CpTensor, Factor, Tensor, TensorView};
use crate::{Error, Status};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::ops::RangeInclusive;

/// Residual at which a fit is exact and more components cannot help.
const EXACT: f64 = 1e-8;
/// Starts and sweeps for the component that the next number adds.
const GROWN: (usize, usize) = (4, 30);

/// What was measured at one number of components.
///
/// See [`RankTable`] for an example.
#[derive(Clone, Debug)]
pub struct RankRow<T = f64> {
    /// The fit.
    pub fit: Fit<CpTensor<T>>,
    /// What speaks for and against the last component.
    pub evidence: RankEvidence,
    /// Least cosine of matched components of the two halves of the data, where they were fitted.
    pub split_half: Option<f64>,
    /// Slack in Kruskal's condition: nonnegative means unique.
    pub kruskal_slack: i64,
    /// Whether the Kruskal ranks behind the slack are exact or lower bounds.
    pub kruskal_exact: bool,
}

/// The table and the choice.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::{Cp, rank_table};
/// use wickring::run::unobserved;
/// use wickring::tensor::{CpTensor, Factor};
/// let f = |n: usize, k: usize| Factor::from_fn(n, 2, move |i, r| ((i + k * r) as f64).cos());
/// let t = CpTensor::from_factors(vec![f(4, 1), f(5, 2), f(3, 3)])?.to_dense()?;
/// let rng = &mut ChaCha8Rng::seed_from_u64(0);
/// let table = rank_table(t.view(), &Cp::new(1), (1..=3, 2), rng, &mut unobserved)?;
/// assert_eq!(table.rank(), 2);
/// assert!(table.rows[1].evidence.is_detected());
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RankTable<T = f64> {
    /// One row for each number of components tried, increasing.
    pub rows: Vec<RankRow<T>>,
    /// Index of the chosen row; `None` when no component is above the noise.
    pub chosen: Option<usize>,
    /// The number that another criterion speaks for, where it disagrees with the choice.
    pub other: Option<usize>,
    /// Whether the criteria agree on the choice.
    pub agreed: bool,
    /// Why, in words.
    pub reason: String,
}

impl<T> RankTable<T> {
    /// The number of components chosen, 0 when none is above the noise.
    pub fn rank(&self) -> usize {
        let row = self.chosen.and_then(|k| self.rows.get(k));
        row.map_or(0, |r| r.fit.model.weights().len())
    }
}

impl<T: Scalar + Ring> RankRow<T> {
    /// A row whose halves were not fitted yet; `slack` is Kruskal's, and whether it is exact.
    fn of(fit: Fit<CpTensor<T>>, evidence: RankEvidence, slack: (i64, bool)) -> Self {
        Self {
            fit,
            evidence,
            split_half: None,
            kruskal_slack: slack.0,
            kruskal_exact: slack.1,
        }
    }

    /// Starts at the best value, and starts in all.
    pub fn agreement(&self) -> (usize, usize) {
        let agreeing = self.fit.evidence.check(STARTS_AGREEING);
        let agreeing = agreeing.map_or(0.0, |c| c.measured);
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

    fn is_chosen_by(&self, detected: impl Fn(&RankEvidence) -> bool) -> bool {
        self.fit.status != Status::Stopped
            && detected(&self.evidence)
            && self.evidence.is_trilinear()
    }
}

/// Fits every rank in the range `ranks.0` with `engine` (its own rank is replaced) and chooses.
///
/// The smallest exact rank wins. Otherwise the greatest number of components whose last one gains more than noise alone
/// could and whose core is superdiagonal as far as noise lets it be ([`RankEvidence`]); no row is chosen when nothing is above
/// the noise. The choice is then held against split halves: the same components must be found in the even and in the odd
/// slices of the longest mode, where that has at least eight; else the greatest number for which they are is named beside it.
/// The table ends early at an exact fit, or after `ranks.1` ranks in a row that are not detected (twice as many where they are above
/// the length of a mode and the residual is smooth, so that nothing could tell them from it).
///
/// # Errors
/// `InvalidInput` when the range is empty, and those of [`Cp::decompose`].
pub fn rank_table<T: Scalar + Ring>(
    t: TensorView<'_, T>,
    engine: &Cp,
    ranks: (RangeInclusive<usize>, usize),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<RankTable<T>, Error> {
    check_tensor("rank_table", t)?;
    let fit = |task: Task<'_, T>, rng: &mut ChaCha8Rng| {
        let engine = Cp {
            rank: task.rank,
            brief: true,
            ..engine.clone()
        };
        engine.decompose_from(task.t, task.start, rng, observer)
    };
    let mut found = table(t, None, ranks, rng, fit)?;
    let Some(row) = found.chosen.and_then(|k| found.rows.get_mut(k)) else {
        return Ok(found);
    };
    // The comparison made a few starts for each number; the answer gets all that a fit of its own would.
    if !row.is_exact()
        && row.fit.status != Status::Stopped
        && let Some(scaled) = Scaled::of(t)?
    {
        let start = scaled.shrink(&row.fit.model)?.balanced();
        let engine = Cp {
            rank: row.fit.model.rank(),
            ..engine.clone()
        };
        row.fit = engine.decompose_from(t, Some(start), rng, observer)?;
    }
    Ok(found)
}

/// As [`rank_table`] for incomplete data; the core consistency is taken with the model in the gaps.
///
/// # Errors
/// As [`rank_table`], with those of [`CpMasked::decompose`].
pub fn rank_table_masked(
    t: TensorView<'_>,
    weights: TensorView<'_>,
    engine: &CpMasked,
    ranks: (RangeInclusive<usize>, usize),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<RankTable, Error> {
    let clean = cleaned("rank_table", t, weights)?;
    let fit = |task: Task<'_, f64>, rng: &mut ChaCha8Rng| {
        let engine = engine.with_rank(task.rank);
        let weights = task.weights.unwrap_or(weights);
        engine.decompose_from(task.t, weights, task.start.as_deref(), rng, observer)
    };
    table(clean.view(), Some(weights), ranks, rng, fit)
}

/// As [`rank_table`] with nonnegative factors, for incomplete data where `weights` are given.
///
/// # Errors
/// As [`rank_table`], with those of [`CpNonnegative::decompose_masked`].
pub fn rank_table_nonnegative(
    t: TensorView<'_>,
    weights: Option<TensorView<'_>>,
    engine: &CpNonnegative,
    ranks: (RangeInclusive<usize>, usize),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<RankTable, Error> {
    let clean = match weights {
        Some(w) => cleaned("rank_table", t, w)?,
        None => {
            check_tensor("rank_table", t)?;
            t.to_tensor()
        }
    };
    let fit = |task: Task<'_, f64>, rng: &mut ChaCha8Rng| {
        let engine = engine.with_rank(task.rank);
        match task.weights {
            None => engine.decompose_observed(task.t, rng, observer),
            Some(w) => engine.decompose_masked(task.t, w, rng, observer),
        }
    };
    table(clean.view(), weights, ranks, rng, fit)
}

/// One fit that the table asks for.
struct Task<'a, T> {
    t: TensorView<'a, T>,
    weights: Option<TensorView<'a>>,
    rank: usize,
    /// Factors to start from beside the engine's own starts, on data of norm one.
    start: Option<Vec<Factor<T>>>,
}

fn table<T: Scalar + Ring>(
    t: TensorView<'_, T>,
    weights: Option<TensorView<'_>>,
    (ranks, patience): (RangeInclusive<usize>, usize),
    rng: &mut impl Rng,
    mut fit: impl FnMut(Task<'_, T>, &mut ChaCha8Rng) -> Result<Fit<CpTensor<T>>, Error>,
) -> Result<RankTable<T>, Error> {
    let (first, last) = (*ranks.start(), *ranks.end());
    if first == 0 || first > last {
        let requirement = format!("a range of ranks from 1 upwards, got {first}..{last}");
        return Err(Error::invalid("rank_table", requirement));
    }
    let rng = &mut ChaCha8Rng::seed_from_u64(rng.random());
    let scaled = Scaled::of(t)?;
    let mut rows: Vec<RankRow<T>> = Vec::new();
    let all = |s: &Scaled<T>| weighted_square(s.data.view(), weights);
    let mut best = Best::nothing(scaled.as_ref().map_or(0.0, all));
    let (mut start, mut undetected) = (None, 0);
    let patience = patience.saturating_mul(2);
    // The gain of the first row needs the fit before it.
    for rank in first.saturating_sub(1).max(1)..=last {
        let task = Task {
            t,
            weights,
            rank,
            start: start.take(),
        };
        let found = fit(task, rng)?;
        let Some(scaled) = &scaled else {
            return Ok(of_zeros(found));
        };
        let model = scaled.shrink(&found.model)?;
        let data = scaled.data.view();
        let (evidence, residual) = RankEvidence::of(data, weights, &model, &best, rng)?;
        best.improve(small::norm_sq(residual.as_slice()), rank);
        let row = RankRow::of(found, evidence, kruskal_slack(&model));
        let over = row.is_exact() || row.fit.status == Status::Stopped;
        // A residual that is smooth may be signal still: only what is not above rough noise either is given up at once.
        undetected = match row.evidence.is_detected_if_rough() {
            true if row.evidence.can_be_told() => 0,
            true => undetected + 1,
            false => undetected + 2,
        };
        if rank >= first {
            rows.push(row);
        }
        if over || undetected >= patience {
            break;
        }
        let (_, one) = best_rank_one(residual.view(), GROWN.0, GROWN.1, rng)?;
        start = Some(joined(&model, &one)?);
    }
    let table = choose(rows);
    halves(table, t, weights, rng, &mut fit)
}

/// The table of the zero tensor.
fn of_zeros<T: Scalar + Ring>(fit: Fit<CpTensor<T>>) -> RankTable<T> {
    RankTable {
        rows: vec![RankRow::of(fit, RankEvidence::NONE, (0, false))],
        chosen: None,
        other: None,
        agreed: true,
        reason: "the tensor is zero".into(),
    }
}

fn weighted_square<T: Scalar>(data: TensorView<'_, T>, weights: Option<TensorView<'_>>) -> f64 {
    let Some(weights) = weights else {
        return small::norm_sq(data.as_slice());
    };
    let pairs = data.as_slice().iter().zip(weights.as_slice());
    pairs.map(|(x, &w)| w * x.abs_sq()).sum()
}

/// The components of `model` and one more, lengths spread over the modes.
fn joined<T: Scalar + Ring>(
    model: &CpTensor<T>,
    one: &[Factor<T>],
) -> Result<Vec<Factor<T>>, Error> {
    let one = CpTensor::from_factors(one.to_vec())?;
    Ok(model.add(&one)?.balanced())
}

fn choose<T: Scalar + Ring>(rows: Vec<RankRow<T>>) -> RankTable<T> {
    let exact = rows.iter().position(RankRow::<T>::is_exact);
    let above = |k: &usize| rows[*k].is_chosen_by(RankEvidence::is_detected);
    let rough = |k: &usize| rows[*k].is_chosen_by(RankEvidence::is_detected_if_rough);
    let number = |k: usize| rows[k].fit.model.rank();
    let detected = (0..rows.len()).rev().find(above);
    let mut other = None;
    let reason = match (exact, detected) {
        (Some(_), _) => "the smallest number of components that fits exactly".to_owned(),
        (None, Some(k)) => reason(&rows, k),
        (None, None) => match (0..rows.len()).rev().find(rough) {
            Some(k) => {
                other = Some(number(k));
                let factor = rows[k].evidence.smoothness;
                format!(
                    "none above noise as smooth as the residual; {} if its smoothness (factor {factor:.1}) is not noise",
                    number(k)
                )
            }
            None => "none above noise".to_owned(),
        },
    };
    let chosen = exact.or(detected);
    RankTable {
        chosen,
        other,
        agreed: chosen.is_some(),
        reason,
        rows,
    }
}

fn reason<T: Scalar + Ring>(rows: &[RankRow<T>], k: usize) -> String {
    let head = "the greatest number of components above the noise";
    let Some(next) = rows.get(k + 1) else {
        return format!("{head}; it is also the greatest tried");
    };
    let e = &next.evidence;
    if next.fit.status == Status::Stopped {
        format!("{head}; the next fit was stopped")
    } else if next.is_degenerate() {
        format!("{head}; one more has components that diverge against each other")
    } else if e.is_detected() {
        let consistency = e.core_consistency.unwrap_or(f64::NAN);
        format!("{head} and trilinear; one more has a core consistency of {consistency:.0}")
    } else {
        let gain = e.gain / (e.noise_gain * e.smoothness);
        format!("{head}; one more gains {gain:.2} times what noise gives")
    }
}

/// The even and the odd slices of one mode, with their weights.
struct Halves<T> {
    parts: [Tensor<T>; 2],
    weights: Option<[Tensor; 2]>,
}

impl<T: Scalar + Ring> Halves<T> {
    fn of(
        t: TensorView<'_, T>,
        weights: Option<TensorView<'_>>,
        mode: usize,
    ) -> Result<Self, Error> {
        let weights = match weights {
            Some(w) => Some([half(w, mode, 0)?, half(w, mode, 1)?]),
            None => None,
        };
        let parts = [half(t, mode, 0)?, half(t, mode, 1)?];
        Ok(Self { parts, weights })
    }

    fn task(&self, part: usize, rank: usize) -> Task<'_, T> {
        Task {
            t: self.parts[part].view(),
            weights: self.weights.as_ref().map(|w| w[part].view()),
            rank,
            start: None,
        }
    }
}

/// Holds the choice against split halves, and names the greatest number that passes where it does not.
///
/// A number above the length of a mode has no core to be judged by: one that its halves refuse is not chosen at all.
fn halves<T: Scalar + Ring>(
    mut table: RankTable<T>,
    t: TensorView<'_, T>,
    weights: Option<TensorView<'_>>,
    rng: &mut ChaCha8Rng,
    fit: &mut impl FnMut(Task<'_, T>, &mut ChaCha8Rng) -> Result<Fit<CpTensor<T>>, Error>,
) -> Result<RankTable<T>, Error> {
    let (Some(mut chosen), Some(mode)) = (table.chosen, halved_mode(t.dims())) else {
        return Ok(table);
    };
    if table.rows[chosen].is_exact() || table.rows.iter().any(|r| r.fit.status == Status::Stopped) {
        return Ok(table);
    }
    let parts = Halves::of(t, weights, mode)?;
    for k in (0..=chosen).rev() {
        let row = &table.rows[k];
        let (rank, unjudged) = (row.fit.model.rank(), row.evidence.core_ratio.is_none());
        if k > chosen || (unjudged && !row.is_chosen_by(RankEvidence::is_detected)) {
            continue;
        }
        let models = [
            fit(parts.task(0, rank), rng)?,
            fit(parts.task(1, rank), rng)?,
        ];
        if models.iter().any(|m| m.status == Status::Stopped) {
            table.agreed = false;
            table.reason += "; split halves were not finished";
            return Ok(table);
        }
        let least = least_cosine(&models[0].model, &models[1].model, mode);
        table.rows[k].split_half = Some(least);
        if least > LEAST_COSINE {
            if k < chosen {
                table.other = Some(rank);
                table.reason += &format!("; split halves agree only on {rank}");
            }
            return Ok(table);
        }
        let judged = |j: &usize| table.rows[*j].is_chosen_by(RankEvidence::is_detected);
        match (0..k).rev().find(judged) {
            Some(next) if k == chosen && unjudged => {
                chosen = next;
                table.chosen = Some(next);
                table.reason = reason(&table.rows, next);
                table.reason += &format!("; split halves do not agree on {rank}");
            }
            _ => table.agreed = false,
        }
    }
    table.reason += "; split halves agree on none of them";
    table.other = Some(0);
    Ok(table)
}
