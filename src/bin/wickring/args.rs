//! Which common options each command takes; those that would do nothing are refused, with the reason.

use crate::context::Common;
use crate::doors::{CHOSEN, Door, of};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command};
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::{is_stream, source};

/// Whether a path is named as a certificate.
pub fn names_certificate(path: &Path) -> bool {
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().to_ascii_lowercase());
    name.is_some_and(|n| n.ends_with(".certificate.json"))
}

/// Why an option would do nothing.
fn reason(id: &str) -> &'static str {
    match id {
        "seed" => "it draws no random numbers",
        "progress" => "it shows no progress",
        "max_seconds" => "its work is bounded by the size of its input",
        "out" | "force" => "it writes no file",
        "missing" => "it reads no table whose entries could be missing",
        "plot" => "it draws no picture",
        "report" => "it writes no page; its output is the whole result",
        "columns" => "it reads no table whose columns could be chosen",
        "name" => "it reads no file with several arrays",
        "mask" => "it cannot work without the missing entries; decompose cp and decompose ring can",
        _ => "it would do nothing",
    }
}

/// The parser with every common option shown where it means something and hidden elsewhere.
pub fn shaped(command: Command) -> Command {
    let common = Common::augment_args(Command::new("common"));
    let common: Vec<clap::Arg> = common.get_arguments().cloned().collect();
    descend(command, "", &common)
}

fn descend(command: Command, path: &str, common: &[clap::Arg]) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    if names.is_empty() {
        let door = of(path);
        let own: Vec<clap::Id> = command
            .get_arguments()
            .map(|a| a.get_id().clone())
            .collect();
        let common = common.iter().filter(|a| !own.contains(a.get_id()));
        return common.fold(command, |command, arg| {
            let shown = door.takes(arg.get_id().as_str());
            command.arg(arg.clone().help_heading("Common options").hide(!shown))
        });
    }
    names.into_iter().fold(command, |command, name| {
        let inside = join(path, &name);
        command.mut_subcommand(name, |sub| descend(sub, &inside, common))
    })
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path} {name}"),
    }
}

/// The command that was typed, and the matches of its own options.
pub fn typed(matches: &ArgMatches) -> (String, &ArgMatches) {
    let (mut path, mut at) = (String::new(), matches);
    while let Some((name, inside)) = at.subcommand() {
        (path, at) = (join(&path, name), inside);
    }
    (path, at)
}

/// Refuses common options that the command would ignore, endings of `--out` that it does not write, and
/// outputs that would replace an input.
pub fn refuse(command: &str, matches: &ArgMatches, common: &Common) -> Result<Door, Error> {
    let door = of(command);
    let refused = |id: &str, why: &str| {
        let text = format!("{command} does not take --{}: {why}", id.replace('_', "-"));
        // The command stands in the sentence already.
        Err(Error::invalid("wickring", text))
    };
    for id in matches.ids().map(clap::Id::as_str) {
        let given = matches.value_source(id) == Some(ValueSource::CommandLine);
        if given && CHOSEN.contains(&id) && !door.takes(id) {
            return refused(id, reason(id));
        }
    }
    if common.missing == crate::context::Missing::Mask && !door.masks {
        return refused("missing mask", reason("mask"));
    }
    if common.force && common.out.is_none() && door.takes("out") && !door.names_output {
        return refused("force", "without --out it overwrites nothing");
    }
    if let Some(out) = common.out.as_deref().filter(|out| !is_stream(out)) {
        let ending = out.extension().and_then(|e| e.to_str()).unwrap_or("");
        let ending = ending.to_ascii_lowercase();
        // `decompose cp --exact` is `decompose exact`.
        let exact = matches.try_get_one("exact").ok().flatten() == Some(&true);
        let endings = match command {
            "decompose cp" if exact => of("decompose exact").endings,
            _ => door.endings,
        };
        if door.prints_to_out && !door.certifies && names_certificate(out) {
            let problem = format!("{command} has no certificate: name its result .json or .txt");
            return Err(Error::file(out, "--out", problem));
        }
        if !endings.is_empty() && !endings.contains(&ending.as_str()) {
            let listed: Vec<String> = endings.iter().map(|e| format!(".{e}")).collect();
            let problem = format!("{command} writes {}", listed.join(" or "));
            return Err(Error::file(out, "--out", problem));
        }
    }
    // The demonstration makes a folder.
    let files = common.out.iter().filter(|_| command != "demo");
    for output in files.chain(&common.plot) {
        has_place(output)?;
    }
    distinct(matches, common, door.alone)?;
    Ok(door)
}

/// Tells before the work that an output has no place: its folder is missing, or it is one itself.
fn has_place(output: &Path) -> Result<(), Error> {
    let cannot = |why: &str| Error::file(output, "", format!("cannot be written: {why}"));
    if output.is_dir() && !is_stream(output) {
        return Err(cannot("it is a folder, expected the name of a file"));
    }
    let folder = output.parent().filter(|p| !p.as_os_str().is_empty());
    match std::fs::metadata(folder.unwrap_or(Path::new("."))) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => Err(cannot("its folder is a file")),
        Err(e) => Err(cannot(&format!("its folder cannot be opened: {e}"))),
    }
}

/// No output takes the place of an input (without `--force`) or of another output.
fn distinct(matches: &ArgMatches, common: &Common, alone: bool) -> Result<(), Error> {
    let named = [
        ("--out", &common.out),
        ("--plot", &common.plot),
        ("--report", &common.report),
    ];
    for (k, (first, path)) in named.iter().enumerate() {
        let same = named[k + 1..]
            .iter()
            .find(|(_, other)| path.is_some() && other == path);
        if let (Some(path), Some((second, _))) = (path, same) {
            let problem = format!("{first} and {second} name the same file");
            return Err(Error::file(path.as_path(), "", problem));
        }
    }
    if common.force {
        return Ok(());
    }
    let inputs = inputs(matches);
    let mut outputs: Vec<PathBuf> = Vec::new();
    if let Some(out) = common.out.as_deref().filter(|out| !is_stream(out)) {
        outputs.push(out.to_owned());
        // Reports and certificates stand beside the result.
        let beside = [
            "json",
            "report.json",
            "certificate.json",
            "data.certificate.json",
        ];
        outputs.extend(
            beside
                .iter()
                .filter(|_| !alone)
                .map(|e| out.with_extension(e)),
        );
    }
    outputs.extend(common.plot.clone());
    outputs.extend(common.report.clone());
    for output in &outputs {
        let folder = output.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize();
        let beside = folder.ok().zip(output.file_name()).map(|(f, n)| f.join(n));
        let Some(place) = output.canonicalize().ok().or(beside) else {
            continue;
        };
        if inputs.contains(&place) || inputs.iter().any(|input| is_part(input, &place)) {
            let problem =
                "is an input and would be overwritten; choose another --out, or add --force";
            return Err(Error::file(output.as_path(), "", problem));
        }
    }
    Ok(())
}

/// Whether a table is one of the `OUT_NAME.csv` that several arrays become.
fn is_part(input: &Path, out: &Path) -> bool {
    let stem = |p: &Path| p.file_stem().map(|s| s.to_string_lossy().into_owned());
    let table = out.extension().is_some_and(|e| e == "csv" || e == "tsv");
    let beside = input.parent() == out.parent() && input.extension() == out.extension();
    let (part, whole) = (
        stem(input).unwrap_or_default(),
        stem(out).unwrap_or_default(),
    );
    table && beside && part.starts_with(&format!("{whole}_"))
}

/// Every file that an option or an argument names, and the files of every folder among them.
fn inputs(matches: &ArgMatches) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for id in matches.ids().map(clap::Id::as_str) {
        if matches!(id, "out" | "plot" | "report") {
            continue;
        }
        let Ok(Some(values)) = matches.try_get_raw(id) else {
            continue;
        };
        for value in values {
            let path = Path::new(value);
            if source::is_stream(path) {
                continue;
            }
            if let Ok(entries) = std::fs::read_dir(path) {
                found.extend(
                    entries
                        .flatten()
                        .filter_map(|e| e.path().canonicalize().ok()),
                );
            }
            found.extend(path.canonicalize());
        }
    }
    found
}
