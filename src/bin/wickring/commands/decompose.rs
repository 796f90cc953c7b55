//! `wickring decompose ...`: tensor decompositions with evidence.

use super::{
    decompose_cp, decompose_exact, decompose_orthogonal, decompose_ring, decompose_symmetric,
};
use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// Which decomposition.
#[derive(Subcommand)]
pub enum Decompose {
    /// Canonical polyadic decomposition: a sum of rank-one tensors.
    Cp(decompose_cp::CpArgs),
    /// Symmetric CP of a symmetric tensor, with signed weights.
    Symmetric(decompose_symmetric::SymmetricArgs),
    /// Orthonormal components of a tensor of order four under errors of bounded spectral norm.
    Orthogonal(decompose_orthogonal::OrthogonalArgs),
    /// Tensor ring: a periodic matrix product.
    Ring(decompose_ring::RingArgs),
    /// Rational CP factors of a small tensor with a certificate: exact over Q, or exit 3.
    Exact(decompose_exact::ExactArgs),
}

/// Runs `wickring decompose`.
pub fn run(command: &Decompose, context: &Context) -> Result<Outcome, Error> {
    match command {
        Decompose::Cp(args) => decompose_cp::run(args, context),
        Decompose::Symmetric(args) => decompose_symmetric::run(args, context),
        Decompose::Orthogonal(args) => decompose_orthogonal::run(args, context),
        Decompose::Ring(args) => decompose_ring::run(args, context),
        Decompose::Exact(args) => decompose_exact::run_file(args, context),
    }
}
