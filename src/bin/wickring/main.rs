//! The command line: parse, call the library, print. No mathematics lives here.

mod commands;
mod context;
mod evidence;
mod plot;
mod progress;

use clap::Parser;
use context::{Common, Context, Outcome};
use std::process::ExitCode;
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

fn main() -> ExitCode {
    wickring::memory::keep_freed_pages();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are no errors; everything else is usage.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { 2 } else { 0 });
        }
    };
    // A panic is a bug; the user still gets one line and the documented exit code.
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|l| format!("{}:{}", l.file(), l.line()));
        context::complain(&format!(
            "internal error at {} (please report it)",
            place.unwrap_or_default()
        ));
    }));
    let run = || {
        let context = Context::new(cli.common)?;
        commands::run(&cli.command, &context)
    };
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(Ok(outcome)) => ExitCode::from(outcome.code()),
        Ok(Err(e)) => {
            context::complain(&e.to_string());
            ExitCode::from(code_of(&e))
        }
        Err(_) => ExitCode::from(4),
    }
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
