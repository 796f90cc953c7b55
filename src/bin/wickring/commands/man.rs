//! `wickring man`: manual pages, made from the parser itself.

use crate::context::{Context, Outcome};
use clap::{Args, Command};
use serde_json::json;
use std::path::Path;
use wickring::Error;
use wickring::io::write_whole;

/// Write the manual pages into a folder: one for the program and one for each command.
///
/// Read one with `man ./wickring-poly-roots.1`, or copy them into a folder man1 of your MANPATH.
#[derive(Args)]
#[command(after_help = "Example:\n  wickring man --out ~/.local/share/man/man1")]
pub struct Man {}

/// Runs `wickring man`.
pub fn run(_: &Man, context: &Context) -> Result<Outcome, Error> {
    let folder = context.out("man")?;
    std::fs::create_dir_all(folder)
        .map_err(|e| Error::file(folder, "", format!("cannot be made a folder: {e}")))?;
    let mut names = Vec::new();
    pages(
        crate::line::parser(),
        ["wickring"; 2].map(str::to_owned),
        folder,
        &mut names,
    )?;
    let text = format!("wrote {} pages into {}\n", names.len(), folder.display());
    context.emit(&json!({ "folder": folder, "pages": names }), &text);
    Ok(Outcome::Certified)
}

/// The page of a command and those of the commands inside of it; its name with hyphens and with blanks.
fn pages(
    command: Command,
    [name, spoken]: [String; 2],
    folder: &Path,
    names: &mut Vec<String>,
) -> Result<(), Error> {
    let path = folder.join(format!("{name}.1"));
    let fault = |e: std::io::Error| Error::file(path.as_path(), "", format!("cannot be made: {e}"));
    let inside: Vec<Command> = command.get_subcommands().cloned().collect();
    let mut bytes = Vec::new();
    // Manual pages name a command inside of a group with a hyphen.
    let page = clap_mangen::Man::new(command.bin_name(spoken.clone())).title(name.clone());
    page.render(&mut bytes).map_err(fault)?;
    write_whole(&path, &bytes)?;
    names.push(format!("{name}.1"));
    for sub in inside.into_iter().filter(|c| c.get_name() != "help") {
        let words = [
            format!("{name}-{}", sub.get_name()),
            format!("{spoken} {}", sub.get_name()),
        ];
        pages(sub, words, folder, names)?;
    }
    Ok(())
}
