//! Quadratic maps with fewer outputs than symmetric matrices have dimensions.
//!
//! With `d < r(r+1)/2` the covariance and the third cumulants still determine the map locally, from about
//! `d = 2, 3, 5, 7, 8` on for `r = 2, .., 6`, but no algebraic way to it is known. So: least squares on both from many
//! random starts. That alone proves nothing: different maps can have nearly the same cumulants, as near as samples can tell, and the
//! one that fits best need not be the hidden one. What decides is
//!
//! - with more outputs than latents, the variety that noiseless samples fill: each of the candidates is fitted to it, and the
//!   model is trusted when rows that it has not seen lie on it;
//! - with no more, that there is one candidate only, and that the two halves of the samples lead to it too.

use super::candidates::{Candidate, Cumulants, distinct, in_units};
use crate::Error;
use crate::decomp::{SymmetricNls, Whitening};
use crate::fit::{Check, Ended, Evidence, Fit, Work, judge};
use crate::io::samples::Samples;
use crate::learn::quadratic::checks::held_out::HoldoutTest;
use crate::learn::quadratic::noiseless::fit::EXACT;
use crate::learn::quadratic::statistical_floor::statistical_floor;
use crate::learn::quadratic::whitened::standard_outputs::Outputs;
use crate::learn::quadratic::whitened::third_cumulants::WhiteRows;
use crate::run::{Observer, Progress};
use crate::stats::split::Split;
use crate::tensor::{QuadraticMap, SymmetricRing};
use faer::Mat;
use rand::Rng;

pub(super) const OP: &str = "FewOutputs::learn";
/// Outputs for which third cumulants are stored.
const MAX_OUTPUTS: usize = 40;
/// Greatest relative distance of the maps of two halves of the samples, halved, that still counts as knowing the map.
const UNSTABLE: f64 = 0.15;
/// Cumulants that there must be beyond the unknowns: with one only (`d = r = 3`) another map often fits samples of the hidden
/// one better than itself.
const SPARE: f64 = 2.0;

/// Learner of homogeneous quadratic maps from few outputs; the latent dimension must be given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FewOutputs {
    pub(super) latent: usize,
    holdout: f64,
    starts: usize,
}

impl FewOutputs {
    /// Latent dimension `r >= 1`; a fifth of the samples held out, 24 starts.
    pub fn new(latent: usize) -> Self {
        Self {
            latent,
            holdout: 0.2,
            starts: 24,
        }
    }

    /// Share of the samples held out for the test, in `[0.01, 0.5]`.
    #[must_use]
    pub fn holdout(self, share: f64) -> Self {
        let holdout = share;
        Self { holdout, ..self }
    }

    /// Random starts, in `2..=1000`.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Learns the map from samples of its outputs.
    ///
    /// # Shapes
    /// `samples` has `n` rows and `d` columns, `2 <= d <= 40`.
    ///
    /// # Errors
    /// `InvalidInput`: an option out of its domain, too few samples, too few outputs for the unknowns. `Degenerate`:
    /// no output varies. `Stopped`: the observer asked to stop before there was a model.
    ///
    /// # Complexity
    /// `O(n d^3)` for the cumulants and `O(d^3 N^2 + (dN)^3)` for each step of each start, `N = r(r+1)/2`; then
    /// `O(n d r^2)` for each of some dozen steps of each of at most 32 starts for the latents.
    ///
    /// # Accuracy
    /// With `d > r` and noiseless samples that of the covariance of observed latents, the statistical floor; otherwise that
    /// of sample cumulants. The status is `Converged` only when held-out samples lie on the variety of the map, or,
    /// for `d <= r`, when all starts of nearly the best residual and both halves of the samples give one map.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::io::samples::Samples;
    /// use wickring::laws::learn::quadratic_maps::random_quadratic_map;
    /// use wickring::learn::FewOutputs;
    /// use wickring::run::unobserved;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(7);
    /// let hidden = random_quadratic_map(5, 3, false, &mut rng)?; // six would fill Sym_3
    /// let samples = Samples::from_rows(5, hidden.sample(40_000, &mut rng))?;
    /// let fit = FewOutputs::new(3).starts(8).learn(&samples, &mut rng, &mut unobserved)?;
    /// assert_eq!(fit.model.latent_dim(), 3);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn learn(
        &self,
        samples: &Samples,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<QuadraticMap>, Error> {
        self.check(samples)?;
        let split = Split::new(self.holdout);
        let outputs = Outputs::of(samples, split, observer)?;
        let m = outputs.active.len();
        self.enough(m)?;
        let rows = WhiteRows {
            active: outputs.active.clone(),
            scale: outputs.scale.clone(),
            mean: outputs.summary.mean().to_vec(),
            down: Mat::identity(m, m),
            split,
            exact: EXACT,
        };
        let moments = Cumulants::of(samples, &rows, None, observer)?;
        let (found, mut steps, mut stopped) = self.searched(&moments, rng, observer)?;
        let starts = found.len();
        let candidates = distinct(found)?;
        let Some(first) = candidates.first() else {
            return Err(Error::Stopped { op: OP });
        };
        let mut checks = self.of_candidates(m, first, candidates.len());
        checks.extend(outputs.rounding_note());
        let white = Whitening::of(OP, moments.gram.as_ref(), m)?;
        let rows = WhiteRows {
            down: white.down,
            ..rows
        };
        let rows = rows.tolerating(&outputs.rounding, 2.0);
        let mut map = in_units(&outputs, &first.ring, samples.columns())?;
        let mut exact = false;
        if m > self.latent && !stopped {
            match self.on_variety(samples, (&rows, &white.up), &candidates, rng, observer) {
                Ok(on) => {
                    exact = on.map.is_some();
                    checks.extend(on.checks);
                    steps += on.sweeps;
                    if let Some(white_map) = on.map {
                        map = outputs.read_off(&white_map, &white.up)?;
                    }
                }
                Err(Error::Stopped { .. }) => stopped = true,
                Err(e) => return Err(e),
            }
        } else if !stopped {
            let halves = self.halves(samples, &rows, first, rng, observer)?;
            let missed = 1.0 - first.hits as f64 / starts as f64;
            checks.extend(self.by_cumulants(m, (missed, starts), candidates.len(), halves));
        }
        let learned = outputs.summary.count();
        let test = held_out((&map, exact), samples, (&rows, learned), rng, observer)?;
        checks.push(Check::reported(
            "few-outputs.floor",
            "statistical floor of the relative parameter error",
            statistical_floor(&map, samples.rows()),
        ));
        checks.extend(test.checks());
        let evidence = Evidence {
            rel_residual: test.rel_residual,
            condition: white.condition,
            checks,
        };
        let ended = match stopped {
            true => Ended::Stopped,
            false => Ended::Arrived,
        };
        Ok(Fit {
            model: map,
            status: judge(&evidence.decisive(None), ended),
            history: vec![test.rel_residual],
            work: Work {
                sweeps: steps,
                samples: 3 * samples.rows() as u64,
                starts,
            },
            evidence,
        })
    }

    /// Rings of the cumulants from random starts with their residuals, the steps made, and whether the observer broke.
    fn searched(
        &self,
        moments: &Cumulants,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(Vec<(f64, SymmetricRing)>, usize, bool), Error> {
        let mut found: Vec<(f64, SymmetricRing)> = Vec::new();
        let (mut steps, mut stopped) = (0, false);
        for start in 0..self.starts {
            let p = Progress::of("starts", start as u64, self.starts as u64);
            stopped = observer(&p).is_break();
            if stopped {
                break;
            }
            let one = self.descent();
            let watch = &mut crate::run::unobserved;
            let fit = one.decompose(moments.gram.as_ref(), moments.tensor.view(), rng, watch)?;
            steps += fit.work.sweeps;
            let residual = fit.history.last().copied().unwrap_or(f64::INFINITY);
            found.push((residual, fit.model));
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok((found, steps, stopped))
    }

    /// Figures about the maps that the cumulants admit.
    fn of_candidates(&self, outputs: usize, first: &Candidate, number: usize) -> Vec<Check> {
        let r = self.latent;
        vec![
            Check::reported(
                "few-outputs.outputs-varying",
                "outputs that vary",
                outputs as f64,
            ),
            Check::reported(
                "few-outputs.outputs-for-algebra",
                "outputs that would make it algebraic",
                (r * (r + 1) / 2) as f64,
            ),
            Check::reported(
                "few-outputs.residual",
                "relative residual of covariance and third cumulants",
                first.residual,
            ),
            Check::reported(
                "few-outputs.starts-agreeing",
                "starts that found the best map",
                first.hits as f64,
            ),
            Check::reported(
                "few-outputs.near-maps",
                "maps of nearly the same cumulants among the starts",
                number as f64,
            ),
        ]
    }

    /// What must hold where cumulants alone decide: `missed` is the share of the starts that found another map, `halves` half the
    /// distance between the maps of two halves of the rows.
    fn by_cumulants(
        &self,
        outputs: usize,
        (missed, starts): (f64, usize),
        candidates: usize,
        halves: f64,
    ) -> [Check; 4] {
        let (equations, unknowns) = self.counts(outputs);
        [
            Check::search(
                "few-outputs.starts-missing",
                "starts that miss the best map, as a share of all",
                missed,
                // Two at least must agree.
                1.0 - 2.0 / starts as f64 + 1e-9,
            ),
            Check::uniqueness(
                "few-outputs.unknowns-over-equations",
                "unknowns less the cumulants that tell them",
                unknowns as f64 - equations as f64,
                -SPARE,
            ),
            Check::uniqueness(
                "few-outputs.other-maps",
                "other maps of nearly the same cumulants",
                (candidates - 1) as f64,
                0.0,
            ),
            Check::accuracy(
                "few-outputs.halves-distance",
                "half the distance between the maps of two halves of the samples, relative",
                halves,
                UNSTABLE,
            ),
        ]
    }

    fn descent(&self) -> SymmetricNls {
        SymmetricNls::new(self.latent).starts(1).max_steps(300)
    }

    /// Half the distance between the maps that either half of the learning rows leads to from the best one.
    fn halves(
        &self,
        samples: &Samples,
        rows: &WhiteRows,
        best: &Candidate,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<f64, Error> {
        let mut rings = Vec::new();
        for half in 0..2 {
            let moments = Cumulants::of(samples, rows, Some(half), observer)?;
            let watch = &mut crate::run::unobserved;
            let (gram, tensor) = (moments.gram.as_ref(), moments.tensor.view());
            let near = self.descent().refine(gram, tensor, &best.ring, watch)?;
            // A few fresh starts, which may find something better.
            let fresh = self
                .descent()
                .starts(4)
                .decompose(gram, tensor, rng, watch)?;
            let last = |f: &Fit<SymmetricRing>| f.history.last().copied().unwrap_or(f64::INFINITY);
            let better = if last(&fresh) < 0.99 * last(&near) {
                fresh
            } else {
                near
            };
            rings.push(better.model);
        }
        match &rings[..] {
            [a, b] => Ok(0.5 * a.align(b)?.distance),
            _ => Err(Error::Stopped { op: OP }),
        }
    }

    fn check(&self, samples: &Samples) -> Result<(), Error> {
        let (n, d) = (samples.rows(), samples.columns());
        let domain = (1..=1000).contains(&self.latent)
            && (0.01..=0.5).contains(&self.holdout)
            && (2..=1000).contains(&self.starts);
        if !domain || d > MAX_OUTPUTS {
            let text = format!(
                "a latent dimension in 1..=1000, holdout in [0.01, 0.5], 2 to 1000 starts and at most {MAX_OUTPUTS} outputs; got {}, {}, {} and {d}",
                self.latent, self.holdout, self.starts
            );
            return Err(Error::invalid(OP, text));
        }
        let least = (2 * d + 20).max(50);
        if n < least {
            let text = format!("at least {least} samples for {d} outputs, got {n}");
            return Err(Error::invalid(OP, text));
        }
        Ok(())
    }

    /// Entries of the covariance and the third cumulants, and unknowns less the gauge.
    fn counts(&self, d: usize) -> (usize, usize) {
        let r = self.latent;
        let unknowns = (d * (r * (r + 1) / 2)).saturating_sub(r * (r - 1) / 2);
        let equations = d * (d + 1) / 2 + d * (d + 1) * (d + 2) / 6;
        (equations, unknowns)
    }

    fn enough(&self, d: usize) -> Result<(), Error> {
        let r = self.latent;
        let (equations, unknowns) = self.counts(d);
        if equations >= unknowns {
            return Ok(());
        }
        let text = format!(
            "{d} outputs give {equations} second and third cumulants for {unknowns} unknowns of latent dimension {r}: bring more outputs"
        );
        Err(Error::invalid(OP, text))
    }
}

/// Held-out rows against the map; cumulants that were fitted leave more of the error of estimation than a map that is exact.
fn held_out(
    (map, exact): (&QuadraticMap, bool),
    samples: &Samples,
    (rows, learned): (&WhiteRows, u64),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<HoldoutTest, Error> {
    let directions = rows.test_directions(samples.columns(), rng);
    let learned = learned as f64;
    let held = samples.rows() as f64 - learned;
    let inflation = if exact { 1.5 } else { 5.0 } * held / learned;
    let noise = vec![0.0; samples.columns()];
    HoldoutTest::run(
        map,
        samples,
        rows.split,
        directions.as_ref(),
        (inflation, &noise),
        observer,
    )
}
