"""Mutation testing of the rules that decide a status: is every line of `src/fit` and of the checkpoints needed?

    python3 benches/status_mutants.py [SCRATCH] > mutants.txt

The files are compiled alone with their own unit tests, which takes a second; one place at a time is changed; a mutant is
killed when a test fails or does not end. Survivors are printed with their line: each needs a test, or a reason.
"""
import os, re, shutil, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = ["fit/" + name for name in ("judge.rs", "check.rs", "evidence.rs", "outcome.rs")] + ["checkpoint.rs"]
# Every place where one of these stands is changed, one at a time.
OPERATORS = [("<=", "<"), (">=", ">"), ("==", "!="), ("!=", "=="), ("&&", "||"), ("||", "&&"), (".all(", ".any("), (".any(", ".all("),
             ("if !", "if "), ("!c.holds", "c.holds"), ("c.holds", "!c.holds"),
             ("true =>", "false if false =>"), ("false", "true"), ("true", "false"), (" + ", " - "), ("+= ", "-= "), ("(0", "(1"),
             ("Role::Conditioning", "Role::Accuracy"), ("Role::Uniqueness", "Role::Search"), ("Role::Power", "Role::Sampling"),
             ("Role::Accuracy", "Role::Conditioning"), ("Role::Search", "Role::Power"), ("Role::Sampling", "Role::Power"),
             ("Role::Reported", "Role::Accuracy"), ("Ended::Stopped", "Ended::Stuck"), ("Ended::Budget", "Ended::Arrived"),
             ("Status::Converged", "Status::Stalled"), ("Status::Stopped", "Status::Stalled"), ("Status::Undecided", "Status::Stalled"),
             ("Status::IllConditioned", "Status::Stalled"), ("Status::IterationLimit", "Status::Stalled"),
             ("Status::Stalled", "Status::Converged"), ("f64::MAX", "f64::INFINITY"), ("f64::INFINITY", "1.5"), (".is_none()", ".is_some()"),
             ("is_finite()", "is_nan()"), (".filter(", ".take(9).filter("), ("?;", ".ok();"), ("wrapping_mul", "wrapping_add")]
MAIN = "#![allow(dead_code, unused)]\npub mod error;\npub use error::{Error, Status};\npub mod fit;\npub mod checkpoint;\n"


def places(name, text):
    body = text.split("#[cfg(test)]")[0]
    at = 0
    for number, line in enumerate(body.split("\n")):
        code = line.split("//")[0]
        if not code.lstrip().startswith(("use ", "#[", "pub mod", "mod ")):
            for old, new in OPERATORS:
                for found in re.finditer(re.escape(old), code):
                    yield number, at + found.start(), old, new
        at += len(line) + 1


def checkpoints(run):
    """The part of `run.rs` that keeps what is finished, with its tests."""
    start, tests = run.index("/// What a long run has finished"), run.index("#[cfg(test)]")
    return "use crate::Error;\nuse std::time::{Duration, Instant};\n\n" + run[start:tests] + run[tests:]


def main():
    scratch = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "status-mutants-scratch")
    source = os.path.join(scratch, "src")
    shutil.rmtree(source, ignore_errors=True)
    os.makedirs(source)
    shutil.copy(os.path.join(ROOT, "src/error.rs"), source)
    shutil.copytree(os.path.join(ROOT, "src/fit"), os.path.join(source, "fit"))
    open(os.path.join(source, "main.rs"), "w").write(MAIN)
    run = open(os.path.join(ROOT, "src/run.rs"), encoding="utf-8").read()
    open(os.path.join(source, "checkpoint.rs"), "w").write(checkpoints(run))

    def outcome():
        build = ["rustc", "--edition", "2024", "--crate-type", "lib", "--test", os.path.join(source, "main.rs"), "-o", scratch + "/tests"]
        built = subprocess.run(build, capture_output=True, text=True)
        if built.returncode:
            return "not built", built.stderr
        try:
            return ("killed" if subprocess.run([scratch + "/tests"], capture_output=True, timeout=60).returncode else "survived"), ""
        except subprocess.TimeoutExpired:
            return "killed", ""

    first = outcome()
    if first[0] != "survived":
        sys.exit("the sources themselves: %s %s" % first)
    counts = {"killed": 0, "not built": 0, "survived": 0}
    for name in FILES:
        path = os.path.join(source, name)
        text = open(path, encoding="utf-8").read()
        for number, at, old, new in places(name, text):
            changed = text[:at] + new + text[at + len(old):]
            open(path, "w", encoding="utf-8").write(changed)
            end, _ = outcome()
            counts[end] += 1
            if end != "not built":
                print(f"{end:<9} {name}:{number + 1}: {old} -> {new}: {text.split(chr(10))[number].strip()}", flush=True)
        open(path, "w", encoding="utf-8").write(text)
    print(counts)


main()
