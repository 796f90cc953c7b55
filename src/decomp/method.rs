//! One trait that every decomposition implements, so that the suite, the command line and other languages drive
//! them all alike.
//!
//! The verbs that the types have themselves (`decompose`, `decompose_observed`) say more about each method;
//! this file only registers them. A new method adds one line here.

use super::{
    Cp, CpConstrained, CpLoss, CpMasked, CpNonnegative, Derivations, ExactCp, KoszulYoung,
    Overcomplete, Parafac2, Peirce, RationalCp, RingAlgebraic, RingAls, RingAuto, RingCompletion,
    RingNls, RingSampledAls, RingSvd, Robust, SubspacePower, SymmetricNls, TtSvd, Tucker, Waring,
};
use crate::Error;
use crate::fit::Fit;
use crate::run::Run;
use crate::tensor::{
    CpTensor, Parafac2Model, SparseTensor, SymmetricCp, SymmetricRing, TensorRing, TensorTrain,
    TensorView, TuckerTensor,
};
use faer::MatRef;

/// A decomposition: data of type `D` in, a model and evidence out.
///
/// # Example
/// ```
/// use wickring::decomp::{Decompose, Overcomplete, Waring};
/// use wickring::run::Run;
/// use wickring::tensor::{SymmetricCp, Tensor, TensorView};
///
/// fn residual<'a>(method: &impl Decompose<TensorView<'a>, Model = SymmetricCp>, t: TensorView<'a>) -> f64 {
///     method.fit(&t, &mut Run::seeded(0)).map_or(f64::NAN, |fit| fit.evidence.rel_residual)
/// }
/// let t = Tensor::from_fn(&[3, 3, 3], |i| ((1 + i[0]) * (1 + i[1]) * (1 + i[2])) as f64)?;
/// assert!(residual(&Waring::new(1), t.view()) < 1e-9);
/// assert!(residual(&Overcomplete::new(1), t.view()) < 1e-9);
/// # Ok::<(), wickring::Error>(())
/// ```
pub trait Decompose<D: ?Sized> {
    /// The model that it finds.
    type Model;

    /// Decomposes `data`, drawing from and watched by `run`.
    ///
    /// # Errors
    /// Those of the method's own verb.
    fn fit(&self, data: &D, run: &mut Run<'_>) -> Result<Fit<Self::Model>, Error>;
}

/// Registers a method: its type, its data, its model, and the call.
macro_rules! registered {
    ($method:ty, $data:ty, $model:ty, |$me:ident, $t:ident, $rng:ident, $watch:ident| $call:expr) => {
        impl Decompose<$data> for $method {
            type Model = $model;

            fn fit(&self, data: &$data, run: &mut Run<'_>) -> Result<Fit<$model>, Error> {
                let ($me, $t) = (self, data);
                #[allow(unused_mut, unused_variables)]
                let ($rng, mut $watch) = run.parts();
                $call
            }
        }
    };
}

registered!(Cp, TensorView<'_>, CpTensor, |m, t, rng, watch| m
    .decompose_observed(*t, rng, &mut watch));
registered!(Cp, SparseTensor, CpTensor, |m, t, rng, watch| m
    .decompose_sparse(t, rng, &mut watch));
registered!(
    CpNonnegative,
    TensorView<'_>,
    CpTensor,
    |m, t, rng, watch| m.decompose_observed(*t, rng, &mut watch)
);
registered!(
    CpConstrained,
    TensorView<'_>,
    CpTensor,
    |m, t, rng, watch| m.decompose_observed(*t, rng, &mut watch)
);
registered!(
    CpConstrained,
    (TensorView<'_>, TensorView<'_>),
    CpTensor,
    |m, t, rng, watch| m.decompose_masked(t.0, t.1, rng, &mut watch)
);
registered!(CpLoss, TensorView<'_>, CpTensor, |m, t, rng, watch| m
    .decompose_observed(*t, rng, &mut watch));
registered!(CpLoss, SparseTensor, CpTensor, |m, t, rng, watch| m
    .decompose_sparse(t, rng, &mut watch));
registered!(
    CpLoss,
    (TensorView<'_>, TensorView<'_>),
    CpTensor,
    |m, t, rng, watch| m.decompose_masked(t.0, t.1, rng, &mut watch)
);
registered!(
    CpMasked,
    (TensorView<'_>, TensorView<'_>),
    CpTensor,
    |m, t, rng, watch| m.decompose_observed(t.0, t.1, rng, &mut watch)
);
registered!(
    Tucker,
    TensorView<'_>,
    TuckerTensor<f64>,
    |m, t, rng, watch| m.decompose_observed(*t, &mut watch)
);
registered!(
    Parafac2,
    [TensorView<'_>],
    Parafac2Model,
    |m, t, rng, watch| m.decompose_observed(t, rng, &mut watch)
);
registered!(Waring, TensorView<'_>, SymmetricCp, |m, t, rng, watch| m
    .decompose_observed(*t, rng, &mut watch));
registered!(
    Overcomplete,
    TensorView<'_>,
    SymmetricCp,
    |m, t, rng, watch| m.decompose_observed(*t, rng, &mut watch)
);
registered!(
    SubspacePower,
    TensorView<'_>,
    SymmetricCp,
    |m, t, rng, watch| m.decompose(*t, rng)
);
registered!(
    KoszulYoung,
    TensorView<'_>,
    SymmetricCp,
    |m, t, rng, watch| m.decompose(*t, rng)
);
registered!(Robust, TensorView<'_>, SymmetricCp, |m, t, rng, watch| m
    .decompose(*t, rng));
registered!(ExactCp, TensorView<'_>, RationalCp, |m, t, rng, watch| m
    .decompose(*t, rng, &mut watch));
registered!(
    RingAuto,
    TensorView<'_>,
    TensorRing<f64>,
    |m, t, rng, watch| m.decompose_observed(*t, rng, &mut watch)
);
registered!(
    RingAlgebraic,
    TensorView<'_>,
    TensorRing<f64>,
    |m, t, rng, watch| m.decompose(*t, rng)
);
registered!(
    RingAls,
    TensorView<'_>,
    TensorRing<f64>,
    |m, t, rng, watch| m.decompose_observed(*t, rng, &mut watch)
);
registered!(
    RingNls,
    TensorView<'_>,
    TensorRing<f64>,
    |m, t, rng, watch| m.decompose(*t, rng, &mut watch)
);
registered!(
    RingSampledAls,
    TensorView<'_>,
    TensorRing<f64>,
    |m, t, rng, watch| m.decompose(*t, rng, &mut watch)
);
registered!(
    RingSvd,
    TensorView<'_>,
    TensorRing<f64>,
    |m, t, rng, watch| m.decompose(*t, rng)
);
registered!(
    TtSvd,
    TensorView<'_>,
    TensorTrain<f64>,
    |m, t, rng, watch| m.decompose_observed(*t, &mut watch)
);
registered!(
    RingCompletion,
    (TensorView<'_>, &[bool]),
    TensorRing<f64>,
    |m, t, rng, watch| m.decompose(t.0, t.1, rng, &mut watch)
);
registered!(
    Derivations,
    TensorView<'_>,
    SymmetricRing,
    |m, t, rng, watch| m.decompose(*t, rng)
);
registered!(
    Peirce,
    (MatRef<'_, f64>, TensorView<'_>),
    SymmetricRing,
    |m, t, rng, watch| m.decompose(t.0, t.1, rng)
);
registered!(
    SymmetricNls,
    (MatRef<'_, f64>, TensorView<'_>),
    SymmetricRing,
    |m, t, rng, watch| m.decompose(t.0, t.1, rng, &mut watch)
);
