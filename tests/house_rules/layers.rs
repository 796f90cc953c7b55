//! Which module may import which, also by `super::` paths, and what the command line may take.

use crate::Source;
use std::path::Path;

/// What each module of ours may import, besides itself.
pub const MAY_IMPORT: [(&str, &[&str]); 17] = [
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
    ("certify", &["error", "linalg", "poly", "tensor"]),
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
/// Crates that only the library may call, with what the command line may name of them: matrices as data, the pool of threads.
const NUMERICS: [(&str, &[&str]); 3] = [
    ("faer::", &["Mat", "MatRef", "{Mat, MatRef}"]),
    ("rayon::", &["ThreadPoolBuilder", "current_num_threads"]),
    ("dashu_int::", &[]),
];

pub fn module(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("src").ok()?;
    let first = inside.iter().next()?.to_str()?.trim_end_matches(".rs");
    MAY_IMPORT
        .iter()
        .any(|(m, _)| *m == first)
        .then(|| first.to_owned())
}

/// Modules of ours named after `crate::`, anywhere on a line of code.
fn by_crate(line: &str) -> Vec<&'static str> {
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

/// The module path of a file: `src/learn/relu/fit/rounds.rs` is `learn::relu::fit::rounds`.
pub fn place(path: &Path) -> Vec<String> {
    let inside = path.strip_prefix("src").unwrap_or(path).with_extension("");
    let mut parts: Vec<String> = inside
        .iter()
        .map(|p| p.to_string_lossy().into_owned())
        .collect();
    if parts.last().is_some_and(|p| p == "mod") {
        parts.pop();
    }
    parts
}

/// Modules of ours that `super::` paths on a line climb out to; modules inside of a file count as none.
fn by_super(path: &Path, line: &str) -> Vec<&'static str> {
    let code = line.split("//").next().unwrap_or("");
    let depth = place(path).len();
    let mut found = Vec::new();
    for (start, _) in code.match_indices("super::") {
        if code[..start].ends_with("super::") {
            continue;
        }
        let climbs = code[start..].matches("super::").count();
        let rest = code[start..].trim_start_matches("super::");
        if climbs < depth {
            continue;
        }
        let word = rest
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap_or("");
        found.extend(MAY_IMPORT.iter().find(|(m, _)| *m == word).map(|(m, _)| *m));
    }
    found
}

/// Whether `rest` begins with the name `word`.
fn named(rest: &str, word: &str) -> bool {
    let after = rest.strip_prefix(word);
    after.is_some_and(|a| !a.starts_with(|c: char| c.is_alphanumeric()))
}

/// Imports that run up, and numerics in the command line.
pub fn faults(file: &Source) -> Vec<String> {
    let mut broken = Vec::new();
    let own = module(&file.path);
    let allowed = MAY_IMPORT.iter().find(|(m, _)| Some(*m) == own.as_deref());
    for (n, line) in file.code() {
        if let Some((own, allowed)) = allowed {
            for target in by_crate(line).into_iter().chain(by_super(&file.path, line)) {
                if target != *own && !allowed.contains(&target) {
                    broken.push(file.at(n, &format!("{own} must not import {target}")));
                }
            }
        }
        if file.path.starts_with("src/bin") {
            for (name, data) in NUMERICS {
                let calls = line.split(name).skip(1);
                if calls
                    .into_iter()
                    .any(|rest| !data.iter().any(|d| named(rest, d)))
                {
                    broken.push(file.at(n, &format!("{name} belongs to the library")));
                }
            }
        }
    }
    broken
}

#[test]
fn imports_run_one_way() -> std::io::Result<()> {
    crate::none(crate::library()?.iter().flat_map(faults));
    Ok(())
}

#[test]
fn imports_that_run_up_are_noticed() {
    let count = |path: &str, text: &str| faults(&Source::new(path, text)).len();
    assert_eq!(count("src/poly/a.rs", "use crate::Error;"), 0);
    assert_eq!(count("src/poly/a.rs", "use crate::tensor::Tensor;"), 1);
    assert_eq!(count("src/poly/a.rs", "use crate::{Error, decomp};"), 1);
    assert_eq!(
        count("src/poly/a.rs", "let y = crate::linalg::norm2(&x);"),
        1
    );
    assert_eq!(count("src/decomp/a.rs", "use crate::learn::Moments;"), 1);
    assert_eq!(
        count("src/poly/a.rs", "use super::super::tensor::Tensor;"),
        1
    );
    assert_eq!(
        count("src/poly/gcd/a.rs", "use super::super::tensor::X;"),
        0
    );
    assert_eq!(
        count("src/poly/gcd/a.rs", "use super::super::super::tensor::X;"),
        1
    );
    assert_eq!(
        count("src/bin/wickring/a.rs", "use faer::linalg::solvers;"),
        1
    );
}
