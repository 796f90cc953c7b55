//! Decompositions: a tensor in, a model and evidence out.
//!
//! Every algorithm is a value holding its options, with one verb, `decompose`, returning [`Fit`].
//! One algorithm per file; the file is the place to read it.
//!
//! | which one do I want? | |
//! |---|---|
//! | [`Cp`] | a sum of rank-one tensors, any order, real or complex: the default engine |
//! | [`CpMasked`] | the same for incomplete or weighted data |
//! | [`Peirce`] | symmetric rings of order three, `T[a,b,c] = Tr(Q_a Q_b Q_c)`, exact in finitely many steps |
//! | [`Ring`] | rings of any order, ranks given or not: the default engine |
//! | [`RingAlgebraic`] | rings of any order, exact in finitely many steps when the modes have room for the ranks |
//! | [`RingSvd`], [`TtSvd`] | sequential SVDs: rings (rarely close), trains with a prescribed error |
//! | [`RingRanks`] | which ranks a ring could have, from its unfoldings |
//! | [`RingAls`] | rings of any order from random starts or from a given ring |

mod compress;
mod contraction;
mod cp;
mod cp_algebraic;
mod cp_condition;
mod cp_nls;
mod cp_normal;
mod cp_starts;
mod cp_sweep;
mod cp_verdict;
mod fit;
mod frame;
mod jordan;
mod peirce;
mod ring_algebraic;
mod ring_als;
mod ring_blocks;
mod ring_evidence;
mod ring_fit;
mod ring_pencil;
mod ring_plan;
mod ring_range;
mod ring_rank;
mod ring_real;
mod ring_svd;
mod ring_sweep;
mod rank_one;

pub use contraction::{Contraction, TensorContraction};
pub use cp::{Cp, CpMethod};
mod contraction;
mod cp;
mod fit;
mod frame;
mod peirce;

pub use contraction::{Contraction, TensorContraction};
pub use cp::{Cp, CpMasked, CpMethod};
pub use fit::{Certificate, Evidence, Fit, Work};
pub use frame::PeirceFrame;
pub use jordan::JordanBasis;
pub use peirce::Peirce;
pub use ring_algebraic::RingAlgebraic;
pub use ring_als::RingAls;
pub use ring_fit::Ring;
pub use ring_rank::{RingRanks, UnfoldingRank};
pub use ring_svd::{RingSvd, TtSvd};
pub use ring_sweep::CoreSolver;
pub(crate) use peirce::Whitening;
