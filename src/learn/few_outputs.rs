//! Quadratic maps with fewer outputs than symmetric matrices have dimensions.
//!
//! With `d < r(r+1)/2` the covariance and the third cumulants still determine the map locally, from about
//! `d = 2, 3, 5, 7, 8` on for `r = 2, .., 6`, but no algebraic way to it is known. So: least squares on both from many
//! random starts; the model is trusted only when several starts agree and held-out samples follow its law.

use super::floor::statistical_floor;
use super::holdout::HoldoutTest;
use super::moments::Moments;
use super::outputs::Outputs;
use super::split::Split;
use super::white_stream::WhiteRows;
use crate::decomp::{Certificate, Evidence, Fit, SymmetricNls, Whitening, Work};
use crate::io::samples::Samples;
use crate::observe::{Observer, Progress};
use crate::tensor::{QuadraticMap, SymmetricRing, Tensor};
use crate::{Error, Status};
use faer::Mat;
use rand::Rng;

const OP: &str = "FewOutputs::learn";
/// Outputs for which third cumulants are stored.
const MAX_OUTPUTS: usize = 40;
/// Two starts agree when their residuals differ by less than this share.
const AGREE: f64 = 1e-3;

/// Learner of homogeneous quadratic maps from few outputs; the latent dimension must be given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FewOutputs {
    latent: usize,
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
    /// `O(n d^3)` for the cumulants and `O(d^3 N^2 + (dN)^3)` for each step of each start, `N = r(r+1)/2`.
    ///
    /// # Accuracy
    /// That of sample cumulants, `n^(-1/2)`. Local optimisation: without agreement of starts and held-out
    /// samples the status is `Stalled`.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::io::samples::Samples;
    /// use wickring::laws::quadratic_maps::random_quadratic_map;
    /// use wickring::{learn::FewOutputs, observe::unobserved};
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
        let (split, r) = (Split::new(self.holdout), self.latent);
        let outputs = Outputs::of(samples, split, observer)?;
        let m = outputs.active.len();
        self.enough(m)?;
        let rows = WhiteRows {
            active: outputs.active.clone(),
            scale: outputs.scale.clone(),
            mean: outputs.summary.mean().to_vec(),
            down: Mat::identity(m, m),
            split,
        };
        let prepare = |chunk: &_, out: &mut Vec<f64>| rows.white(chunk, out);
        let summary = Moments::of_samples(samples, (m, true), &prepare, observer)?.summary()?;
        let cov = summary.covariance();
        let gram = Mat::from_fn(m, m, |i, j| 0.5 * cov[(i, j)]);
        let third = summary.third_cumulants();
        let third = third.ok_or_else(|| Error::invalid(OP, "third cumulants"))?;
        let eighth = third.as_slice().iter().map(|x| x / 8.0).collect();
        let tensor = Tensor::from_vec(&[m, m, m], eighth)?;

        let mut found: Vec<(f64, SymmetricRing)> = Vec::new();
        let (mut steps, mut stopped) = (0, false);
        for start in 0..self.starts {
            let p = Progress::of("starts", start as u64, self.starts as u64);
            stopped = observer(&p).is_break();
            if stopped {
                break;
            }
            let one = SymmetricNls::new(r).starts(1).max_steps(300);
            let fit = one.decompose(
                gram.as_ref(),
                tensor.view(),
                rng,
                &mut crate::observe::unobserved,
            )?;
            steps += fit.work.sweeps;
            let residual = fit.history.last().copied().unwrap_or(f64::INFINITY);
            found.push((residual, fit.model));
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let Some((best, ring)) = found.first() else {
            return Err(Error::Stopped { op: OP });
        };
        let agreeing = found
            .iter()
            .filter(|f| f.0 <= best * (1.0 + AGREE) + 1e-12)
            .count();
        let map = in_units(&outputs, ring, samples.columns())?;

        let white = Whitening::of(OP, gram.as_ref(), m)?;
        let tested = WhiteRows {
            down: white.down,
            ..rows
        };
        let directions = tested.test_directions(samples.columns(), rng);
        let learning = outputs.summary.count() as f64;
        let held = samples.rows() as f64 - learning;
        let noise = vec![0.0; samples.columns()];
        let test = HoldoutTest::run(
            &map,
            samples,
            split,
            directions.as_ref(),
            (5.0 * held / learning, &noise),
            observer,
        )?;
        let mut evidence = vec![
            Evidence::note("outputs that vary", m as f64),
            Evidence::note(
                "outputs that would make it algebraic",
                (r * (r + 1) / 2) as f64,
            ),
            Evidence::note("relative residual of covariance and third cumulants", *best),
            Evidence::new(
                "starts that miss the best residual, as a share of all",
                1.0 - agreeing as f64 / found.len() as f64,
                // Two at least must agree.
                1.0 - 2.0 / found.len() as f64 + 1e-9,
            ),
            Evidence::note(
                "statistical floor of the relative parameter error",
                statistical_floor(&map, samples.rows()),
            ),
        ];
        evidence.extend(test.evidence());
        let certificate = Certificate {
            rel_residual: test.rel_residual,
            cond: white.cond,
            evidence,
        };
        let status = match certificate.holds() {
            _ if stopped => Status::Stopped,
            true => Status::Converged,
            false => Status::Stalled,
        };
        Ok(Fit {
            model: map,
            status,
            history: vec![test.rel_residual],
            work: Work {
                sweeps: steps,
                backend_calls: 2,
                samples: 3 * samples.rows() as u64,
                starts: found.len(),
            },
            certificate,
        })
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

    /// Entries of the covariance and the third cumulants against unknowns less the gauge.
    fn enough(&self, d: usize) -> Result<(), Error> {
        let r = self.latent;
        let unknowns = d * (r * (r + 1) / 2) - r * (r - 1) / 2;
        let equations = d * (d + 1) / 2 + d * (d + 1) * (d + 2) / 6;
        if equations >= unknowns {
            return Ok(());
        }
        let text = format!(
            "{d} outputs give {equations} second and third cumulants for {unknowns} unknowns of latent dimension {r}: bring more outputs"
        );
        Err(Error::invalid(OP, text))
    }
}

/// The ring of the scaled outputs as a map in the units of the data.
fn in_units(
    outputs: &Outputs,
    ring: &SymmetricRing,
    columns: usize,
) -> Result<QuadraticMap, Error> {
    let r = ring.rank();
    let mut cores = vec![0.0; columns * r * r];
    let mut constant = outputs.mean().to_vec();
    for (row, (&a, s)) in outputs.active.iter().zip(&outputs.scale).enumerate() {
        for i in 0..r {
            for j in 0..r {
                cores[(a * r + i) * r + j] = ring.entry(row, i.min(j), i.max(j)) / s;
            }
            constant[a] -= ring.entry(row, i, i) / s;
        }
    }
    let linear = vec![0.0; columns * r];
    QuadraticMap::new(SymmetricRing::new(r, cores)?, linear, constant)
}
