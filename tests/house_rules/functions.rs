//! A function fits on a screen and a half: at most [`MOST`] lines in the library, those that do not yet listed one by one.

use crate::Source;

/// Lines of a function, from its first to its closing brace.
const MOST: usize = 60;

/// Longer ones, each with the number of lines that it may have: a list that only shrinks.
pub const LONGER: &[(&str, &str, usize)] = &[
    // LIST
];

/// Name and lines of every function outside of the unit tests, as rustfmt lays them out.
fn functions(file: &Source) -> Vec<(usize, String, usize)> {
    let lines: Vec<(usize, &str)> = file.code().collect();
    let mut found = Vec::new();
    for (k, (n, line)) in lines.iter().enumerate() {
        let text = line.trim_start();
        let indent = &line[..line.len() - text.len()];
        let Some(name) = named(text) else { continue };
        if line.ends_with(';') || line.ends_with('}') {
            continue;
        }
        let close = format!("{indent}}}");
        let length = lines[k..].iter().position(|(_, l)| *l == close);
        found.push((*n, name, length.map_or(0, |l| l + 1)));
    }
    found
}

/// The name after `fn`, where a line begins a function.
fn named(text: &str) -> Option<String> {
    let before = ["pub", "const", "async", "unsafe", "extern"];
    let mut rest = text;
    loop {
        let (word, after) = rest.split_once(' ')?;
        if word == "fn" {
            let end = after.find(|c: char| !c.is_alphanumeric() && c != '_')?;
            return Some(after[..end].to_owned());
        }
        let known = before.contains(&word) || word.starts_with("pub(");
        // `pub(in a::b)` holds a blank.
        rest = match known {
            true if word.starts_with("pub(") && !word.ends_with(')') => after.split_once(") ")?.1,
            true => after,
            false => return None,
        };
    }
}

fn faults(file: &Source, longer: &[(&str, &str, usize)]) -> Vec<String> {
    let path = file.path.display().to_string();
    let mut broken = Vec::new();
    for (n, name, length) in functions(file) {
        let listed = longer.iter().find(|(p, f, _)| *p == path && *f == name);
        let most = listed.map_or(MOST, |l| l.2);
        if length > most {
            broken.push(file.at(n, &format!("`{name}` has {length} lines, at most {most}")));
        }
    }
    broken
}

/// Entries of the list that nothing needs any more.
fn stale(files: &[Source], longer: &[(&str, &str, usize)]) -> Vec<String> {
    let long = |p: &str, f: &str| {
        let file = files.iter().find(|s| s.path.display().to_string() == p);
        file.is_some_and(|s| {
            functions(s)
                .iter()
                .any(|(_, name, l)| name == f && *l > MOST)
        })
    };
    let unused = longer.iter().filter(|(p, f, _)| !long(p, f));
    unused
        .map(|(p, f, _)| format!("{p}: `{f}` is no longer too long: strike it off the list"))
        .collect()
}

#[test]
fn functions_fit_on_a_screen_and_a_half() -> std::io::Result<()> {
    let files = crate::library()?;
    let library: Vec<Source> = files
        .into_iter()
        .filter(|f| !f.path.starts_with("src/bin"))
        .collect();
    crate::none(
        library
            .iter()
            .flat_map(|f| faults(f, LONGER))
            .chain(stale(&library, LONGER)),
    );
    Ok(())
}

#[test]
fn long_functions_are_noticed() {
    let text = |lines: usize| {
        format!(
            "impl A {{\n    pub(in crate::a) fn f(\n{}    }}\n}}\n",
            "        x;\n".repeat(lines)
        )
    };
    let file = |lines: usize| Source::new("src/a.rs", &text(lines));
    assert_eq!(faults(&file(58), &[]).len(), 0);
    assert_eq!(faults(&file(59), &[]).len(), 1);
    assert_eq!(faults(&file(59), &[("src/a.rs", "f", 70)]).len(), 0);
    assert_eq!(stale(&[file(59)], &[("src/a.rs", "f", 70)]).len(), 0);
    assert_eq!(stale(&[file(9)], &[("src/a.rs", "f", 70)]).len(), 1);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", text(80));
    assert_eq!(faults(&Source::new("src/a.rs", &tests), &[]).len(), 0);
}
