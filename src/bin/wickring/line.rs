//! The words of a command line, read and refused or taken; nothing runs here.

use crate::args;
use crate::commands::Command;
use crate::context::Common;
use crate::doors::Door;
use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;
use wickring::Error;
use wickring::error::shortened;

/// From samples to polynomials, tensors and proofs.
#[derive(Parser)]
#[command(name = "wickring", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done and certified; 1 refuted (the claim is false); 2 bad input or usage; \
3 not certified or not converged within the budget (the best model so far is written, marked so); \
4 internal error.";

/// The parser of the whole command line.
pub fn parser() -> clap::Command {
    args::shaped(Cli::command())
}

/// What a line asks for.
pub struct Line {
    /// The command as it is typed.
    pub name: String,
    /// Every argument.
    pub cli: Cli,
    matches: ArgMatches,
}

impl Line {
    /// What the command does with the common options.
    ///
    /// # Errors
    /// Why it refuses one of them.
    pub fn door(&self) -> Result<Door, Error> {
        args::refuse(&self.name, args::typed(&self.matches).1, &self.cli.common)
    }
}

/// Reads a line, the name of the program first.
///
/// # Errors
/// What the parser says; requests for help and for the version are among it.
pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Line, clap::Error> {
    let matches = parser().try_get_matches_from(words)?;
    let cli = Cli::from_arg_matches(&matches)?;
    let name = args::typed(&matches).0;
    Ok(Line { name, cli, matches })
}

/// What is wrong with a line, in one line of text.
pub fn mistake(e: &clap::Error) -> String {
    let text = e.render().to_string();
    // What a command takes is news only where it was given something else.
    let stray = e.kind() == ErrorKind::UnknownArgument;
    let wanted = |p: &&str| (stray || !p.starts_with("Usage:")) && !p.trim().is_empty();
    let parts: Vec<String> = text
        .split("\n\n")
        .filter(wanted)
        .map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let line = parts.join("; ");
    shortened(line.strip_prefix("error: ").unwrap_or(&line))
}

/// The law of every line: it is taken, or refused in one line of text.
#[cfg(any(test, fuzzing))]
pub fn holds(words: Vec<OsString>) {
    let shown = format!("{words:?}");
    let program = std::iter::once(OsString::from("wickring"));
    let told = match read(program.chain(words)) {
        Ok(line) => line.door().map_or_else(
            |e| crate::report::words(&e, &line.name),
            |_| "taken".to_owned(),
        ),
        Err(e) if e.use_stderr() => mistake(&e),
        Err(_) => "help".to_owned(),
    };
    assert!(
        !told.is_empty() && told.chars().count() < 2000,
        "{shown}: {told}"
    );
}
