//! Decompositions: a tensor in, a model and evidence out.
//!
//! Every algorithm is a value holding its options, with one verb, `decompose`, returning [`Fit`].
//! One algorithm per file; the file is the place to read it.
//!
//! | which one do I want? | |
//! |---|---|
//! | [`Cp`] | a sum of rank-one tensors, any order, real or complex: the default engine |
//! | [`Peirce`] | symmetric rings of order three, `T[a,b,c] = Tr(Q_a Q_b Q_c)`, exact in finitely many steps |

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
mod rank_one;

pub use contraction::{Contraction, TensorContraction};
pub use cp::{Cp, CpMethod};
pub use fit::{Certificate, Evidence, Fit, Work};
pub use frame::PeirceFrame;
pub use jordan::JordanBasis;
pub use peirce::Peirce;
pub(crate) use peirce::Whitening;
