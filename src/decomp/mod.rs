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
//! | [`Peirce`] | symmetric rings of order three, `T[a,b,c] = Tr(Q_a Q_b Q_c)`, exact in finitely many steps |

mod contraction;
mod cp;
mod fit;
mod frame;
mod jordan;
mod lbfgs;
mod peirce;
mod waring;
mod waring_normal;

pub use contraction::{Contraction, TensorContraction};
pub use cp::{
    Cp, CpMasked, CpMethod, CpNonnegative, RankRow, RankTable, core_consistency, kruskal_rank,
    kruskal_slack, rank_table, rank_table_masked,
};
pub use fit::{Certificate, Evidence, Fit, Work};
pub use frame::PeirceFrame;
pub use jordan::JordanBasis;
pub use peirce::Peirce;
pub(crate) use peirce::Whitening;
pub use waring::{SymmetricMethod, Waring};
