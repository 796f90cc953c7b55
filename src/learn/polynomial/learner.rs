//! The algebraic learner: options, the verb, the status.

use super::OP;
use super::attempt::{Attempt, EXACT};
use super::latent_covariance::{Chart, Fitted, OFF};
use super::noisy::learner::Asked;
use super::reduction::{Reduction, Subset};
use super::requirements::{Form, Requirements};
use super::terms;
use super::terms::PowerSums;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::io::samples::Samples;
use crate::learn::quadratic::noisy::level::Noise;
use crate::run::Observer;
use crate::stats::normality::Normality;
use crate::stats::split::Split;
use crate::stats::two_sample::held_out_notes;
use crate::tensor::{MonomialBasis, PolynomialMap};
use crate::{Error, Status};
use rand::Rng;

/// Samples used for the algebra: several times the least number, and never few.
const TIMES: usize = 5;
const AT_LEAST: usize = 400;

/// What the algebraic learner returns.
///
/// See [`Polynomial::learn`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedPolynomial {
    /// The map.
    pub map: PolynomialMap,
    /// What it took.
    pub requirements: Requirements,
    /// The outputs as sums of powers, if asked for.
    pub terms: Option<PowerSums>,
    /// Standard deviation of the normal noise on each output, in the units of the outputs; zeros when none was allowed for.
    pub noise: Vec<f64>,
}

impl LearnedPolynomial {
    fn noiseless(map: PolynomialMap, requirements: Requirements, terms: Option<PowerSums>) -> Self {
        let noise = vec![0.0; map.output_dim()];
        Self {
            map,
            requirements,
            terms,
            noise,
        }
    }
}

/// Learner of polynomial maps of constant degree from output samples, by the Lie algebra of their variety.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Polynomial {
    degree: usize,
    latent: Option<usize>,
    form: Option<Form>,
    terms: Option<usize>,
    noise: Noise,
    holdout: f64,
}

impl Polynomial {
    /// Degree `w` in `2..=8`; the latent dimension and whether lower degrees occur are read off the samples;
    /// a fifth of them is held out.
    pub fn new(degree: usize) -> Self {
        Self {
            degree,
            latent: None,
            form: None,
            terms: None,
            noise: Noise::Absent,
            holdout: 0.2,
        }
    }

    /// Latent dimension `r >= 1`.
    #[must_use]
    pub fn latent(self, rank: usize) -> Self {
        let latent = Some(rank);
        Self { latent, ..self }
    }

    /// Which degrees occur.
    #[must_use]
    pub fn form(self, form: Form) -> Self {
        let form = Some(form);
        Self { form, ..self }
    }

    /// Writes each output as a sum of so many powers of linear forms; at least 1.
    #[must_use]
    pub fn terms(self, terms: usize) -> Self {
        let terms = Some(terms);
        Self { terms, ..self }
    }

    /// Independent normal noise on the outputs: absent, unknown, or a share of the standard deviation of each output in
    /// `[0, 1)`. With noise the latent dimension is at most 4 and the degree at most 4.
    #[must_use]
    pub fn noise(self, noise: Noise) -> Self {
        Self { noise, ..self }
    }

    /// Share of the samples held out for the tests, in `[0.01, 0.5]`.
    #[must_use]
    pub fn holdout(self, share: f64) -> Self {
        let holdout = share;
        Self { holdout, ..self }
    }

    /// Learns the map from samples of its outputs.
    ///
    /// # Shapes
    /// `samples` has `n` rows and `d` columns; [`Requirements`] says how many of each it takes.
    ///
    /// # Errors
    /// `InvalidInput`: an option out of its domain, or too few samples or outputs, with the numbers needed.
    /// `LimitExceeded`: more than 60 monomials. `Degenerate`: the outputs do not span the monomials, or the
    /// samples do not lie on the image of such a map. `Stopped`: the observer asked to stop before there was a
    /// model. `File`: a sample file changed while it was read.
    ///
    /// # Complexity
    /// `O(m^6)` for the Lie algebra and `O(n_0 m^4 + m^6)` for each of a few steps of the fit, with `m` monomials
    /// and `n_0` of five times the least number of samples; then `O(n (d m + m^2))` for the latents of all.
    ///
    /// # Accuracy
    /// Coefficients up to a linear change of the latents are exact to rounding times the conditioning; the
    /// change is estimated by the covariance of `x` from `n` observed `x`, the statistical floor. The status is
    /// `Converged` only when held-out samples lie on the variety to `1e-6` and their latents are Gaussian;
    /// `rel_residual` is that of the held-out samples from the variety.
    ///
    /// With [`Polynomial::noise`] the estimate is that of greatest likelihood, `polynomial.expected-error` says what the
    /// information in so many samples leaves, and `Converged` means that held-out samples are distributed as draws
    /// of the learned law, noise included; `rel_residual` is then the noise as a share of the standard deviation.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::io::samples::Samples;
    /// use wickring::laws::learn::polynomial_maps::random_polynomial_map;
    /// use wickring::learn::polynomial::Polynomial;
    /// use wickring::run::unobserved;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// let hidden = random_polynomial_map(4, 2, 3, true, &mut rng)?; // cubics of two latents
    /// let samples = Samples::from_rows(4, hidden.sample(20_000, &mut rng))?;
    /// let fit = Polynomial::new(3).learn(&samples, &mut rng, &mut unobserved)?;
    /// assert!(fit.converged()?.map.distance(&hidden)? < 0.05);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn learn(
        &self,
        samples: &Samples,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<LearnedPolynomial>, Error> {
        self.check(samples)?;
        if !matches!(self.noise, Noise::Absent | Noise::Known(0.0)) {
            if self.terms.is_some() {
                let text = "sums of powers are sought without noise only";
                return Err(Error::invalid(OP, text));
            }
            let asked = Asked {
                degree: self.degree,
                latent: self.latent,
                form: self.form,
                noise: self.noise,
                split: Split::new(self.holdout),
            };
            if let Some(fit) = asked.learn(samples, rng, &mut *observer)? {
                return Ok(fit);
            }
        }
        self.noiseless(samples, rng, observer)
    }

    /// The map of samples that lie on its variety.
    fn noiseless(
        &self,
        samples: &Samples,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<LearnedPolynomial>, Error> {
        let least = self.check(samples)?;
        let split = Split::new(self.holdout);
        let subset = Subset::of(samples, split, (TIMES * least).max(AT_LEAST))?;
        let readings = Reduction::candidates(&subset, self.degree, self.latent, self.form)?;
        let Attempt {
            reduction,
            monomials,
            fit,
            metric,
            first,
            checks: found,
        } = Attempt::best(readings, rng, observer)?;
        let needs = reduction.needs;
        let fitted = Fitted {
            reduction: &reduction,
            subset: &subset,
            monomials: &monomials,
            metric: &metric,
            coefficients: &fit.coefficients,
        };
        let (chart, on_constant) = Chart::of(&fitted)?;
        let census = fitted.census(samples, split, &chart, observer)?;
        let map = fitted.standardised(&chart, &census)?;

        let mut checks = reduction.checks.clone();
        checks.extend(found);
        checks.extend(on_constant);
        checks.push(Check::reported(
            "polynomial.algebra-samples",
            "learning samples used for the algebra",
            subset.count() as f64,
        ));
        checks.push(Check::reported(
            "polynomial.variety-residual",
            "their relative residual from the variety",
            first,
        ));
        checks.extend(tests(&census, &needs, samples.rows()));
        let general = needs.form == Form::General;
        let seen = (general, general || needs.degree % 2 == 1);
        let normality = Normality::of(OP, &census.kept, needs.latent, seen, rng)?;
        checks.extend(normality.checks());
        let mut draw = |n: usize, g: &mut _| Ok(map.sample(n, g));
        checks.extend(held_out_notes(samples, split, &mut draw, rng)?);
        let terms = self
            .terms
            .map(|count| power_sums(&map, &needs, count, rng))
            .transpose()?;
        if let Some(t) = &terms {
            let name = "outputs as sums of that many powers: greatest relative residual";
            checks.push(Check::accuracy(
                "polynomial.power-sums",
                name,
                t.worst(),
                terms::EXACT,
            ));
        }
        let evidence = Evidence {
            rel_residual: census.residual(),
            condition: reduction.white.last().copied().unwrap_or(1.0) / reduction.white[0],
            checks,
        };
        let status = match evidence.holds() {
            _ if fit.stopped => Status::Stopped,
            true => Status::Converged,
            false => Status::Stalled,
        };
        Ok(Fit {
            model: LearnedPolynomial::noiseless(map, needs, terms),
            status,
            history: vec![first, evidence.rel_residual],
            work: Work {
                sweeps: fit.steps,
                samples: 2 * samples.rows() as u64,
                starts: 1,
            },
            evidence,
        })
    }

    /// How far some of the samples are from the variety of the best reading, relative to their lengths.
    pub(in crate::learn) fn residual(
        &self,
        samples: &Samples,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<f64, Error> {
        let least = self.check(samples)?;
        let subset = Subset::of(
            samples,
            Split::new(self.holdout),
            (TIMES * least).max(AT_LEAST),
        )?;
        let readings = Reduction::candidates(&subset, self.degree, self.latent, self.form)?;
        Ok(Attempt::best(readings, rng, observer)?.first)
    }

    /// The least number of samples of any map that the outputs allow.
    fn check(&self, samples: &Samples) -> Result<usize, Error> {
        Requirements::of(self.latent.unwrap_or(1), self.degree, Form::Homogeneous)?;
        if !(0.01..=0.5).contains(&self.holdout) {
            let text = format!("holdout in [0.01, 0.5], got {}", self.holdout);
            return Err(Error::invalid(OP, text));
        }
        if self.terms == Some(0) {
            return Err(Error::invalid(OP, "at least one term, got 0"));
        }
        let (n, d) = (samples.rows(), samples.columns());
        let possible: Vec<Requirements> = Requirements::all(self.degree)
            .into_iter()
            .filter(|c| self.latent.is_none_or(|r| r == c.latent))
            .filter(|c| self.form.is_none_or(|f| f == c.form))
            .collect();
        let enough = |c: &&Requirements| c.outputs <= d;
        let Some(largest) = possible.iter().filter(enough).map(|c| c.samples).max() else {
            let lines: Vec<String> = possible.iter().take(2).map(Requirements::line).collect();
            let text = format!("{}; found {d} outputs", lines.join("; "));
            return Err(Error::invalid(OP, text));
        };
        let least = possible
            .iter()
            .filter(enough)
            .map(|c| c.samples + 4)
            .min()
            .unwrap_or(4);
        if n < least + 2 {
            let text = format!("at least {} samples, got {n}", least + 2);
            return Err(Error::invalid(OP, text));
        }
        Ok(largest)
    }
}

fn tests(
    census: &super::latent_covariance::Census,
    needs: &Requirements,
    rows: usize,
) -> Vec<Check> {
    let free = (needs.monomials - needs.variables()).max(1) as f64;
    let noise = census.residual() * (needs.monomials as f64 / free).sqrt();
    vec![
        Check::reported(
            "polynomial.held-out-samples",
            "held-out samples",
            census.held_rows as f64,
        ),
        Check::sampling(
            "polynomial.held-out-variety",
            "held-out samples lie on the variety of the map: relative residual",
            census.residual(),
            EXACT,
        ),
        Check::sampling(
            "polynomial.share-off-variety",
            format!("share of all samples farther than {OFF:e} of their length from the variety"),
            census.off as f64 / rows as f64,
            0.0,
        ),
        Check::reported(
            "polynomial.noise-of-residual",
            "observation noise that would explain the residual, relative to the samples",
            noise,
        ),
        Check::reported(
            "polynomial.covariance-error",
            "statistical error of the covariance of the latents, ((r + 1) / n)^(1/2)",
            ((needs.latent as f64 + 1.0) / census.learned().max(1.0)).sqrt(),
        ),
    ]
}

/// Each output as a form in `v` variables, the first one standing for the constant if lower degrees occur.
fn power_sums(
    map: &PolynomialMap,
    needs: &Requirements,
    count: usize,
    rng: &mut impl Rng,
) -> Result<PowerSums, Error> {
    // The monomials of the map are those of the homogeneous form, in the same order.
    let wide = MonomialBasis::homogeneous(needs.variables(), needs.degree)?;
    PowerSums::of(&wide, map.coefficients(), count, rng)
}
