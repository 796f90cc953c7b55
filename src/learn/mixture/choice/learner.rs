//! The default: whichever of EM, moments and scores explains held-out rows best.

use super::contest::{MixtureCandidate, MixtureMethod, Verdict, contest};
use super::held_rows::Split;
use crate::Error;
use crate::fit::{Check, Fit};
use crate::learn::mixture::em::covariance_kind::CovarianceKind;
use crate::learn::mixture::em::learner::{Em, EmModel};
use crate::learn::mixture::input_check::{few_columns, finite_rows};
use crate::learn::mixture::model_file::MixtureModel;
use crate::learn::mixture::moments::learner::{MomentMethod, MomentModel};
use crate::learn::mixture::score::learner::Diffusion;
use crate::learn::mixture::score::model::ScoreModel;
use crate::learn::mixture::source::InMemory;
use crate::run::{Observer, unobserved};
use faer::MatRef;
use rand::Rng;

const OP: &str = "AutoMixture::learn";
/// Components tried when their number is free, at most.
const MOST: usize = 30;
/// Rows for each component that the method of moments tries when their number is free.
const ROWS_FOR_MOMENTS: usize = 20;
/// Starts of EM in the contest: a share of those of the fit.
const ROUGH_STARTS: usize = 3;

/// A mixture by the method that the sample asks for.
///
/// Without options: 1 to 30 components, every family of covariances, 20 starts.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoMixture {
    least: usize,
    most: usize,
    kinds: Vec<CovarianceKind>,
    starts: usize,
    pub(super) noise: Option<f64>,
}

/// What [`AutoMixture::learn`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoModel {
    /// The whole answer of the method that was taken.
    pub answer: MixtureAnswer,
    /// How each method did on the rows that were held out.
    pub candidates: Vec<MixtureCandidate>,
}

/// The answer of one method.
///
/// See [`AutoMixture::learn`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub enum MixtureAnswer {
    /// Of maximum likelihood.
    Em(EmModel),
    /// Of the method of moments.
    Moments(MomentModel),
    /// Of score regression.
    Diffusion(Box<ScoreModel>),
}

impl MixtureAnswer {
    /// The method that gave it.
    pub fn method(&self) -> MixtureMethod {
        match self {
            Self::Em(_) => MixtureMethod::Em,
            Self::Moments(_) => MixtureMethod::Moments,
            Self::Diffusion(_) => MixtureMethod::Diffusion,
        }
    }

    /// The law, as model files hold it.
    pub fn law(&self) -> MixtureModel {
        match self {
            Self::Em(m) => MixtureModel::Gaussian(m.mixture.clone()),
            Self::Moments(m) => MixtureModel::Gaussian(m.mixture.clone()),
            Self::Diffusion(m) => MixtureModel::Score(m.clone()),
        }
    }
}

impl Default for AutoMixture {
    fn default() -> Self {
        Self::new()
    }
}

impl AutoMixture {
    /// The default choices.
    pub fn new() -> Self {
        Self {
            least: 1,
            most: MOST,
            kinds: CovarianceKind::ALL.to_vec(),
            starts: 20,
            noise: None,
        }
    }

    /// The number of components, from `least` to `most`, where the law has components. When both are equal, methods
    /// without components take no part.
    #[must_use]
    pub fn between(self, least: usize, most: usize) -> Self {
        Self {
            least,
            most,
            ..self
        }
    }

    /// Families of covariances of EM, see [`Em::kinds`]. Default all.
    #[must_use]
    pub fn kinds(self, kinds: &[CovarianceKind]) -> Self {
        let kinds = kinds.to_vec();
        Self { kinds, ..self }
    }

    /// Starts of EM, see [`Em::starts`]. Default 20.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// The standard deviation of the noise, for moments and scores, when it is known.
    #[must_use]
    pub fn noise(self, noise: f64) -> Self {
        let noise = Some(noise);
        Self { noise, ..self }
    }

    /// Learns the law of the rows of `samples`.
    ///
    /// A fifth of the rows, at most 1000, are held out, copies of a row together; EM with BIC over families and numbers of
    /// components, the method of moments, and score regression learn from the others, at most 20000 of them. EM is
    /// taken unless the mean of `log p` over the held-out rows is larger for another method, by more than two standard
    /// errors of the mean difference row by row. The method taken then learns from all rows, and its own evidence decides
    /// about the status. Moments are tried with up to as many components as columns and one for 20 rows; scores take part from 400 rows on, when at most eight directions vary more than the noise and no
    /// number of components was asked for; below 50 different rows there is no contest and EM is taken.
    ///
    /// # Shapes
    /// `samples` is `N x n`, rows are samples.
    ///
    /// # Errors
    /// As [`Em::learn`], and as the method that is taken; `Stopped` when asked to stop before there is a model.
    ///
    /// # Complexity
    /// That of the method that is taken, and the contest, which does not grow beyond 20000 rows.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::learn::mixture::{AutoMixture, GaussianMixture, MixtureAnswer, MixtureMethod};
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// let truth = GaussianMixture::spherical(2, [(0.5, vec![-3.0, 0.0]), (0.5, vec![3.0, 0.0])], 1.0)?;
    /// let rows = truth.sample(300, &mut rng);
    /// let x = faer::MatRef::from_row_major_slice(&rows, 300, 2);
    /// let fit = AutoMixture::new().between(1, 4).learn(x, &mut rng)?;
    /// assert_eq!(fit.model.answer.method(), MixtureMethod::Em);
    /// assert!(fit.model.candidates.iter().any(|c| c.method == MixtureMethod::Em && c.held_out.is_some()));
    /// assert!(matches!(fit.model.answer, MixtureAnswer::Em(m) if m.mixture.len() == 2));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Model choice by held-out log-likelihood: Smyth 2000. Ours are the rule of two standard errors and the entrants.
    pub fn learn(
        &self,
        samples: MatRef<'_, f64>,
        rng: &mut impl Rng,
    ) -> Result<Fit<AutoModel>, Error> {
        self.learn_observed(samples, rng, &mut unobserved)
    }

    /// As [`AutoMixture::learn`], reporting what the methods report.
    ///
    /// # Errors
    /// As [`AutoMixture::learn`].
    pub fn learn_observed(
        &self,
        samples: MatRef<'_, f64>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<AutoModel>, Error> {
        let (n, dim) = (samples.nrows(), samples.ncols());
        if self.least == 0 || self.least > self.most {
            let requirement = format!(
                "1 <= least <= most components, got {}..={}",
                self.least, self.most
            );
            return Err(Error::invalid(OP, requirement));
        }
        few_columns(OP, dim)?;
        let rows = finite_rows(OP, samples)?;
        let split =
            Split::of(&rows, dim, rng).filter(|s| s.learn.len() / dim > dim.max(self.least));
        let mut verdict = match split {
            None => Verdict::only_em("too few different rows to hold some out"),
            Some(split) => contest(self, (&split, dim), rng, &mut *observer)?,
        };
        if let Some(fit) = verdict.cut_short.take() {
            return Ok(answered(fit.map(MixtureAnswer::Em), verdict.candidates));
        }
        let candidates = verdict.candidates;
        let (least, most) = self.range(n);
        match verdict.winner {
            MixtureMethod::Em => {
                let fit = self
                    .em(least, most)
                    .learn_observed(samples, rng, observer)?;
                Ok(answered(fit.map(MixtureAnswer::Em), candidates))
            }
            MixtureMethod::Moments => {
                let (least, most) = self.moment_range(n, dim);
                let learner = MomentMethod::between(least, most);
                let learner = self.noise.map_or(learner.clone(), |s| learner.noise(s));
                let fit = learner.learn_observed(samples, rng, observer)?;
                Ok(answered(fit.map(MixtureAnswer::Moments), candidates))
            }
            MixtureMethod::Diffusion => {
                let learner = self
                    .noise
                    .map_or_else(Diffusion::new, |s| Diffusion::new().noise(s));
                let mut source = InMemory { rows: &rows, dim };
                let fit = learner.learn_from(&mut source, rng, observer)?;
                let scores = |m| MixtureAnswer::Diffusion(Box::new(m));
                Ok(answered(fit.map(scores), candidates))
            }
        }
    }

    /// Whether a number of components was asked for.
    pub(super) fn asked(&self) -> bool {
        self.least == self.most
    }

    /// The range of components for so many rows.
    pub(super) fn range(&self, rows: usize) -> (usize, usize) {
        match self.asked() {
            true => (self.least, self.most),
            false => (self.least, self.most.min(rows.max(self.least))),
        }
    }

    /// The same for the method of moments: third moments of few rows show few components, and as many components as there
    /// are columns leave a direction that shows the noise.
    pub(super) fn moment_range(&self, rows: usize, dim: usize) -> (usize, usize) {
        let (least, most) = self.range(rows);
        (least, most.min(dim).min(rows / ROWS_FOR_MOMENTS).max(least))
    }

    fn em(&self, least: usize, most: usize) -> Em {
        let em = Em::between(least, most);
        em.kinds(&self.kinds).starts(self.starts)
    }

    /// EM as it takes part in the contest: fewer starts, a coarser end, no test of its law.
    pub(super) fn rough_em(&self, rows: usize) -> Em {
        let (least, most) = self.range(rows);
        Em {
            tested: false,
            ..self.em(least, most)
        }
        .starts((self.starts / ROUGH_STARTS).max(1))
        .tol(1e-3)
    }
}

/// The answer with its rivals, and the figures of the contest beside the evidence of the fit.
fn answered(mut fit: Fit<MixtureAnswer>, candidates: Vec<MixtureCandidate>) -> Fit<AutoModel> {
    for c in &candidates {
        let (held, ahead) = match c.method {
            MixtureMethod::Em => ("auto.held-out.em", "auto.ahead.em"),
            MixtureMethod::Moments => ("auto.held-out.moments", "auto.ahead.moments"),
            MixtureMethod::Diffusion => ("auto.held-out.diffusion", "auto.ahead.diffusion"),
        };
        if let Some(value) = c.held_out {
            let label = format!("held-out log-likelihood a row, {}", c.method);
            fit.evidence
                .checks
                .push(Check::reported(held, label, value));
        }
        if let Some((gain, error)) = c.ahead_of_em {
            let label = format!(
                "the same minus that of em (standard error {error:.4}), {}",
                c.method
            );
            fit.evidence
                .checks
                .push(Check::reported(ahead, label, gain));
        }
    }
    fit.map(|answer| AutoModel { answer, candidates })
}
