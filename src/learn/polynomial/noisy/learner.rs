//! Start, scoring and evidence in one.

use super::super::OP;
use super::super::learner::LearnedPolynomial;
use super::super::reduction::Subset;
use super::super::requirements::{Form, Requirements};
use super::directions::Directions;
use super::evidence::{held_out, learned_latents, noise_is_told, whole_law};
use super::expected_error::expected_error;
use super::modes::{Atlas, Model};
use super::posterior::Rules;
use super::scoring::{Climb, Level, Rows, Scored};
use super::start::{Start, rows_of, starts};
use crate::Error;
use crate::fit::{Check, Ended, Evidence, Fit, Work, judge};
use crate::io::samples::Samples;
use crate::learn::quadratic::noisy::level::Noise;
use crate::run::Observer;
use crate::stats::split::Split;
use crate::tensor::PolynomialMap;
use faer::Mat;
use rand::Rng;

/// Latent dimension and degree with noise: the rules that integrate over a latent have `5^r` points.
const MOST_LATENT: usize = 4;
const MOST_DEGREE: usize = 4;
/// Coefficients: beyond, their information is a matrix that does not fit.
const MOST_COEFFICIENTS: usize = 1200;
/// Numbers kept in memory; beyond, rows are taken evenly.
const MOST_ENTRIES: usize = 1 << 24;
/// Rows of the first climb: so many for each coefficient, and at least.
const PART: (usize, usize) = (12, 3000);
/// Held-out rows that are read.
const HELD: usize = 4000;
/// Rows learned from whose latents are held against the law.
const SEEN: usize = 8000;
/// Steps of the first climb and of the last.
const STEPS: (usize, usize) = (20, 8);
/// A tenth of the statistical error adds half a percent to it.
const ARRIVED: f64 = 0.1;
/// Of the way to the top that may be left, in statistical errors.
const LEFT: f64 = 0.3;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::learn::polynomial) struct Asked {
    pub(in crate::learn::polynomial) degree: usize,
    pub(in crate::learn::polynomial) latent: Option<usize>,
    pub(in crate::learn::polynomial) form: Option<Form>,
    pub(in crate::learn::polynomial) noise: Noise,
    pub(in crate::learn::polynomial) split: Split,
}

/// A start with where its climb ended.
struct Climbed {
    scored: Scored,
    needs: Requirements,
    checks: Vec<Check>,
}

impl Asked {
    /// Learns the map and its noise; `None` when the samples show no noise.
    pub(in crate::learn::polynomial) fn learn(
        &self,
        samples: &Samples,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Option<Fit<LearnedPolynomial>>, Error> {
        self.domain(samples.columns())?;
        let rows = Subset::of(samples, self.split, MOST_ENTRIES / samples.columns())?;
        let Some(found) = self.starts(&rows, rng, &mut *observer)? else {
            return Ok(None);
        };
        let tried = found.len();
        let best = self.best(found, &rows, rng, &mut *observer)?;
        let (scored, checks) = self.finish(samples, &rows, best.scored, rng, observer)?;
        let needs = best.needs;
        let mut all = best.checks;
        all.extend(checks);
        let evidence = Evidence {
            rel_residual: share(&scored.model)?,
            condition: 1.0,
            checks: all,
        };
        let ended = match scored.stopped {
            true => Ended::Stopped,
            false if scored.left <= LEFT => Ended::Arrived,
            false => Ended::Budget,
        };
        let status = judge(&evidence.checks, ended);
        let (map, noise) = in_units(&scored.model, &rows.scale)?;
        Ok(Some(Fit {
            model: LearnedPolynomial {
                map,
                requirements: needs,
                terms: None,
                noise,
            },
            status,
            history: vec![scored.log],
            work: Work {
                sweeps: scored.steps,
                samples: samples.rows() as u64,
                starts: tried,
            },
            evidence,
        }))
    }

    fn level(&self) -> Level {
        match self.noise {
            Noise::Known(s) => Level::Share(s),
            Noise::Estimated | Noise::Absent => Level::Free,
        }
    }

    /// What is not promised with noise.
    fn domain(&self, outputs: usize) -> Result<(), Error> {
        self.noise.check()?;
        if self.degree > MOST_DEGREE || self.latent.is_some_and(|r| r > MOST_LATENT) {
            let text = format!(
                "with observation noise a degree of at most {MOST_DEGREE} and a latent dimension of at most {MOST_LATENT}"
            );
            return Err(Error::invalid(OP, text));
        }
        if outputs > MOST_COEFFICIENTS {
            return Err(Error::limit(OP, "coefficients", MOST_COEFFICIENTS as u64));
        }
        Ok(())
    }

    /// All starts of the forms in question; `None` when the samples show no noise.
    fn starts(
        &self,
        rows: &Subset,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Option<Vec<Start>>, Error> {
        let (mut found, mut refused) = (Vec::new(), None);
        for form in [Form::Homogeneous, Form::General] {
            if self.form.is_some_and(|f| f != form) {
                continue;
            }
            match starts(rows, (self.degree, self.latent, form), rng, &mut *observer) {
                Ok(some) => found.extend(some),
                Err(e @ (Error::Degenerate { .. } | Error::InvalidInput { .. })) => {
                    refused.get_or_insert(e);
                }
                Err(e) => return Err(e),
            }
        }
        if self.noise == Noise::Estimated && found.iter().any(|s| s.exact) {
            return Ok(None);
        }
        let within =
            |s: &Start| s.needs.latent <= MOST_LATENT && s.model.a.len() <= MOST_COEFFICIENTS;
        let found: Vec<Start> = found.into_iter().filter(within).collect();
        match refused {
            Some(e) if found.is_empty() => Err(e),
            None if found.is_empty() => {
                Err(Error::limit(OP, "coefficients", MOST_COEFFICIENTS as u64))
            }
            _ => Ok(Some(found)),
        }
    }

    /// The start that climbs highest on some of the rows.
    fn best(
        &self,
        found: Vec<Start>,
        rows: &Subset,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Climbed, Error> {
        let (mut best, mut refused): (Option<Climbed>, Option<Error>) = (None, None);
        for start in found {
            let part = rows.spaced((PART.0 * start.model.a.len()).max(PART.1));
            let rules = Rules::new(start.model.latent())?;
            let mut atlas = start.model.atlas(rng);
            let climbed = start.model.climb_to_top(
                rows_of(&part),
                Climb {
                    // The likelihood of free noise has no top where there is none.
                    level: if start.exact {
                        self.level()
                    } else {
                        Level::Free
                    },
                    most: STEPS.0,
                    arrived: 1.0,
                },
                (&mut atlas, &rules),
                rng,
                &mut *observer,
            );
            match climbed {
                Ok(scored) => {
                    if best.as_ref().is_none_or(|b| scored.log > b.scored.log) {
                        let (needs, checks) = (start.needs, start.checks);
                        best = Some(Climbed {
                            scored,
                            needs,
                            checks,
                        });
                    }
                }
                Err(e @ Error::Degenerate { .. }) => {
                    refused.get_or_insert(e);
                }
                Err(e) => return Err(e),
            }
        }
        match (best, refused) {
            (Some(best), _) => Ok(best),
            (None, Some(e)) => Err(e),
            (None, None) => Err(Error::Stopped { op: OP }),
        }
    }

    /// The climb on all rows, and what the samples say about its end.
    fn finish(
        &self,
        samples: &Samples,
        rows: &Subset,
        begun: Scored,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(Scored, Vec<Check>), Error> {
        let level = self.level();
        let rules = Rules::new(begun.model.latent())?;
        let mut atlas = begun.model.atlas(rng);
        let earlier = begun.steps;
        let mut scored = begun.model.climb_to_top(
            rows_of(rows),
            Climb {
                level,
                most: STEPS.1,
                arrived: ARRIVED,
            },
            (&mut atlas, &rules),
            rng,
            &mut *observer,
        )?;
        scored.steps += earlier;
        scored.model.redraw(&mut atlas);
        let judged = Judged {
            samples,
            rows,
            split: self.split,
            level,
        };
        let checks = judged.checks(&scored, (&atlas, &rules), rng, observer)?;
        Ok((scored, checks))
    }
}

/// Samples that an estimate is held against.
struct Judged<'a> {
    samples: &'a Samples,
    rows: &'a Subset,
    split: Split,
    level: Level,
}

impl Judged<'_> {
    fn checks(
        &self,
        scored: &Scored,
        tools: (&Atlas, &Rules),
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Vec<Check>, Error> {
        let (model, rows) = (&scored.model, self.rows);
        let share = share(model)?;
        let label = "observation noise, as a share of the standard deviation";
        let mut checks = vec![Check::reported("polynomial.noise", label, share)];
        let label = "way to the greatest likelihood that is left, in statistical errors";
        checks.push(Check::accuracy(
            "polynomial.way-left",
            label,
            scored.left,
            LEFT,
        ));
        let directions = Directions::of(model)?;
        let information = model.information(&directions, tools, rng, &mut *observer)?;
        let about = (self.level.unknowns(&directions, model), rows.count());
        checks.push(Check::reported(
            "polynomial.expected-error",
            "relative error of the map that so many samples leave, by the information in them",
            expected_error(model, &information, &rows.scale, about)?,
        ));
        let held = held_rows(self.samples, self.split, &rows.scale)?;
        let held = Rows {
            entries: &held,
            columns: rows.columns,
        };
        let about = (held, rows.count());
        checks.extend(held_out(model, about, tools, rng, &mut *observer)?);
        let some = rows.count().min(SEEN) * rows.columns;
        let learned = Rows {
            entries: &rows.rows[..some],
            columns: rows.columns,
        };
        checks.push(learned_latents(model, learned, tools, rng, &mut *observer)?);
        let learned = (model, &rows.scale[..]);
        let law = whole_law(self.samples, learned, rows.count(), rng, observer)?;
        checks.extend(law);
        if self.level == Level::Free {
            checks.push(noise_is_told(share));
        }
        Ok(checks)
    }
}

/// Some held-out rows, in the units of the others.
fn held_rows(samples: &Samples, split: Split, scale: &[f64]) -> Result<Vec<f64>, Error> {
    let held = Subset::of(samples, split.other(), HELD)?;
    if held.count() < 10 {
        let text = format!("at least 10 held-out samples, got {}", held.count());
        return Err(Error::invalid(OP, text));
    }
    let d = held.columns;
    let entry = |(k, y): (usize, &f64)| y / held.scale[k % d] * scale[k % d];
    Ok(held.rows.iter().enumerate().map(entry).collect())
}

/// The map and its noise in the units of the samples.
fn in_units(model: &Model, scale: &[f64]) -> Result<(PolynomialMap, Vec<f64>), Error> {
    let map = model.map()?;
    let c = map.coefficients();
    let raw = Mat::from_fn(c.nrows(), c.ncols(), |a, k| c[(a, k)] / scale[a]);
    let noise = model.noise.iter().zip(scale).map(|(s, f)| s / f).collect();
    Ok((PolynomialMap::new(map.basis().clone(), raw)?, noise))
}

/// Noise as a share of the standard deviation of the outputs, in mean squares over them.
fn share(model: &Model) -> Result<f64, Error> {
    let covariance = model.map()?.covariance();
    let one = |(a, s): (usize, &f64)| s * s / (s * s + covariance[(a, a)]).max(f64::MIN_POSITIVE);
    let sum: f64 = model.noise.iter().enumerate().map(one).sum();
    Ok((sum / model.outputs() as f64).sqrt())
}
