//! The refinement of the quadratic learner: from the map of the moments to the likelihood, as far as the samples allow.

use super::checks::algebraic::SecondOpinion;
use super::data::Data;
use super::learner::Quadratic;
use super::moment_fit::{White, white_map};
use super::noiseless::fit::Polish;
use super::noiseless::latents_of_all::{OFF, seen_latents};
use super::noisy::level;
use super::noisy::level::Noise;
use super::noisy::refinement::NoisyStep;
use super::whitened::map::WhiteMap;
use super::whitened::standard_outputs::Outputs;
use super::whitened::third_cumulants::WhiteRows;
use crate::Error;
use crate::decomp::PeirceFrame;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::run::Observer;
use crate::stats::normality::Normality;
use crate::tensor::QuadraticMap;
use rand::Rng;

const OP: &str = "Quadratic::learn";
/// Noise, as a share of the spread, up to which the nearest variety is a better start than the moments.
const SMALL: f64 = 0.05;

/// The best map there is, and what it rests on.
pub(in crate::learn) struct Refined {
    pub(in crate::learn) map: QuadraticMap,
    /// Whether it is the map of greatest likelihood, not that of the moments.
    pub(in crate::learn) likely: bool,
    /// Variance of the noise, as a share of that of each output.
    pub(in crate::learn) noise: f64,
    pub(in crate::learn) sweeps: usize,
    pub(in crate::learn) stopped: bool,
    pub(in crate::learn) checks: Vec<Check>,
    /// Whether all samples are on the variety and their latents are Gaussian, where these are seen.
    pub(in crate::learn) gaussian: Vec<Check>,
}

impl Quadratic {
    /// From the frame of the moments.
    pub(in crate::learn) fn refined(
        &self,
        data: &Data<'_>,
        (outputs, white): (&Outputs, &White),
        frame: &PeirceFrame,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Refined, Error> {
        let start = white_map(frame);
        let mut found = Refined {
            map: outputs.read_off(&start, &white.up)?,
            likely: false,
            noise: white.noise,
            sweeps: 0,
            stopped: false,
            checks: Vec::new(),
            gaussian: Vec::new(),
        };
        let steps = match (self.refine, white.noise.sqrt() < level::ABSENT) {
            (false, clean) => {
                let (r, n) = (white.latent.rank, white.latent.keep);
                let note = level::note(white.left_over, None, r, n).filter(|_| clean);
                found.checks.extend(note);
                let name = "tests of the variety and of the latents that were not made, for want of refinement: \
                            observation noise and outliers show in them alone";
                found
                    .checks
                    .push(Check::reported("quadratic.tests-left-out", name, 2.0));
                Ok(())
            }
            (true, true) => self.exactly(&mut found, data, (outputs, white), &start, rng, observer),
            (true, false) => {
                let known = (Some(white.noise), matches!(self.noise, Noise::Known(_)));
                found.noisily(data.near, (outputs, white), &start, known, rng, observer)
            }
        };
        match steps {
            Err(Error::Stopped { .. }) => found.stopped = true,
            other => other?,
        }
        if found.noise > 0.0 {
            let name = "observation noise allowed for, as a share of the standard deviation";
            found
                .checks
                .push(Check::reported(level::NOISE, name, found.noise.sqrt()));
        }
        Ok(found)
    }

    /// Noiseless samples lie on a variety; where they do not, the moments stay, or the noise is estimated if asked for.
    fn exactly(
        &self,
        found: &mut Refined,
        data: &Data<'_>,
        (outputs, white): (&Outputs, &White),
        start: &WhiteMap,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(), Error> {
        let samples = data.near;
        found.noise = 0.0;
        let polish = white.rows.polish(samples, start.clone(), observer)?;
        found.sweeps += polish.sweeps;
        if polish.residual <= white.rows.exact {
            found.map = outputs.read_off(&polish.map, &white.up)?;
            found.likely = true;
            found.latents(data, white, &polish.map, rng, observer)?;
        } else {
            let kind = (white.latent.rank, self.general, self.holdout);
            match SecondOpinion::of(samples, kind, white.rows.exact, rng, observer)? {
                SecondOpinion::Exact(map) => {
                    let in_white = outputs.in_white(&map, self.general, &white.rows);
                    (found.map, found.likely) = (map, true);
                    found.latents(data, white, &in_white, rng, observer)?;
                }
                // Where it is not asked nobody can tell whether the polish stalled: no ground for trust either.
                SecondOpinion::None | SecondOpinion::Unasked => {}
            }
        }
        // A polish that stalled above the rounding of the samples is finished by the likelihood, whose noise is then known.
        let rounded = outputs.rounding_variance();
        if !found.likely && rounded > 0.0 && polish.residual <= SMALL {
            let known = (Some(rounded), true);
            return found.noisily(samples, (outputs, white), start, known, rng, observer);
        }
        let guess = self.noise == Noise::Estimated && white.left_over.is_none();
        if guess && !found.likely {
            let unknown = (None, false);
            return found.noisily(samples, (outputs, white), start, unknown, rng, observer);
        }
        found.of_the_variety(&polish, white);
        Ok(())
    }
}

impl Refined {
    /// The likelihood with noise in it.
    fn noisily(
        &mut self,
        samples: &Samples,
        (outputs, white): (&Outputs, &White),
        start: &WhiteMap,
        noise: (Option<f64>, bool),
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(), Error> {
        let from = (&white.rows, &white.up);
        let near = self.near_variety(samples, white, start, noise.0, observer)?;
        let start = near.as_ref().unwrap_or(start);
        let step = NoisyStep::run(samples, from, start, noise, rng, observer)?;
        self.map = outputs.read_off(&step.map, &step.up)?;
        (self.likely, self.noise) = (step.better, step.variance);
        self.sweeps += step.sweeps;
        self.checks.extend(step.checks);
        Ok(())
    }

    /// Where noise is small, the map whose variety is nearest to the samples: its error is that of the noise, while the moments
    /// are far from it in units of the noise, and a likelihood that starts there takes their misfit for noise.
    fn near_variety(
        &mut self,
        samples: &Samples,
        white: &White,
        start: &WhiteMap,
        noise: Option<f64>,
        observer: Observer<'_>,
    ) -> Result<Option<WhiteMap>, Error> {
        if noise.is_some_and(|v| v.sqrt() > SMALL) {
            return Ok(None);
        }
        let rows = WhiteRows {
            exact: SMALL,
            ..white.rows.clone()
        };
        let polish = rows.polish(samples, start.clone(), observer)?;
        self.sweeps += polish.sweeps;
        Ok((polish.residual <= SMALL).then_some(polish.map))
    }

    /// Whether every sample lies on the variety of the map, and the latents that they give away are Gaussian.
    fn latents(
        &mut self,
        data: &Data<'_>,
        white: &White,
        map: &WhiteMap,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(), Error> {
        let from = (map, &white.up);
        let seen = seen_latents(data.near, &white.rows, from, observer)?;
        let off = match data.far {
            Some(_) => data.off(&white.rows, from, observer)?,
            None => seen.off as u64,
        };
        self.gaussian.push(Check::sampling(
            "quadratic.share-off-variety",
            format!("share of all samples farther than {OFF:e} of their length from the variety"),
            off as f64 / data.rows as f64,
            0.0,
        ));
        let test = Normality::of(OP, &seen.kept, map.rank, (map.linear, map.linear), rng)?;
        self.gaussian.extend(test.checks());
        Ok(())
    }

    /// What the distance of the samples from the variety says.
    fn of_the_variety(&mut self, polish: &Polish, white: &White) {
        let name = match self.likely {
            true if polish.residual > white.rows.exact => {
                "the polish stalled and the algebraic learner found the variety: residual of the polish"
            }
            true => "samples lie on the variety of the map: relative residual",
            false => "moments kept: observation noise or misfit, relative residual of the variety",
        };
        let allowed = if self.likely {
            f64::INFINITY
        } else {
            white.rows.exact
        };
        self.checks.push(Check::accuracy(
            "quadratic.variety-residual",
            name,
            polish.residual,
            allowed,
        ));
        if !self.likely {
            let (r, n) = (white.latent.rank, white.latent.keep);
            let note = level::note(white.left_over, Some(polish.residual), r, n);
            self.checks.extend(note);
        }
    }
}
