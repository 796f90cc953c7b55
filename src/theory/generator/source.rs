//! Where pairs `(c, x)` come from: the interface of the simulations, and two sources that need no generator.

use crate::Error;
use crate::linalg::symmetric_eigen;
use crate::theory::covariance::Covariances;
use crate::theory::covariance::require_finite;
use faer::{Mat, MatRef};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

/// A law of pairs of latents and inputs that can be sampled.
///
/// See [`GaussianSource`] for an example.
pub trait Source: Sync {
    /// Number of latents `D`.
    fn latents(&self) -> usize;
    /// Number of inputs `N`.
    fn inputs(&self) -> usize;
    /// Draws `count` pairs as columns of `(c, x)`, `D x count` and `N x count`, sample by sample, so that
    /// the same stream gives the same samples however it is cut into blocks.
    fn draw(&self, count: usize, rng: &mut ChaCha8Rng) -> (Mat<f64>, Mat<f64>);
}

/// The generator of random numbers for one task of one stage: streams never overlap.
pub(in crate::theory) fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// A matrix of standard normals, filled column by column.
pub(in crate::theory) fn normal_matrix(
    rows: usize,
    columns: usize,
    rng: &mut impl Rng,
) -> Mat<f64> {
    let mut m = Mat::zeros(rows, columns);
    for j in 0..columns {
        (0..rows).for_each(|i| m[(i, j)] = StandardNormal.sample(rng));
    }
    m
}

/// Gaussian inputs with given covariances: what the equivalence replaces a generator by.
///
/// `x = Phi c + (Omega - Phi Phi')^(1/2) z`.
///
/// # Example
/// ```
/// use faer::mat;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::theory::{Covariances, GaussianSource, Source};
/// let law = Covariances::new(mat![[1.0, 0.3], [0.3, 1.0]], mat![[0.8], [0.6]])?;
/// let (c, x) = GaussianSource::new(&law)?.draw(5, &mut ChaCha8Rng::seed_from_u64(1));
/// assert_eq!((c.nrows(), x.nrows(), x.ncols()), (1, 2, 5));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GaussianSource {
    phi: Mat<f64>,
    root: Mat<f64>,
}

impl GaussianSource {
    /// The Gaussian law with these covariances.
    ///
    /// # Errors
    /// `Degenerate` when `Omega - Phi Phi'` has an eigenvalue below `-0.1` of the largest of `Omega`:
    /// the latents are not standard, or the matrices do not belong together. Smaller ones, as covariances
    /// of few samples have, are set to zero (see [`Covariances::defect`]).
    ///
    /// # Complexity
    /// `O(N^3)`.
    /// Here `N` is the number of inputs.
    pub fn new(law: &Covariances) -> Result<Self, Error> {
        let op = "GaussianSource::new";
        let rest = law.omega() - law.phi() * law.phi().transpose();
        let eigen = symmetric_eigen(op, rest.as_ref())?;
        let largest = law.largest_eigenvalue();
        let least = eigen.values.first().copied().unwrap_or(0.0);
        if least < -0.1 * largest.max(f64::MIN_POSITIVE) {
            let hypothesis = "Omega - Phi Phi' positive semidefinite (smallest eigenvalue)";
            return Err(Error::degenerate(op, hypothesis, least));
        }
        let n = law.inputs();
        let root = Mat::from_fn(n, n, |i, j| {
            eigen.vectors[(i, j)] * eigen.values[j].max(0.0).sqrt()
        });
        Ok(Self {
            phi: law.phi().to_owned(),
            root,
        })
    }
}

impl Source for GaussianSource {
    fn latents(&self) -> usize {
        self.phi.ncols()
    }

    fn inputs(&self) -> usize {
        self.phi.nrows()
    }

    fn draw(&self, count: usize, rng: &mut ChaCha8Rng) -> (Mat<f64>, Mat<f64>) {
        let (d, n) = (self.latents(), self.inputs());
        // Latents and noise of a sample follow each other in the stream.
        let both = normal_matrix(d + n, count, rng);
        let c = both.subrows(0, d);
        let x = &self.phi * c + &self.root * both.subrows(d, n);
        (c.to_owned(), x)
    }
}

/// Pairs given as samples; drawn with replacement.
///
/// A student that sees a pair twice is not an online learner: draws should stay far below the number of
/// pairs, and [`PairedSamples::reuse`] says how far.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::theory::PairedSamples;
/// let pairs = PairedSamples::new(mat![[1.0, -1.0, 0.5]], mat![[2.0, -2.0, 3.0]])?;
/// assert_eq!(pairs.reuse(6), 2.0);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PairedSamples {
    c: Mat<f64>,
    x: Mat<f64>,
}

impl PairedSamples {
    /// Takes the pairs as columns; `x` is centred here.
    ///
    /// # Shapes
    /// `c` is `D x P`, `x` is `N x P`, `P >= 2`.
    ///
    /// # Errors
    /// `Shape`, `NonFinite`.
    pub fn new(c: Mat<f64>, x: Mat<f64>) -> Result<Self, Error> {
        let op = "PairedSamples::new";
        if c.ncols() != x.ncols() || c.ncols() < 2 || c.nrows() == 0 || x.nrows() == 0 {
            let found = format!(
                "{} x {} and {} x {}",
                c.nrows(),
                c.ncols(),
                x.nrows(),
                x.ncols()
            );
            return Err(Error::shape(
                op,
                "as many latents as inputs, at least two",
                found,
            ));
        }
        require_finite(op, c.as_ref())?;
        require_finite(op, x.as_ref())?;
        let mut x = x;
        for i in 0..x.nrows() {
            let mean = x.row(i).iter().sum::<f64>() / x.ncols() as f64;
            (0..x.ncols()).for_each(|j| x[(i, j)] -= mean);
        }
        Ok(Self { c, x })
    }

    /// The covariances of the pairs.
    ///
    /// # Errors
    /// `Shape`, `InvalidInput`: see [`crate::theory::covariance::CovarianceStream`].
    pub fn covariances(&self) -> Result<Covariances, Error> {
        let mut stream =
            crate::theory::covariance::CovarianceStream::new(self.x.nrows(), self.c.nrows());
        let block = 4096;
        for from in (0..self.x.ncols()).step_by(block) {
            let count = block.min(self.x.ncols() - from);
            let part = |m: &Mat<f64>| -> Mat<f64> { m.subcols(from, count).to_owned() };
            stream.push(part(&self.c).as_ref(), part(&self.x).as_ref())?;
        }
        stream.finish()
    }

    /// The pairs, latents first.
    pub fn pairs(&self) -> (MatRef<'_, f64>, MatRef<'_, f64>) {
        (self.c.as_ref(), self.x.as_ref())
    }

    /// Expected number of times that a pair is met in `draws` draws.
    pub fn reuse(&self, draws: u64) -> f64 {
        draws as f64 / self.x.ncols() as f64
    }
}

impl Source for PairedSamples {
    fn latents(&self) -> usize {
        self.c.nrows()
    }

    fn inputs(&self) -> usize {
        self.x.nrows()
    }

    fn draw(&self, count: usize, rng: &mut ChaCha8Rng) -> (Mat<f64>, Mat<f64>) {
        let rows: Vec<usize> = (0..count)
            .map(|_| rng.random_range(0..self.x.ncols()))
            .collect();
        let take = |m: &Mat<f64>| Mat::from_fn(m.nrows(), count, |i, j| m[(i, rows[j])]);
        (take(&self.c), take(&self.x))
    }
}
