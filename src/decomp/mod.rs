//! Decompositions: a tensor in, a model and evidence out.
//!
//! Every algorithm is a value holding its options, with one verb, `decompose`, returning [`Fit`].
//! One algorithm per file; the file is the place to read it.
//!
//! | which one do I want? | |
//! |---|---|
//! | [`Cp`] | a sum of rank-one tensors, any order, real or complex: the default engine |
//! | [`CpMasked`] | the same for incomplete or weighted data |
//! | [`CpNonnegative`] | the same with nonnegative factors |
//! | [`rank_table`] | how many components? |
//! | [`Tucker`] | a small core and orthonormal bases: HOSVD and orthogonal iteration |
//! | [`Waring`] | symmetric CP of any order with signed weights |
//! | [`Overcomplete`] | symmetric CP with more components than dimensions |
//! | [`SubspacePower`], [`KoszulYoung`] | order four up to `n^2/2` components, order three up to `2n`: no starts near the answer |
//! | [`Robust`] | orthonormal tensors of order four under errors of bounded spectral norm |
//! | [`ExactCp`] | rational factors of a small tensor, exact or not called converged |
//! | [`Peirce`] | symmetric rings of order three, `T[a,b,c] = Tr(Q_a Q_b Q_c)`, exact in finitely many steps |
//! | [`Ring`] | rings of any order, ranks given or not: the default engine |
//! | [`Derivations`] | symmetric rings of order three from `T` alone |
//! | [`SymmetricNls`] | symmetric rings of order three under noise or with few outputs |
//! | [`RingAlgebraic`] | rings of any order, exact in finitely many steps when the modes have room for the ranks |
//! | [`RingAls`] | rings of any order from random starts or from a given ring |
//! | [`RingNls`] | the same by Levenberg-Marquardt: noise, ill-conditioned rings |
//! | [`RingCompletion`] | rings of tensors with missing entries |
//! | [`RingQueries`] | rings of any order from few queried entries |
//! | [`RingRanks`] | which ranks a ring could have, from its unfoldings |
//! | [`RingSampledAls`] | rings by least squares on sampled rows |
//! | [`RingSvd`], [`TtSvd`] | sequential SVDs: rings (rarely close), trains with a prescribed error |

mod contraction;
mod cp;
mod exact_cp;
mod exact_descent;
mod exact_fixing;
mod exact_linear;
mod exact_system;
mod fit;
mod frame;
mod jordan;
mod lbfgs;
mod overcomplete;
mod peirce;
mod ring;
mod robust;
mod waring;
mod waring_normal;

pub(crate) use contraction::change_basis as in_basis;
pub use contraction::{Contraction, TensorContraction};
pub use cp::{
    Cp, CpMasked, CpMethod, CpNonnegative, RankRow, RankTable, Tucker, core_consistency,
    kruskal_rank, kruskal_slack, rank_table, rank_table_masked, rank_table_nonnegative,
};
pub use exact_cp::{ExactCp, RationalCp};
pub use fit::{Certificate, Evidence, Fit, Work};
pub use frame::PeirceFrame;
pub use jordan::JordanBasis;
pub(crate) use overcomplete::descend;
pub use overcomplete::{
    KoszulYoung, Overcomplete, PackedForm, SubspacePower, shifted_power, spectral_components,
};
pub use peirce::Peirce;
pub(crate) use peirce::Whitening;
pub use ring::{
    CoreSolver, Derivations, Ring, RingAlgebraic, RingAls, RingCompletion, RingNls, RingQueries,
    RingRanks, RingSampledAls, RingSvd, SymmetricNls, TtSvd, UnfoldingRank, asymmetry,
    derivation_form,
};
pub use robust::{NoiseFamily, Robust, RobustMethod};
pub use waring::{SymmetricMethod, Waring};
