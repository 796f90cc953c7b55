//! The contest: every method that can learns from one part of the rows; the log-likelihoods of the others decide.

use super::held_rows::Split;
use super::learner::AutoMixture;
use crate::learn::mixture::em::learner::EmModel;
use crate::learn::mixture::model_file::MixtureModel;
use crate::learn::mixture::moments::learner::MomentMethod;
use crate::learn::mixture::score::learner::Diffusion;
use crate::learn::mixture::source::InMemory;
use crate::run::Observer;
use crate::{Error, Status, fit::Fit};
use faer::MatRef;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::fmt;

/// Standard errors that another method must be ahead of EM by.
const AHEAD: f64 = 2.0;
/// Rows that scores are learned from at least, and directions above the noise at most: with more, denoisers are linear or
/// have more coefficients than rows.
const SCORE_ROWS: usize = 400;
const SCORE_RANK: usize = 8;
/// Columns of the method of moments at most: its sums take their square.
const MOMENT_COLUMNS: usize = 200;

/// How a mixture is learned.
///
/// See [`AutoMixture::learn`](crate::learn::mixture::AutoMixture::learn) for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MixtureMethod {
    /// Maximum likelihood, see [`Em`](crate::learn::mixture::Em).
    Em,
    /// Moments of order three, see [`MomentMethod`].
    Moments,
    /// Score regression, see [`Diffusion`].
    Diffusion,
}

impl MixtureMethod {
    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Em => "em",
            Self::Moments => "moments",
            Self::Diffusion => "diffusion",
        }
    }
}

impl fmt::Display for MixtureMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a method did in the contest.
///
/// See [`AutoMixture::learn`](crate::learn::mixture::AutoMixture::learn) for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct MixtureCandidate {
    /// The method.
    pub method: MixtureMethod,
    /// Mean of `log p` over the rows that were held out; `None` when it did not take part.
    pub held_out: Option<f64>,
    /// Mean over these rows of its `log p` minus that of EM, and the standard error of this mean.
    pub ahead_of_em: Option<(f64, f64)>,
    /// What it learned, or why it did not take part, in words.
    pub reason: String,
}

/// What the contest says.
pub(in crate::learn::mixture) struct Verdict {
    pub(in crate::learn::mixture) winner: MixtureMethod,
    pub(in crate::learn::mixture) candidates: Vec<MixtureCandidate>,
    /// The fit of EM to a part of the rows, when the work was to stop before the contest was over.
    pub(in crate::learn::mixture) cut_short: Option<Fit<EmModel>>,
}

impl Verdict {
    /// EM without a contest.
    pub(in crate::learn::mixture) fn only_em(why: &str) -> Self {
        let reason = why.to_owned();
        let (held_out, ahead_of_em) = (None, None);
        let others = [MixtureMethod::Moments, MixtureMethod::Diffusion];
        let out = others.map(|method| MixtureCandidate {
            method,
            held_out,
            ahead_of_em,
            reason: reason.clone(),
        });
        Self {
            winner: MixtureMethod::Em,
            candidates: out.to_vec(),
            cut_short: None,
        }
    }
}

/// `log p` of the held rows and what was learned, or why nothing was.
type Entry = Result<(Vec<f64>, String), String>;

/// Learns by each method from the one part and compares on the other.
///
/// # Errors
/// `Stopped` before EM has a model; those of EM that no other method would overcome.
pub(in crate::learn::mixture) fn contest(
    auto: &AutoMixture,
    (split, dim): (&Split, usize),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<Verdict, Error> {
    let mut seeds = || ChaCha8Rng::seed_from_u64(rng.next_u64());
    let (mut for_em, mut for_moments, mut for_scores) = (seeds(), seeds(), seeds());
    let rows = split.learn.len() / dim;
    let x = MatRef::from_row_major_slice(&split.learn, rows, dim);
    let em: Entry = match auto.rough_em(rows).learn_observed(x, &mut for_em, observer) {
        Ok(fit) if fit.status == Status::Stopped => {
            return Ok(Verdict {
                cut_short: Some(fit),
                ..Verdict::only_em("stopped before the contest")
            });
        }
        Ok(fit) => Ok((
            fit.model.mixture.log_density(&split.held),
            words(&fit.model),
        )),
        Err(e @ (Error::Degenerate { .. } | Error::LimitExceeded { .. })) => Err(e.to_string()),
        // What is wrong with all rows is said when they are fitted; a part of them may be poorer than the whole.
        Err(Error::InvalidInput { .. }) => {
            return Ok(Verdict::only_em("EM refuses the rows left to learn from"));
        }
        Err(other) => return Err(other),
    };
    let moments = by_moments(auto, (split, x), &mut for_moments, &mut *observer)?;
    let scores = by_scores(auto, (split, dim), &mut for_scores, &mut *observer)?;
    Ok(decide([
        (MixtureMethod::Em, em),
        (MixtureMethod::Moments, moments),
        (MixtureMethod::Diffusion, scores),
    ]))
}

fn words(m: &EmModel) -> String {
    format!("{} with {} component(s)", m.kind, m.mixture.len())
}

fn by_moments(
    auto: &AutoMixture,
    (split, x): (&Split, MatRef<'_, f64>),
    rng: &mut ChaCha8Rng,
    observer: Observer<'_>,
) -> Result<Entry, Error> {
    let (rows, dim) = (x.nrows(), x.ncols());
    let (least, most) = auto.moment_range(rows, dim);
    if !(2..=MOMENT_COLUMNS).contains(&dim) || least > dim + 1 {
        let why = format!(
            "needs 2 to {MOMENT_COLUMNS} columns and at most one component more than columns"
        );
        return Ok(Err(why));
    }
    let learner = MomentMethod::between(least, most).rough();
    let learner = auto.noise.map_or(learner.clone(), |s| learner.noise(s));
    match learner.learn_observed(x, rng, observer) {
        Err(e @ Error::Stopped { .. }) => Err(e),
        Err(e) => Ok(Err(e.to_string())),
        Ok(fit) => {
            let text = format!("{} spherical component(s)", fit.model.mixture.len());
            Ok(Ok((fit.model.mixture.log_density(&split.held), text)))
        }
    }
}

fn by_scores(
    auto: &AutoMixture,
    (split, dim): (&Split, usize),
    rng: &mut ChaCha8Rng,
    observer: Observer<'_>,
) -> Result<Entry, Error> {
    if auto.asked() {
        return Ok(Err(
            "a number of components was asked for: scores have none".into(),
        ));
    }
    if split.learn.len() / dim < SCORE_ROWS {
        return Ok(Err(format!("fewer than {SCORE_ROWS} rows to learn from")));
    }
    let learner = Diffusion::new().rough(SCORE_RANK);
    let learner = auto.noise.map_or(learner.clone(), |s| learner.noise(s));
    let mut source = InMemory {
        rows: &split.learn,
        dim,
    };
    match learner.learn_from(&mut source, rng, observer) {
        Err(e @ Error::Stopped { .. }) => Err(e),
        Err(e) => Ok(Err(e.to_string())),
        Ok(fit) if fit.status == Status::Stopped => Err(Error::Stopped {
            op: "AutoMixture::learn",
        }),
        Ok(fit) => {
            let (rank, levels) = (fit.model.rank(), fit.model.temperatures().len());
            let text = format!("scores at {levels} noise levels in {rank} direction(s)");
            let model = MixtureModel::Score(Box::new(fit.model));
            Ok(match model.log_density(&split.held) {
                Ok(log_density) => Ok((log_density, text)),
                Err(e) => Err(e.to_string()),
            })
        }
    }
}

/// EM, unless another one is ahead by more than two standard errors: then the one that is furthest ahead.
fn decide(entries: [(MixtureMethod, Entry); 3]) -> Verdict {
    let em = entries[0].1.as_ref().ok().map(|(l, _)| l.clone());
    let mut winner = (MixtureMethod::Em, 0.0);
    let mut candidates = Vec::new();
    for (method, entry) in entries {
        let (log_density, reason) = match entry {
            Ok(both) => both,
            Err(reason) => {
                candidates.push(MixtureCandidate {
                    method,
                    held_out: None,
                    ahead_of_em: None,
                    reason,
                });
                continue;
            }
        };
        let held_out = log_density.iter().sum::<f64>() / log_density.len().max(1) as f64;
        let ahead_of_em = em.as_ref().map(|em| paired(&log_density, em));
        let (gain, error) = ahead_of_em.unwrap_or((f64::INFINITY, 0.0));
        if method != MixtureMethod::Em
            && held_out.is_finite()
            && gain > AHEAD * error
            && gain > winner.1
        {
            winner = (method, gain);
        }
        candidates.push(MixtureCandidate {
            method,
            held_out: Some(held_out),
            ahead_of_em: ahead_of_em.filter(|_| method != MixtureMethod::Em),
            reason,
        });
    }
    Verdict {
        winner: winner.0,
        candidates,
        cut_short: None,
    }
}

/// Mean and standard error of `a - b`; a row that is impossible under `b` alone counts as infinitely far ahead.
fn paired(a: &[f64], b: &[f64]) -> (f64, f64) {
    let n = a.len().max(1) as f64;
    let gaps = || a.iter().zip(b).map(|(a, b)| a - b);
    let mean = gaps().sum::<f64>() / n;
    if !mean.is_finite() {
        return (mean, 0.0);
    }
    let square: f64 = gaps().map(|g| (g - mean) * (g - mean)).sum();
    (mean, (square / (n * (n - 1.0).max(1.0))).sqrt())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entry(log_density: &[f64]) -> Entry {
        Ok((log_density.to_vec(), String::new()))
    }

    #[test]
    fn two_standard_errors_decide() {
        let em = [0.0, 0.1, -0.1, 0.05, 0.0];
        let ahead: Vec<f64> = em
            .iter()
            .zip([0.4, 0.5, 0.6, 0.5, 0.5])
            .map(|(e, g)| e + g)
            .collect();
        let noisy: Vec<f64> = em
            .iter()
            .zip([4.0, -3.0, 2.0, -2.0, 1.0])
            .map(|(e, g)| e + g)
            .collect();
        let winner = |moments: &[f64], scores: &[f64]| {
            decide([
                (MixtureMethod::Em, entry(&em)),
                (MixtureMethod::Moments, entry(moments)),
                (MixtureMethod::Diffusion, entry(scores)),
            ])
            .winner
        };
        assert_eq!(winner(&em, &ahead), MixtureMethod::Diffusion);
        assert_eq!(winner(&ahead, &em), MixtureMethod::Moments);
        assert_eq!(winner(&em, &noisy), MixtureMethod::Em);
        let impossible = [f64::NEG_INFINITY; 5];
        assert_eq!(winner(&em, &impossible), MixtureMethod::Em);
        let none = decide([
            (MixtureMethod::Em, Err("no".into())),
            (MixtureMethod::Moments, Err("no".into())),
            (MixtureMethod::Diffusion, entry(&em)),
        ]);
        assert_eq!(none.winner, MixtureMethod::Diffusion);
    }
}
