//! Every public type is shown in use: on its own page, or on the page that its documentation links to.

use crate::Source;
use crate::operations::{function, opened, word};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What has a documentation of its own: a type, a function, or a function of a type.
struct Item<'a> {
    /// The type that the function belongs to.
    owner: Option<&'a str>,
    name: &'a str,
    is_type: bool,
    doc: Vec<&'a str>,
    place: String,
    path: &'a Path,
}

/// Kinds of types, as their declarations begin.
const TYPES: [&str; 4] = ["pub struct ", "pub enum ", "pub trait ", "pub union "];

/// Everything documented in a file.
fn items(file: &Source) -> Vec<Item<'_>> {
    let mut found = Vec::new();
    let (mut doc, mut attribute, mut block) = (Vec::new(), 0_i32, None);
    for (n, line) in file.code() {
        let text = line.trim_start();
        let depth = || {
            let count = |c: char| i32::try_from(text.matches(c).count()).unwrap_or(0);
            count('[') - count(']')
        };
        if let Some(said) = text.strip_prefix("///") {
            doc.push(said);
            continue;
        }
        if attribute > 0 || text.starts_with("#[") {
            attribute += depth();
            continue;
        }
        if !line.starts_with(' ') && opened(line).is_some() {
            block = opened(line);
        }
        let declared = TYPES.iter().find_map(|t| line.strip_prefix(t)).map(word);
        let inside = line.starts_with("    ");
        if let Some(name) = declared.or_else(|| function(line)) {
            found.push(Item {
                owner: block.filter(|_| inside && declared.is_none()),
                name,
                is_type: declared.is_some(),
                doc: std::mem::take(&mut doc),
                place: file.at(n, ""),
                path: &file.path,
            });
        }
        doc.clear();
    }
    found
}

/// The examples that run, of one documentation.
fn examples(doc: &[&str]) -> String {
    let (mut inside, mut runs, mut text) = (false, false, String::new());
    for line in doc {
        match line.trim_start().strip_prefix("```") {
            Some(kind) => {
                runs = !inside && matches!(kind.trim(), "" | "rust");
                inside = !inside;
            }
            None if inside && runs => {
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    text
}

fn has_word(text: &str, name: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(name).any(|(start, _)| {
        let (before, after) = (&text[..start], &text[start + name.len()..]);
        !part(before.chars().next_back()) && !part(after.chars().next())
    })
}

/// Paths that a documentation links to, each with its last two names.
fn links<'a>(doc: &[&'a str]) -> Vec<(Option<&'a str>, &'a str)> {
    let opens = doc.iter().flat_map(|l| l.split("[`").skip(1));
    let targets = opens.filter_map(|rest| {
        let (shown, after) = rest.split_once("`]")?;
        let target = match after.strip_prefix('(') {
            Some(path) => path.split_once(')')?.0,
            None => shown,
        };
        let mut names = target.trim_end_matches("()").rsplit("::");
        let last = names.next()?;
        Some((names.next(), last))
    });
    targets.collect()
}

/// Fields, variants and functions that hold, take or give a type, by the name of the type. A function that several types
/// have counts only beside the name of its own.
fn carriers(files: &[Source]) -> BTreeMap<&str, Vec<(Option<&str>, &str)>> {
    let mut found: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    let capital = |w: &&str| w.starts_with(|c: char| c.is_ascii_uppercase());
    for file in files {
        let (mut block, mut signature) = (None, None);
        for (_, line) in file.code() {
            let text = line.trim_start();
            if text.starts_with("//") {
                continue;
            }
            if !line.starts_with(' ') {
                block = opened(line).or_else(|| function(line));
            }
            if let Some(name) = function(line) {
                let verb = ["learn", "decompose", "new", "default"].contains(&name);
                signature = Some((block.filter(|_| verb), name));
            }
            let field = text.strip_prefix("pub ").and_then(|r| r.split_once(": "));
            let variant = Some(word(text)).filter(|w| text[w.len()..].starts_with('('));
            let carrier = signature
                .or_else(|| field.map(|(name, _)| (None, name)))
                .or_else(|| variant.filter(capital).map(|name| (None, name)));
            if let Some(carrier) = carrier {
                let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
                for name in words.filter(capital).filter(|w| *w != carrier.1) {
                    found.entry(name).or_default().push(carrier);
                }
            }
            if line.ends_with('{') || line.ends_with(';') || line.ends_with('}') {
                signature = None;
            }
        }
    }
    found
}

/// What each module declares or passes on to the outside, by its path.
fn doors(files: &[Source]) -> BTreeMap<Vec<String>, String> {
    let mut found: BTreeMap<Vec<String>, String> = BTreeMap::new();
    for file in files {
        let said = found.entry(crate::layers::place(&file.path)).or_default();
        let (mut passing, mut hidden) = (false, false);
        for (_, line) in file.code() {
            passing |= line.starts_with("pub use ") || line.starts_with("pub mod ");
            if passing && !hidden {
                said.push_str(line);
                said.push('\n');
            }
            passing &= !line.ends_with(';');
            hidden = line.contains("doc(hidden)") || passing && hidden;
        }
    }
    found
}

/// Whether a type declared in a file can be named from outside of the crate.
fn reachable(path: &Path, name: &str, doors: &BTreeMap<Vec<String>, String>) -> bool {
    let mut module = crate::layers::place(path);
    if module == ["lib"] {
        return true;
    }
    let mut visible = true;
    while let Some(last) = module.pop() {
        let above = match module.is_empty() {
            true => doors.get(&vec!["lib".to_owned()]),
            false => doors.get(&module),
        };
        let said = above.map_or("", String::as_str);
        let mut passed = said.split("pub use ").skip(1);
        visible = visible && said.contains(&format!("pub mod {last};"))
            || passed.any(|p| has_word(p.split(';').next().unwrap_or(""), name));
    }
    visible
}

/// The examples of a page: those of the item, and of the functions of a type, which stand on the same page.
fn page(items: &[Item<'_>], (owner, name): (Option<&str>, &str)) -> String {
    let on_it = items.iter().filter(|i| match (owner, i.owner) {
        _ if i.is_type => i.name == name,
        (_, None) => i.name == name,
        (Some(o), Some(of)) if o == of && i.name == name => true,
        (_, Some(of)) => of == name,
    });
    on_it.map(|i| examples(&i.doc)).collect()
}

fn faults(files: &[Source]) -> Vec<String> {
    let all: Vec<Item<'_>> = files.iter().flat_map(items).collect();
    let (doors, carriers) = (doors(files), carriers(files));
    let mut broken = Vec::new();
    let types = all.iter().filter(|i| i.is_type);
    for of in types.filter(|i| reachable(i.path, i.name, &doors)) {
        if !page(&all, (None, of.name)).is_empty() {
            continue;
        }
        let carried: BTreeSet<_> = carriers.get(of.name).into_iter().flatten().collect();
        let uses = |text: &str| {
            let by = |(owner, name): &(Option<&str>, &str)| {
                has_word(text, name) && owner.is_none_or(|o| has_word(text, o))
            };
            has_word(text, of.name) || carried.iter().any(|c| by(c))
        };
        if !links(&of.doc).iter().any(|l| uses(&page(&all, *l))) {
            let name = of.name;
            broken.push(format!("{}`{name}` is shown in no example", of.place));
        }
    }
    broken
}

#[test]
fn every_public_type_has_an_example() -> std::io::Result<()> {
    let files = crate::library()?;
    let library: Vec<Source> = files
        .into_iter()
        .filter(|f| !f.path.starts_with("src/bin"))
        .collect();
    crate::none(faults(&library));
    Ok(())
}

#[test]
fn types_without_an_example_are_noticed() {
    let root = "pub mod a;\nmod b;\npub use b::c::Shared;\n";
    let count = |a: &str, b: &str| {
        let at = |path: &str, text: &str| Source::new(path, text);
        faults(&[
            at("src/lib.rs", root),
            at("src/a.rs", a),
            at("src/b/c.rs", b),
        ])
        .len()
    };
    let shown = "/// ```\n/// let x = run().kind;\n/// ```\npub fn run() {\n}\n";
    assert_eq!(count("pub struct A {\n", ""), 1);
    assert_eq!(
        count("/// ```ignore\n/// A\n/// ```\npub struct A {\n", ""),
        1
    );
    assert_eq!(
        count("/// ```text\n/// A\n/// ```\npub struct A {\n", ""),
        1
    );
    assert_eq!(
        count(
            "/// ```\n/// A;\n/// ```\n#[derive(Clone)]\npub struct A {\n",
            ""
        ),
        0
    );
    let method =
        "pub struct A {\n}\nimpl A {\n    /// ```\n    /// A;\n    /// ```\n    pub fn new() {\n";
    assert_eq!(count(method, ""), 0);
    // Only what can be named from outside.
    assert_eq!(count("", "pub enum Inner {\n"), 0);
    assert_eq!(count("", "pub enum Shared {\n"), 1);
    // A link helps where the example that it leads to has such a value.
    let field = "pub struct B {\n    pub kind: Kind,\n}\n";
    let linked =
        |link: &str| format!("{shown}/// See [`{link}`].\n/// ```\n/// B;\n/// ```\n{field}");
    let kind = |link: &str| format!("/// See [`{link}`].\npub enum Kind {{\n");
    let with = |link: &str| count(&format!("{}{}", linked("run"), kind(link)), "");
    assert_eq!(with("run"), 0);
    assert_eq!(with("B"), 1);
    assert_eq!(with("walk"), 1);
}
