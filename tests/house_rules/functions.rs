//! A function fits on a screen and a half: at most [`MOST`] lines in the library, those that do not yet listed one by one.

use crate::Source;

/// Lines of a function, from its first to its closing brace.
const MOST: usize = 60;

/// Longer ones, each with the number of lines that it may have and why it has them: a list that only shrinks.
pub const LONGER: &[(&str, &str, usize, &str)] = &[
    (
        "src/decomp/cp/gauss_newton.rs",
        "refine",
        86,
        "one damped iteration, whose parts share its state",
    ),
    (
        "src/decomp/cp/missing/evidence.rs",
        "evidence",
        77,
        "a list of checks",
    ),
    ("src/decomp/cp/ranks/table.rs", "halves", 64, "to be cut"),
    ("src/decomp/cp/ranks/table.rs", "table", 61, "to be cut"),
    ("src/decomp/cp/search.rs", "search", 124, "to be cut"),
    (
        "src/decomp/exact_cp/descent.rs",
        "minimise",
        68,
        "one damped iteration, whose parts share buffers and damping",
    ),
    (
        "src/decomp/exact_cp/plane_cubic.rs",
        "from_line",
        64,
        "one construction, which is read beside its proof",
    ),
    (
        "src/decomp/ring/chain_segments.rs",
        "cores",
        74,
        "one sweep along the chain, every step of which needs the last",
    ),
    (
        "src/decomp/ring/gauss_newton/decomposition.rs",
        "descend",
        72,
        "one damped iteration, whose parts share its state",
    ),
    (
        "src/decomp/symmetric/waring_normal.rs",
        "refine",
        76,
        "one damped iteration, whose parts share its state",
    ),
    (
        "src/laws/learn/mixtures.rs",
        "moments_determine_atoms",
        69,
        "to be cut",
    ),
    (
        "src/laws/ring/methods.rs",
        "method_is_honest",
        68,
        "one case for each method",
    ),
    (
        "src/learn/mixture/atoms.rs",
        "extract_atoms_observed",
        61,
        "to be cut",
    ),
    (
        "src/learn/mixture/em/evidence.rs",
        "tests",
        75,
        "a list of checks",
    ),
    ("src/learn/mixture/em/search.rs", "finish", 70, "to be cut"),
    ("src/learn/mixture/em/search.rs", "run", 62, "to be cut"),
    (
        "src/learn/mixture/moments/checks.rs",
        "described",
        61,
        "a list of checks",
    ),
    (
        "src/learn/mixture/score/evidence.rs",
        "finish",
        103,
        "a list of checks",
    ),
    (
        "src/learn/mixture/score/likelihood.rs",
        "log_density",
        65,
        "to be cut",
    ),
    (
        "src/learn/polynomial/eigenfunctions.rs",
        "of",
        65,
        "to be cut",
    ),
    (
        "src/learn/polynomial/learner.rs",
        "noiseless",
        89,
        "to be cut",
    ),
    (
        "src/learn/quadratic/few_outputs/learner.rs",
        "learn",
        157,
        "to be cut",
    ),
    (
        "src/learn/quadratic/few_outputs/learner.rs",
        "on_variety",
        75,
        "to be cut",
    ),
    (
        "src/learn/quadratic/noisy/refinement.rs",
        "run",
        94,
        "to be cut",
    ),
    (
        "src/learn/quadratic/radial/learner.rs",
        "learn",
        166,
        "to be cut",
    ),
    ("src/learn/relu/checks.rs", "assess", 88, "to be cut"),
    ("src/learn/relu/fit/iteration.rs", "rounds", 62, "to be cut"),
    ("src/learn/two_layer/learner.rs", "finish", 74, "to be cut"),
    ("src/poly/gcd/integral.rs", "modular", 69, "to be cut"),
    ("src/poly/gcd/over_prime_field.rs", "gcd", 65, "to be cut"),
    (
        "src/poly/gcd/prime_image.rs",
        "interpolate",
        71,
        "to be cut",
    ),
    ("src/poly/gcd/several.rs", "integral", 72, "to be cut"),
    (
        "src/poly/groebner/proof.rs",
        "proves",
        68,
        "one search for a common denominator",
    ),
    (
        "src/poly/product/plan.rs",
        "integers",
        74,
        "one table of cases",
    ),
    ("src/poly/product/sorted.rs", "gather", 79, "to be cut"),
    (
        "src/poly/simd/drain.rs",
        "pairs512",
        76,
        "one loop over vectors, a line an instruction",
    ),
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

fn faults(file: &Source, longer: &[(&str, &str, usize, &str)]) -> Vec<String> {
    let path = file.path.display().to_string();
    let mut broken = Vec::new();
    for (n, name, length) in functions(file) {
        let listed = longer.iter().find(|(p, f, ..)| *p == path && *f == name);
        let most = listed.map_or(MOST, |l| l.2);
        if length > most {
            broken.push(file.at(n, &format!("`{name}` has {length} lines, at most {most}")));
        }
    }
    broken
}

/// Entries of the list that nothing needs any more.
fn stale(files: &[Source], longer: &[(&str, &str, usize, &str)]) -> Vec<String> {
    let long = |p: &str, f: &str| {
        let file = files.iter().find(|s| s.path.display().to_string() == p);
        file.is_some_and(|s| {
            functions(s)
                .iter()
                .any(|(_, name, l)| name == f && *l > MOST)
        })
    };
    let unused = longer.iter().filter(|(p, f, ..)| !long(p, f));
    unused
        .map(|(p, f, ..)| format!("{p}: `{f}` is no longer too long: strike it off the list"))
        .collect()
}

/// Entries of the list that do not say why they stand there.
fn without_reason(longer: &[(&str, &str, usize, &str)]) -> Vec<String> {
    let silent = longer.iter().filter(|(.., reason)| reason.is_empty());
    silent
        .map(|(p, f, ..)| format!("{p}: why is `{f}` so long?"))
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
            .chain(stale(&library, LONGER))
            .chain(without_reason(LONGER)),
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
    assert_eq!(
        faults(&file(59), &[("src/a.rs", "f", 70, "one table")]).len(),
        0
    );
    assert_eq!(
        stale(&[file(59)], &[("src/a.rs", "f", 70, "one table")]).len(),
        0
    );
    assert_eq!(
        stale(&[file(9)], &[("src/a.rs", "f", 70, "one table")]).len(),
        1
    );
    assert_eq!(without_reason(&[("src/a.rs", "f", 70, "")]).len(), 1);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", text(80));
    assert_eq!(faults(&Source::new("src/a.rs", &tests), &[]).len(), 0);
}
