//! Identity testing: are two expressions the same polynomial? Exactly where that is cheap, otherwise by values at
//! random points modulo random primes, with the probability of a mistake.
//!
//! | item | use it for |
//! |---|---|
//! | [`Program`] | an expression that is never multiplied out: a straight-line program |
//! | [`BlackBox`] | whatever can be evaluated modulo a prime, with bounds of its degree and coefficients |
//! | [`IdentityTest`] | the question, [`IdentityVerdict`] the answer with its evidence |

pub(crate) mod black_box;
pub(crate) mod program;
pub(crate) mod program_text;
pub(crate) mod test;
pub(crate) mod values;

pub use black_box::{BlackBox, Height};
pub use program::{Node, Program};
pub use test::{IdentityProof, IdentityTest, IdentityVerdict, Witness};
