//! Candidates held against the variety that noiseless samples fill.

use super::candidates::{Candidate, white_map};
use super::learner::{FewOutputs, OP};
use super::variety::spread_of_starts;
use crate::Error;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::learn::quadratic::noiseless::fit::Polish;
use crate::learn::quadratic::whitened::map::WhiteMap;
use crate::learn::quadratic::whitened::third_cumulants::WhiteRows;
use crate::run::Observer;
use crate::stats::normality::Normality;
use faer::{Mat, MatRef};
use rand::Rng;

/// Candidates that are fitted to the variety.
const TRIED: usize = 12;
/// Rows that the variety is fitted to, for each unknown of a latent feature; and rows whose latents fix the change of `x`.
const FITTED: usize = 12;
const MOST: usize = 100_000;
/// Held-out rows that must lie on the variety.
const CHECKED: usize = 500;
/// Share of rows that may be off the variety: outliers, or failures of the search for their latents.
const LOST: f64 = 0.0;

/// What the variety says.
pub(super) struct OnVariety {
    /// In white coordinates, when one reproduces the samples.
    pub(super) map: Option<WhiteMap>,
    pub(super) sweeps: usize,
    pub(super) checks: Vec<Check>,
}

impl FewOutputs {
    /// Fits the candidates to the variety of the samples, the likeliest first, until one is exact.
    pub(super) fn on_variety(
        &self,
        samples: &Samples,
        (rows, up): (&WhiteRows, &Mat<f64>),
        candidates: &[Candidate],
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<OnVariety, Error> {
        let (m, r) = (rows.down.ncols(), self.latent);
        let starts = spread_of_starts(r, rng);
        let part = rows.spread(samples, (FITTED * r * (r + 1) / 2).max(200), 0)?;
        let part = MatRef::from_row_major_slice(&part, part.len() / m, m);
        let mut out = OnVariety {
            map: None,
            sweeps: 0,
            checks: Vec::new(),
        };
        let mut best = f64::INFINITY;
        for candidate in candidates.iter().take(TRIED) {
            let start = white_map(&candidate.ring, rows, up);
            let polish = start.fit_variety(part, &starts, rows.exact, observer)?;
            out.sweeps += polish.sweeps;
            best = best.min(polish.residual);
            if !(polish.residual <= rows.exact) {
                continue;
            }
            let (map, checks) = self.exact(samples, rows, &polish, &starts, rng)?;
            out.checks = checks;
            out.map = Some(map);
            return Ok(out);
        }
        let name = "no candidate reproduces the samples: least relative residual of the variety";
        out.checks = vec![Check::accuracy(
            "few-outputs.no-candidate",
            name,
            best,
            rows.exact,
        )];
        Ok(out)
    }

    /// The map that fits the variety, in white coordinates and standard latents, and what rows that it has not seen say.
    fn exact(
        &self,
        samples: &Samples,
        rows: &WhiteRows,
        polish: &Polish,
        starts: &[Vec<f64>],
        rng: &mut impl Rng,
    ) -> Result<(WhiteMap, Vec<Check>), Error> {
        let (m, near) = (rows.down.ncols(), rows.exact_row());
        let off = |gaps: &[f64]| {
            let off = gaps.iter().filter(|g| !(**g <= near)).count();
            off as f64 / gaps.len().max(1) as f64
        };
        let all = rows.spread(samples, MOST, 0)?;
        let all = MatRef::from_row_major_slice(&all, all.len() / m, m);
        let seen = polish.map.search(all, starts, None, near);
        let map = polish.map.standardised_by(&seen, near)?;
        let held = WhiteRows {
            split: rows.split.other(),
            ..rows.clone()
        };
        let held = held.spread(samples, CHECKED, 0)?;
        let held = MatRef::from_row_major_slice(&held, held.len() / m, m);
        let unseen = polish.map.search(held, starts, None, near);
        let mut checks = vec![
            Check::reported(
                "few-outputs.variety-residual",
                "samples lie on the variety of the map: relative residual",
                polish.residual,
            ),
            Check::sampling(
                "few-outputs.share-off-variety",
                "share of the samples whose latents were not found on the variety",
                off(&seen.gaps),
                LOST,
            ),
            Check::sampling(
                "few-outputs.held-out-off-variety",
                "share of held-out samples that were not found on the variety",
                off(&unseen.gaps),
                LOST,
            ),
        ];
        let kept = seen.latents.iter().zip(&seen.gaps).filter(|s| *s.1 <= near);
        let latents: Vec<f64> = kept.flat_map(|s| s.0.iter().copied()).collect();
        let test = Normality::of(OP, &latents, self.latent, (false, false), rng)?;
        checks.extend(test.checks());
        Ok((map, checks))
    }
}
