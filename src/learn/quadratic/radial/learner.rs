//! Quadratic maps of a rotation-invariant input, from output samples alone.
//!
//! `z_a = x'Q_a x` with `x = |x| u`, `u` uniform on the sphere, and a law of `|x|` that is known or not. The raw
//! moments up to the third are those of [`RadialInput`]; the law enters by two numbers, which have closed forms
//! in the first three moments themselves. From there on the tensor ring is that of [`crate::learn::quadratic::learner::Quadratic`]. The
//! variety of noiseless samples does not depend on the law, so refinement works as there; it also shows the
//! latents, and with them the law of `|x|`, up to sign.

use super::held_out::Held;
use super::law::RadialInput;
use super::law_check::{follows, left_out};
use super::map::RadialMap;
use super::raw_moments::RawMoments;
use crate::Error;
use crate::decomp::{PeirceFrame, TensorContraction, Whitening};
use crate::fit::{Check, Ended, Evidence, Fit, Work, judge};
use crate::io::samples::Samples;
use crate::learn::quadratic::latent_rank::LatentRank;
use crate::learn::quadratic::noiseless::fit::{EXACT, Polish};
use crate::learn::quadratic::whitened::map::WhiteMap;
use crate::learn::quadratic::whitened::standard_outputs::Outputs;
use crate::learn::quadratic::whitened::third_cumulants::WhiteRows;
use crate::linalg::symmetric_eigen;
use crate::run::Observer;
use crate::stats::Moments;
use crate::stats::split::Split;
use faer::Mat;
use rand::Rng;

const OP: &str = "RadialQuadratic::learn";
/// Beyond this many white coordinates the third moments are not stored.
const MAX_STORED: usize = 45;
const STARTS: usize = 3;
const SHARPEN: usize = 5;
/// Bound on z-scores of held-out third moments, whose standard errors are themselves uncertain.
const MAX_Z: f64 = 7.0;
/// Kolmogorov's distance of one statistic, false alarm about 1e-5.
const MAX_DISTANCE: f64 = 2.5;

/// Learner of quadratic maps of rotation-invariant inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RadialQuadratic {
    law: RadialInput,
    latent: Option<usize>,
    holdout: f64,
    refine: bool,
}

impl RadialQuadratic {
    /// Latent dimension from the data, a fifth of the samples held out, refinement on.
    pub fn new(law: RadialInput) -> Self {
        Self {
            law,
            latent: None,
            holdout: 0.2,
            refine: true,
        }
    }

    /// Latent dimension `r >= 1`.
    #[must_use]
    pub fn latent(self, rank: usize) -> Self {
        let latent = Some(rank);
        Self { latent, ..self }
    }

    /// Share of the samples held out for the tests, in `[0.01, 0.5]`.
    #[must_use]
    pub fn holdout(self, share: f64) -> Self {
        let holdout = share;
        Self { holdout, ..self }
    }

    /// Whether to go on from the moments to the variety.
    #[must_use]
    pub fn refine(self, refine: bool) -> Self {
        Self { refine, ..self }
    }

    /// Learns map and law from samples of the outputs.
    ///
    /// # Shapes
    /// `samples` has `n` rows and `d >= r(r+1)/2` columns, `r(r+1)/2 <= 45`.
    ///
    /// # Errors
    /// As [`crate::learn::quadratic::learner::Quadratic::learn`]; `LimitExceeded` beyond `r = 9`; `Degenerate` when the moments are not
    /// those of a rotation-invariant input.
    ///
    /// # Complexity
    /// `O(n (d^2 + N^3))` with `N = r(r+1)/2`; memory `O(d^2 + N^3 log n)` beyond a chunk.
    ///
    /// # Accuracy
    /// From moments 4e-3 to 7e-2 at 100000 samples, worse for heavier tails; after refinement that of the mean
    /// of `z`. The status is `Converged` only when held-out third moments agree, and, where the latents are
    /// seen, their directions are uniform.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::io::samples::Samples;
    /// use wickring::laws::learn::quadratic_maps::{random_quadratic_map, sphere_samples};
    /// use wickring::learn::{RadialInput, RadialQuadratic};
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(7);
    /// let hidden = random_quadratic_map(6, 3, false, &mut rng)?;
    /// let samples = Samples::from_rows(6, sphere_samples(&hidden, 20_000, &mut rng)?)?;
    /// let learner = RadialQuadratic::new(RadialInput::Unknown);
    /// let fit = learner.learn(&samples, &mut rng, &mut wickring::run::unobserved)?;
    /// let found = fit.converged()?;
    /// assert!(found.map.distance(&hidden)? < 0.1);
    /// assert!((found.law.0 - 3.0 / 5.0).abs() < 0.02); // r / (r + 2)
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn learn(
        &self,
        samples: &Samples,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<RadialMap>, Error> {
        self.check(samples)?;
        let moments = self.by_moments(samples, rng, observer)?;
        let (polish, mut stopped) = self.polished(samples, &moments, observer)?;
        let FromMoments {
            outputs,
            latent,
            white,
            rows,
            law,
            ..
        } = &moments;
        let exact = polish.as_ref().is_some_and(|p| p.residual <= rows.exact);
        let chosen = polish.as_ref().filter(|_| exact);
        let chosen = chosen.map_or(&moments.start, |p| &p.map);
        let mut found = RadialMap {
            map: outputs.read_off(chosen, &white.up)?,
            law: *law,
            radii: match moments.is_sphere() {
                true => vec![(latent.rank as f64).sqrt(); 2],
                false => Vec::new(),
            },
        };
        let mut checks = moments.checks();
        checks.extend(polish.as_ref().map(|p| on_variety(p, rows.exact)));
        let held = Held::of(samples, rows, chosen, &found.map, rng)?;
        if exact {
            checks.extend(self.of_latents(&held, &moments, &mut found)?);
        }
        let (second, third, rel_residual) = held.moments(&found.map, *law);
        checks.extend(of_moments(&found, &held, (second, third)));
        let latents = exact.then_some((rows, chosen));
        let learned = outputs.summary.count() as usize;
        match follows(samples, (&found, learned), latents, rng, observer) {
            Ok(law) => checks.extend(law),
            Err(Error::Stopped { .. }) => stopped = true,
            Err(e) => return Err(e),
        }
        let evidence = Evidence {
            rel_residual,
            condition: white.condition,
            checks,
        };
        let ended = if stopped {
            Ended::Stopped
        } else {
            Ended::Arrived
        };
        let status = judge(&evidence.decisive(None), ended);
        Ok(Fit {
            model: found,
            status,
            history: vec![rel_residual],
            work: Work {
                sweeps: moments.frame.squarings() + polish.as_ref().map_or(0, |p| p.sweeps),
                samples: 4 * samples.rows() as u64,
                starts: STARTS,
            },
            evidence,
        })
    }

    /// The map and the law that raw moments up to the third tell, by the tensor ring.
    fn by_moments(
        &self,
        samples: &Samples,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<FromMoments, Error> {
        let split = Split::new(self.holdout);
        let outputs = Outputs::of(samples, split, observer)?;
        let raw = outputs.raw_second();
        let mut values = symmetric_eigen(OP, raw.as_ref())?.values;
        values.reverse();
        let latent = LatentRank::choose(&values, false, self.latent, outputs.summary.count())?;
        let (r, n) = (latent.rank, latent.keep);
        if n > MAX_STORED {
            return Err(Error::limit(OP, "white coordinates", MAX_STORED as u64));
        }
        let white = Whitening::of(OP, raw.as_ref(), n)?;
        let rows = WhiteRows {
            active: outputs.active.clone(),
            scale: outputs.scale.clone(),
            mean: outputs.summary.mean().to_vec(),
            down: white.down.clone(),
            split,
            exact: EXACT,
        };
        let rows = rows.tolerating(&outputs.rounding, 1.0);
        let prepare = |chunk: &_, out: &mut Vec<f64>| rows.white(chunk, out);
        let summary = Moments::of_samples(samples, (n, true), &prepare, observer)?.summary()?;
        let shift = &white.down.transpose().to_owned() * column(outputs.summary.mean());
        let moments = RawMoments::of(&summary, &shift, n)?;
        let law = match self.law.moments(r)? {
            Some(law) => law,
            None => moments.law(r)?,
        };
        let (ring, inner) = moments.ring(law)?;
        let mut form = TensorContraction::new(ring.view())?;
        let frame = PeirceFrame::find(&mut form, r, STARTS, rng)?.sharpen(&mut form, SHARPEN)?;
        let start = start_map(&frame, &inner, &shift);
        let left_out = left_out(&raw, &values, n);
        Ok(FromMoments {
            outputs,
            latent,
            left_out,
            white,
            rows,
            law,
            frame,
            start,
        })
    }

    /// The map of `moments` fitted to the variety that noiseless samples fill, and whether the observer broke; nothing where
    /// that is not asked for, or tells nothing.
    fn polished(
        &self,
        samples: &Samples,
        moments: &FromMoments,
        observer: Observer<'_>,
    ) -> Result<(Option<Polish>, bool), Error> {
        if !self.refine || moments.is_sphere() {
            return Ok((None, false));
        }
        match moments
            .rows
            .polish(samples, moments.start.clone(), observer)
        {
            Ok(polish) => Ok((Some(polish), false)),
            Err(Error::Stopped { .. }) => Ok((None, true)),
            Err(e) => Err(e),
        }
    }

    /// What latents of held-out rows say; they also tell the law of `|x|`, unless it is given.
    fn of_latents(
        &self,
        held: &Held,
        moments: &FromMoments,
        found: &mut RadialMap,
    ) -> Result<Vec<Check>, Error> {
        let r = moments.latent.rank;
        let seen = held.latents(r);
        let mut checks = vec![Check::sampling(
            "radial.latent-directions",
            "held-out latents are rotation invariant: greatest Kolmogorov distance of their directions, in standard units",
            seen.directions,
            MAX_DISTANCE,
        )];
        if self.law.moments(r)?.is_some() {
            checks.push(Check::sampling(
                "radial.law-fourth",
                "the law given is that of the held-out latents: z-score of m_4",
                seen.z_of_fourth(moments.law.0, r),
                MAX_Z,
            ));
        } else {
            found.law = seen.law(r);
        }
        found.radii = seen.quantiles();
        Ok(checks)
    }

    fn check(&self, samples: &Samples) -> Result<(), Error> {
        if self.latent.is_some_and(|r| !(1..=10_000).contains(&r))
            || !(0.01..=0.5).contains(&self.holdout)
        {
            let text = format!(
                "a latent dimension in 1..=10000 and holdout in [0.01, 0.5], got {:?} and {}",
                self.latent, self.holdout
            );
            return Err(Error::invalid(OP, text));
        }
        let (n, d) = (samples.rows(), samples.columns());
        let least = (2 * d + 20).max(50);
        if n < least {
            let text = format!("at least {least} samples for {d} outputs, got {n}");
            return Err(Error::invalid(OP, text));
        }
        Ok(())
    }
}

/// What raw moments tell.
struct FromMoments {
    outputs: Outputs,
    latent: LatentRank,
    left_out: Check,
    white: Whitening,
    rows: WhiteRows,
    law: (f64, f64),
    frame: PeirceFrame,
    /// The map in white coordinates.
    start: WhiteMap,
}

impl FromMoments {
    /// On a sphere the trace is constant: the variety has one dimension less and does not tell the map.
    fn is_sphere(&self) -> bool {
        let r = self.latent.rank as f64;
        self.law.0 * (r + 2.0) < (1.0 + 1e-2) * r
    }

    fn checks(&self) -> Vec<Check> {
        let mut checks = self.latent.checks.clone();
        checks.push(self.left_out.clone());
        checks.extend(self.outputs.rounding_note());
        checks.extend_from_slice(self.frame.checks());
        checks
    }
}

/// How near the samples are to the variety, and what follows from that.
fn on_variety(polish: &Polish, exact: f64) -> Check {
    let (name, allowed) = match polish.residual <= exact {
        true => (
            "samples lie on the variety of the map: relative residual",
            f64::INFINITY,
        ),
        false => (
            "moments kept: observation noise or misfit, relative residual of the variety",
            exact,
        ),
    };
    Check::accuracy("radial.variety-residual", name, polish.residual, allowed)
}

/// The law, and the moments of held-out rows.
fn of_moments(found: &RadialMap, held: &Held, (second, third): (f64, f64)) -> [Check; 5] {
    [
        Check::reported(
            "radial.m4",
            "radial moment m_4 (1 for a Gaussian)",
            found.law.0,
        ),
        Check::reported(
            "radial.m6",
            "radial moment m_6 (1 for a Gaussian)",
            found.law.1,
        ),
        Check::reported(
            "radial.held-out-samples",
            "held-out samples",
            held.count() as f64,
        ),
        Check::sampling(
            "radial.held-out-second",
            "held-out second moments: greatest z-score",
            second,
            MAX_Z,
        ),
        Check::sampling(
            "radial.held-out-third",
            "held-out third moments: greatest z-score",
            third,
            MAX_Z,
        ),
    ]
}

fn column(x: &[f64]) -> Mat<f64> {
    Mat::from_fn(x.len(), 1, |i, _| x[i])
}

/// The frame as a map in the coordinates of `centred` rows: `y = up F f(x) - shift`.
fn start_map(frame: &PeirceFrame, up: &Mat<f64>, shift: &Mat<f64>) -> WhiteMap {
    let q = up * frame.quadratic();
    let (n, m) = (q.nrows(), q.ncols());
    let coefficients = Mat::from_fn(n, m + 1, |i, j| match j < m {
        true => q[(i, j)],
        false => -shift[(i, 0)],
    });
    WhiteMap {
        rank: frame.rank(),
        linear: false,
        coefficients,
    }
}
