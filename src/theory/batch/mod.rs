//! Full-batch learning of generalised linear models on Gaussian-equivalent features.
//!
//! ```text
//! min_w  sum_mu l(y_mu, w.x_mu / sqrt p) + lambda/2 |w|^2,     n = alpha p samples
//! ```
//!
//! with student features `x` (`p` of them), a teacher `theta.u / sqrt k` on features `u` (`k` of them) and
//! the covariances `Psi = E u u'`, `Phi = E x u'`, `Omega = E x x'`. In the proportional limit the minimiser is
//! described by three numbers `V, q, m` that obey fixed-point equations, solved here.
//!
//! | item | use it for |
//! |---|---|
//! | [`Task`] | the spectrum of a teacher-student covariance: all that the equations read |
//! | [`ridge`] | square loss on values or on signs: one scalar root, then closed forms |
//! | [`MarginLearner`] | [`Logistic`], [`Hinge`], [`SquaredHinge`], [`SquareLoss`] or any [`MarginLoss`] on signs |
//! | [`best_lambda`] | the regularisation with the least generalisation error |
//! | [`BatchSimulation`] | the same problems solved on sampled data, beside the prediction |
//!
//! Source: Loureiro, Gerbelot, Cui, Goldt, Krzakala, Mezard and Zdeborova 2021 for the equations with general
//! covariances; the reductions to a scalar root and to monotone proximal steps are derived in the code.

pub(crate) mod lambda;
pub(crate) mod loss;
pub(crate) mod margin;
pub(crate) mod nodes;
pub(crate) mod ridge;
pub(crate) mod simulate;
pub(crate) mod solvers;
pub(crate) mod task;

pub use lambda::{LambdaSearch, best_lambda};
pub use loss::{Feature, Hinge, Logistic, MarginLoss, Prox, SquareLoss, SquaredHinge, named_loss};
pub use margin::MarginLearner;
pub use ridge::{Labels, ridge};
pub use simulate::{BatchLearner, BatchSimulation, Sampled};
pub use task::{BatchPoint, Task};
