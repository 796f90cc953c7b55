//! What is measured about a model of an incomplete tensor.

use super::held_out::{needed, parameters};
use super::observed::{Observed, Rows};
use crate::Error;
use crate::decomp::cp::checks::{self, MISSING_ENTRIES, MOST_CANCELLATION, MOST_GRADIENT};
use crate::decomp::cp::condition::condition;
use crate::decomp::restarts::agreement;
use crate::fit::{Check, Evidence};
use crate::linalg::norm2;
use crate::tensor::{CpTensor, by_rows};

/// Rows of factors that see fewer observed entries than there are components.
const RANK_DEFICIT: &str = "rows with fewer observations than components";
/// Relative residual of a fit that reproduces what was observed.
const EXACT: f64 = 1e-9;
/// Errors of the fit that a held-out entry may be off, on average.
const MOST_OFF: f64 = 3.0;

/// Errors at entries that the start was not fitted to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct HeldOut {
    /// How many there were.
    pub(super) entries: usize,
    /// Their root mean square error over that of the fit, which is corrected for the parameters.
    pub(super) ratio: f64,
    /// Their root mean square error over that of the data.
    pub(super) relative: f64,
}

impl HeldOut {
    /// Whether the predictions are as good as the fit says.
    pub(super) fn holds(&self) -> bool {
        self.ratio <= MOST_OFF && self.relative <= 1.0
    }

    /// Compares predictions of `rows` at `entries` of `all` with the residual of the fit, `squares` over `fitted` entries.
    pub(super) fn of(
        all: &Observed,
        (rows, rank): (&Rows, usize),
        entries: &[usize],
        (squares, fitted): (f64, usize),
    ) -> Option<Self> {
        if entries.is_empty() {
            return None;
        }
        let n = entries.len() as f64;
        let free = (fitted as f64 - parameters(&all.dims, rank)).max(1.0);
        let off = (all.square_at(rows, rank, entries) / n).sqrt();
        // Below what rounding leaves of exact data there is nothing to compare.
        let within = (squares / free).sqrt().max(EXACT * all.size());
        Some(Self {
            entries: entries.len(),
            ratio: off / within,
            relative: off / all.size(),
        })
    }
}

/// Evidence about the canonical `model`, from the observed entries alone; `starts` are the errors of all starts.
pub(super) fn evidence(
    data: &Observed,
    model: &CpTensor,
    starts: &[f64],
    held: Option<HeldOut>,
) -> Result<Evidence, Error> {
    let rank = model.rank();
    let rows: Rows = model.balanced().iter().map(by_rows).collect();
    let rel_residual = data.residual(&rows, rank)?;
    let g = norm2(&data.normal(&rows, rank, None)?);
    let mut count: Vec<Vec<usize>> = data.dims.iter().map(|&n| vec![0; n]).collect();
    data.indexed(|index, _| index.iter().zip(&mut count).for_each(|(&i, c)| c[i] += 1));
    let short = count.iter().flatten().filter(|&&c| c < rank).count();
    let scale = data.norm() * data.slope(&rows, rank);
    let gradient = if scale > 0.0 { g / scale } else { 0.0 };
    let exact = rel_residual <= EXACT;
    let (agreeing, lacking) = agreement(starts, (1e-5, 1e-12), exact);
    let variance = rel_residual * rel_residual;
    let entries: f64 = data.dims.iter().map(|&n| n as f64).product();
    let (seen, unknown) = (data.len() as f64, parameters(&data.dims, rank));
    // More equations than unknowns, all of them met, speak for themselves.
    let few = if exact && seen > unknown {
        0.0
    } else {
        needed(&data.dims, rank) / seen
    };
    let mut checks = vec![
        checks::gradient(gradient, MOST_GRADIENT),
        checks::cancellation(model.cancellation(), MOST_CANCELLATION),
        checks::unexplained(variance, 0.5),
        Check::conditioning("cp.rank-deficit", RANK_DEFICIT, short as f64, 0.0),
        Check::conditioning(
            "cp.entries-needed",
            "entries that this many components need, over those observed",
            few,
            1.0,
        ),
        checks::starts_missing(lacking, 0.0),
    ];
    if let Some(held) = held {
        checks.extend([
            Check::accuracy(
                "cp.held-out",
                "error at held-out entries over that of the fit",
                held.ratio,
                MOST_OFF,
            ),
            Check::accuracy(
                "cp.held-out-error",
                "relative error at held-out entries",
                held.relative,
                1.0,
            ),
            Check::reported(
                "cp.held-out-entries",
                "held-out entries",
                held.entries as f64,
            ),
        ]);
    }
    checks.extend([
        Check::reported("cp.observed-entries", "observed entries", seen),
        Check::reported(MISSING_ENTRIES, "missing entries", entries - seen),
        Check::reported("cp.parameters", "parameters", unknown),
        checks::explained(variance),
        checks::starts(starts.len()),
        checks::starts_agreeing(agreeing),
    ]);
    Ok(Evidence {
        rel_residual,
        condition: condition(model),
        checks,
    })
}
