//! Learning a mixture as a generative model by score regression.

use super::chain::Chain;
use super::denoiser::Ladder;
use super::model::ScoreModel;
use super::noise_levels;
use super::noised_rows::Noised;
use super::regression::hermite_basis::HermiteBasis;
use super::regression::hermite_sums::Linearisation;
use super::regression::piecewise::{Menu, choose};
use super::sample_summary::Survey;
use crate::Error;
use crate::Status;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::learn::mixture::source::{InMemory, SampleSource, in_blocks};
use crate::learn::mixture::subspace::{Subspace, noise_level};
use crate::run::{Observer, Progress, unobserved};
use crate::stats::distances;
use faer::MatRef;
use rand::Rng;

pub(in crate::learn::mixture) const OP: &str = "learn mixture (diffusion)";
/// Coefficients of one cell at most: beyond this rank the degree falls.
const MOST_COEFFICIENTS: usize = 300;
/// Numbers of cells that are tried, while they help.
const CELLS: [usize; 9] = [1, 2, 3, 4, 6, 8, 12, 16, 24];
/// Noised points of a level are at least twice so many, with at most [`MOST_PAIRS`] pairs for each row.
const PAIRS: usize = 100_000;
const MOST_PAIRS: usize = 8;
/// Rows of a block of a pass.
pub(in crate::learn::mixture) const BLOCK: usize = 32_768;
/// Projections of the comparison with the data, and rows on each side.
const PROJECTIONS: usize = 16;
const COMPARED: usize = 20_000;
/// Kolmogorov distance that a fit of many samples may keep.
const KS_SLACK: f64 = 0.02;

/// Score regression on a ladder of noise levels, and the reverse chain.
///
/// Without options: noise level estimated, up to 24 cells and degree 4, about one level per factor of two.
#[derive(Clone, Debug, PartialEq)]
pub struct Diffusion {
    noise: Option<f64>,
    levels: Option<usize>,
    cells: usize,
    degree: usize,
    project: bool,
}

impl Default for Diffusion {
    fn default() -> Self {
        Self::new()
    }
}

impl Diffusion {
    /// The default choices.
    pub fn new() -> Self {
        Self {
            noise: None,
            levels: None,
            cells: 24,
            degree: 4,
            project: true,
        }
    }

    /// The standard deviation of the noise in every direction, when it is known; positive.
    #[must_use]
    pub fn noise(self, noise: f64) -> Self {
        let noise = Some(noise);
        Self { noise, ..self }
    }

    /// Number of noise levels, 2 to 100; by default one for each factor of two, 8 to 28.
    #[must_use]
    pub fn levels(self, levels: usize) -> Self {
        let levels = Some(levels);
        Self { levels, ..self }
    }

    /// Cells of a level at most, 1 to 1000. Default 24.
    #[must_use]
    pub fn max_cells(self, cells: usize) -> Self {
        Self { cells, ..self }
    }

    /// Degree of the denoiser in a cell at most, 1 to 8. Default 4.
    #[must_use]
    pub fn max_degree(self, degree: usize) -> Self {
        Self { degree, ..self }
    }

    /// Whether directions that are pure noise are left out of the regression. Default true.
    #[must_use]
    pub fn project(self, project: bool) -> Self {
        Self { project, ..self }
    }

    /// Learns the law of the rows of `samples`.
    ///
    /// Principal directions above the noise are kept. At each level of a ladder of added noise, from the
    /// largest down, `y = x +- sqrt(t) z` is formed from the rows with antithetic noise and the mean of the
    /// signal given `y` is regressed: Voronoi cells from the denoised points of the level above, in each cell
    /// the gradient of a polynomial potential in orthonormal Hermite products, the numbers of cells and the
    /// degree of each cell chosen by cross-validation in four folds. The model then samples by a reverse chain
    /// that stops at the noise of the data, see [`ScoreModel::sample`].
    ///
    /// `Converged` means: fresh samples of the model, projected on 16 random directions, differ from the data
    /// by no more than chance and 0.02 in Kolmogorov's distance, and there are at least 50 distinct
    /// rows for each dimension of the subspace and no more columns than rows. The theorem behind the method needs the support of `Q` to be covered by few
    /// balls of radius comparable to the noise; that is not checked.
    ///
    /// # Shapes
    /// `samples` is `N x n`, rows are samples.
    ///
    /// # Errors
    /// `InvalidInput` for options outside their domain, fewer than ten rows, or a constant column; `NonFinite`;
    /// `Degenerate` when a direction varies less than the given noise, or more than 60 directions vary more.
    ///
    /// # Complexity
    /// For rank `r`, degree `d`, `p = C(r + d + 1, r)`: `O(N (q + r p))` time for each level and number of
    /// cells tried, `q = C(r + 2 d, r)`, on at most 200000 rows (each with up to 8 pairs of noise when there are
    /// fewer than 100000), and one more pass over all rows; `O(cells p^2)` memory for each level.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::learn::mixture::{Chain, Diffusion, GaussianMixture};
    /// let mut rng = ChaCha8Rng::seed_from_u64(7);
    /// let truth = GaussianMixture::spherical(2, [(0.5, vec![-3.0, 0.0]), (0.5, vec![3.0, 0.0])], 1.0)?;
    /// let rows = truth.sample(2000, &mut rng);
    /// let samples = faer::MatRef::from_row_major_slice(&rows, 2000, 2);
    /// let model = Diffusion::new().noise(1.0).learn(samples, &mut rng)?.converged()?;
    /// let fresh = model.sample(500, Chain::default(), &mut rng)?;
    /// assert_eq!((model.rank(), fresh.len()), (1, 1000));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Learning mixtures of Gaussians using diffusion models, arXiv 2404.18869. We depart in: the degree and
    /// the cells are chosen by cross-validation, not by the constants of the theorem; the denoiser is the
    /// gradient of a potential (half the coefficients); antithetic noise; the chain stops at the noise of the
    /// data instead of a small positive time.
    pub fn learn(
        &self,
        samples: MatRef<'_, f64>,
        rng: &mut impl Rng,
    ) -> Result<Fit<ScoreModel>, Error> {
        let (n, dim) = (samples.nrows(), samples.ncols());
        let rows: Vec<f64> = (0..n * dim).map(|i| samples[(i / dim, i % dim)]).collect();
        self.learn_from(&mut InMemory { rows: &rows, dim }, rng, &mut unobserved)
    }

    /// As [`Diffusion::learn`], from samples that need not fit in memory: three passes, or two when there are
    /// no more than 200000 rows.
    ///
    /// # Errors
    /// As [`Diffusion::learn`], those of the source, and `Stopped` when asked to stop before the first level is
    /// learned. Later the model is that of the levels so far, with the status `Stopped`: below them it keeps the
    /// lowest learned denoiser, which blurs what is finer.
    pub fn learn_from(
        &self,
        source: &mut dyn SampleSource,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<ScoreModel>, Error> {
        self.check(source.dim())?;
        let survey = Survey::take(source, rng, observer)?;
        let subspace = self.subspace(&survey, rng)?;
        let mut rungs = self.regress(&survey, &subspace, rng, observer)?;
        if !rungs.stopped && survey.rows > survey.kept.len() / survey.dim {
            match rungs.refit(source, &survey, &subspace, observer) {
                // The coefficients from the rows in memory stay.
                Err(Error::Stopped { .. }) => rungs.stopped = true,
                other => other?,
            }
        }
        finish(subspace, rungs, &survey, rng)
    }

    fn check(&self, dim: usize) -> Result<(), Error> {
        let positive = |s: f64| s > 0.0 && s < 1e100;
        let fine = dim > 0
            && self.noise.is_none_or(positive)
            && self.levels.is_none_or(|l| (2..=100).contains(&l))
            && (1..=1000).contains(&self.cells)
            && (1..=8).contains(&self.degree);
        if fine {
            return Ok(());
        }
        let requirement = "at least one column, a positive noise level, 2 to 100 levels, 1 to 1000 cells, \
                           degree 1 to 8";
        Err(Error::invalid(OP, requirement))
    }

    fn subspace(&self, survey: &Survey, rng: &mut impl Rng) -> Result<Subspace, Error> {
        let covariance = survey.covariance.as_ref();
        let sigma = match self.noise {
            Some(sigma) => sigma,
            None => noise_level(covariance, &survey.kept, survey.rows, rng)?,
        };
        let mut subspace = Subspace::of(survey.mean.clone(), covariance, survey.rows, sigma)?;
        if !self.project {
            subspace.keep_all(covariance)?;
        }
        subspace.orient(&survey.kept);
        Ok(subspace)
    }

    /// The largest degree of a potential that the rank allows.
    fn potential_degree(&self, rank: usize) -> Result<usize, Error> {
        let fits = |d: &usize| HermiteBasis::size(rank, *d, MOST_COEFFICIENTS).is_some();
        if let Some(d) = (2..=self.degree + 1).rev().find(fits) {
            return Ok(d);
        }
        // Linear denoisers, one quadratic potential in each cell, as long as a Gram matrix stays small.
        if rank <= 60 {
            return Ok(2);
        }
        let hypothesis = "at most 60 directions that vary more than the noise (their number)";
        Err(Error::degenerate(OP, hypothesis, rank as f64))
    }

    /// All levels from the top down, on the rows in memory.
    fn regress(
        &self,
        survey: &Survey,
        subspace: &Subspace,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Rungs, Error> {
        let rank = subspace.rank();
        let mut rungs = Rungs {
            seed: rng.next_u64(),
            ladder: Ladder {
                dim: rank,
                levels: Vec::new(),
            },
            losses: Vec::new(),
            stopped: false,
        };
        if rank == 0 {
            return Ok(rungs);
        }
        let degree = self.potential_degree(rank)?;
        let menu = Menu {
            cells: CELLS.iter().copied().filter(|&k| k <= self.cells).collect(),
            degree,
            by: Linearisation::new(rank, degree),
        };
        let u = subspace.enter(&survey.kept);
        let pairs = (PAIRS * rank / u.len().max(1)).clamp(1, MOST_PAIRS);
        let ts = noise_levels::levels(subspace.spectrum[0] - 1.0, self.levels);
        let mut warm: Option<Vec<f64>> = None;
        for (i, &t) in ts.iter().enumerate().rev() {
            let step = Progress::of("noise levels", (ts.len() - 1 - i) as u64, ts.len() as u64);
            if rungs.stopped || observer(&step).is_break() {
                rungs.stopped = true;
                break;
            }
            let data = Noised::draw(&u, (rank, pairs), t, rungs.seed, i as u64, 0);
            let data = data.with_copies(&survey.first);
            let mut stop = || {
                rungs.stopped |= observer(&step).is_break();
                rungs.stopped
            };
            let chosen = choose(&data, 1.0 + t, warm.as_deref(), &menu, rng, &mut stop)?;
            warm = Some(data.denoised(&chosen.level));
            rungs.losses.push(chosen.loss);
            rungs.ladder.levels.push(chosen.level);
        }
        if rungs.ladder.levels.is_empty() {
            return Err(Error::Stopped { op: OP });
        }
        rungs.ladder.levels.reverse();
        Ok(rungs)
    }
}

/// The learned levels, and what a refit needs.
struct Rungs {
    seed: u64,
    ladder: Ladder,
    /// Cross-validated loss from the top level down.
    losses: Vec<f64>,
    /// Whether the work was stopped: levels are missing below, or were not fitted to all rows.
    stopped: bool,
}

impl Rungs {
    /// New coefficients from every row, with the cells and degrees that were chosen.
    fn refit(
        &mut self,
        source: &mut dyn SampleSource,
        survey: &Survey,
        subspace: &Subspace,
        observer: Observer<'_>,
    ) -> Result<(), Error> {
        let rank = subspace.rank();
        if rank == 0 {
            return Ok(());
        }
        let levels = self.ladder.levels.iter();
        let degrees = levels
            .clone()
            .flat_map(|l| l.pieces.iter().map(|p| p.degree));
        let most = degrees.max().unwrap_or(1);
        let by: Vec<Linearisation> = (0..=most).map(|d| Linearisation::new(rank, d)).collect();
        let mut sums: Vec<_> = levels.map(|l| l.no_sums(&by)).collect();
        let dim = source.dim();
        in_blocks(source, BLOCK, observer, &mut |first, block| {
            let kept: Vec<f64> = block
                .chunks_exact(dim)
                .filter(|r| survey.bulk.keeps(r))
                .flatten()
                .copied()
                .collect();
            let u = subspace.enter(&kept);
            for (i, (level, sums)) in self.ladder.levels.iter().zip(&mut sums).enumerate() {
                let t = level.temperature - 1.0;
                let data = Noised::draw(&u, (rank, 1), t, self.seed, i as u64, first);
                data.add_to(level, &by, sums);
            }
            Ok(())
        })?;
        for (level, sums) in self.ladder.levels.iter_mut().zip(&sums) {
            level.resolve(&by, sums);
        }
        Ok(())
    }
}

fn finish(
    subspace: Subspace,
    rungs: Rungs,
    survey: &Survey,
    rng: &mut impl Rng,
) -> Result<Fit<ScoreModel>, Error> {
    let work = Work {
        sweeps: rungs.ladder.levels.len(),
        samples: (survey.rows * (2 + rungs.ladder.levels.len())) as u64,
        ..Work::default()
    };
    let history = rungs.losses;
    let (rank, sigma) = (subspace.rank(), subspace.sigma);
    let top = subspace.spectrum.first().copied().unwrap_or(1.0);
    let ladder = rungs.ladder;
    let model = ScoreModel { subspace, ladder };
    let compared = COMPARED.min(survey.kept.len() / survey.dim);
    let drawn = COMPARED.min(4 * compared);
    let fresh = model.sample(drawn, Chain::default(), rng)?;
    let distance = distances::projected_ks(
        &fresh,
        &survey.kept[..compared * survey.dim],
        survey.dim,
        PROJECTIONS,
        rng,
    );
    // A thousandth's quantile of Kolmogorov's distance, for the largest of sixteen.
    let chance = 2.28 * (1.0 / compared as f64 + 1.0 / drawn as f64).sqrt();
    let distinct = survey.distinct();
    let need = 50.0 * rank as f64 / (distinct * survey.rows as f64);
    let wide = survey.dim as f64 / survey.rows as f64;
    let checks = vec![
        Check::sampling(
            "diffusion.kolmogorov",
            "Kolmogorov distance of samples and data, worst of 16 projections",
            distance,
            KS_SLACK + chance,
        ),
        Check::sampling(
            "diffusion.rows-per-dimension",
            "50 distinct rows for each dimension of the subspace (share needed)",
            need,
            1.0,
        ),
        Check::sampling(
            "diffusion.columns-over-rows",
            "columns over rows",
            wide,
            1.0,
        ),
        Check::reported(
            "diffusion.repeated-rows",
            "rows that repeat another one (share)",
            1.0 - distinct,
        ),
        Check::reported(
            "diffusion.subspace-dimension",
            "dimension of the subspace above the noise",
            rank as f64,
        ),
        Check::reported("diffusion.noise-level", "noise level", sigma),
        Check::reported(
            "diffusion.outliers",
            "rows set aside as outliers",
            survey.set_aside as f64,
        ),
    ];
    let evidence = Evidence {
        rel_residual: distance,
        condition: top,
        checks,
    };
    let status = if rungs.stopped {
        Status::Stopped
    } else if evidence.holds() {
        Status::Converged
    } else if need > 1.0 || wide > 1.0 {
        Status::IllConditioned
    } else {
        Status::Stalled
    };
    Ok(Fit {
        model,
        status,
        history,
        work,
        evidence,
    })
}
