//! Files begin with what they hold, the verbs that people call say shapes, errors, complexity and an example, and a cost says what
//! its letters stand for.

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

/// Texts between backticks.
fn quoted(doc: &[&str]) -> Vec<String> {
    let text = doc.join("\n").replace("```", "");
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Letters that stand alone in a text and are no functions.
fn letters(text: &str) -> Vec<char> {
    let chars: Vec<char> = text.chars().collect();
    let part = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let alone = |&i: &usize| {
        let before = i.checked_sub(1).and_then(|k| chars.get(k));
        let call = chars.get(i + 1) == Some(&'(');
        chars[i].is_ascii_alphabetic() && !part(before) && !part(chars.get(i + 1)) && !call
    };
    (0..chars.len()).filter(alone).map(|i| chars[i]).collect()
}

/// Letters in the costs of a documentation that neither it nor the parameters of the function explain.
fn unexplained(doc: &[&str], signature: &str) -> Vec<char> {
    let Some(start) = doc.iter().position(|l| *l == "# Complexity") else {
        return Vec::new();
    };
    let next = doc[start + 1..].iter().position(|l| l.starts_with("# "));
    let section = &doc[start..next.map_or(doc.len(), |n| start + 1 + n)];
    let cost = |text: &String| text.contains("O(");
    let elsewhere: String = quoted(doc)
        .into_iter()
        .filter(|t| !cost(t))
        .collect::<Vec<_>>()
        .join(" ");
    let known = letters(&elsewhere);
    let costs = quoted(section).into_iter().filter(cost);
    let mut lacking: Vec<char> = costs.flat_map(|c| letters(&c)).collect();
    lacking.sort_unstable();
    lacking.dedup();
    let parameter =
        |c: char| letters(signature).contains(&c) && signature.contains(&format!("{c}:"));
    lacking.retain(|&c| !known.contains(&c) && !parameter(c));
    lacking
}

/// Costs in letters that nobody explains.
fn riddles(file: &Source) -> Vec<String> {
    let mut broken = Vec::new();
    let mut doc = Vec::new();
    for (n, line) in file.lines.iter().enumerate() {
        let text = line.trim_start();
        if let Some(said) = text.strip_prefix("///") {
            doc.push(said.trim());
        } else if !text.starts_with("#[") {
            let ends = |l: &&String| !l.ends_with(['{', ';', '}']);
            let signature: Vec<&str> = file.lines[n..]
                .iter()
                .take_while(ends)
                .map(String::as_str)
                .collect();
            let signature = [&signature.join(" "), line.as_str()].concat();
            for c in unexplained(&doc, &signature) {
                broken.push(file.at(n + 1, &format!("what is `{c}` in the complexity?")));
            }
            doc.clear();
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
fn costs_say_what_their_letters_stand_for() -> std::io::Result<()> {
    crate::none(crate::library()?.iter().flat_map(riddles));
    Ok(())
}

#[test]
fn missing_documentation_is_noticed() {
    let count = |text: &str| faults(&Source::new("src/decomp/a.rs", text)).len();
    assert_eq!(count("//! Fine.\nuse crate::Error;\n"), 0);
    assert_eq!(count("use std::fmt;\n"), 1);
    assert_eq!(count("//! x\npub fn decompose(\n"), 4);
}

#[test]
fn unexplained_letters_are_noticed() {
    let count = |doc: &str, signature: &str| {
        let lines: String = doc.lines().map(|l| format!("/// {l}\n")).collect();
        riddles(&Source::new(
            "src/a.rs",
            &format!("{lines}{signature} {{\n}}\n"),
        ))
        .len()
    };
    let cost = "# Complexity\n`O(n^2 C(n, 2) log n)`";
    assert_eq!(count(cost, "fn f()"), 1);
    assert_eq!(count(&format!("{cost} for `n` rows."), "fn f()"), 0);
    assert_eq!(count(cost, "fn f(n: usize)"), 0);
    assert_eq!(count(&format!("`x` is `n x n`.\n{cost}"), "fn f()"), 0);
    assert_eq!(count("# Complexity\n`O(n m)` for `n` rows.", "fn f()"), 1);
    assert_eq!(count("`O(n)`", "fn f()"), 0);
}
