//! `wickring decompose ...`: tensor decompositions with evidence.

pub(crate) mod cp;
pub(crate) mod exact;
pub(crate) mod model_pictures;
pub(crate) mod model_report;
pub(crate) mod numeric_proof;
pub(crate) mod orthogonal;
pub(crate) mod parafac2;
pub(crate) mod ring;
pub(crate) mod symmetric;
pub(crate) mod theorems;
pub(crate) mod train;
pub(crate) mod tucker;
use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// Which decomposition.
#[derive(Subcommand)]
pub enum Decompose {
    /// Canonical polyadic decomposition: a sum of rank-one tensors.
    Cp(cp::CpArgs),
    /// Symmetric CP of a symmetric tensor, with signed weights.
    Symmetric(symmetric::SymmetricArgs),
    /// Orthonormal components of a tensor of order four under errors of bounded spectral norm.
    Orthogonal(orthogonal::OrthogonalArgs),
    /// Matrices of one width and different heights, with components that keep their inner products.
    Parafac2(parafac2::Parafac2Args),
    /// Tensor ring: a periodic matrix product.
    Ring(ring::RingArgs),
    /// Tensor train with a prescribed error or ranks; rounds a file of cores.
    Train(train::TrainArgs),
    /// Tucker decomposition with a prescribed error or ranks: a small core and orthonormal bases.
    Tucker(tucker::TuckerArgs),
    /// Rational CP factors of a small tensor with a certificate: exact over Q, or exit 3.
    Exact(exact::ExactArgs),
}

/// Runs `wickring decompose`.
pub fn run(command: &Decompose, context: &Context) -> Result<Outcome, Error> {
    match command {
        Decompose::Cp(args) => cp::run(args, context),
        Decompose::Symmetric(args) => symmetric::run(args, context),
        Decompose::Orthogonal(args) => orthogonal::run(args, context),
        Decompose::Parafac2(args) => parafac2::run(args, context),
        Decompose::Ring(args) => ring::run(args, context),
        Decompose::Train(args) => train::run(args, context),
        Decompose::Tucker(args) => tucker::run(args, context),
        Decompose::Exact(args) => exact::run_file(args, context),
    }
}
