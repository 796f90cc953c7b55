//! Exact claims, certificates, and the small independent checker that replays them.
//!
//! A [`Certificate`] is a list of [`Claim`]s with exactly the data needed to check them; [`check`] recomputes
//! each from its definition, in exact arithmetic, with code that no algorithm of this crate uses. Numbers in
//! the file are exact: texts such as `"-3/4"`, whole numbers, and, for numeric claims, JSON floats, which
//! stand for the nearest binary64.
//!
//! | kind of claim | what the checker does |
//! |---|---|
//! | `polynomial-identity` | expands both sides over Q |
//! | `ideal-membership` | expands `f - sum g_i h_i` |
//! | `sos` | expands `f - sum w_i q_i^2` and looks at the signs of the `w_i` |
//! | `gaussian-moments` | Wick's formula for each stated moment or joint cumulant |
//! | `cp-exact`, `ring-exact` | multiplies the factorisation out over its field |
//! | `numeric-residual` | the exact residual of the float model, held against the stated bound |
//! | `held-out-cumulants` | cumulants of held-out rows against those of an earlier claim, in standard errors |
//! | `cp-commuting`, `rank-above` | ranks over C and over R, and uniqueness, from slices that commute or do not |
//! | `border-rank` | a Koszul flattening's rank modulo a prime |
//! | `cp-unique` | Kruskal's condition for an earlier `cp-exact` claim, by minors modulo a prime |
//! | `cp-exists`, `symmetric-exists`, `ring-exists`, `poly-zero` | Krawczyk's test in integers: exactly one zero within a radius |
//! | `cp-minimiser`, `symmetric-minimiser` | the same for the gradient, and a Hessian that is definite all over the ball |
//! | `rounded-residual` | the residual in binary64 and a proved bound of all rounding, held against the stated bound |
//!
//! What can be proved about a tensor or a fit is found by [`prove_rank`], [`prove_border_rank`], [`prove_unique`],
//! [`prove_cp`], [`prove_symmetric`], [`prove_ring`] and [`prove_zeros`], each of which says in words what it cannot.

pub(crate) mod certificate;
pub(crate) mod checker;
pub(crate) mod emit;
pub(crate) mod expression;
pub(crate) mod format;
pub(crate) mod held_out;
pub(crate) mod json;
pub(crate) mod numbers;
pub(crate) mod prove;
pub(crate) mod residual;
pub(crate) mod rings;
pub(crate) mod rounded;

pub use certificate::{Certificate, Claim, ClaimedTensor, Entry, sha256};
pub use emit::provers::{Language, emit};
pub use expression::Expression;
pub use format::{Finding, Limits, Report, StatedFit, check, check_with};
pub use prove::Proof;
pub use prove::near::{prove_cp, prove_ring, prove_symmetric};
pub use prove::ranks::{prove_border_rank, prove_rank};
pub use prove::uniqueness::prove_unique;
pub use prove::zeros::{CertifiedZero, find_zeros, prove_zeros};
pub use rounded::TensorData;
