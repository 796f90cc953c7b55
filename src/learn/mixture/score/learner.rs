//! Learning a mixture as a generative model by score regression.

use super::denoiser::Ladder;
use super::evidence::finish;
use super::model::ScoreModel;
use super::noise_levels;
use super::noised_rows::Noised;
use super::regression::hermite_basis::HermiteBasis;
use super::regression::hermite_sums::Linearisation;
use super::regression::piecewise::{Menu, choose};
use super::sample_summary::Survey;
use crate::Error;
use crate::fit::Fit;
use crate::learn::mixture::input_check::few_columns;
use crate::learn::mixture::source::{InMemory, SampleSource, in_blocks};
use crate::learn::mixture::subspace::{Subspace, noise_level};
use crate::learn::mixture::whitening::Whitening;
use crate::run::{Observer, Progress, unobserved};
use faer::MatRef;
use rand::Rng;
use std::cell::RefCell;

pub(in crate::learn::mixture) const OP: &str = "Diffusion::learn";
/// Coefficients of one cell at most: beyond this rank the degree falls.
const MOST_COEFFICIENTS: usize = 300;
/// Numbers of cells that are tried, while they help.
const CELLS: [usize; 9] = [1, 2, 3, 4, 6, 8, 12, 16, 24];
/// Noised points of a level are at least twice so many, with at most [`MOST_PAIRS`] pairs for each row.
const PAIRS: usize = 100_000;
const MOST_PAIRS: usize = 8;
/// Rows of a block of a pass.
pub(in crate::learn::mixture) const BLOCK: usize = 32_768;
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
    /// For a comparison with others: no tests of the fit, and no more directions than so many.
    rough: Option<usize>,
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
            rough: None,
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

    /// Without tests of the fit, and only where at most `rank` directions vary more than the noise.
    pub(in crate::learn::mixture) fn rough(self, rank: usize) -> Self {
        let rough = Some(rank);
        Self { rough, ..self }
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
    /// `Converged` means: the rows look like fresh draws of the model along directions, in length, covariance and energy
    /// distance, as far as such draws look alike; on 16 random directions they differ from them
    /// by no more than chance and 0.02 in Kolmogorov's distance; and there are at least 50 distinct
    /// rows for each dimension of the subspace and no more columns than rows. The theorem behind the method needs the support of `Q` to be covered by few
    /// balls of radius comparable to the noise; that is not checked. `Undecided`: nothing speaks against the model, but
    /// a Kolmogorov distance of 0.15 could have gone unnoticed.
    ///
    /// # Shapes
    /// `samples` is `N x n`, rows are samples.
    ///
    /// # Errors
    /// `InvalidInput` for options outside their domain, fewer than ten rows, a constant column or columns with an
    /// exact linear relation, which is named; `LimitExceeded` for more than 2000 columns; `NonFinite`;
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
        few_columns(OP, source.dim())?;
        let survey = Survey::take(source, rng, observer)?;
        // No law with noise in every direction puts rows into a plane; fewer rows than columns are said later.
        if survey.kept.len() > survey.dim * survey.dim {
            Whitening::of(OP, &survey.kept, survey.dim)?;
        }
        let subspace = self.subspace(&survey, rng, observer)?;
        if self.rough.is_some_and(|most| subspace.rank() > most) {
            let hypothesis =
                "few directions that vary more than the noise, in a contest (their number)";
            return Err(Error::degenerate(OP, hypothesis, subspace.rank() as f64));
        }
        let mut rungs = self.regress(&survey, &subspace, rng, observer)?;
        if !rungs.stopped && survey.rows > survey.kept.len() / survey.dim {
            match rungs.refit(source, &survey, &subspace, observer) {
                // The coefficients from the rows in memory stay.
                Err(Error::Stopped { .. }) => rungs.stopped = true,
                other => other?,
            }
        }
        finish(
            subspace,
            rungs,
            (&survey, self.rough.is_none()),
            rng,
            observer,
        )
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

    fn subspace(
        &self,
        survey: &Survey,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Subspace, Error> {
        let covariance = survey.covariance.as_ref();
        let sigma = match self.noise {
            Some(sigma) => sigma,
            None => noise_level(covariance, &survey.kept, survey.rows, rng, observer)?,
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
            let Some(chosen) = choose(&data, 1.0 + t, warm.as_deref(), &menu, rng, &mut stop)?
            else {
                break;
            };
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
pub(in crate::learn::mixture) struct Rungs {
    seed: u64,
    pub(in crate::learn::mixture) ladder: Ladder,
    /// Cross-validated loss from the top level down.
    pub(in crate::learn::mixture) losses: Vec<f64>,
    /// Whether the work was stopped: levels are missing below, or were not fitted to all rows.
    pub(in crate::learn::mixture) stopped: bool,
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
        // Looked at between blocks and between the levels of a block.
        let watch = RefCell::new(observer);
        let mut between = |p: &Progress| (watch.borrow_mut())(p);
        in_blocks(source, BLOCK, &mut between, &mut |first, block| {
            let kept: Vec<f64> = block
                .chunks_exact(dim)
                .filter(|r| survey.bulk.keeps(r))
                .flatten()
                .copied()
                .collect();
            let u = subspace.enter(&kept);
            for (i, (level, sums)) in self.ladder.levels.iter().zip(&mut sums).enumerate() {
                let t = level.temperature - 1.0;
                let step = Progress::open("all rows", first as u64);
                if (watch.borrow_mut())(&step).is_break() {
                    return Err(Error::Stopped { op: OP });
                }
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
