//! `wickring completions`: scripts by which a shell completes commands and options.

use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use serde_json::json;
use wickring::Error;

/// Print the completion script for a shell.
///
/// bash: source <(wickring completions bash); zsh and fish: write it into a folder of completions.
#[derive(Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// A shell.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    /// GNU bash.
    Bash,
    /// Z shell.
    Zsh,
    /// fish.
    Fish,
}

/// Runs `wickring completions`.
pub fn run(args: &Completions, context: &Context) -> Result<Outcome, Error> {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::line::parser(), "wickring", &mut script);
    let text = String::from_utf8_lossy(&script).into_owned();
    context.emit(&json!({ "text": text }), &text);
    Ok(Outcome::Certified)
}
