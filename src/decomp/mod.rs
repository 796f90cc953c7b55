//! Decompositions: a tensor in, a model and evidence out.
//!
//! Every algorithm is a value holding its options, with one verb, `decompose`, returning [`crate::fit::Fit`].
//! One algorithm per file; the file is the place to read it.
//!
//! | which one do I want? | |
//! |---|---|
//! | [`Cp`] | a sum of rank-one tensors, any order, real or complex: the default engine |
//! | [`CpMasked`] | the same for incomplete or weighted data |
//! | [`CpNonnegative`] | the same with nonnegative factors |
//! | [`CpConstrained`] | the same with a constraint for each mode: unimodal, smooth, sparse, orthonormal, fixed |
//! | [`CpLoss`] | the same by the Poisson, gamma, logit or Huber loss; sparse counts too |
//! | [`Parafac2`] | matrices of one width and different heights, whose components keep their inner products |
//! | [`rank_table`] | how many components? |
//! | [`Tucker`] | a small core and orthonormal bases, ranks or an error given: HOSVD and orthogonal iteration |
//! | [`Waring`] | symmetric CP of any order with signed weights |
//! | [`Overcomplete`] | symmetric CP with more components than dimensions |
//! | [`SubspacePower`], [`KoszulYoung`] | order four up to `n^2/2` components, order three up to `2n`: no starts near the answer |
//! | [`Robust`] | orthonormal tensors of order four under errors of bounded spectral norm |
//! | [`ExactCp`] | rational factors of a small tensor, exact or not called converged |
//! | [`Peirce`] | symmetric rings of order three, `T[a,b,c] = Tr(Q_a Q_b Q_c)`, exact in finitely many steps |
//! | [`RingAuto`] | rings of any order, ranks given or not: the default engine |
//! | [`Derivations`] | symmetric rings of order three from `T` alone |
//! | [`SymmetricNls`] | symmetric rings of order three under noise or with few outputs |
//! | [`RingAlgebraic`] | rings of any order, exact in finitely many steps when the modes have room for the ranks |
//! | [`RingAls`] | rings of any order from random starts or from a given ring |
//! | [`RingNls`] | the same by Levenberg-Marquardt: noise, ill-conditioned rings |
//! | [`RingCompletion`] | rings of tensors with missing entries |
//! | [`RingQueries`] | rings of any order from few queried entries |
//! | [`RingRanks`] | which ranks a ring could have, from its unfoldings |
//! | [`RingSampledAls`] | rings by least squares on sampled rows |
//! | [`TtSvd`] | trains with a prescribed error or given ranks |
//! | [`RingSvd`] | rings by sequential SVDs (rarely close) |

pub(crate) mod cp;
pub(crate) mod exact_cp;
mod extrapolation;
mod method;
pub(crate) mod overcomplete;
pub(crate) mod parafac2;
pub(crate) mod peirce;
mod restarts;
pub(crate) mod ring;
pub(crate) mod robust;
pub(crate) mod symmetric;
pub(crate) mod train;
pub(crate) mod tucker;
mod unfolding_svd;

pub use cp::constrained::decomposition::CpConstrained;
pub use cp::constrained::rule::Constraint;
pub use cp::decomposition::{Cp, CpMethod};
pub use cp::losses::decomposition::CpLoss;
pub use cp::losses::entry_loss::EntryLoss;
pub use cp::missing::decomposition::CpMasked;
pub use cp::nonnegative::decomposition::CpNonnegative;
pub use cp::ranks::core_consistency::{core_consistency, kruskal_rank, kruskal_slack};
pub use cp::ranks::identifiability::{Uniqueness, fit_uniqueness, uniqueness};
pub use cp::ranks::rule::RankEvidence;
pub use cp::ranks::table::{
    RankRow, RankTable, rank_table, rank_table_masked, rank_table_nonnegative,
};
pub use exact_cp::search::{ExactCp, RationalCp};
pub use method::Decompose;
pub(crate) use peirce::contraction::change_basis as in_basis;
pub use peirce::contraction::{Contraction, TensorContraction};
pub use tucker::Tucker;

pub use peirce::frame::PeirceFrame;
pub use peirce::jordan::JordanBasis;

pub use overcomplete::koszul::KoszulYoung;
pub use overcomplete::learner::Overcomplete;
pub use overcomplete::packed::PackedForm;
pub use overcomplete::spectral::{shifted_power, spectral_components};
pub use overcomplete::subspace_power::SubspacePower;
pub use parafac2::decomposition::Parafac2;
pub use parafac2::identifiability::parafac2_uniqueness;
pub use peirce::decomposition::Peirce;
pub(crate) use peirce::decomposition::Whitening;
pub use ring::algebraic::decomposition::RingAlgebraic;
pub use ring::als::completion::RingCompletion;
pub use ring::als::decomposition::RingAls;
pub use ring::als::sampled::RingSampledAls;
pub use ring::als::sweep::CoreSolver;
pub use ring::auto::RingAuto;
pub use ring::gauss_newton::decomposition::RingNls;
pub use ring::identifiability::ring_uniqueness;
pub use ring::queries::RingQueries;
pub use ring::ranks::from_unfoldings::{RingRanks, UnfoldingRank};
pub use ring::svd::RingSvd;
pub use ring::symmetric::derivations::{Derivations, asymmetry, derivation_form};
pub use ring::symmetric::gauss_newton::SymmetricNls;
pub use robust::decomposition::{Robust, RobustMethod};
pub use robust::planted::NoiseFamily;
pub use symmetric::waring::{SymmetricMethod, Waring};
pub use train::TtSvd;
