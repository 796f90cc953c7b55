//! The walk over all commands and common options, made from what the parser itself prints: an option that a
//! command does not show is refused, with the reason; one that it shows is not.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::outside::Folder;
use std::collections::BTreeMap;

/// Arguments with which each command passes its parser. Files need not exist: options are refused before
/// anything is read.
const CALLS: &str = "\
demo
check c.json
verify s.json
poly eq x x
poly expand x
poly moment x
poly cumulant x
poly hermite x
poly divide x x
poly gcd x x
poly factor x
poly groebner x
poly roots x
poly solve x --start x=1
poly resultant x x
poly discriminant x
poly eval x --at x=1
poly compose x --put x=x
bench
man
experiment list
experiment mixture-compare no.npy no.npy
learn mixture no.npy --components 2
learn quadratic no.npy
learn polynomial no.npy --degree 2
learn relu --inputs no.npy --targets no.npy
learn two-layer --inputs no.npy --targets no.npy --activation x^2 --neurons 2
theory online-sgd
theory full-batch
predict no.json --input no.npy
sample no.json -n 3
map pce no.json
moments add no.npy
moments merge no.m
moments show no.m
compare no.npz no.npz
convert no.npy x.npz
completions bash
map cumulants no.json
map distance no.json no.json
map test no.json no.npy
scheme search no.json
scheme lift no.json
scheme reduce no.json
scheme program no.json
scheme convert no.json x.json
scheme table no.json
scheme canonical no.json
decompose cp no.npy --rank 2
decompose symmetric no.npy --rank 2
decompose orthogonal no.npy --rank 2
decompose parafac2 no.npy --rank 2
decompose ring no.npy
decompose train no.npy --tol 1e-3
decompose tucker no.npy --ranks 2
decompose exact no.npy --rank 2";

/// The common options with a value that is good.
const COMMON: [(&str, &[&str]); 11] = [
    ("--seed", &["1"]),
    ("--progress", &["none"]),
    ("--max-seconds", &["100"]),
    ("--out", &["no-such-folder/x.json"]),
    ("--force", &[]),
    ("--columns", &["0"]),
    ("--missing", &["refuse"]),
    ("--plot", &["no-such-folder/x.svg"]),
    ("--report", &["no-such-folder/x.html"]),
    ("--name", &["x"]),
    ("--mask", &["no.npy"]),
];

/// Every command with the text of its help, found by walking the help texts.
pub fn commands(at: &Folder) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
        args.push("--help");
        let run = at.run(&args);
        assert_eq!(run.code, 0, "{path:?}: {}", run.err);
        let list = run.out.split_once("\nCommands:\n").map(|(_, rest)| rest);
        let Some(list) = list else {
            found.insert(path.join(" "), run.out);
            continue;
        };
        let names = list.lines().take_while(|l| !l.is_empty());
        // Names stand two blanks in; their explanations further.
        for name in names.filter(|l| l.starts_with("  ") && !l.starts_with("   ")) {
            let name = name.split_whitespace().next().unwrap();
            if name != "help" {
                open.push([&path[..], &[name.to_owned()]].concat());
            }
        }
    }
    found
}

#[test]
fn a_common_option_is_shown_and_taken_or_hidden_and_refused() {
    let at = Folder::new("walk");
    let calls: BTreeMap<String, Vec<&str>> = CALLS
        .lines()
        .map(|l| {
            let words: Vec<&str> = l.split(' ').collect();
            let two = words[..words.len().min(2)].join(" ");
            let grouped = [
                "poly",
                "learn",
                "theory",
                "map",
                "moments",
                "experiment",
                "scheme",
                "decompose",
            ]
            .contains(&words[0]);
            (if grouped { two } else { words[0].to_owned() }, words)
        })
        .collect();
    let (mut refused, mut taken) = (0, 0);
    for (command, help) in commands(&at) {
        let Some(call) = calls.get(&command) else {
            // Stories run for long and take what their shared row says.
            continue;
        };
        assert!(help.contains("Common options:"), "{command}");
        for (option, value) in COMMON {
            let shown =
                help.contains(&format!("{option}\n")) || help.contains(&format!("{option} "));
            let args = [&call[..], &[option], value].concat();
            if shown
                && [
                    "demo",
                    "bench",
                    "man",
                    "theory online-sgd",
                    "theory full-batch",
                ]
                .contains(&command.as_str())
            {
                continue;
            }
            let run = at.run(&args);
            let says = run
                .err
                .contains(&format!("{command} does not take {option}"));
            let lone_force = option == "--force" && run.err.contains("without --out");
            assert_eq!(says, !shown || lone_force, "{args:?}: {}", run.err);
            if shown {
                taken += 1;
            } else {
                assert!(run.code == 2 && run.out.is_empty(), "{args:?}");
                refused += 1;
            }
        }
    }
    for call in calls.keys() {
        let run = at.run(&[&call.split(' ').collect::<Vec<_>>()[..], &["--help"]].concat());
        assert_eq!(run.code, 0, "{call}");
    }
    assert!(
        refused > 60 && taken > 60,
        "{refused} refused, {taken} taken"
    );
}
