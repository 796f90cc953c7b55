//! Every `op` that an error names is a function that exists: `Type::function`, `module::function`, `function` or a type; in the
//! command line, a command.

use crate::Source;
use std::collections::BTreeSet;

/// What exists: functions of types, free functions and types, modules and folders.
struct Known {
    methods: BTreeSet<(String, String)>,
    functions: BTreeSet<String>,
    modules: BTreeSet<String>,
}

pub fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The type that an `impl` or `trait` line opens.
pub fn opened(line: &str) -> Option<&str> {
    if let Some((_, rest)) = line
        .split_once("trait ")
        .filter(|(b, _)| b.trim().is_empty() || b.starts_with("pub"))
    {
        return Some(word(rest));
    }
    let rest = line.strip_prefix("impl")?;
    let rest = match rest.strip_prefix('<') {
        Some(generic) => {
            let mut depth = 1;
            let mut arrow = false;
            let end = generic.find(|c: char| {
                match c {
                    '<' => depth += 1,
                    '>' if !arrow => depth -= 1,
                    _ => {}
                }
                arrow = c == '-';
                depth == 0
            })?;
            &generic[end + 1..]
        }
        None => rest,
    };
    let target = rest.split(" for ").last()?.trim_start();
    let path = &target[..target.find(['<', ' ', '{']).unwrap_or(target.len())];
    path.rsplit("::").next()
}

pub fn function(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    let plain = |w: &str| {
        w.starts_with("pub")
            || ["const", "unsafe", "async", "in", "crate)"].contains(&w)
            || w.ends_with(')')
    };
    before.split_whitespace().all(plain).then(|| word(rest))
}

impl Known {
    fn of(files: &[Source]) -> Self {
        let (mut methods, mut functions, mut modules) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for file in files {
            let stem = file.path.with_extension("");
            modules.extend(stem.iter().map(|p| p.to_string_lossy().into_owned()));
            let mut owner = String::new();
            for (_, line) in file.code() {
                if let Some(name) = opened(line) {
                    name.clone_into(&mut owner);
                }
                let declared = ["struct", "enum", "trait"].iter();
                let declared =
                    declared.filter_map(|kind| line.strip_prefix(&format!("pub {kind} ")));
                functions.extend(declared.map(|rest| word(rest).to_owned()));
                match function(line) {
                    Some(name) if line.starts_with("    ") => {
                        methods.insert((owner.clone(), name.to_owned()));
                    }
                    Some(name) => {
                        functions.insert(name.to_owned());
                    }
                    None => {}
                }
            }
        }
        Self {
            methods,
            functions,
            modules,
        }
    }

    fn holds(&self, op: &str) -> bool {
        let parts: Vec<&str> = op.split("::").collect();
        match parts[..] {
            [.., owner, name] if self.methods.contains(&(owner.to_owned(), name.to_owned())) => {
                true
            }
            [.., name] => {
                let inside = &parts[..parts.len() - 1];
                self.functions.contains(name) && inside.iter().all(|m| self.modules.contains(*m))
            }
            [] => false,
        }
    }
}

/// Texts that a line gives as `op`.
fn operations(line: &str) -> Vec<&str> {
    let code = line.split("//").next().unwrap_or("");
    let opens = [
        "OP: &str = \"",
        "let op = \"",
        "op: \"",
        "Error::invalid(\"",
        "Error::shape(\"",
        "Error::degenerate(\"",
        "Error::non_finite(\"",
        "Error::backend(\"",
        "Error::overflow(\"",
    ];
    let texts = opens.iter().flat_map(|o| code.split(o).skip(1));
    texts.filter_map(|rest| rest.split('"').next()).collect()
}

/// Words of the command line that begin an operation there.
fn is_command(op: &str, commands: &BTreeSet<String>) -> bool {
    let first = op.split(' ').next().unwrap_or("");
    op.starts_with("--") || commands.contains(&first.replace('-', "_"))
}

fn faults(file: &Source, known: &Known) -> Vec<String> {
    let command_line = file.path.starts_with("src/bin");
    let mut broken = Vec::new();
    for (n, line) in file.code() {
        for op in operations(line) {
            if !(known.holds(op) || command_line && is_command(op, &known.modules)) {
                broken.push(file.at(n, &format!("`{op}` is no function")));
            }
        }
    }
    broken
}

#[test]
fn operations_are_functions_that_exist() -> std::io::Result<()> {
    let files = crate::library()?;
    let known = Known::of(&files);
    crate::none(files.iter().flat_map(|f| faults(f, &known)));
    Ok(())
}

#[test]
fn operations_that_do_not_exist_are_noticed() {
    let text =
        "pub struct Fit {}\nimpl<T: Fn() -> u8> a::Fit<T> {\n    pub fn learn(\n}\npub fn heat(\n";
    let known = Known::of(&[Source::new("src/learn/a.rs", text)]);
    let count = |path: &str, text: &str| faults(&Source::new(path, text), &known).len();
    assert_eq!(count("src/a.rs", "const OP: &str = \"Fit::learn\";"), 0);
    assert_eq!(count("src/a.rs", "const OP: &str = \"learn::heat\";"), 0);
    assert_eq!(
        count("src/a.rs", "return Err(Error::invalid(\"heat\", x));"),
        0
    );
    assert_eq!(count("src/a.rs", "const OP: &str = \"Fit\";"), 0);
    assert_eq!(count("src/a.rs", "const OP: &str = \"Fit::lear\";"), 1);
    assert_eq!(count("src/a.rs", "const OP: &str = \"learn fit\";"), 1);
    assert_eq!(count("src/bin/a.rs", "const OP: &str = \"learn fit\";"), 0);
    assert_eq!(count("src/bin/a.rs", "const OP: &str = \"teach fit\";"), 1);
}
