//! The flags that commands share.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Flags that every command takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Seed of all randomness: same seed, same bytes, whatever the number of threads.
    #[arg(long, global = true, default_value_t = 0)]
    pub seed: u64,
    /// Number of threads; all cores by default.
    #[arg(long, global = true)]
    pub threads: Option<usize>,
    /// Print one JSON object on standard output and nothing else.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but errors.
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Also say, on standard error, what the run cost: time, processor time, threads, memory.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Progress on standard error.
    #[arg(long, global = true, value_enum, default_value_t = ProgressKind::Auto)]
    pub progress: ProgressKind,
    /// Stop after this many seconds with the best model so far, marked "stopped".
    #[arg(long, global = true)]
    pub max_seconds: Option<f64>,
    /// Where to write the result.
    #[arg(long, global = true)]
    pub out: Option<PathBuf>,
    /// Read these columns of a table only: names of its header, or numbers from 0.
    #[arg(long, global = true, value_delimiter = ',', value_name = "A,B,..")]
    pub columns: Vec<String>,
    /// The array to read of a file that holds several: .npz, .mat (members as s.x, c{1}). Inputs and targets: X,y.
    #[arg(long, global = true, value_delimiter = ',', value_name = "NAME")]
    pub name: Vec<String>,
    /// A file of the shape of the tensor with ones where entries were measured and zeros where they are missing.
    #[arg(long, global = true, value_name = "FILE")]
    pub mask: Option<PathBuf>,
    /// Let an output replace an input.
    #[arg(long, global = true)]
    pub force: bool,
    /// What to do with NaN or infinity in the input.
    #[arg(long, global = true, value_enum, default_value_t = Missing::Refuse)]
    pub missing: Missing,
    /// Draw a picture (.svg or .png) where one helps.
    #[arg(long, global = true)]
    pub plot: Option<PathBuf>,
    /// Write a page (.html) with the evidence, the pictures and the command that makes it again.
    #[arg(long, global = true)]
    pub report: Option<PathBuf>,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum ProgressKind {
    /// A bar on a terminal, nothing elsewhere.
    Auto,
    /// One line per step.
    Plain,
    /// Nothing.
    None,
}

/// What to do with NaN or infinity in the input.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Missing {
    /// An error.
    Refuse,
    /// Entries that were not measured; only for commands that can work without them.
    Mask,
}
