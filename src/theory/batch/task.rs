//! What the fixed-point equations read from the covariances.

use crate::Error;
use crate::theory::covariance::Covariances;
use crate::theory::covariance::require_finite;
use faer::MatRef;

/// Spectrum of the student's features and of the teacher seen through it.
///
/// Invariant: finite; `w_i >= 0`, `d_i >= 0`, `d_i = 0` where `w_i = 0`; `rho > 0`; the teacher's image
/// explains no more than its variance, `sum_i d_i / w_i <= k rho`.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::theory::{Covariances, batch::Task};
/// let law = Covariances::new(mat![[1.0, 0.0], [0.0, 2.0]], mat![[1.0, 0.0], [0.0, 1.0]])?;
/// let task = Task::on_latents(&law, &[1.0, 1.0])?;
/// assert_eq!((task.features(), task.rho()), (2, 1.0));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub(super) eigenvalues: Vec<f64>,
    pub(super) image: Vec<f64>,
    pub(super) rho: f64,
    pub(super) gamma: f64,
}

/// The three order parameters at one sample ratio and regularisation, and what follows from them.
///
/// See [`ridge`](super::ridge::ridge) for an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchPoint {
    /// Samples per student feature.
    pub alpha: f64,
    /// Regularisation.
    pub lambda: f64,
    /// `V`: susceptibility of the student's field.
    pub v: f64,
    /// `q`: variance of the student's field.
    pub q: f64,
    /// `m`: covariance of the fields of student and teacher.
    pub m: f64,
    /// Generalisation error: `E (teacher - student)^2` on values, the misclassified share on signs.
    pub error: f64,
    /// Mean training loss: squared residual `(y - yhat)^2` on values, the loss itself on signs.
    pub train: f64,
}

impl BatchPoint {
    /// The same, unless covariances at the ends of the range have made it overflow.
    pub(super) fn finite(self, op: &'static str) -> Result<Self, Error> {
        let all = [self.v, self.q, self.m, self.error, self.train];
        let what = "an order parameter";
        match all.iter().all(|x| x.is_finite()) {
            true => Ok(self),
            false => Err(Error::Overflow { op, what }),
        }
    }
}

/// Refuses a spectrum of other lengths or numbers than [`Task::from_spectrum`] takes.
fn require_spectrum(
    op: &'static str,
    (eigenvalues, image): (&[f64], &[f64]),
    [rho, gamma]: [f64; 2],
) -> Result<(), Error> {
    if eigenvalues.len() != image.len() || image.is_empty() {
        let found = format!("{} and {}", eigenvalues.len(), image.len());
        let expected = "as many eigenvalues as images, at least one";
        return Err(Error::shape(op, expected, found));
    }
    let scalars = [rho, gamma];
    let all = eigenvalues.iter().chain(image).chain(&scalars);
    if let Some(index) = all.clone().position(|x| !x.is_finite()) {
        return Err(Error::NonFinite { op, index });
    }
    if all.clone().any(|x| *x < 0.0) || gamma == 0.0 {
        let requirement = "entries must not be negative, gamma positive";
        return Err(Error::invalid(op, requirement));
    }
    if rho == 0.0 {
        let hypothesis = "a teacher that is not zero (its variance)";
        return Err(Error::degenerate(op, hypothesis, rho));
    }
    Ok(())
}

impl Task {
    /// A task on latents: the teacher sees `c`, so `Psi = I`, `k = D`, `p = N`.
    ///
    /// # Shapes
    /// `theta` has `D` entries.
    ///
    /// # Errors
    /// `Shape`, `NonFinite`; `Degenerate` when the covariances are not jointly positive semidefinite or the
    /// teacher is zero.
    ///
    /// # Complexity
    /// `O(N^3)` for the spectrum.
    pub fn on_latents(law: &Covariances, theta: &[f64]) -> Result<Self, Error> {
        Self::new(law, None, theta)
    }

    /// A task whose teacher sees features `u` with covariance `psi`; `law.phi()` is `E x u'`.
    ///
    /// # Shapes
    /// `psi` is `k x k`, `theta` has `k` entries, `law.phi()` has `k` columns.
    ///
    /// # Errors
    /// As [`Task::on_latents`].
    ///
    /// # Complexity
    /// `O(N^3)`.
    /// Here `N` is the number of inputs.
    pub fn on_features(
        law: &Covariances,
        psi: MatRef<'_, f64>,
        theta: &[f64],
    ) -> Result<Self, Error> {
        Self::new(law, Some(psi), theta)
    }

    fn new(law: &Covariances, psi: Option<MatRef<'_, f64>>, theta: &[f64]) -> Result<Self, Error> {
        let op = "Task::new";
        let (p, k) = (law.inputs(), law.latents());
        let square = psi.is_none_or(|m| m.nrows() == k && m.ncols() == k);
        if theta.len() != k || !square {
            let found = format!("a teacher of {} entries", theta.len());
            return Err(Error::shape(
                op,
                format!("a teacher of {k}, Psi {k} x {k}"),
                found,
            ));
        }
        let variance = match psi {
            None => theta.iter().map(|t| t * t).sum::<f64>(),
            Some(psi) => {
                require_finite(op, psi)?;
                let row = |i: usize| (0..k).map(|j| psi[(i, j)] * theta[j]).sum::<f64>();
                (0..k).map(|i| theta[i] * row(i)).sum()
            }
        };
        let eigen = law.spectrum(op)?;
        let theta = faer::Mat::from_fn(k, 1, |i, _| theta[i]);
        let image = eigen.vectors.transpose() * (law.phi() * theta);
        let image: Vec<f64> = (0..p).map(|i| image[(i, 0)] * image[(i, 0)]).collect();
        Self::from_spectrum(
            eigen.values,
            image,
            variance / k as f64,
            k as f64 / p as f64,
        )
    }

    /// A task from its spectrum: eigenvalues `w_i` of `Omega`, `d_i = (U' Phi theta)_i^2`,
    /// `rho = theta' Psi theta / k`, `gamma = k / p`.
    ///
    /// # Errors
    /// `Shape` for lists of different or zero length, `NonFinite`, `InvalidInput` for negative entries or a
    /// `gamma` that is not positive, `Degenerate` as in [`Task::on_latents`].
    pub fn from_spectrum(
        eigenvalues: Vec<f64>,
        image: Vec<f64>,
        rho: f64,
        gamma: f64,
    ) -> Result<Self, Error> {
        let op = "Task::from_spectrum";
        require_spectrum(op, (&eigenvalues, &image), [rho, gamma])?;
        let largest = eigenvalues.iter().fold(0.0f64, |s, x| s.max(*x));
        // What rounding leaves of an eigenvalue that is zero; a student cannot learn along it.
        let null = 1e-13 * largest * eigenvalues.len() as f64;
        let total = rho * gamma * eigenvalues.len() as f64;
        let (mut explained, mut lost) = (0.0, 0.0);
        let pairs = eigenvalues.iter().zip(&image);
        let (eigenvalues, image): (Vec<f64>, Vec<f64>) = pairs
            .map(|(&w, &d)| {
                if w <= null {
                    lost += d;
                    return (0.0, 0.0);
                }
                explained += d / w;
                (w, d)
            })
            .unzip();
        let excess = (explained / total).max(lost / (total * largest.max(f64::MIN_POSITIVE)));
        // Sampled covariances satisfy the inequality exactly; one part in a thousand covers files in
        // single precision.
        if explained > 1.001 * total || lost > 1e-3 * total * largest {
            let hypothesis =
                "covariances that are jointly positive semidefinite (explained variance)";
            return Err(Error::degenerate(op, hypothesis, excess));
        }
        Ok(Self {
            eigenvalues,
            image,
            rho,
            gamma,
        })
    }

    /// Variance of the teacher's field.
    pub fn rho(&self) -> f64 {
        self.rho
    }

    /// Number of student features.
    pub fn features(&self) -> usize {
        self.eigenvalues.len()
    }

    /// Eigenvalues of the student's covariance.
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// `mean_i f(w_i, d_i)`.
    pub(super) fn mean(&self, f: impl Fn(f64, f64) -> f64) -> f64 {
        let pairs = self.eigenvalues.iter().zip(&self.image);
        pairs.map(|(&w, &d)| f(w, d)).sum::<f64>() / self.features() as f64
    }

    /// `(V, q, m)` from their conjugates: what the student's Gaussian prior with precision `lambda` makes
    /// of fields with these statistics.
    pub(super) fn overlaps(&self, hats: Hats, lambda: f64) -> (f64, f64, f64) {
        let Hats { v, q, m } = hats;
        let (mut sum_v, mut sum_q, mut sum_m) = (0.0, 0.0, 0.0);
        for (&w, &d) in self.eigenvalues.iter().zip(&self.image) {
            let r = 1.0 / (lambda + v * w);
            sum_v += w * r;
            sum_q += (q * w + m * m * d) * w * r * r;
            sum_m += d * r;
        }
        let p = self.features() as f64;
        (sum_v / p, sum_q / p, m / self.gamma.sqrt() * sum_m / p)
    }

    /// Refuses ratios and regularisations outside `1e-6..=1e6` and `1e-12..=1e12`.
    pub(super) fn check_point(op: &'static str, alpha: f64, lambda: f64) -> Result<(), Error> {
        if !(1e-6..=1e6).contains(&alpha) || !(1e-12..=1e12).contains(&lambda) {
            let requirement = format!(
                "alpha in 1e-6..=1e6 and lambda in 1e-12..=1e12, got {alpha:e} and {lambda:e}"
            );
            return Err(Error::invalid(op, requirement));
        }
        Ok(())
    }
}

/// The conjugates of `(V, q, m)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hats {
    pub v: f64,
    pub q: f64,
    pub m: f64,
}
