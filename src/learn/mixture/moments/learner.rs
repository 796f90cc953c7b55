//! The method of moments for separated spherical components.

use super::atoms::{MomentAtoms, PrincipalMoments, spherical_atoms};
use super::checks::finish;
use super::sums::Principal;
use crate::Error;
use crate::fit::Fit;
use crate::learn::mixture::em::ascent::{Budget, Climb, climb};
use crate::learn::mixture::em::covariance_kind::CovarianceKind;
use crate::learn::mixture::em::floor::Floor;
use crate::learn::mixture::gaussian::{Component, GaussianMixture, scaled_identity};
use crate::learn::mixture::input_check::{Door, few_columns};
use crate::learn::mixture::whitening::Whitening;
use crate::run::{Observer, Progress, unobserved};
use faer::MatRef;
use rand::Rng;

const OP: &str = "MomentMethod::learn";
/// Values of the noise that are tried when no direction shows it.
const GRID: usize = 48;
/// Golden section steps after the grid.
const REFINEMENTS: usize = 40;
/// Components at most: the tensor has its cube as entries.
const MOST: usize = 60;
/// Sweeps of likelihood after the moments.
const SWEEPS: usize = 500;

/// Moments of order three, then a few sweeps of likelihood from there.
#[derive(Clone, Debug, PartialEq)]
pub struct MomentMethod {
    least: usize,
    most: usize,
    noise: Option<f64>,
    refine: bool,
    /// Whether the rows are held against the fit.
    tested: bool,
}

/// What [`MomentMethod::learn`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct MomentModel {
    /// The mixture; after refinement unless that was turned off.
    pub mixture: GaussianMixture,
    /// What the moments alone say.
    pub from_moments: GaussianMixture,
    /// Whether all components have one variance.
    pub one_variance: bool,
    /// `sum log p` over the rows used.
    pub log_likelihood: f64,
    /// `2 log L - parameters * log N`: larger is better.
    pub bic: f64,
    /// Rows set aside as outliers.
    pub set_aside: usize,
}

/// One number of components, tried.
pub(in crate::learn::mixture) struct Trial {
    pub(in crate::learn::mixture) model: MomentModel,
    pub(in crate::learn::mixture) atoms: Option<MomentAtoms>,
    pub(in crate::learn::mixture) settled: bool,
    pub(in crate::learn::mixture) sweeps: usize,
}

impl MomentMethod {
    /// Exactly `components` components.
    pub fn new(components: usize) -> Self {
        Self::between(components, components)
    }

    /// The number of components in `least..=most` with the best BIC among those that the moments can separate.
    pub fn between(least: usize, most: usize) -> Self {
        Self {
            least,
            most,
            noise: None,
            refine: true,
            tested: true,
        }
    }

    /// The standard deviation of the noise, the same in all components, when it is known; positive.
    #[must_use]
    pub fn noise(self, noise: f64) -> Self {
        let noise = Some(noise);
        Self { noise, ..self }
    }

    /// Whether sweeps of likelihood follow, from the moments' answer. Default true.
    #[must_use]
    pub fn refine(self, refine: bool) -> Self {
        Self { refine, ..self }
    }

    /// Without tests of the fit, for a comparison with others.
    pub(in crate::learn::mixture) fn rough(self) -> Self {
        let tested = false;
        Self { tested, ..self }
    }

    /// Learns `sum_i w_i N(mu_i, s_i I)` from the rows of `samples`.
    ///
    /// The covariance shows the span of the means (its large eigenvalues) and the noise (the others); third
    /// moments in that span, whitened, are an orthogonal tensor, see [`spherical_atoms`]. The answer has an
    /// error `O(1/sqrt N)` for every mixture with affinely independent means, however close, but with constants
    /// that grow as the means come together; `N` such that errors are below the separation puts the sweeps of
    /// likelihood that follow into the basin of the truth, without random starts. With `K = n + 1` components
    /// no direction shows the noise alone; then it is the value whose fourth moments agree best, and one
    /// variance for all is assumed.
    ///
    /// `Converged` means: what the joint rotation leaves off the diagonals is within four standard errors of
    /// sampling, the sweeps ended by their tolerance, and fresh samples differ from the data by chance and 0.02
    /// in Kolmogorov's distance on 16 projections.
    ///
    /// # Shapes
    /// `samples` is `N x n`, rows are samples; at most `n + 1` components.
    ///
    /// # Errors
    /// `InvalidInput` for options outside their domain, no more rows than columns, a constant column or columns with an
    /// exact linear relation; `LimitExceeded` for more than 2000 columns; `NonFinite`; `Degenerate` when the
    /// means are affinely dependent as far as `N` samples can tell (more than `n + 1` components always are).
    ///
    /// # Complexity
    /// `O(N (n^2 + K^3))` and the sweeps, `O(N K n^2)` each, for each number of components. Memory `O(N n)`.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::learn::mixture::{GaussianMixture, MomentMethod};
    /// let mut rng = ChaCha8Rng::seed_from_u64(3);
    /// let truth = GaussianMixture::spherical(3, [(0.4, vec![4.0, 0.0, 0.0]), (0.6, vec![0.0, 4.0, 1.0])], 1.0)?;
    /// let rows = truth.sample(4000, &mut rng);
    /// let samples = faer::MatRef::from_row_major_slice(&rows, 4000, 3);
    /// let model = MomentMethod::new(2).learn(samples, &mut rng)?.converged()?;
    /// assert!((model.mixture.components()[0].weight - 0.6).abs() < 0.05);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Hsu and Kakade 2013. We depart as [`spherical_atoms`] says, in the fourth moments for `K = n + 1`, and in
    /// the sweeps of likelihood at the end.
    pub fn learn(
        &self,
        samples: MatRef<'_, f64>,
        rng: &mut impl Rng,
    ) -> Result<Fit<MomentModel>, Error> {
        self.learn_observed(samples, rng, &mut unobserved)
    }

    /// As [`MomentMethod::learn`], reporting each number of components and each sweep.
    ///
    /// # Errors
    /// As [`MomentMethod::learn`]; `Stopped` when asked to stop before the first fit.
    pub fn learn_observed(
        &self,
        samples: MatRef<'_, f64>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<MomentModel>, Error> {
        few_columns(OP, samples.ncols())?;
        let door = Door::open(OP, samples)?;
        Whitening::of(OP, &door.rows, door.dim)?;
        let principal = Principal::of(OP, &door.rows, door.dim)?;
        self.check(&principal)?;
        let mut best: Option<Trial> = None;
        let mut refused: Option<Error> = None;
        let mut stopped = false;
        for k in self.least..=self.most.min(principal.dim + 1).max(self.least) {
            let step = Progress::open("mixture moments", k as u64);
            stopped |= observer(&step).is_break();
            if stopped {
                refused = refused.or(Some(Error::Stopped { op: OP }));
                break;
            }
            let mut stop = |ll: f64| {
                stopped |= observer(&step.with_figure(ll)).is_break();
                stopped
            };
            match self.trial(&door, &principal, k, &mut stop) {
                Ok(t) if best.as_ref().is_none_or(|b| t.model.bic > b.model.bic) => best = Some(t),
                Ok(_) => {}
                // More components may still separate: three at the corners of a triangle, but not two.
                Err(e) => refused = Some(e),
            }
        }
        let none = || refused.unwrap_or(Error::invalid(OP, "at least one number of components"));
        let trial = best.ok_or_else(none)?;
        let cut = self.least < self.most
            && trial.model.mixture.len() == self.most
            && self.most <= principal.dim;
        finish(trial, &door, (stopped, cut, self.tested), rng, observer)
    }

    fn check(&self, p: &Principal) -> Result<(), Error> {
        let (least, most) = (self.least, self.most);
        let noise_fine = self.noise.is_none_or(|s| s > 0.0 && s < 1e100);
        if !(1 <= least && least <= most && most <= p.rows && noise_fine) {
            let n = p.rows;
            let requirement = format!(
                "components between 1 and the number of samples {n}, got {least}..={most}, and a positive noise"
            );
            return Err(Error::invalid(OP, requirement));
        }
        if least > MOST {
            return Err(Error::limit(OP, "components", MOST as u64));
        }
        if least > p.dim + 1 {
            let hypothesis = "affinely independent means: at most one component more than columns (components asked for)";
            return Err(Error::degenerate(OP, hypothesis, least as f64));
        }
        Ok(())
    }

    fn trial(
        &self,
        door: &Door,
        p: &Principal,
        k: usize,
        stop: &mut dyn FnMut(f64) -> bool,
    ) -> Result<Trial, Error> {
        let rank = k - 1;
        if rank == 0 {
            return one_component(door, p);
        }
        let mut moments = p.moments(rank);
        let mut one_variance = true;
        let atoms = match self.noise.map(|s| s * s) {
            Some(noise) => {
                visible(p, &moments, noise)?;
                spherical_atoms(&moments, noise)?
            }
            None if k <= p.dim => {
                visible(p, &moments, p.bulk(rank))?;
                let (drift, error) = p.drift(rank);
                // The sum of squares of that many standard normals exceeds this once in a thousand cases.
                let chi: f64 = drift
                    .iter()
                    .zip(&error)
                    .map(|(d, e)| (d / e) * (d / e))
                    .sum();
                let chance = rank as f64 + 3.1 * (2.0 * rank as f64).sqrt() + 6.4;
                one_variance = !(chi > chance);
                if !one_variance {
                    moments.noise_drift = drift;
                }
                spherical_atoms(&moments, p.bulk(rank))?
            }
            None => by_fourth_moments(p, &moments)?,
        };
        let components: Vec<Component> = (0..k)
            .map(|i| Component {
                weight: atoms.weights[i],
                mean: p.leave(&atoms.means[i * rank..(i + 1) * rank]),
                // A variance that sampling made negative is replaced by a small one; the sweeps correct it.
                covariance: scaled_identity(
                    door.dim,
                    atoms.variances[i].max(0.05 * p.variances[p.dim - 1]),
                ),
            })
            .collect();
        let start = GaussianMixture::new(door.dim, components)?;
        self.refined(door, start, (Some(atoms), one_variance), stop)
    }

    fn refined(
        &self,
        door: &Door,
        start: GaussianMixture,
        (atoms, one_variance): (Option<MomentAtoms>, bool),
        stop: &mut dyn FnMut(f64) -> bool,
    ) -> Result<Trial, Error> {
        let k = start.len();
        let rows = (door.rows.len() / door.dim) as f64;
        let kind = if one_variance {
            CovarianceKind::SharedSpherical
        } else {
            CovarianceKind::Spherical
        };
        let mut climbed = Climb::from(start.clone());
        climbed.close(&door.rows[..]);
        climbed.settled = true;
        if self.refine {
            // Spherical components: one variance, small against the bulk of the rows.
            let floor = 1e-6 * door.bulk.scale * door.bulk.scale / door.dim as f64;
            let floor = Floor::spherical(door.dim, floor);
            let budget = Budget {
                sweeps: SWEEPS,
                tol: 1e-3,
                floor: &floor,
            };
            climbed = climb(&door.rows[..], &start, kind, budget, stop)?;
        }
        let parameters = kind.parameters(k, door.dim) as f64;
        Ok(Trial {
            settled: climbed.settled && climbed.proper,
            sweeps: climbed.sweeps,
            atoms,
            model: MomentModel {
                bic: 2.0 * climbed.log_likelihood - parameters * rows.ln(),
                log_likelihood: climbed.log_likelihood,
                mixture: climbed.mixture,
                from_moments: start,
                one_variance,
                set_aside: door.set_aside,
            },
        })
    }
}

/// Refuses a span of the means that sampling noise alone could explain.
fn visible(p: &Principal, moments: &PrincipalMoments, noise: f64) -> Result<(), Error> {
    let edge = (1.0 + (p.dim as f64 / p.rows as f64).sqrt()).powi(2) * 1.02;
    let least = moments.variances.last().copied().unwrap_or(f64::INFINITY);
    if least > edge * noise {
        return Ok(());
    }
    let hypothesis = "affinely independent means (least variance in their span over the largest that noise \
                      alone has); ask for fewer components";
    Err(Error::degenerate(OP, hypothesis, least / (edge * noise)))
}

fn one_component(door: &Door, p: &Principal) -> Result<Trial, Error> {
    let mixture = GaussianMixture::spherical(p.dim, [(1.0, p.mean.clone())], p.bulk(0))?;
    let log_likelihood = mixture.log_likelihood(&door.rows);
    let parameters = CovarianceKind::SharedSpherical.parameters(1, p.dim) as f64;
    Ok(Trial {
        settled: true,
        sweeps: 0,
        atoms: None,
        model: MomentModel {
            bic: 2.0 * log_likelihood - parameters * (p.rows as f64).ln(),
            log_likelihood,
            from_moments: mixture.clone(),
            mixture,
            one_variance: true,
            set_aside: door.set_aside,
        },
    })
}

/// The noise whose mixture has fourth moments nearest to those of the sample: a grid, then a golden section.
fn by_fourth_moments(p: &Principal, moments: &PrincipalMoments) -> Result<MomentAtoms, Error> {
    let rank = moments.variances.len();
    let wanted = p.fourth(rank);
    let least = moments
        .variances
        .iter()
        .fold(f64::INFINITY, |m, v| m.min(*v));
    let misfit = |share: f64| {
        let noise = share * least;
        spherical_atoms(moments, noise).map_or(f64::INFINITY, |atoms| {
            let got = p.fourth_of(&atoms, noise);
            got.iter()
                .zip(&wanted)
                .map(|(g, w)| (g - w) * (g - w))
                .sum()
        })
    };
    let share = |i: usize| (i as f64 + 0.5) / GRID as f64;
    let best = (0..GRID).min_by(|&i, &j| misfit(share(i)).total_cmp(&misfit(share(j))));
    let middle = share(best.unwrap_or(0));
    let (mut low, mut high) = (middle - 1.0 / GRID as f64, middle + 1.0 / GRID as f64);
    (low, high) = (low.max(1e-4), high.min(1.0 - 1e-4));
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    for _ in 0..REFINEMENTS {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if misfit(a) < misfit(b) {
            high = b;
        } else {
            low = a;
        }
    }
    spherical_atoms(moments, 0.5 * (low + high) * least)
}
