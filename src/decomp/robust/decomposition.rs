//! One interface for all methods, and what is known about an answer.

use super::climbs::{jennrich, shifted_power, subspace_power};
use super::flattening::{Flattening, OP};
use super::schramm_steurer::schramm_steurer;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::linalg::{frobenius, symmetric_eigen};
use crate::tensor::{Factor, SymmetricCp, TensorView};
use crate::{Error, Status};
use faer::Mat;
use rand::Rng;

/// Largest dimension: the flattening has the square of half its square entries.
const MOST_DIM: usize = 80;

/// How components are found; the table of the module says which to use when.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::{Robust, RobustMethod};
/// use wickring::tensor::{Factor, SymmetricCp};
/// let axes = Factor::from_fn(4, 3, |i, r| f64::from(u8::from(i == r)));
/// let t = SymmetricCp::new(4, vec![1.0; 3], axes)?.to_dense()?;
/// let method = Robust::new(3).method(RobustMethod::Jennrich);
/// let found = method.decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(1))?.converged()?;
/// assert!(found.rel_residual(t.view())? < 1e-8);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum RobustMethod {
    /// Subspace power method.
    #[default]
    SubspacePower,
    /// Schramm and Steurer's algorithm; the error is the first eigenvalue left out unless given.
    SchrammSteurer {
        /// A bound for the spectral norm of the error relative to the components, in `[0, 1)`.
        error: Option<f64>,
    },
    /// Power iteration on the form with a shift; twice the measured error unless given.
    ShiftedPower {
        /// The shift relative to the components; 0 is plain power iteration.
        shift: Option<f64>,
    },
    /// Eigenvectors of random contractions.
    Jennrich,
}

/// Components of an orthonormal tensor of order four with an error of bounded spectral norm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Robust {
    components: usize,
    method: RobustMethod,
}

impl Robust {
    /// Asks for `components`, at most the dimension.
    pub fn new(components: usize) -> Self {
        Self {
            components,
            method: RobustMethod::default(),
        }
    }

    /// The method; [`RobustMethod::SubspacePower`] by default.
    #[must_use]
    pub fn method(self, method: RobustMethod) -> Self {
        Self { method, ..self }
    }

    /// Finds the components of `t`.
    ///
    /// `Converged` means: as many components as asked for, nearly orthonormal, and what they leave of the tensor
    /// has a spectral norm below the components' own: by the theorem of Schramm and Steurer's setting every other
    /// such answer is then close to this one. The norm is in the certificate.
    ///
    /// # Shapes
    /// `t` is `n x n x n x n`, `n <= 80`, components up to `n`; it need not be symmetric: the square flattening is
    /// symmetrised. The vectors of the model are `n x components`, all weights equal.
    ///
    /// # Errors
    /// `InvalidInput`: another shape, more components than dimensions, an error outside `[0, 1)`; `Degenerate`: a
    /// flattening without that many positive eigenvalues; `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// `O(n^5)` a round for Schramm-Steurer, `O(n^3 m)` a step and start for the subspace power method, and one
    /// spectrum of the flattening, `O(n^6)`, for the certificate.
    /// Here `m` is the number of components.
    ///
    /// # Accuracy
    /// `<v, a>^2 >= 1 - 3 eps` after the boost (Schramm and Steurer); the square of that distance for random errors.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::{NoiseFamily, Robust};
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// let (truth, t) = NoiseFamily::NegativeIdentity.plant(6, 4, 0.3, &mut rng)?;
    /// let found = Robust::new(4).decompose(t.view(), &mut rng)?.converged()?;
    /// for a in truth.columns() {
    ///     let best = found.vectors().columns().map(|v| {
    ///         let g: f64 = v.iter().zip(a).map(|(x, y)| x * y).sum();
    ///         g * g
    ///     });
    ///     assert!(best.fold(0.0, f64::max) > 0.9);
    /// }
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Schramm and Steurer, Fast and robust tensor decomposition with applications to dictionary learning (2017),
    /// algorithms 1 to 4. We differ: without a known error the acceptance thresholds come from the data (their
    /// absolute ones are vacuous from 1/6 on), and the boost runs twice.
    pub fn decompose(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
    ) -> Result<Fit<SymmetricCp>, Error> {
        self.check(t)?;
        t.require_finite(OP)?;
        let (n, m) = (t.dims()[0], self.components);
        let mut flat = Flattening::of(t);
        let top = flat.top(m)?.values;
        // The components' own eigenvalues are one: their median is the unit.
        let unit = top[(m - 1) / 2];
        if !(unit > 0.0 && unit.is_finite() && top[m - 1] > 1e-6 * unit) {
            let hypothesis =
                "a square flattening with a positive eigenvalue for every component (the last one)";
            return Err(Error::degenerate(OP, hypothesis, top[m - 1]));
        }
        flat.matrix = faer::Scale(1.0 / unit) * &flat.matrix;
        let x = match self.method {
            RobustMethod::SubspacePower => subspace_power(&flat, m, rng)?,
            RobustMethod::SchrammSteurer { error } => schramm_steurer(&flat, m, error, rng)?,
            RobustMethod::ShiftedPower { shift } => {
                let shift = match shift {
                    Some(shift) => shift,
                    None => 2.0 * error_of(&flat, m)?,
                };
                shifted_power(&flat, m, shift, rng)?
            }
            RobustMethod::Jennrich => jennrich(&flat, m, rng)?,
        };
        finish(&flat, &x, m, unit, n)
    }

    fn check(&self, t: TensorView<'_>) -> Result<(), Error> {
        let n = t.dims().first().copied().unwrap_or(0);
        if t.dims() != [n; 4] || n == 0 || n > MOST_DIM {
            let text = format!(
                "an n x n x n x n tensor with n from 1 to {MOST_DIM}, got {:?}",
                t.dims()
            );
            return Err(Error::invalid(OP, text));
        }
        if !(1..=n).contains(&self.components) {
            let text = format!(
                "from 1 to {n} components: orthonormal vectors are no more than dimensions, got {}",
                self.components
            );
            return Err(Error::invalid(OP, text));
        }
        let valid = match self.method {
            RobustMethod::SchrammSteurer { error: Some(e) } => (0.0..1.0).contains(&e),
            RobustMethod::ShiftedPower { shift: Some(s) } => s.is_finite(),
            _ => true,
        };
        if valid {
            return Ok(());
        }
        Err(Error::invalid(OP, "an error in [0, 1) or a finite shift"))
    }
}

/// The error of the flattening as its spectrum shows it: the greatest modulus among the eigenvalues left out.
fn error_of(flat: &Flattening, m: usize) -> Result<f64, Error> {
    let values = symmetric_eigen(OP, flat.matrix.as_ref())?.values;
    let rest = values.iter().rev().skip(m);
    Ok(rest.fold(0.0, |e: f64, v| e.max(v.abs())))
}

fn finish(
    flat: &Flattening,
    x: &Mat<f64>,
    m: usize,
    unit: f64,
    n: usize,
) -> Result<Fit<SymmetricCp>, Error> {
    let found = x.ncols();
    let gram = x.transpose() * x - Mat::<f64>::identity(found, found);
    let defect = if found == 0 {
        0.0
    } else {
        let values = symmetric_eigen(OP, gram.as_ref())?.values;
        values.iter().fold(0.0, |d: f64, v| d.max(v.abs()))
    };
    let rest = flat.minus(x);
    let error = rest.norm()?;
    let heights = flat.values(x);
    let lowest = heights.iter().copied().fold(f64::INFINITY, f64::min);
    let share = frobenius(rest.matrix.as_ref()) / frobenius(flat.matrix.as_ref());
    let evidence = evidence(share, m - found, [error, defect, lowest]);
    let status = if evidence.holds() {
        Status::Converged
    } else {
        Status::Stalled
    };
    let vectors = Factor::from_fn(n, found, |i, c| x[(i, c)]);
    Ok(Fit {
        model: SymmetricCp::new(4, vec![unit; found], vectors)?,
        status,
        history: vec![1.0, evidence.rel_residual],
        work: Work {
            sweeps: 1,
            ..Work::default()
        },
        evidence,
    })
}

fn evidence(rel_residual: f64, missing: usize, [error, defect, lowest]: [f64; 3]) -> Evidence {
    Evidence {
        rel_residual,
        condition: 1.0,
        checks: vec![
            Check::accuracy(
                "robust.components-missing",
                "components missing",
                missing as f64,
                0.0,
            ),
            Check::accuracy(
                "robust.error-norm",
                "spectral norm of the error, relative to a component",
                error,
                0.9,
            ),
            Check::accuracy(
                "robust.orthonormality",
                "distance of the components from orthonormal ones",
                defect,
                0.5,
            ),
            Check::reported(
                "robust.lowest-value",
                "form value of the lowest component",
                lowest,
            ),
        ],
    }
}
