//! Tucker decomposition: higher-order singular value decomposition and orthogonal iteration.
//!
//! ```text
//! T ~ G x_0 U_0 x_1 U_1 ..      U_m orthonormal,  G = T x_0 U_0^H x_1 U_1^H ..
//! ```
//!
//! The start (sequentially truncated HOSVD) is within `sqrt(order)` of the best residual; each sweep of
//! orthogonal iteration (HOOI) replaces one `U_m` after the other by the best for the others, and never makes
//! it worse. The same compression is the first step of every CP engine here.
//!
//! Source: De Lathauwer, De Moor, Vandewalle 2000 (both); Vannieuwenhoven, Vandebril, Meerbergen 2012.

use super::cp::checks;
use super::cp::compress::Compressed;
use super::cp::decomposition::{Scaled, check_tensor};
use crate::fit::{Check, Evidence, Fit, Work};
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::tensor::mode_product;
use crate::tensor::{Factor, Tensor, TensorView, TuckerTensor, unfolding_gram};
use crate::{Error, Status};

const OP: &str = "Tucker::decompose";
/// Relative growth of the core's squared norm that is rounding.
const STILL: f64 = 1e-12;
/// What the last sweep gained.
const GAIN: &str = "relative gain of the last sweep";

/// Tucker decomposition of given multilinear ranks.
#[derive(Clone, Debug, PartialEq)]
pub struct Tucker {
    ranks: Vec<usize>,
    sweeps: usize,
    tol: Option<f64>,
}

impl Tucker {
    /// Ranks `r_m >= 1`, one for each mode; a rank above the dimension counts as the dimension.
    pub fn new(ranks: &[usize]) -> Self {
        Self {
            ranks: ranks.to_vec(),
            sweeps: 100,
            tol: None,
        }
    }

    /// Most sweeps of orthogonal iteration, up to 100000; 100 by default, 0 for the HOSVD alone.
    #[must_use]
    pub fn max_sweeps(self, sweeps: usize) -> Self {
        Self { sweeps, ..self }
    }

    /// A relative residual that must be reached to be called converged, finite and positive.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        let tol = Some(tol);
        Self { tol, ..self }
    }

    /// Decomposes a dense tensor, real or complex.
    ///
    /// # Shapes
    /// `t` has as many modes as there are ranks; `U_m` is `n_m x min(r_m, n_m)` with orthonormal columns.
    ///
    /// # Errors
    /// `InvalidInput`: an option outside its domain or a dimension of zero. `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// `O(N n)` for the start, `O(order N r)` for a sweep.
    ///
    /// # Accuracy
    /// The residual is recomputed from the data; orthonormality holds to `eps n`.
    ///
    /// # Example
    /// ```
    /// use wickring::{decomp::Tucker, tensor::Tensor};
    /// let t = Tensor::from_fn(&[4, 5, 6], |i| (i[0] + i[1]) as f64 * (1.0 + i[2] as f64))?;
    /// let fit = Tucker::new(&[2, 2, 1]).decompose(t.view())?;
    /// assert!(fit.converged()?.rel_residual(t.view())? < 1e-14);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn decompose<T: Scalar + Ring>(
        &self,
        t: TensorView<'_, T>,
    ) -> Result<Fit<TuckerTensor<T>>, Error> {
        self.check(t)?;
        let Some(scaled) = Scaled::of(t)? else {
            return self.zero(t.dims());
        };
        let data = scaled.data.view();
        let keep = self.keep(t.dims());
        let mut bases = Compressed::hosvd(OP, data, &keep)?.into_bases();
        let mut core = project(data, &bases, None)?;
        let captured = |core: &Tensor<T>| small::norm_sq(core.as_slice());
        let mut history = vec![(1.0 - captured(&core)).max(0.0).sqrt()];
        let mut gain = 0.0;
        for _ in 0..self.sweeps {
            let before = captured(&core);
            for m in (0..keep.len()).filter(|&m| keep[m] < t.dims()[m]) {
                bases[m] = leading(project(data, &bases, Some(m))?.view(), m, keep[m])?;
            }
            core = project(data, &bases, None)?;
            gain = (captured(&core) - before) / before;
            history.push((1.0 - captured(&core)).max(0.0).sqrt());
            if gain <= STILL {
                break;
            }
        }
        let model = TuckerTensor::new(core, bases)?;
        let evidence = self.evidence(data, &model, gain)?;
        let reached = self
            .tol
            .map_or(evidence.holds(), |tol| evidence.rel_residual <= tol);
        let status = match (reached, gain > 1e-9) {
            (true, _) => Status::Converged,
            (false, true) => Status::IterationLimit,
            (false, false) => Status::Stalled,
        };
        let work = Work {
            sweeps: history.len() - 1,
            starts: 1,
            ..Work::default()
        };
        let mut core = model.core().to_tensor();
        core.as_mut_slice()
            .iter_mut()
            .for_each(|x| *x = scaled.restore_entry(*x));
        Ok(Fit {
            model: TuckerTensor::new(core, model.factors().to_vec())?,
            status,
            history,
            work,
            evidence,
        })
    }

    fn check<T: Scalar>(&self, t: TensorView<'_, T>) -> Result<(), Error> {
        check_tensor(OP, t)?;
        if self.ranks.len() != t.order() || self.ranks.contains(&0) {
            let requirement = format!(
                "one rank from 1 for each of the {} modes, got {:?}",
                t.order(),
                self.ranks
            );
            return Err(Error::invalid(OP, requirement));
        }
        if self.sweeps > 100_000 {
            let requirement = format!("max_sweeps must be in 0..=100000, got {}", self.sweeps);
            return Err(Error::invalid(OP, requirement));
        }
        match self.tol {
            Some(tol) if !(tol > 0.0 && tol.is_finite()) => {
                let requirement = format!("tol must be finite and positive, got {tol}");
                Err(Error::invalid(OP, requirement))
            }
            _ => Ok(()),
        }
    }

    fn keep(&self, dims: &[usize]) -> Vec<usize> {
        self.ranks
            .iter()
            .zip(dims)
            .map(|(&r, &n)| r.min(n))
            .collect()
    }

    fn zero<T: Scalar>(&self, dims: &[usize]) -> Result<Fit<TuckerTensor<T>>, Error> {
        let keep = self.keep(dims);
        let core = Tensor::from_fn(&keep, |_| T::zero())?;
        let factors = dims
            .iter()
            .zip(&keep)
            .map(|(&n, &k)| identity(n, k))
            .collect();
        Ok(Fit {
            model: TuckerTensor::new(core, factors)?,
            status: Status::Converged,
            history: vec![0.0],
            work: Work::default(),
            evidence: Evidence {
                rel_residual: 0.0,
                condition: 1.0,
                checks: vec![Check::reported(
                    "tucker.norm-of-data",
                    "norm of the data",
                    0.0,
                )],
            },
        })
    }

    fn evidence<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        model: &TuckerTensor<T>,
        gain: f64,
    ) -> Result<Evidence, Error> {
        let rel_residual = model.rel_residual(t)?;
        let size = |d: &[usize]| d.iter().map(|&n| n as f64).product::<f64>();
        let modes = t.dims().iter().zip(model.ranks());
        let angles: f64 = modes.map(|(&n, &r)| (r * (n - r)) as f64).sum();
        // Pure noise leaves what the parameters do not take.
        let noise = (1.0 - (size(model.ranks()) + angles) / size(t.dims())).max(0.02);
        Ok(Evidence {
            rel_residual,
            condition: 1.0,
            checks: vec![
                checks::unexplained(rel_residual * rel_residual, 0.5 * noise),
                Check::accuracy("tucker.gain-of-sweep", GAIN, gain, 1e-9),
            ],
        })
    }
}

/// `t x_k U_k^H` for every mode but `skip`.
fn project<T: Scalar>(
    t: TensorView<'_, T>,
    bases: &[Factor<T>],
    skip: Option<usize>,
) -> Result<Tensor<T>, Error> {
    let mut core: Option<Tensor<T>> = None;
    for (m, u) in bases.iter().enumerate().filter(|(m, _)| Some(*m) != skip) {
        let view = core.as_ref().map_or(t, Tensor::view);
        core = Some(mode_product(view, u.conj().as_mat().transpose(), m)?);
    }
    Ok(core.unwrap_or_else(|| t.to_tensor()))
}

/// The `k` leading left singular vectors of an unfolding.
fn leading<T: Scalar>(t: TensorView<'_, T>, mode: usize, k: usize) -> Result<Factor<T>, Error> {
    let gram = unfolding_gram(t, mode)?;
    let (_, vectors) = T::hermitian_eigen(OP, gram.as_ref())?;
    let n = t.dims()[mode];
    Ok(Factor::from_fn(n, k, |i, j| vectors[(i, n - 1 - j)]))
}

/// The first `k` columns of the identity.
pub(crate) fn identity<T: Scalar>(n: usize, k: usize) -> Factor<T> {
    Factor::from_fn(n, k, |i, j| if i == j { T::one() } else { T::zero() })
}
