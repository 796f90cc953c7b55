//! Style rules that a test can check, each shown a breach that it must notice: layers, sizes, names, operations, documentation.

mod documentation;
mod examples;
mod functions;
mod layers;
mod names;
mod operations;

use std::path::{Path, PathBuf};
use std::{fs, io};

/// A file, split into lines.
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub lines: Vec<String>,
}

impl Source {
    /// A file of that text.
    pub fn new(path: &str, text: &str) -> Self {
        let lines = text.lines().map(str::to_owned).collect();
        let path = path.into();
        Self { path, lines }
    }

    /// Lines before the unit tests, with their numbers.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = |w: &[String]| w[0] == "#[cfg(test)]" && w[1].starts_with("mod ");
        let end = self.lines.windows(2).position(tests);
        let lines = &self.lines[..end.unwrap_or(self.lines.len())];
        lines.iter().enumerate().map(|(n, l)| (n + 1, l.as_str()))
    }

    /// A fault with its place.
    pub fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path.display())
    }
}

fn paths(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(paths(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// All files below the folders.
pub fn sources(dirs: &[&str]) -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    for dir in dirs {
        for path in paths(Path::new(dir))? {
            let text = fs::read_to_string(&path)?;
            found.push(Source::new(&path.display().to_string(), &text));
        }
    }
    Ok(found)
}

/// The library and the command line.
pub fn library() -> io::Result<Vec<Source>> {
    sources(&["src"])
}

/// Fails with every fault on a line of its own.
pub fn none(faults: impl IntoIterator<Item = String>) {
    let broken: Vec<String> = faults.into_iter().collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

const MAX_LINES: usize = 450;
/// Files in one folder of the sources, `mod.rs` included.
const MAX_FILES: usize = 14;
const NAMELESS: [&str; 5] = ["utils.rs", "util.rs", "helpers.rs", "common.rs", "misc.rs"];

fn sizes_and_words(file: &Source) -> Vec<String> {
    let mut broken = Vec::new();
    let length = file.lines.len();
    if length > MAX_LINES {
        broken.push(file.at(0, &format!("{length} lines, at most {MAX_LINES}")));
    }
    if NAMELESS.iter().any(|n| file.path.ends_with(n)) {
        broken.push(file.at(0, "name the contents, not the container"));
    }
    let todo = ["TO", "DO"].concat();
    let labels = ["==", ".starts_with", ".contains", ".ends_with"];
    for (n, line) in file.lines.iter().enumerate() {
        if line.contains(&todo) && !line.contains('#') {
            broken.push(file.at(n + 1, &format!("{todo} without an issue number")));
        }
        let code = line.split("//").next().unwrap_or("");
        let compares = |p: &&str| {
            code.contains(&format!(".label {p}")) || code.contains(&format!(".label{p}"))
        };
        if file.path.starts_with("src") && labels.iter().any(compares) {
            broken.push(file.at(n + 1, "decisions rest on keys, not on labels"));
        }
    }
    broken
}

/// Folders of the sources that hold more files than one looks through.
fn heaps(paths: &[PathBuf]) -> Vec<String> {
    let mut folders = std::collections::BTreeMap::new();
    for folder in paths.iter().filter_map(|p| p.parent()) {
        *folders.entry(folder).or_insert(0) += 1;
    }
    let full = folders.iter().filter(|(_, files)| **files > MAX_FILES);
    full.map(|(f, n)| format!("{}: {n} files, at most {MAX_FILES}", f.display()))
        .collect()
}

#[test]
fn files_are_short_and_named() -> io::Result<()> {
    let all = sources(&["src", "tests", "benches", "examples"])?;
    none(all.iter().flat_map(sizes_and_words));
    Ok(())
}

#[test]
fn no_folder_is_a_heap() -> io::Result<()> {
    none(heaps(&paths(Path::new("src"))?));
    Ok(())
}

/// README and front page show the first example as it is.
#[test]
fn the_readme_shows_the_first_example() -> io::Result<()> {
    let first = fs::read_to_string("examples/first.rs")?;
    assert!(fs::read_to_string("README.md")?.contains(&first));
    Ok(())
}

#[test]
fn long_nameless_and_crowded_files_are_noticed() {
    let count = |path: &str, text: &str| sizes_and_words(&Source::new(path, text)).len();
    assert_eq!(count("src/poly/a.rs", "//! Fine.\nuse crate::Error;\n"), 0);
    assert_eq!(count("src/poly/utils.rs", "//! x\n"), 1);
    assert_eq!(count("src/poly/a.rs", &"//! x\n".repeat(MAX_LINES + 1)), 1);
    assert_eq!(count("src/fit/a.rs", "//! x\nif c.label == x {\n"), 1);
    assert_eq!(
        count("src/fit/a.rs", "//! x\nif c.label.contains(x) {\n"),
        1
    );
    let many: Vec<PathBuf> = (0..=MAX_FILES)
        .map(|n| format!("src/poly/f{n}.rs").into())
        .collect();
    assert_eq!(heaps(&many).len(), 1);
    assert_eq!(heaps(&many[1..]).len(), 0);
}
