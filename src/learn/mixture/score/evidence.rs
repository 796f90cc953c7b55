//! What is measured about a learned law before it is called converged.

use super::denoiser::Ladder;
use super::learner::Rungs;
use super::model::ScoreModel;
use super::reverse_chain::Chain;
use super::sample_summary::Survey;
use crate::Error;
use crate::Status;
use crate::fit::{Check, Evidence, Fit, Role, Work};
use crate::learn::mixture::law_check::{Keys, Terms, follows};
use crate::learn::mixture::subspace::Subspace;
use crate::run::Observer;
use crate::stats::distances;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Projections of the comparison with the data, and rows on each side.
const PROJECTIONS: usize = 16;
const COMPARED: usize = 20_000;
/// The same when the time is spent.
const IN_HASTE: usize = 1000;
/// Rows compared with draws of the model: each takes a run of the chain.
const TESTED: usize = 3000;
/// Kolmogorov distance that a fit of many samples may keep.
const KS_SLACK: f64 = 0.02;

const KEYS: Keys = Keys {
    law: "diffusion.law",
    near: "diffusion.near-rows",
    detectable: "diffusion.detectable",
};
const TERMS: Terms = Terms {
    most: TESTED,
    loose: 5.0,
    decides: true,
};

/// The model of the levels learned, with its evidence; only the cheap part of it unless `tested`.
pub(in crate::learn::mixture) fn finish(
    subspace: Subspace,
    mut rungs: Rungs,
    (survey, tested): (&Survey, bool),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<Fit<ScoreModel>, Error> {
    let work = Work {
        sweeps: rungs.ladder.levels.len(),
        samples: (survey.rows * (2 + rungs.ladder.levels.len())) as u64,
        ..Work::default()
    };
    let history = std::mem::take(&mut rungs.losses);
    let (rank, sigma) = (subspace.rank(), subspace.sigma);
    let top = subspace.spectrum.first().copied().unwrap_or(1.0);
    let ladder = std::mem::replace(
        &mut rungs.ladder,
        Ladder {
            dim: rank,
            levels: Vec::new(),
        },
    );
    let model = ScoreModel { subspace, ladder };
    let most = if rungs.stopped || !tested {
        IN_HASTE
    } else {
        COMPARED
    };
    let compared = most.min(survey.kept.len() / survey.dim);
    let drawn = most.min(4 * compared);
    let fresh = model.sample(drawn, Chain::default(), rng)?;
    let distance = distances::projected_ks(
        &fresh,
        &survey.kept[..compared * survey.dim],
        survey.dim,
        PROJECTIONS,
        rng,
    );
    // A thousandth's quantile of Kolmogorov's distance, for the largest of sixteen.
    let chance = 2.28 * (1.0 / compared as f64 + 1.0 / drawn as f64).sqrt();
    let distinct = survey.distinct();
    let need = 50.0 * rank as f64 / (distinct * survey.rows as f64);
    let wide = survey.dim as f64 / survey.rows as f64;
    let mut checks = vec![
        Check::sampling(
            "diffusion.kolmogorov",
            "Kolmogorov distance of samples and data, worst of 16 projections",
            distance,
            KS_SLACK + chance,
        ),
        Check::sampling(
            "diffusion.rows-per-dimension",
            "50 distinct rows for each dimension of the subspace (share needed)",
            need,
            1.0,
        ),
        Check::sampling(
            "diffusion.columns-over-rows",
            "columns over rows",
            wide,
            1.0,
        ),
        Check::reported(
            "diffusion.repeated-rows",
            "rows that repeat another one (share)",
            1.0 - distinct,
        ),
        Check::reported(
            "diffusion.subspace-dimension",
            "dimension of the subspace above the noise",
            rank as f64,
        ),
        Check::reported("diffusion.noise-level", "noise level", sigma),
        Check::reported(
            "diffusion.outliers",
            "rows set aside as outliers",
            survey.set_aside as f64,
        ),
    ];
    if tested && !rungs.stopped {
        let mut draw = |n: usize, rng: &mut ChaCha8Rng| model.sample(n, Chain::default(), rng);
        let mut own = ChaCha8Rng::seed_from_u64(rng.next_u64());
        let sample = (&survey.kept[..], survey.dim);
        match follows(sample, (&KEYS, &TERMS), &mut draw, &mut own, observer) {
            Err(Error::Stopped { .. }) => rungs.stopped = true,
            other => checks.extend(other?),
        }
    }
    let evidence = Evidence {
        rel_residual: distance,
        condition: top,
        checks,
    };
    let few = need > 1.0 || wide > 1.0;
    let status = status_of(&evidence, rungs.stopped, few);
    Ok(Fit {
        model,
        status,
        history,
        work,
        evidence,
    })
}

/// `few`: there are too few rows for their directions.
fn status_of(evidence: &Evidence, stopped: bool, few: bool) -> Status {
    let power = |c: &Check| c.role == Role::Power;
    if stopped {
        Status::Stopped
    } else if evidence.holds() {
        Status::Converged
    } else if few {
        Status::IllConditioned
    } else if evidence.first_failure().is_some_and(power) {
        Status::Undecided
    } else {
        Status::Stalled
    }
}
