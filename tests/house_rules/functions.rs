//! A function fits on a screen and a half: at most [`MOST`] lines in the library, those that do not yet listed one by one.

use crate::Source;

/// Lines of a function, from its first to its closing brace.
const MOST: usize = 60;

/// Longer ones, each with the number of lines that it may have: a list that only shrinks.
pub const LONGER: &[(&str, &str, usize)] = &[
    ("src/certify/checker/theorems/koszul.rs", "koszul", 65),
    (
        "src/certify/checker/theorems/krawczyk.rs",
        "one_minimum",
        64,
    ),
    ("src/certify/checker/theorems/claims.rs", "near", 77),
    ("src/certify/checker/theorems/claims.rs", "zero", 62),
    ("src/certify/checker/theorems/slices.rs", "slices", 67),
    ("src/certify/emit/provers.rs", "bilinear", 77),
    ("src/certify/prove/entries.rs", "new", 90),
    ("src/certify/prove/existence.rs", "existence", 92),
    ("src/certify/prove/minimum.rs", "minimum", 90),
    ("src/certify/prove/ranks.rs", "prove_border_rank", 62),
    ("src/certify/prove/ranks.rs", "prove_rank", 76),
    ("src/decomp/cp/full_space.rs", "full_space", 63),
    ("src/decomp/cp/gauss_newton.rs", "refine", 86),
    ("src/decomp/cp/missing/evidence.rs", "evidence", 77),
    ("src/decomp/cp/ranks/table.rs", "halves", 64),
    ("src/decomp/cp/ranks/table.rs", "table", 62),
    ("src/decomp/cp/search.rs", "search", 124),
    ("src/decomp/exact_cp/descent.rs", "minimise", 68),
    ("src/decomp/exact_cp/plane_cubic.rs", "from_line", 64),
    ("src/decomp/exact_cp/rational_solve.rs", "solve_mode", 64),
    ("src/decomp/overcomplete/koszul.rs", "finish", 75),
    ("src/decomp/overcomplete/koszul.rs", "rank_ones", 87),
    ("src/decomp/overcomplete/subspace_power.rs", "decompose", 90),
    ("src/decomp/peirce/decomposition.rs", "decompose", 67),
    ("src/decomp/ring/als/completion.rs", "fit", 68),
    ("src/decomp/ring/als/completion.rs", "updated", 66),
    ("src/decomp/ring/als/sampled.rs", "search", 64),
    ("src/decomp/ring/chain_segments.rs", "cores", 74),
    (
        "src/decomp/ring/gauss_newton/decomposition.rs",
        "descend",
        72,
    ),
    ("src/decomp/ring/queries.rs", "decompose", 94),
    ("src/decomp/ring/ranks/completion.rs", "choose", 78),
    ("src/decomp/ring/ranks/from_unfoldings.rs", "of", 67),
    ("src/decomp/ring/svd.rs", "sequential", 67),
    ("src/decomp/ring/symmetric/gauss_newton.rs", "fit", 80),
    ("src/decomp/robust/decomposition.rs", "finish", 65),
    ("src/decomp/symmetric/waring_normal.rs", "refine", 76),
    ("src/laws/learn/mixtures.rs", "moments_determine_atoms", 69),
    ("src/laws/ring/methods.rs", "method_is_honest", 68),
    ("src/learn/mixture/atoms.rs", "extract_atoms_observed", 61),
    ("src/learn/mixture/em/evidence.rs", "tests", 75),
    ("src/learn/mixture/em/search.rs", "best_of", 64),
    ("src/learn/mixture/em/search.rs", "finish", 70),
    ("src/learn/mixture/em/search.rs", "run", 70),
    ("src/learn/mixture/moments/checks.rs", "described", 61),
    ("src/learn/mixture/score/evidence.rs", "finish", 111),
    ("src/learn/mixture/score/likelihood.rs", "log_density", 65),
    ("src/learn/polynomial/eigenfunctions.rs", "of", 63),
    ("src/learn/polynomial/learner.rs", "noiseless", 89),
    ("src/learn/quadratic/few_outputs/learner.rs", "learn", 157),
    (
        "src/learn/quadratic/few_outputs/learner.rs",
        "on_variety",
        75,
    ),
    ("src/learn/quadratic/learner.rs", "learn", 96),
    ("src/learn/quadratic/noisy/refinement.rs", "run", 94),
    ("src/learn/quadratic/radial/learner.rs", "learn", 166),
    ("src/learn/relu/checks.rs", "assess", 88),
    ("src/learn/relu/fit/iteration.rs", "rounds", 62),
    ("src/learn/two_layer/learner.rs", "finish", 74),
    ("src/poly/division/by_list.rs", "integers", 61),
    ("src/poly/factor/bivariate.rs", "lift", 65),
    (
        "src/poly/gaussian/hermite/exact_series.rs",
        "exact_hermite",
        79,
    ),
    ("src/poly/gcd/integral.rs", "modular", 69),
    ("src/poly/gcd/over_prime_field.rs", "gcd", 65),
    ("src/poly/gcd/prime_image.rs", "interpolate", 71),
    ("src/poly/gcd/several.rs", "integral", 72),
    ("src/poly/groebner/matrix.rs", "new", 63),
    ("src/poly/groebner/proof.rs", "add", 61),
    ("src/poly/groebner/proof.rs", "proves", 68),
    ("src/poly/product/plan.rs", "integers", 74),
    ("src/poly/product/sorted.rs", "gather", 79),
    ("src/poly/simd/drain.rs", "pairs512", 76),
    (
        "src/scheme/canonical/equivalence.rs",
        "equivalent_modulo_two",
        73,
    ),
    ("src/scheme/canonical/invariants.rs", "invariants", 71),
    ("src/scheme/formats/arrays.rs", "assemble", 121),
    ("src/scheme/formats/assigned.rs", "read", 70),
    ("src/scheme/formats/json.rs", "scheme", 70),
    ("src/scheme/formats/reduced.rs", "read", 62),
    ("src/scheme/formats/tables.rs", "read_sms", 72),
    ("src/scheme/lift/hensel.rs", "climb", 67),
    ("src/scheme/lift/obstruction.rs", "from_json", 61),
    ("src/scheme/programs/print.rs", "assignment", 67),
    ("src/scheme/reduce/mod.rs", "reduce", 61),
    ("src/scheme/reduce/mod.rs", "walk", 64),
    ("src/scheme/ring.rs", "multiply_out", 63),
    ("src/scheme/search/starts.rs", "block_sum", 74),
    ("src/scheme/verdict.rs", "examine_until", 106),
    ("src/stats/goodness/law_test.rs", "run", 62),
    ("src/stats/kurtosis.rs", "statistics", 67),
    ("src/stats/permutation/mehler_kernels.rs", "block", 65),
    (
        "src/stats/permutation/residual_test.rs",
        "residual_test",
        66,
    ),
    ("src/tensor/maps/gauge.rs", "descend", 61),
    ("src/tensor/ring/gauge.rs", "gauge_to", 61),
    ("src/theory/batch/margin.rs", "predict", 61),
    ("src/theory/batch/ridge.rs", "ridge", 86),
    ("src/theory/batch/task.rs", "from_spectrum", 61),
    ("src/theory/online/learner.rs", "predict", 72),
    ("src/theory/online/modes.rs", "new", 64),
    ("src/theory/online/ode.rs", "adaptive", 62),
    ("src/theory/online/simulation.rs", "simulate", 72),
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
