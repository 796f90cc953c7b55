//! The command line: parse, call the library, print. No mathematics lives here.

mod args;
mod commands;
mod context;
mod doors;
mod evidence;
mod flags;
mod interrupt;
mod page;
mod plot;
mod progress;
mod report;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};
use context::{Common, Context, Outcome};
use std::process::ExitCode;
use std::time::Instant;
use wickring::Error;

/// From samples to polynomials, tensors and proofs.
#[derive(Parser)]
#[command(name = "wickring", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: commands::Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done and certified; 1 refuted (the claim is false); 2 bad input or usage; \
3 not certified or not converged within the budget (the best model so far is written, marked so); \
4 internal error.";

/// The parser of the whole command line.
fn parser() -> clap::Command {
    args::shaped(Cli::command())
}

fn main() -> ExitCode {
    let start = Instant::now();
    wickring::memory::keep_freed_pages();
    let matches = match parser().try_get_matches() {
        Ok(matches) => matches,
        Err(e) => return ExitCode::from(usage(&e)),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(e) => return ExitCode::from(usage(&e)),
    };
    let json = cli.common.json;
    let verbose = cli.common.verbose > 0;
    // A panic is a bug; the user still gets one line and the documented exit code.
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|l| format!("{}:{}", l.file(), l.line()));
        report::complain(&format!(
            "internal error at {} (please report it)",
            place.unwrap_or_default()
        ));
    }));
    let (name, inside) = args::typed(&matches);
    let run = || {
        let door = args::refuse(&name, inside, &cli.common)?;
        let context = Context::new(cli.common, door, start)?;
        let outcome = commands::run(&cli.command, &context)?;
        report::failed().map_or(Ok(outcome), Err)
    };
    let code = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(Ok(outcome)) => outcome.code(),
        Ok(Err(e)) => {
            report::complain(&report::words(&e, &name));
            if json {
                report::print_error(&report::describe(&e, &name));
            }
            code_of(&e)
        }
        Err(_) => {
            if json {
                report::print_error(&report::plain("internal", "internal error"));
            }
            4
        }
    };
    if verbose {
        report::complain(&report::Cost::since(start).line());
    }
    ExitCode::from(if report::lost() { 2 } else { code })
}

/// Help and version are no errors; everything else is usage, in one line. The exit code.
fn usage(e: &clap::Error) -> u8 {
    if !e.use_stderr() {
        report::print(&e.render().to_string());
        return if report::lost() { 2 } else { 0 };
    }
    if e.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = e.print();
        return 2;
    }
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
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    report::complain(line);
    if std::env::args_os().any(|a| a == "--json") {
        report::print_error(&report::plain("usage", line));
    }
    2
}

fn code_of(e: &Error) -> u8 {
    match e {
        Error::Degenerate { .. }
        | Error::NotConverged { .. }
        | Error::Stopped { .. }
        | Error::LimitExceeded { .. } => Outcome::NotCertified.code(),
        Error::Backend { .. } => 4,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words as a shell splits them, single quotes included.
    fn split(line: &str) -> Vec<String> {
        let parts = line.split('\'').enumerate();
        let words = parts.flat_map(|(k, part)| match k % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        words.collect()
    }

    #[test]
    fn every_command_of_the_readme_parses() {
        let lines = include_str!("../../../README.md").lines();
        let commands: Vec<&str> = lines
            .filter_map(|l| l.strip_prefix("    wickring "))
            .collect();
        assert!(commands.len() > 15, "{}", commands.len());
        for command in commands {
            let words = [vec!["wickring".to_owned()], split(command)].concat();
            let matches = parser().try_get_matches_from(&words);
            let matches = matches.unwrap_or_else(|e| panic!("{command}: {e}"));
            let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|e| panic!("{command}: {e}"));
            let (name, inside) = args::typed(&matches);
            let taken = args::refuse(&name, inside, &cli.common);
            assert!(taken.is_ok(), "{command}: {}", taken.unwrap_err());
        }
    }
}
