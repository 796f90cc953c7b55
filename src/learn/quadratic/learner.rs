//! Quadratic maps of a hidden Gaussian, from output samples alone.
//!
//! The samples are `z_a = x' Q_a x + b_a' x + c_a` with hidden `x ~ N(0, I_r)`. Their second and third
//! cumulants are those of a symmetric tensor ring: with `M_a = [[Q_a, b_a/2], [b_a'/2, 0]]`,
//! `k_2 = 2 Tr M_a M_b` and `k_3 = 8 Tr M_a M_b M_c`. Whitening with the covariance turns the third cumulants
//! into the structure constants of the Jordan algebra of symmetric matrices, and its Peirce frame
//! ([`crate::decomp::PeirceFrame`]) reads off `Q` and `b` up to an orthogonal change of `x`; then
//! `c_a = k_1 - Tr Q_a`.
//!
//! What is exact: the identities above. What is approximate: sample cumulants, with errors that fall as
//! `n^(-1/2)`.
//!
//! Source: S. Chen, Li, Li and Zhang, *Learning polynomial transformations* (arXiv 2204.04209) for the problem
//! and the reduction to tensor rings. Where we differ: the ring is solved by its Peirce frame instead of sums
//! of squares; samples are streamed and the third cumulants are never formed when `N` is large; linear and
//! constant parts are learned too.

use super::all_rows::{AllRows, Near};
use super::checks::exact_cumulants::ExactCumulants;
use super::checks::held_out::HoldoutTest;
use super::checks::noisy_law::{noise_is_told, noisy_law};
use super::data::Data;
use super::noisy::level::Noise;
use super::refinement::Refined;
use super::statistical_floor::statistical_floor;
use super::whitened::standard_outputs::Outputs;
use crate::decomp::PeirceFrame;
use crate::fit::{Check, Ended, Evidence, Fit, Work, judge};
use crate::io::samples::Samples;
use crate::run::Observer;
use crate::stats::split::Split;
use crate::stats::two_sample::held_out_notes;
use crate::tensor::QuadraticMap;
use crate::{Error, Status};
use rand::Rng;
use std::ops::ControlFlow;

const OP: &str = "Quadratic::learn";
/// Far beyond any number of outputs that is read.
const MAX_LATENT: usize = 10_000;
/// Learner of quadratic maps from output samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quadratic {
    pub(in crate::learn) latent: Option<usize>,
    pub(in crate::learn) general: bool,
    pub(in crate::learn) holdout: f64,
    pub(in crate::learn) starts: usize,
    pub(in crate::learn) refine: bool,
    pub(in crate::learn) noise: Noise,
    pub(in crate::learn) panel: Option<usize>,
}

impl Default for Quadratic {
    fn default() -> Self {
        Self::new()
    }
}

impl Quadratic {
    /// Latent dimension from the data, no linear part, a fifth of the samples held out.
    pub fn new() -> Self {
        Self {
            latent: None,
            general: false,
            holdout: 0.2,
            starts: 3,
            refine: true,
            noise: Noise::Absent,
            panel: None,
        }
    }

    /// Latent dimension `r >= 1`, instead of the one that the spectrum of the covariance tells.
    #[must_use]
    pub fn latent(self, rank: usize) -> Self {
        Self {
            latent: Some(rank),
            ..self
        }
    }

    /// Whether there is a linear part `b_a' x`.
    #[must_use]
    pub fn general(self, general: bool) -> Self {
        Self { general, ..self }
    }

    /// Share of the samples held out for the test, in `[0.01, 0.5]`.
    #[must_use]
    pub fn holdout(self, share: f64) -> Self {
        Self {
            holdout: share,
            ..self
        }
    }

    /// Starts for the idempotent of the frame, in `1..=100`.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Whether to go on from the moments to the likelihood (on by default): noiseless samples lie on a variety,
    /// and fitting it brings the error to the statistical floor. Where observation noise forbids that, the
    /// moments are kept and the noise is reported.
    #[must_use]
    pub fn refine(self, refine: bool) -> Self {
        Self { refine, ..self }
    }

    /// What to assume about observation noise (none by default). With noise the moments are corrected for it,
    /// the tests allow for it, and the refinement maximises the likelihood with the noise in it; it is kept where
    /// held-out samples are likelier than by the moments.
    #[must_use]
    pub fn noise(self, noise: Noise) -> Self {
        Self { noise, ..self }
    }

    /// How many rows are looked at one by one, in `1000..=2^26`: larger samples are read in passes for their moments, and what is
    /// not moments is done with a panel of so many rows. By default 64 MB of them, at least 16384 and at most 262144.
    #[must_use]
    pub fn panel(self, rows: usize) -> Self {
        let panel = Some(rows);
        Self { panel, ..self }
    }

    /// Learns the map from samples of its outputs.
    ///
    /// # Shapes
    /// `samples` has `n` rows and `d` columns, `d >= N` with `N = r(r+1)/2`, or `r(r+3)/2` with a linear part.
    ///
    /// # Errors
    /// `InvalidInput`: an option out of its domain, or too few samples or outputs. `Degenerate`: no output
    /// varies, the rank of the covariance is not that of a quadratic map, or the third cumulants are not near
    /// those of one. `Stopped`: the observer asked to
    /// stop before there was a model; later, the model from the moments comes back with `Status::Stopped`. `File`: a sample file changed while it was read.
    ///
    /// # Complexity
    /// `O(n d^2 + n N^3)` time up to `N = 45`, `O(n d N + n N^2)` for each of some dozen passes beyond;
    /// memory `O(d^2)` or `O(N^3 log n)` beyond a chunk.
    ///
    /// # Accuracy
    /// Parameter error about 1.2 to 2.4 times the statistical floor `((r + 2 + tau) / 2n)^(1/2)`,
    /// `tau = sum (Tr Q_a)^2 / sum |Q_a|^2`. The status is `Converged` only when held-out samples agree with
    /// the law of the model; `rel_residual` is that of the held-out cumulants.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::io::samples::Samples;
    /// use wickring::laws::learn::quadratic_maps::random_quadratic_map;
    /// use wickring::learn::Quadratic;
    /// use wickring::run::unobserved;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(7);
    /// let hidden = random_quadratic_map(6, 3, false, &mut rng)?;
    /// let samples = Samples::from_rows(6, hidden.sample(20_000, &mut rng))?;
    /// let fit = Quadratic::new().learn(&samples, &mut rng, &mut unobserved)?;
    /// let model = fit.converged()?;
    /// assert_eq!(model.latent_dim(), 3);
    /// assert!(model.distance(&hidden)? < 0.1);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn learn(
        &self,
        samples: &Samples,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<QuadraticMap>, Error> {
        let d = samples.columns();
        if samples.rows() > self.room(d) {
            return self.learn_all(&Near(samples), d, rng, observer);
        }
        self.learn_from(&Data::at_hand(samples), rng, observer)
    }

    /// Learns the map from rows that are read in passes only: samples in several places, or too many to be looked at often.
    ///
    /// There are two passes for moments, one for a panel of rows ([`Quadratic::panel`]) with which everything else is done, and,
    /// where the samples turn out to carry no noise, a last one that looks for rows off the variety of the map. Where the
    /// panel holds all rows there is that pass only, and the answer is that of [`Quadratic::learn`].
    ///
    /// # Shapes
    /// As [`Quadratic::learn`], with `columns` for `d` and `N` at most 300.
    ///
    /// # Errors
    /// As [`Quadratic::learn`]; those of `rows`; `InvalidInput` when passes do not see the same rows.
    ///
    /// # Complexity
    /// That of the passes: `O(n d^2 + n N^3)` for `n` rows and `N` white coordinates; every part of the rows sends back `O(d^2 + N^3)` numbers and
    /// its share of the panel.
    ///
    /// # Accuracy
    /// Of noiseless samples as [`Quadratic::learn`], the error of all rows. With noise the moments have the error of all rows and
    /// the likelihood that of the panel. Tests have the power of the panel.
    ///
    /// # Example
    /// See [`AllRows`].
    pub fn learn_all(
        &self,
        rows: &dyn AllRows,
        columns: usize,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<QuadraticMap>, Error> {
        self.check_options()?;
        let size = (columns, self.room(columns));
        let panel = Data::panel(rows, size, observer)?;
        let near = panel.samples(Split::new(self.holdout))?;
        let data = Data {
            near: &near,
            far: (!panel.is_whole()).then_some(rows),
            rows: panel.count(),
        };
        self.learn_from(&data, rng, observer)
    }

    /// Rows that are looked at one by one: as asked for, else 64 MB of them, at least 16384 and at most 262144.
    fn room(&self, columns: usize) -> usize {
        let bytes = (1 << 23) / columns.max(1);
        self.panel.unwrap_or(bytes.clamp(1 << 14, 1 << 18))
    }

    fn learn_from(
        &self,
        data: &Data<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<QuadraticMap>, Error> {
        self.check_options()?;
        check_rows(data)?;
        let outputs = data.outputs(Split::new(self.holdout), observer)?;
        let first = self.attempt(data, &outputs, rng, observer);
        let settled = match &first {
            Ok(fit) => fit.status != Status::Stalled,
            Err(e) => !matches!(e, Error::Degenerate { .. }),
        };
        if settled || self.noise != Noise::Estimated || self.latent.is_some() {
            return first;
        }
        // The outputs are as many as a map of more latents fills, which it is not; some may be spare and show noise.
        let Some(rank) = self.fewer(&outputs)? else {
            return first;
        };
        match self.latent(rank).attempt(data, &outputs, rng, observer) {
            Ok(fit) if first.is_err() || fit.status == Status::Converged => Ok(fit),
            _ => first,
        }
    }

    /// With the latent dimension that is given, or that the spectrum tells first.
    fn attempt(
        &self,
        data: &Data<'_>,
        outputs: &Outputs,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<QuadraticMap>, Error> {
        let (samples, split) = (data.near, Split::new(self.holdout));
        let white = self.whiten(outputs, split)?;
        let (frame, read) = self.frame(data, &white.rows, white.latent.rank, rng, observer)?;
        // From here on there is a model: a wish to stop ends the refinement, not the answer.
        let mut found = self.refined(data, (outputs, &white), &frame, rng, observer)?;
        let mut stopped = found.stopped;

        let directions = white.rows.test_directions(outputs.columns, rng);
        let learned = outputs.summary.count() as usize;
        let held = split.learning_rows(0, samples.rows() as u64);
        let inflation = inflation(found.likely, learned, samples.rows() - held as usize);
        let noise = outputs.noise_and_rounding(found.noise);
        let test = HoldoutTest::run(
            &found.map,
            samples,
            split,
            directions.as_ref(),
            (inflation, &noise),
            &mut |p| {
                stopped |= observer(p).is_break();
                ControlFlow::Continue(())
            },
        )?;
        let mut checks: Vec<Check> = white.latent.checks.into_iter().chain(data.note()).collect();
        checks.extend(of_the_model(outputs, &frame, &mut found, data.rows)?);
        checks.extend(test.checks());
        checks.append(&mut found.gaussian);
        if found.noise == 0.0 {
            let mut draw = |n: usize, g: &mut _| Ok(found.map.sample(n, g));
            checks.extend(held_out_notes(samples, split, &mut draw, rng)?);
        } else if !stopped {
            match noisy_law(samples, (&found.map, &noise), learned, rng, observer) {
                Ok(law) => checks.extend(law),
                Err(Error::Stopped { .. }) => stopped = true,
                Err(e) => return Err(e),
            }
            if self.noise == Noise::Estimated && white.left_over.is_none() {
                checks.push(noise_is_told(found.noise));
            }
        }
        let work = Work {
            sweeps: frame.squarings() + found.sweeps,
            samples: read + 3 * data.rows,
            starts: self.starts,
        };
        Ok(concluded(
            found.map,
            test.rel_residual,
            (white.cond, checks),
            stopped,
            work,
        ))
    }

    fn check_options(&self) -> Result<(), Error> {
        self.noise.check()?;
        if let Some(r) = self.latent.filter(|r| !(1..=MAX_LATENT).contains(r)) {
            let text = format!("a latent dimension in 1..={MAX_LATENT}, got {r}");
            return Err(Error::invalid(OP, text));
        }
        if !(0.01..=0.5).contains(&self.holdout) {
            let text = format!("holdout in [0.01, 0.5], got {}", self.holdout);
            return Err(Error::invalid(OP, text));
        }
        if self.starts == 0 || self.starts > 100 {
            return Err(Error::invalid(
                OP,
                format!("starts in 1..=100, got {}", self.starts),
            ));
        }
        if self
            .panel
            .is_some_and(|rows| !(1000..=1 << 26).contains(&rows))
        {
            let text = format!("a panel of 1000 to {} rows, got {:?}", 1 << 26, self.panel);
            return Err(Error::invalid(OP, text));
        }
        Ok(())
    }
}

/// The covariance of fewer rows than asked for here has the rank of the sample, not of the map.
fn check_rows(data: &Data<'_>) -> Result<(), Error> {
    let (n, d) = (data.rows, data.near.columns());
    let least = (2 * d + 20).max(50);
    if n < least as u64 {
        return Err(Error::invalid(
            OP,
            format!("at least {least} samples for {d} outputs, got {n}"),
        ));
    }
    Ok(())
}

/// The variance of held-out statistics that comes from the error of the model itself: that of the best estimator after the
/// refinement, up to 2.2 times its error from moments.
fn inflation(likely: bool, learned: usize, held_out: usize) -> f64 {
    let share = held_out as f64 / learned.max(1) as f64;
    share * if likely { 1.5 } else { 5.0 }
}

/// What the map itself says, and how it was found.
fn of_the_model(
    outputs: &Outputs,
    frame: &PeirceFrame,
    found: &mut Refined,
    rows: u64,
) -> Result<Vec<Check>, Error> {
    let mut checks: Vec<Check> = outputs.rounding_note().into_iter().collect();
    // What the refinement found stands on its own; the map of the moments stands on the frame.
    match found.likely {
        true => checks.extend_from_slice(frame.checks()),
        false => checks.extend(frame.judged()),
    }
    checks.append(&mut found.checks);
    checks.push(Check::reported(
        "quadratic.floor",
        "statistical floor of the relative parameter error",
        statistical_floor(&found.map, usize::try_from(rows).unwrap_or(usize::MAX)),
    ));
    let identities = ExactCumulants::of(&found.map, &[0, found.map.output_dim() / 2])?;
    checks.push(Check::accuracy(
        "quadratic.exact-identities",
        "exact moment identities over the rationals that fail",
        identities.disagreements as f64,
        0.0,
    ));
    Ok(checks)
}

/// The fit with the status that its checks give it.
fn concluded(
    model: QuadraticMap,
    rel_residual: f64,
    (condition, checks): (f64, Vec<Check>),
    stopped: bool,
    work: Work,
) -> Fit<QuadraticMap> {
    let evidence = Evidence {
        rel_residual,
        condition,
        checks,
    };
    let ended = if stopped {
        Ended::Stopped
    } else {
        Ended::Arrived
    };
    Fit {
        status: judge(&evidence.decisive(None), ended),
        history: vec![rel_residual],
        model,
        work,
        evidence,
    }
}
