//! Tensor rings from tensors.
//!
//! | file | what it holds |
//! |---|---|
//! | `engine` | the default engine: algebra first, least squares under noise |
//! | `algebraic`, `plan`, `blocks`, `pencil`, `real` | blockwise simultaneous diagonalisation, step by step |
//! | `als`, `sweep`, `chains`, `compress` | alternating least squares, two passes over the data for a sweep |
//! | `nls`, `tangent` | Levenberg-Marquardt on all cores at once |
//! | `missing`, `missing_ranks` | least squares on part of the entries, and their choice of ranks |
//! | `queried`, `runs` | rings from few queried entries |
//! | `sampled` | least squares on sampled rows |
//! | `svd` | sequential SVDs for rings and trains |
//! | `rank`, `factoring`, `range` | spectra of unfoldings and what they say about ranks |
//! | `scale` | tensors near the ends of the exponent range |
//! | `derivations` | symmetric rings of order three from the third-order tensor alone |
//! | `symmetric_nls`, `symmetric_problem` | the same by least squares: noise, fewer outputs |
//! | `evidence` | when a residual may be called noise |

pub(crate) mod algebraic;
pub(crate) mod als;
pub(crate) mod auto;
pub(crate) mod chain_segments;
pub(crate) mod checks;
pub(crate) mod compress;
pub(crate) mod gauss_newton;
pub(crate) mod identifiability;
pub(crate) mod queries;
pub(crate) mod ranks;
pub(crate) mod scale;
pub(crate) mod svd;
pub(crate) mod symmetric;
