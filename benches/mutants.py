"""Mutation testing of the checker: is every line of it needed to tell true certificates from false ones?

    WICKRING_CORPUS=corpus.txt cargo test --test certify two_implementations
    python3 benches/mutants.py corpus.txt [SCRATCH] [--most N] > mutants.txt

The corpus holds thousands of certificates, true, false, vacuous and malformed, with the verdict on each, on which the
checker and the emitted Python program agree. The checker is built alone, without the rest of the crate, which takes
seconds; one line at a time is changed; a mutant is killed when a verdict changes, when it panics, or when it runs ten
times as long. Survivors are printed with their line: each needs a new test, or a reason why it is the same program.
"""
import os, shutil, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = ["checker/moments.rs", "checker/replay.rs", "checker/tensors.rs", "checker/terms.rs", "rings.rs", "numbers.rs",
         "format.rs", "json.rs", "rounded.rs"]
FILES += ["checker/theorems/%s.rs" % name for name in ("integers", "koszul", "krawczyk", "kruskal", "models", "claims",
                                                        "slices", "sturm")]
# Each is tried on a line where no earlier one fits.
OPERATORS = [(" <= ", " < "), (" >= ", " > "), (" == ", " != "), (" != ", " == "), (" && ", " || "), (" || ", " && "),
             (" < ", " <= "), (" > ", " >= "), (".all(", ".any("), (".any(", ".all("), (" += ", " -= "), (" + ", " - "),
             (" - ", " + "), (" * ", " + "), (" / ", " * "), (" % ", " / "), ("RBig::ZERO", "RBig::ONE"),
             ("RBig::ONE", "RBig::ZERO"), ("if !", "if "), (" true ", " false "), (" false ", " true "), ("true)", "false)"),
             ("false)", "true)"), ("(0)", "(1)"), ("(1)", "(2)"), (" 0,", " 1,"), ("1 <<", "2 <<")]
CARGO = """[package]
name = "scratch"
version = "0.0.0"
edition = "2024"
[dependencies]
dashu-int = { version = "0.6", default-features = false, features = ["std", "num-traits"] }
dashu-ratio = { version = "0.6.1", default-features = false, features = ["std"] }
serde_json = { version = "1", features = ["float_roundtrip"] }
sha2 = "0.11"
thiserror = "2"
[profile.dev]
opt-level = 1
debug = false
[workspace]
"""
MAIN = """#![allow(dead_code, unused)]
mod error;
use error::Error;
mod certify {
    pub mod certificate { pub fn sha256(bytes: &[u8]) -> String {
        use sha2::{Digest, Sha256};
        Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect() } }
    pub mod checker; pub mod format; pub mod held_out; pub mod json; pub mod numbers; pub mod rings; pub mod rounded;
}
use certify::format::{Limits, check};
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let corpus = std::fs::read_to_string(path).unwrap();
    for (n, line) in corpus.lines().enumerate() {
        let case: (String, String) = serde_json::from_str(line).unwrap();
        let limits = Limits { steps: 1 << 20, ..Limits::default() };
        let found = match check(&case.1, limits) {
            Ok(report) => report.findings.iter().map(|f| f.word()).collect::<Vec<_>>().join(" "),
            Err(Error::LimitExceeded { .. }) => "LIMIT".to_owned(),
            Err(_) => "REFUSED".to_owned(),
        };
        if found != case.0 { println!("{n}: {found}, not {}", case.0); std::process::exit(1); }
    }
}
"""


def code(line):
    return line.split("//")[0]


def mutants():
    for name in FILES:
        path = os.path.join(ROOT, "src/certify", name)
        lines = open(path, encoding="utf-8").read().split("#[cfg(test)]")[0].split("\n")
        for number, line in enumerate(lines):
            body = code(line)
            if not body.strip() or body.lstrip().startswith(("use ", "///", "#[")) or "format!" in body or "fn " in body:
                continue
            for old, new in OPERATORS:
                if old in body:
                    yield name, number, line, line.replace(old, new, 1)
                    break


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    most = int(sys.argv[sys.argv.index("--most") + 1]) if "--most" in sys.argv else 10 ** 9
    corpus, scratch = os.path.abspath(arguments[0]), arguments[1] if len(arguments) > 1 else "mutants-scratch"
    source = os.path.join(scratch, "src")
    shutil.rmtree(source, ignore_errors=True)
    os.makedirs(source)
    shutil.copy(os.path.join(ROOT, "src/error.rs"), source)
    shutil.copytree(os.path.join(ROOT, "src/certify"), os.path.join(source, "certify"))
    open(os.path.join(scratch, "Cargo.toml"), "w").write(CARGO)
    open(os.path.join(source, "main.rs"), "w").write(MAIN)
    program = os.path.join(scratch, "target/debug/scratch")

    def build():
        return subprocess.run(["cargo", "build", "--quiet"], cwd=scratch, capture_output=True, text=True)

    first = build()
    if first.returncode:
        sys.exit(first.stderr)
    base = subprocess.run([program, corpus], capture_output=True, text=True)
    if base.returncode:
        sys.exit("the checker itself disagrees with the corpus: " + base.stdout)
    found = list(mutants())
    step = max(1, -(-len(found) // most))
    counts = {"killed": 0, "not built": 0, "survived": 0}
    for name, number, old, new in found[::step]:
        path = os.path.join(source, "certify", name)
        text = open(path, encoding="utf-8").read()
        lines = text.split("\n")
        assert lines[number] == old
        lines[number] = new
        open(path, "w", encoding="utf-8").write("\n".join(lines))
        if build().returncode:
            outcome = "not built"
        else:
            try:
                run = subprocess.run([program, corpus], capture_output=True, timeout=120)
                outcome = "killed" if run.returncode else "survived"
            except subprocess.TimeoutExpired:
                outcome = "killed"
        open(path, "w", encoding="utf-8").write(text)
        counts[outcome] += 1
        print(f"{outcome:<9} {name}:{number + 1}: {old.strip()}  ->  {new.strip()}", flush=True)
    print(counts)


main()
