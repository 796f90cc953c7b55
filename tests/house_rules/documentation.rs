//! Files begin with what they hold, and the verbs that people call say shapes, errors, complexity and an example.

use crate::Source;

/// Verbs whose documentation must carry these sections.
const VERBS: [&str; 2] = ["pub fn decompose(", "pub fn learn("];
const SECTIONS: [&str; 4] = ["# Shapes", "# Errors", "# Complexity", "# Example"];

fn faults(file: &Source) -> Vec<String> {
    let mut broken = Vec::new();
    let lines = &file.lines;
    if !lines.first().is_some_and(|l| l.starts_with("//!")) {
        broken.push(file.at(1, "starts without module documentation"));
    }
    for (n, line) in lines.iter().enumerate() {
        if VERBS.iter().any(|v| line.trim_start().starts_with(v)) {
            let above = lines[..n].iter().rev();
            let doc: Vec<_> = above
                .take_while(|l| l.trim_start().starts_with("///"))
                .collect();
            for section in SECTIONS {
                if !doc.iter().any(|l| l.contains(section)) {
                    broken.push(file.at(n + 1, &format!("lacks `{section}`")));
                }
            }
        }
    }
    broken
}

#[test]
fn files_and_verbs_are_documented() -> std::io::Result<()> {
    let all = crate::sources(&["src", "tests", "benches", "examples"])?;
    crate::none(all.iter().flat_map(faults));
    Ok(())
}

#[test]
fn missing_documentation_is_noticed() {
    let count = |text: &str| faults(&Source::new("src/decomp/a.rs", text)).len();
    assert_eq!(count("//! Fine.\nuse crate::Error;\n"), 0);
    assert_eq!(count("use std::fmt;\n"), 1);
    assert_eq!(count("//! x\npub fn decompose(\n"), 4);
}
