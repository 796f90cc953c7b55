//! What every decomposition and every learner returns, and how its status is decided.
//!
//! | item | what it is |
//! |---|---|
//! | [`Fit`] | a model, why the work ended, and what was measured |
//! | [`Evidence`] | residual, condition number and [`Check`]s, recomputed from input and model |
//! | [`Check`] | one measured quantity beside its bound, under a stable key |
//! | [`Role`] | what the failure of a check means |
//! | [`judge`] | the one rule that turns checks and the way the work ended into a [`crate::Status`] |
//! | [`Work`] | what was consumed |

mod check;
mod evidence;
mod judge;
mod outcome;
mod work;

pub use check::{Check, Role};
pub use evidence::Evidence;
pub use judge::{Ended, judge};
pub use outcome::Fit;
pub use work::Work;
