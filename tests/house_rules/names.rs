//! No public type has a name that another one bears.

use crate::Source;
use std::collections::BTreeMap;

/// Names with two bearers, and why.
const SHARED: &[(&str, &str)] = &[(
    "Scalar",
    "what solvers run over, and what products of tensors need beside: to be one trait",
)];

/// Public types, with where they stand.
fn types(files: &[Source]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files.iter().filter(|f| !f.path.starts_with("src/bin")) {
        for (n, line) in file.code() {
            let declared = ["struct", "enum", "trait", "type", "union"]
                .iter()
                .find_map(|kind| line.strip_prefix(&format!("pub {kind} ")));
            if let Some(rest) = declared {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let name = rest[..end.unwrap_or(rest.len())].to_owned();
                found.entry(name).or_default().push(file.at(n, ""));
            }
        }
    }
    found
}

fn faults(files: &[Source], shared: &[(&str, &str)]) -> Vec<String> {
    let doubled = types(files)
        .into_iter()
        .filter(|(_, places)| places.len() > 1);
    doubled
        .filter(|(name, _)| !shared.iter().any(|(s, _)| s == name))
        .map(|(name, places)| format!("`{name}` has two meanings: {}", places.join(" ")))
        .collect()
}

#[test]
fn type_names_have_one_meaning() -> std::io::Result<()> {
    let files = crate::library()?;
    crate::none(faults(&files, SHARED));
    let names = types(&files);
    let needed = |s: &str| names.get(s).is_some_and(|p| p.len() > 1);
    crate::none(
        SHARED
            .iter()
            .filter(|(s, _)| !needed(s))
            .map(|(s, _)| format!("`{s}` has one bearer: strike it off")),
    );
    Ok(())
}

#[test]
fn doubled_names_are_noticed() {
    let a = Source::new("src/a.rs", "pub struct Report {\n");
    let b = Source::new("src/b.rs", "pub enum Report<T> {\n");
    let c = Source::new("src/c.rs", "pub(crate) struct Report;\n");
    assert_eq!(faults(&[a, b, c], &[]).len(), 1);
    let a = Source::new("src/a.rs", "pub struct Report {\n");
    let b = Source::new("src/bin/b.rs", "pub enum Report {\n");
    assert_eq!(faults(&[a, b], &[]).len(), 0);
}
