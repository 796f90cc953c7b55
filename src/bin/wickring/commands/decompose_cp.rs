//! `wickring decompose cp`: canonical polyadic decomposition of a tensor file.

use crate::context::{Context, Outcome};
use clap::Args;
use std::path::PathBuf;
use wickring::Error;

/// Arguments of `decompose cp`.
#[derive(Args)]
pub struct CpArgs {
    /// The tensor: .npy, .npz, .mat (v5) or FROSTT .tns.
    file: PathBuf,
    /// The number of components: a number, a range such as 1..6, or auto.
    #[arg(long)]
    rank: String,
}

/// Runs `wickring decompose cp`.
pub fn run(args: &CpArgs, context: &Context) -> Result<Outcome, Error> {
    let _ = (&args.rank, context);
    let problem = "no reader for tensor files is built in yet";
    Err(Error::file(args.file.as_path(), "", problem))
}
