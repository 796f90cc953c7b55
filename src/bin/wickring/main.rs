//! The command line: parse, call the library, print. No mathematics lives here.

mod args;
mod commands;
mod context;
mod doors;
mod evidence;
mod flags;
mod interrupt;
mod line;
mod page;
mod plot;
mod progress;
mod report;

use clap::error::ErrorKind;
use context::{Context, Outcome};
use std::process::ExitCode;
use std::time::Instant;
use wickring::Error;

fn main() -> ExitCode {
    let start = Instant::now();
    wickring::memory::keep_freed_pages();
    let line = match line::read(std::env::args_os()) {
        Ok(line) => line,
        Err(e) => return ExitCode::from(usage(&e)),
    };
    let json = line.cli.common.json;
    let verbose = line.cli.common.verbose > 0;
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
    let name = line.name.clone();
    let run = || {
        let door = line.door()?;
        let context = Context::new(line.cli.common, door, start)?;
        let outcome = commands::run(&line.cli.command, &context)?;
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
    let line = line::mistake(e);
    report::complain(&line);
    if std::env::args_os().any(|a| a == "--json") {
        report::print_error(&report::plain("usage", &line));
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
    use std::ffi::OsString;

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
            let line = line::read(words.into_iter().map(Into::into));
            let line = line.unwrap_or_else(|e| panic!("{command}: {e}"));
            let taken = line.door();
            assert!(taken.is_ok(), "{command}: {}", taken.unwrap_err());
        }
    }

    /// The body of the fuzz target over its stored inputs, each with words left out, doubled, cut and put together.
    #[test]
    fn any_words_are_taken_or_refused_in_one_line() {
        let stored = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/regressions/command_line");
        let mut count = 0;
        for entry in std::fs::read_dir(stored).unwrap() {
            let data = std::fs::read(entry.unwrap().path()).unwrap();
            let words = data.split(|b| *b == b'\n').map(word);
            let words: Vec<OsString> = words.collect();
            line::holds(words.clone());
            for at in 0..words.len() {
                let [mut without, mut twice, mut joined] = [(); 3].map(|()| words.clone());
                without.remove(at);
                twice.insert(at, words[at].clone());
                joined[at].push("=");
                joined[at].push(&words[words.len() - 1 - at]);
                let changed = [without, twice, joined, words[..at].to_vec()];
                changed.into_iter().for_each(line::holds);
            }
            count += 1;
        }
        assert!(count > 5, "{count} stored inputs");
    }

    #[cfg(unix)]
    fn word(bytes: &[u8]) -> OsString {
        std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
    }

    #[cfg(not(unix))]
    fn word(bytes: &[u8]) -> OsString {
        String::from_utf8_lossy(bytes).into_owned().into()
    }
}
