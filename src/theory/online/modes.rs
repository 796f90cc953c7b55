//! Densities of the order parameters over the spectrum of the input covariance.

use super::committee::Committee;
use crate::Error;
use crate::theory::covariance::Covariances;

/// What the equations of motion start from: the spectrum in bins, and overlaps resolved by bin.
///
/// Everything depends on an eigenvector only through its eigenvalue, so modes with equal eigenvalues are
/// added up: with the one-layer covariance of a wide generator most modes are in one bin.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::theory::{Committee, Covariances, Modes};
/// let law = Covariances::new(mat![[1.0, 0.3], [0.3, 1.0]], mat![[0.8], [0.6]])?;
/// let student = Committee::new(mat![[0.1, -0.2]], vec![1.0])?;
/// let modes = Modes::new(&law, &student, &Committee::new(mat![[1.0]], vec![1.0])?, 0.0)?;
/// assert_eq!(modes.shares, [0.5, 0.5]);
/// assert!((modes.eigenvalues[0] - 0.7).abs() < 1e-14);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Modes {
    /// Mean eigenvalue of each bin, increasing.
    pub eigenvalues: Vec<f64>,
    /// Share of the modes in each bin; adds up to one.
    pub shares: Vec<f64>,
    /// Number of inputs `N`.
    pub inputs: usize,
    /// Number of latents `D`.
    pub latents: usize,
    /// `q_kl`, one block of bins per pair `k <= l` (in the order 00, 01, 11, 02, ...): the part of `Q_kl`
    /// in the bin, divided by its eigenvalue.
    pub q: Vec<f64>,
    /// `r_km`, one block of bins per student and teacher: the part of `sqrt(D/N) R_km` in the bin.
    pub r: Vec<f64>,
    /// The same of the teacher's images, `M x M` blocks; constant in time.
    pub teacher: Vec<f64>,
}

/// Where each bin of ascending eigenvalues begins; a bin holds those within a relative `width` of its first.
fn bin_starts(values: &[f64], width: f64) -> Vec<usize> {
    let largest = values.last().copied().unwrap_or(0.0);
    // Equal eigenvalues come back apart by a few units of rounding of the largest.
    let slack = 8.0 * f64::EPSILON * (values.len() as f64).sqrt() * largest;
    let (mut starts, mut first) = (Vec::new(), None);
    for (i, &rho) in values.iter().enumerate() {
        if first.is_none_or(|first| rho - first > width * first + slack) {
            first = Some(rho);
            starts.push(i);
        }
    }
    starts
}

impl Modes {
    /// Projects student and teacher on the eigenvectors of `Omega`.
    ///
    /// Eigenvalues within a relative `width` of the first of a bin are merged; 0 merges those equal to
    /// rounding only.
    ///
    /// # Errors
    /// `Shape`; `InvalidInput` for a width outside `[0, 1]`; those of [`Covariances::spectrum`].
    ///
    /// # Complexity
    /// `O(N^3)` for the eigenvectors.
    /// Here `N` is the number of inputs.
    pub fn new(
        law: &Covariances,
        student: &Committee,
        teacher: &Committee,
        width: f64,
    ) -> Result<Self, Error> {
        let op = "Modes::new";
        if !(0.0..=1.0).contains(&width) {
            let requirement = format!("a bin width in [0, 1], got {width}");
            return Err(Error::invalid(op, requirement));
        }
        let (n, d) = (law.inputs(), law.latents());
        if student.dim() != n || teacher.dim() != d {
            let expected = format!("a student of {n} inputs and a teacher of {d}");
            let found = format!("{} and {}", student.dim(), teacher.dim());
            return Err(Error::shape(op, expected, found));
        }
        let eigen = law.spectrum(op)?;
        let starts = bin_starts(&eigen.values, width);
        let bins = starts.len();
        let end = |b: usize| starts.get(b + 1).copied().unwrap_or(n);
        let count = |b: usize| (end(b) - starts[b]) as f64;
        let student = student.first() * &eigen.vectors;
        let teacher = teacher.first() * law.phi().transpose() * &eigen.vectors;
        let (k, m) = (student.nrows(), teacher.nrows());
        let block = |a: &dyn Fn(usize) -> f64, out: &mut Vec<f64>| {
            out.extend((0..bins).map(|b| (starts[b]..end(b)).map(a).sum::<f64>() / n as f64));
        };
        let (mut q, mut r, mut tt) = (Vec::new(), Vec::new(), Vec::new());
        for l in 0..k {
            (0..=l).for_each(|i| block(&|t| student[(i, t)] * student[(l, t)], &mut q));
        }
        for i in 0..k {
            (0..m).for_each(|j| block(&|t| student[(i, t)] * teacher[(j, t)], &mut r));
        }
        for i in 0..m {
            (0..m).for_each(|j| block(&|t| teacher[(i, t)] * teacher[(j, t)], &mut tt));
        }
        let mut eigenvalues = Vec::new();
        block(&|t| eigen.values[t], &mut eigenvalues);
        for (b, rho) in eigenvalues.iter_mut().enumerate() {
            *rho *= n as f64 / count(b);
        }
        Ok(Self {
            eigenvalues,
            shares: (0..bins).map(|b| count(b) / n as f64).collect(),
            inputs: n,
            latents: d,
            q,
            r,
            teacher: tt,
        })
    }

    /// Number of bins.
    pub fn bins(&self) -> usize {
        self.eigenvalues.len()
    }
}
