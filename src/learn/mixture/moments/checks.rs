//! What is measured about a fit of the method of moments before it is called converged.

use super::learner::{MomentModel, Trial};
use crate::Error;
use crate::Status;
use crate::fit::{Check, Evidence, Fit, Role, Work};
use crate::learn::mixture::input_check::Door;
use crate::learn::mixture::law_check::{Keys, Terms, follows};
use crate::run::Observer;
use crate::stats::goodness::law_test::MOST_ROWS;
use crate::stats::goodness::rows::scattered;
use crate::stats::projected_ks;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Standard errors that the rest off the diagonals may have.
const REST: f64 = 4.0;
/// Rows and projections of the comparison with the data, and the distance that a fit may keep.
const COMPARED: usize = 20_000;
const PROJECTIONS: usize = 16;
const KS_SLACK: f64 = 0.02;
const KEYS: Keys = Keys {
    law: "mixture-moments.law",
    near: "mixture-moments.near-rows",
    detectable: "mixture-moments.detectable",
};
/// Moments alone meet the covariance less well than the empirical law does.
const TERMS: Terms = Terms {
    most: MOST_ROWS,
    loose: 5.0,
    decides: true,
};

/// The fit with its evidence; `stopped` when asked to, `cut` when more components were not tried, `tested` when
/// the rows are held against it.
pub(in crate::learn::mixture) fn finish(
    trial: Trial,
    door: &Door,
    (stopped, cut, tested): (bool, bool, bool),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<Fit<MomentModel>, Error> {
    let n = door.rows.len() / door.dim;
    let (distance, kolmogorov) = compared(&trial.model, door, rng);
    let mut checks = vec![kolmogorov];
    checks.extend(described(&trial, door, cut));
    let mut stopped = stopped;
    if tested && !stopped {
        let mut draw = |n: usize, rng: &mut ChaCha8Rng| Ok(trial.model.mixture.sample(n, rng));
        let mut own = ChaCha8Rng::seed_from_u64(rng.next_u64());
        let sample = (&door.rows[..], door.dim);
        match follows(sample, (&KEYS, &TERMS), &mut draw, &mut own, observer) {
            Err(Error::Stopped { .. }) => stopped = true,
            other => checks.extend(other?),
        }
    }
    let evidence = Evidence {
        rel_residual: distance,
        condition: trial.atoms.as_ref().map_or(1.0, |a| a.amplification),
        checks,
    };
    let power = |c: &Check| c.role == Role::Power;
    let status = match evidence.holds() {
        _ if stopped => Status::Stopped,
        true => Status::Converged,
        false if evidence.first_failure().is_some_and(power) => Status::Undecided,
        false if !trial.settled => Status::IterationLimit,
        false => Status::Stalled,
    };
    Ok(Fit {
        status,
        history: vec![-trial.model.log_likelihood / n as f64],
        work: Work {
            sweeps: trial.sweeps,
            samples: (n * (trial.sweeps + 3)) as u64,
            ..Work::default()
        },
        evidence,
        model: trial.model,
    })
}

/// The worst Kolmogorov distance of projected draws and rows, as a number and as a check.
fn compared(model: &MomentModel, door: &Door, rng: &mut impl Rng) -> (f64, Check) {
    let n = door.rows.len() / door.dim;
    let mut places: Vec<usize> = scattered(n, COMPARED).collect();
    places.sort_unstable();
    let row = |&i: &usize| &door.rows[i * door.dim..(i + 1) * door.dim];
    let data: Vec<f64> = places.iter().flat_map(row).copied().collect();
    let fresh = model.mixture.sample(places.len(), rng);
    let distance = projected_ks(&fresh, &data, door.dim, PROJECTIONS, rng);
    let chance = 2.28 * (2.0 / places.len() as f64).sqrt();
    let check = Check::sampling(
        "mixture-moments.kolmogorov",
        "Kolmogorov distance of samples and data, worst of 16 projections",
        distance,
        KS_SLACK + chance,
    );
    (distance, check)
}

/// What the search itself says: moments, sweeps, candidates, geometry.
fn described(trial: &Trial, door: &Door, cut: bool) -> Vec<Check> {
    let n = door.rows.len() / door.dim;
    let mut checks = Vec::new();
    if let Some(atoms) = &trial.atoms {
        // A product of three standard normals has variance at most 15; whitening multiplies its error.
        let sampling = (15.0 / n as f64).sqrt() * atoms.amplification.powf(1.5);
        let name = "whitened third moments off the diagonals, root mean square";
        let key = "mixture-moments.off-diagonal";
        checks.push(Check::accuracy(key, name, atoms.rest, REST * sampling));
    }
    let (apart, moved) = geometry(&trial.model);
    let flag = |on: bool| f64::from(u8::from(on));
    checks.extend([
        Check::accuracy(
            "mixture-moments.sweeps-cut",
            "sweeps of likelihood cut short",
            flag(!trial.settled),
            0.0,
        ),
        Check::search(
            "mixture-moments.most-components",
            "best at the largest number of components tried: more may be better",
            flag(cut),
            0.0,
        ),
    ]);
    let reported = [
        (
            "mixture-moments.mean-distance",
            "least distance of two means over the noise",
            apart,
        ),
        (
            "mixture-moments.mean-move",
            "largest move of a mean by the sweeps over the noise",
            moved,
        ),
        (
            "mixture-moments.log-likelihood",
            "log-likelihood",
            trial.model.log_likelihood,
        ),
        (
            "mixture-moments.bic",
            "BIC (larger is better)",
            trial.model.bic,
        ),
        (
            "mixture-moments.outliers",
            "rows set aside as outliers",
            door.set_aside as f64,
        ),
        (
            "mixture-moments.repeated-rows",
            "rows that repeat another one (share)",
            door.repeated(),
        ),
    ];
    checks.extend(reported.map(|(key, label, value)| Check::reported(key, label, value)));
    checks
}

/// Least distance of two means and largest move by the sweeps, in standard deviations of the widest component.
fn geometry(model: &MomentModel) -> (f64, f64) {
    let components = model.mixture.components();
    let widest = components
        .iter()
        .map(|c| c.covariance[0])
        .fold(0.0, f64::max)
        .sqrt();
    let gap = |a: &[f64], b: &[f64]| crate::linalg::small::squared_distance(a, b).sqrt() / widest;
    let (mut apart, mut moved) = (f64::INFINITY, 0.0f64);
    for (i, c) in components.iter().enumerate() {
        for d in &components[..i] {
            apart = apart.min(gap(&c.mean, &d.mean));
        }
        let before = model.from_moments.components().get(i);
        moved = moved.max(before.map_or(0.0, |b| gap(&c.mean, &b.mean)));
    }
    (if apart.is_finite() { apart } else { 0.0 }, moved)
}
