//! Dictionary learning from fourth moments, and where they cannot identify the atoms.
//!
//! ```text
//! y = A x,   A orthonormal,   E x_i^4 = 1,   E x_i^2 x_j^2 <= tau,   other moments of order four zero
//! E y^4 = sum_i a_i^4 + sum_{i != j} E[x_i^2 x_j^2] (three pairings)
//! ```
//!
//! On two atoms with `E x_i^2 x_j^2 = tau` the form is `3 tau + (1 - 3 tau) sum_i v_i^4`: its contrast is
//! `1 - 3 tau`. From `tau = 1/3` on atoms are no maxima any more and mixtures are, whatever the number of samples.

use crate::Error;
use crate::decomp::{Robust, RobustMethod};
use crate::fit::{Check, Fit};
use crate::linalg::norm2;
use crate::tensor::{Factor, Tensor};
use faer::{Mat, MatRef};
use rand::Rng;

const OP: &str = "Dictionary::learn";
/// Most inputs: the fourth moments are formed.
const MOST_DIM: usize = 64;

/// Learns an orthonormal dictionary from samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dictionary {
    atoms: usize,
    method: RobustMethod,
    tau: Option<f64>,
}

impl Dictionary {
    /// Asks for `atoms`, at most the dimension.
    pub fn new(atoms: usize) -> Self {
        Self {
            atoms,
            method: RobustMethod::SubspacePower,
            tau: None,
        }
    }

    /// How the moment tensor is decomposed; the subspace power method by default.
    #[must_use]
    pub fn method(self, method: RobustMethod) -> Self {
        Self { method, ..self }
    }

    /// The greatest `E x_i^2 x_j^2` of the coefficients where it is known; from 1/3 on learning is refused.
    #[must_use]
    pub fn tau(self, tau: f64) -> Self {
        let tau = Some(tau);
        Self { tau, ..self }
    }

    /// Learns the atoms from the rows of `y`, coefficients normalised to `E x_i^4 = 1`.
    ///
    /// `Converged` needs the evidence of [`Robust`] and atoms whose own moments keep the hypothesis: form values of
    /// one (mixtures have more) and pairs below the contrast.
    ///
    /// # Shapes
    /// `y` is `n x d`, `d <= 64`; the result is `d x atoms`, unit columns.
    ///
    /// # Errors
    /// `Degenerate` when `tau` is at least 1/3 (not identifiable by this contrast), or when the atoms found show
    /// it: form values above one by more than six standard errors; `InvalidInput`; `NonFinite`.
    ///
    /// # Complexity
    /// `O(n d^4 / 4)` for the moments, then that of [`Robust`].
    ///
    /// # Example
    /// ```
    /// use faer::Mat;
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::{Error, learn::Dictionary};
    /// let y = Mat::<f64>::from_fn(50, 4, |i, j| ((i * (j + 3)) % 7) as f64 - 3.0);
    /// let rng = &mut ChaCha8Rng::seed_from_u64(0);
    /// let refused = Dictionary::new(4).tau(0.4).learn(y.as_ref(), rng);
    /// assert!(matches!(refused, Err(Error::Degenerate { .. })));
    /// ```
    ///
    /// # Source
    /// Schramm and Steurer 2017, algorithm 5 for the setting. We differ: the fourth moments go to the subspace
    /// power method, which recovers several times more atoms from the same samples.
    pub fn learn(&self, y: MatRef<'_, f64>, rng: &mut impl Rng) -> Result<Fit<Factor>, Error> {
        let (n, d) = (y.nrows(), y.ncols());
        if n < 2 || d == 0 || d > MOST_DIM {
            let text = format!("at least 2 samples of 1 to {MOST_DIM} entries, got {n} of {d}");
            return Err(Error::invalid(OP, text));
        }
        if let Some(tau) = self.tau {
            if !(tau >= 0.0) {
                return Err(Error::invalid(
                    OP,
                    format!("tau must be at least 0, got {tau}"),
                ));
            }
            if tau >= 1.0 / 3.0 {
                let hypothesis = "E x_i^2 x_j^2 < 1/3 (tau): from there on the atoms are not identifiable by this \
                                  contrast, because mixtures of them have greater fourth moments than they";
                return Err(Error::degenerate(OP, hypothesis, tau));
            }
        }
        let index = (0..n * d).find(|k| !y[(k / d, k % d)].is_finite());
        if let Some(index) = index {
            return Err(Error::NonFinite { op: OP, index });
        }
        let t = fourth_moments(y)?;
        let fit = Robust::new(self.atoms)
            .method(self.method)
            .decompose(t.view(), rng)?;
        let v = fit.model.vectors();
        let mut least: f64 = f64::INFINITY;
        let mut heights = Vec::new();
        for a in v.columns() {
            let (mean, error) = mean_fourth(y, a);
            heights.push(mean);
            least = least.min((mean - 1.0) / error.max(f64::MIN_POSITIVE));
        }
        heights.sort_by(f64::total_cmp);
        if v.cols() > 0 && least > 6.0 {
            let hypothesis = "atoms with E x_i^4 = 1 (least form value found): all that was found are mixtures, as \
                              when E x_i^2 x_j^2 > 1/3, where the atoms are not identifiable by this contrast";
            return Err(Error::degenerate(OP, hypothesis, heights[0]));
        }
        let mut out = fit.map(|model| model.vectors().clone());
        out.evidence.checks.push(Check::reported(
            "dictionary.median-value",
            "median form value of the atoms, one in the model",
            heights.get(heights.len() / 2).copied().unwrap_or(f64::NAN),
        ));
        out.evidence.checks.push(Check::reported(
            "dictionary.cross-moment",
            "greatest E x_i^2 x_j^2 between atoms, below 1/3 in the model",
            pair_moment(y, &out.model),
        ));
        out.work.samples = 2 * n as u64;
        Ok(out)
    }
}

/// `E y^4` as a dense tensor.
fn fourth_moments(y: MatRef<'_, f64>) -> Result<Tensor, Error> {
    let (n, d) = (y.nrows(), y.ncols());
    let mut gram = Mat::<f64>::zeros(d * d, d * d);
    for from in (0..n).step_by(1024) {
        let rows = y.subrows(from, 1024.min(n - from));
        let z = Mat::from_fn(rows.nrows(), d * d, |i, c| {
            rows[(i, c % d)] * rows[(i, c / d)]
        });
        gram += z.transpose() * &z;
    }
    let scale = 1.0 / n as f64;
    Tensor::from_fn(&[d; 4], |x| {
        scale * gram[(x[0] + d * x[1], x[2] + d * x[3])]
    })
}

/// `E <a, y>^4` and its standard error.
fn mean_fourth(y: MatRef<'_, f64>, a: &[f64]) -> (f64, f64) {
    let column = Mat::from_fn(a.len(), 1, |i, _| a[i]);
    let z = y * &column;
    let powers: Vec<f64> = z.col_as_slice(0).iter().map(|v| v.powi(4)).collect();
    let n = powers.len() as f64;
    let mean = powers.iter().sum::<f64>() / n;
    let gaps: Vec<f64> = powers.iter().map(|p| p - mean).collect();
    (mean, norm2(&gaps) / n)
}

fn pair_moment(y: MatRef<'_, f64>, v: &Factor) -> f64 {
    let z = y * v.as_mat();
    let n = z.nrows() as f64;
    let mut most = 0.0f64;
    for i in 0..v.cols() {
        for j in 0..i {
            let pairs = z.col_as_slice(i).iter().zip(z.col_as_slice(j));
            most = most.max(pairs.map(|(a, b)| a * a * b * b).sum::<f64>() / n);
        }
    }
    most
}
