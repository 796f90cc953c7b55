//! Style rules that a test can check: size, layering, names, required doc sections.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// What each module of ours may import, besides itself.
const MAY_IMPORT: [(&str, &[&str]); 17] = [
    ("error", &[]),
    ("memory", &[]),
    ("run", &["error"]),
    ("fit", &["error"]),
    ("linalg", &["error"]),
    ("optim", &["error", "linalg"]),
    ("poly", &["error", "memory"]),
    ("tensor", &["error", "linalg", "poly"]),
    ("io", &["error", "tensor", "poly"]),
    (
        "stats",
        &["error", "fit", "run", "linalg", "poly", "tensor", "io"],
    ),
    (
        "decomp",
        &[
            "error", "memory", "run", "fit", "linalg", "optim", "poly", "tensor",
        ],
    ),
    (
        "learn",
        &[
            "error", "run", "fit", "linalg", "optim", "poly", "tensor", "io", "stats", "decomp",
        ],
    ),
    (
        "theory",
        &[
            "error", "run", "fit", "linalg", "optim", "poly", "tensor", "io", "stats", "decomp",
            "learn",
        ],
    ),
    (
        "planted",
        &[
            "error", "run", "fit", "linalg", "poly", "tensor", "io", "stats", "decomp", "learn",
        ],
    ),
    ("certify", &["error", "poly", "tensor"]),
    (
        "scheme",
        &["error", "run", "poly", "tensor", "certify", "io"],
    ),
    (
        "laws",
        &[
            "error", "run", "fit", "linalg", "optim", "poly", "tensor", "io", "stats", "decomp",
            "learn", "theory", "planted", "certify", "scheme",
        ],
    ),
];
const MAX_LINES: usize = 450;
/// Files in one folder of the sources, `mod.rs` included.
const MAX_FILES: usize = 14;
const NAMELESS: [&str; 5] = ["utils.rs", "util.rs", "helpers.rs", "common.rs", "misc.rs"];
/// Verbs whose documentation must carry these sections.
const VERBS: [&str; 2] = ["pub fn decompose(", "pub fn learn("];
const SECTIONS: [&str; 4] = ["# Shapes", "# Errors", "# Complexity", "# Example"];

fn sources(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn module(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("src").ok()?;
    let first = inside.iter().next()?.to_str()?.trim_end_matches(".rs");
    MAY_IMPORT
        .iter()
        .any(|(m, _)| *m == first)
        .then(|| first.to_owned())
}

/// Modules of ours named after `crate::`, anywhere on a line of code.
fn imports(line: &str) -> Vec<&'static str> {
    let code = line.split("//").next().unwrap_or("");
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let named = |w: &str| MAY_IMPORT.iter().find(|(m, _)| *m == w).map(|(m, _)| *m);
        let mut words = rest.split(|c: char| !c.is_alphanumeric() && c != '_');
        match rest.strip_prefix('{') {
            Some(group) => found.extend(
                group
                    .split([',', '}'])
                    .filter_map(|part| named(part.trim().split("::").next()?)),
            ),
            None => found.extend(words.next().and_then(named)),
        }
    }
    found
}

/// Comparisons of prose, and numerics in the command line.
fn breaches(path: &Path, line: &str) -> Vec<&'static str> {
    let code = line.split("//").next().unwrap_or("");
    let prose = [
        ".label ==",
        ".label.starts_with",
        ".label.contains",
        ".label.ends_with",
    ];
    let mut found = Vec::new();
    if path.starts_with("src") && prose.iter().any(|p| code.contains(p)) {
        found.push("decisions rest on keys, not on labels");
    }
    if path.starts_with("src/bin") && code.contains("faer::linalg") {
        found.push("linear algebra belongs to the library");
    }
    found
}

fn faults(path: &Path, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut broken = Vec::new();
    let mut fault = |n: usize, what: String| broken.push(format!("{}:{n}: {what}", path.display()));
    if lines.len() > MAX_LINES {
        fault(0, format!("{} lines, at most {MAX_LINES}", lines.len()));
    }
    if NAMELESS.iter().any(|n| path.ends_with(n)) {
        fault(0, "name the contents, not the container".into());
    }
    if !lines.first().is_some_and(|l| l.starts_with("//!")) {
        fault(1, "starts without module documentation".into());
    }
    let own = module(path);
    let allowed = MAY_IMPORT.iter().find(|(m, _)| Some(*m) == own.as_deref());
    for (n, line) in lines.iter().enumerate() {
        if let Some((own, allowed)) = allowed {
            for target in imports(line) {
                if target != *own && !allowed.contains(&target) {
                    fault(n + 1, format!("{own} must not import {target}"));
                }
            }
        }
        for what in breaches(path, line) {
            fault(n + 1, what.to_owned());
        }
        let todo = ["TO", "DO"].concat();
        if line.contains(&todo) && !line.contains('#') {
            fault(n + 1, format!("{todo} without an issue number"));
        }
        if VERBS.iter().any(|v| line.trim_start().starts_with(v)) {
            let above = lines[..n].iter().rev();
            let doc: Vec<_> = above
                .take_while(|l| l.trim_start().starts_with("///"))
                .collect();
            for section in SECTIONS {
                if !doc.iter().any(|l| l.contains(section)) {
                    fault(n + 1, format!("lacks `{section}`"));
                }
            }
        }
    }
    broken
}

#[test]
fn every_source_file_keeps_the_house_rules() -> io::Result<()> {
    let mut broken = Vec::new();
    for dir in ["src", "tests", "benches", "examples"] {
        for path in sources(Path::new(dir))? {
            broken.extend(faults(&path, &fs::read_to_string(&path)?));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    Ok(())
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

/// README and front page show the first example as it is.
#[test]
fn the_readme_shows_the_first_example() -> io::Result<()> {
    let first = fs::read_to_string("examples/first.rs")?;
    assert!(fs::read_to_string("README.md")?.contains(&first));
    Ok(())
}

#[test]
fn no_folder_is_a_heap() -> io::Result<()> {
    let broken = heaps(&sources(Path::new("src"))?);
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    Ok(())
}

/// The rules themselves can fail: each is shown a file that breaks it.
#[test]
fn the_rules_notice_what_they_forbid() {
    let count = |path: &str, text: &str| faults(Path::new(path), text).len();
    assert_eq!(count("src/poly/a.rs", "//! Fine.\nuse crate::Error;\n"), 0);
    assert_eq!(
        count("src/poly/a.rs", "//! x\nuse crate::tensor::Tensor;\n"),
        1
    );
    assert_eq!(
        count("src/poly/a.rs", "//! x\nuse crate::{Error, decomp};\n"),
        1
    );
    assert_eq!(
        count(
            "src/poly/a.rs",
            "//! x\nlet y = crate::linalg::norm2(&x);\n"
        ),
        1
    );
    assert_eq!(
        count("src/decomp/a.rs", "//! x\nuse crate::learn::Moments;\n"),
        1
    );
    assert_eq!(count("src/poly/utils.rs", "//! x\n"), 1);
    assert_eq!(count("src/poly/a.rs", "use std::fmt;\n"), 1);
    assert_eq!(count("src/poly/a.rs", &"//! x\n".repeat(MAX_LINES + 1)), 1);
    assert_eq!(count("src/decomp/a.rs", "//! x\npub fn decompose(\n"), 4);
    assert_eq!(count("src/fit/a.rs", "//! x\nif c.label == x {\n"), 1);
    assert_eq!(
        count(
            "src/bin/wickring/a.rs",
            "//! x\nuse faer::linalg::solvers;\n"
        ),
        1
    );
    let many: Vec<PathBuf> = (0..=MAX_FILES)
        .map(|n| format!("src/poly/f{n}.rs").into())
        .collect();
    assert_eq!(heaps(&many).len(), 1);
    assert_eq!(heaps(&many[1..]).len(), 0);
}
