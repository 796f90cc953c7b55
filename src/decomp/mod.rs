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
//! | [`Waring`] | symmetric CP of any order with signed weights |
//! | [`ExactCp`] | rational factors of a small tensor, exact or not called converged |
//! | [`Peirce`] | symmetric rings of order three, `T[a,b,c] = Tr(Q_a Q_b Q_c)`, exact in finitely many steps |
//! | [`Ring`] | rings of any order, ranks given or not: the default engine |
//! | [`Derivations`] | symmetric rings of order three from `T` alone |
//! | [`SymmetricNls`] | symmetric rings of order three under noise or with few outputs |
//! | [`RingAlgebraic`] | rings of any order, exact in finitely many steps when the modes have room for the ranks |
//! | [`RingAls`] | rings of any order from random starts or from a given ring |
//! | [`RingCompletion`] | rings of tensors with missing entries |
//! | [`RingQueries`] | rings of order three from few queried entries |
//! | [`RingRanks`] | which ranks a ring could have, from its unfoldings |
//! | [`RingSampledAls`] | rings by least squares on sampled rows |
//! | [`RingSvd`], [`TtSvd`] | sequential SVDs: rings (rarely close), trains with a prescribed error |

mod contraction;
mod cp;
mod exact_cp;
mod exact_fixing;
mod exact_linear;
mod exact_system;
mod fit;
mod frame;
mod jordan;
mod lbfgs;
mod peirce;
mod ring;
mod waring;
mod waring_normal;

pub(crate) use contraction::change_basis as in_basis;
pub use contraction::{Contraction, TensorContraction};
pub use cp::{
    Cp, CpMasked, CpMethod, CpNonnegative, RankRow, RankTable, core_consistency, kruskal_rank,
    kruskal_slack, rank_table, rank_table_masked,
};
pub use exact_cp::{ExactCp, RationalCp};
pub use fit::{Certificate, Evidence, Fit, Work};
pub use frame::PeirceFrame;
pub use jordan::JordanBasis;
pub use peirce::Peirce;
pub(crate) use peirce::Whitening;
pub use ring::{
    CoreSolver, Derivations, Ring, RingAlgebraic, RingAls, RingCompletion, RingQueries, RingRanks,
    RingSampledAls, RingSvd, SymmetricNls, TtSvd, UnfoldingRank, asymmetry, derivation_form,
};
pub use waring::{SymmetricMethod, Waring};
