"""Mutation testing of the checker: is every line of it needed to tell true certificates from false ones?

    WICKRING_CORPUS=corpus.txt cargo test --test certify two_implementations
    python3 benches/mutants.py corpus.txt [SCRATCH] [--switches-only] [--again EARLIER.txt] > mutants.txt

The corpus holds thousands of certificates, true, false, vacuous and malformed, with the verdict on each, on which the
checker and the emitted Python program agree; beside it the claims are tried whose verdicts `src/laws/certificates.rs` knows. The checker is built alone, without the rest of the crate; one line at a time is changed, most of
them behind switches in one build and the rest by builds of their own; a mutant is killed when a verdict changes, when it panics, or when it runs ten
times as long. Survivors are printed with their line: each needs a new test, or a reason why it is the same program.
"""
import os, re, shutil, subprocess, sys, time

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
[profile.dev.package."*"]
opt-level = 3
[workspace]
"""
MAIN = """#![allow(dead_code, unused)]
pub mod error;
pub use error::Error;
mod certify {
    pub mod certificate { pub fn sha256(bytes: &[u8]) -> String {
        use sha2::{Digest, Sha256};
        Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect() } }
    pub mod checker; pub mod format; pub mod held_out; pub mod json; pub mod numbers; pub mod rings; pub mod rounded;
    pub use format::{Limits, check};
    pub struct Certificate;
    impl Certificate { pub fn seal_text(object: &str) -> Option<String> {
        let seal = json::Json::parse(object).ok()?.seal();
        Some(format!("{},\\"seal\\":\\"{seal}\\"}}", object.trim_end().strip_suffix('}')?)) } }
}
static CHOSEN: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
pub fn mutant(n: usize) -> bool { CHOSEN.load(std::sync::atomic::Ordering::Relaxed) == n }
mod laws { pub mod broken; pub mod bytes; pub mod certificates; }
use certify::{Limits, check};
fn main() {
    let chosen = std::env::var("MUTANT").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    CHOSEN.store(chosen, std::sync::atomic::Ordering::Relaxed);
    let path = std::env::args().nth(1).unwrap();
    // Bytes of a linear congruential generator for the claims made by definitions.
    let mut state = 1u64;
    for n in 0..3000 {
        let data: Vec<u8> = (0..160).map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        }).collect();
        if let Err(broken) = laws::certificates::verdicts_follow_from_definitions(&data) { println!("law {n}: {broken}"); std::process::exit(1); }
    }
    let corpus = std::fs::read_to_string(path).unwrap();
    for (n, line) in corpus.lines().enumerate() {
        let case: (String, String) = serde_json::from_str(line).unwrap();
        let limits = Limits { steps: 1 << 20, ..Limits::default() };
        let found = match check(&case.1, limits) {
            Ok(report) if report.holds() != report.findings.iter().all(|f| f.word() == "TRUE") => "HOLDS".to_owned(),
            Ok(report) if report.refuted() != report.findings.iter().any(|f| f.word() == "FALSE") => "REFUTED".to_owned(),
            Ok(report) => report.findings.iter().map(|f| f.word()).collect::<Vec<_>>().join(" "),
            Err(Error::LimitExceeded { .. }) => "LIMIT".to_owned(),
            Err(_) => "REFUSED".to_owned(),
        };
        // Which of a false and a malformed part is met first does not matter.
        let refused = |w: &str| w == "FALSE" || w == "REFUSED";
        if found != case.0 && !(refused(&found) && refused(&case.0)) { println!("{n}: {found}, not {}", case.0); std::process::exit(1); }
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


def balanced(text):
    depth = 0
    for c in re.sub(r"'[()\[\]{}]'|\"[^\"]*\"", "", text):
        depth += (c in "([{") - (c in ")]}")
        if depth < 0:
            return False
    return depth == 0


def switched(before, old, new, after, number):
    """The line with the mutant behind a switch; `None` where it is no whole statement or expression."""
    space = old[:len(old) - len(old.lstrip())]
    old, new = old.strip(), new.strip()
    chosen = "if crate::mutant(%d) { %s } else { %s }"
    starts = before.rstrip().endswith((";", "{", "}", "=>")) or not before.strip()
    # Where a condition, a value, an arm or the body of a closure is all that differs.
    for pattern in (r"((?:\} else )?if )(?!let )(.*)( \{)", r"((?:&&|\|\|) )(.*?)()", r"(let (?:mut )?[^=]* = )(.*)(;)", r"(.* => )(.*)(,)",
                    r"([^|]* if )(.*?)( => .*)", r"(.*\((?:move )?\|[^|]*\| )(.*?)(\)[;,?]*(?:\.collect\(\))?;?)", r"(let \w+ = (?:move )?\|[^|]*\| )(.*)(;)",
                    r"(\w+: )(.*)(,)"):
        a, b = re.fullmatch(pattern, old), re.fullmatch(pattern, new)
        if a and b and a[1] == b[1] and a[3] == b[3] and balanced(a[2]) and balanced(b[2]) and "?;" not in a[2]:
            return space + a[1] + "(" + chosen % (number, b[2], a[2]) + ")" + a[3]
    if not balanced(old) or not balanced(new) or old.startswith(("let ", ".", "}", "pub ", "const ", "static ")):
        return None
    if starts and old.endswith(";"):
        return space + chosen % (number, new, old)
    if starts and after.strip().startswith("}") and not old.endswith((",", "{")):
        return space + chosen % (number, new, old)
    if old.endswith(",") and before.rstrip().endswith(("(", ",", "[")) and " => " not in old:
        return space + "(" + chosen % (number, new[:-1], old[:-1]) + "),"
    return None


def main():
    arguments = [a for k, a in enumerate(sys.argv[1:]) if not a.startswith("--") and sys.argv[k] != "--again"]
    corpus, scratch = os.path.abspath(arguments[0]), arguments[1] if len(arguments) > 1 else "mutants-scratch"
    source, program = os.path.join(scratch, "src"), os.path.join(scratch, "target/debug/scratch")
    shutil.rmtree(source, ignore_errors=True)
    os.makedirs(os.path.join(source, "laws"))
    shutil.copy(os.path.join(ROOT, "src/error.rs"), source)
    shutil.copytree(os.path.join(ROOT, "src/certify"), os.path.join(source, "certify"))
    for name in ("broken.rs", "bytes.rs", "certificates.rs"):
        shutil.copy(os.path.join(ROOT, "src/laws", name), os.path.join(source, "laws"))
    open(os.path.join(scratch, "Cargo.toml"), "w").write(CARGO)
    open(os.path.join(source, "main.rs"), "w").write(MAIN)
    found = list(mutants())
    if "--again" in sys.argv:
        # Only what an earlier run left alive.
        known = open(sys.argv[sys.argv.index("--again") + 1], encoding="utf-8").read().split("\n")
        left = {line[10:].split("   ")[0] for line in known if line.startswith(("survived", "not tried"))}
        found = [m for m in found if f"{m[0]}:{m[1] + 1}: {m[2].strip()}  ->  {m[3].strip()}" in left]
    texts = {name: open(os.path.join(ROOT, "src/certify", name), encoding="utf-8").read().split("\n") for name in FILES}

    def write(chosen):
        """All files with these mutants behind switches, and one in place if its number is given alone."""
        for name, lines in texts.items():
            lines = list(lines)
            for k in chosen:
                if found[k][0] == name:
                    lines[found[k][1]] = chosen[k]
            open(os.path.join(source, "certify", name), "w", encoding="utf-8").write("\n".join(lines))

    def build():
        run = subprocess.run(["cargo", "build", "--quiet", "--message-format", "short"], cwd=scratch, capture_output=True, text=True)
        return run.returncode, run.stderr

    def run(number, patience):
        try:
            done = subprocess.run([program, corpus], capture_output=True, text=True, timeout=patience, env=dict(os.environ, MUTANT=str(number)))
            return "killed" if done.returncode else "survived", done.stdout.strip()
        except subprocess.TimeoutExpired:
            return "killed", "did not end"

    # Behind switches as many as the compiler takes, in one build; the others one by one.
    switches = {}
    for k, (name, number, old, new) in enumerate(found):
        lines = texts[name]
        line = switched(lines[number - 1], old, new, lines[number + 1], k + 1)
        if line:
            switches[k] = line
    for attempt in range(12):
        write(switches)
        code, errors = build()
        if not code:
            break
        places = {(m[1], int(m[2]) - 1) for m in re.finditer(r"src/certify/(\S+?):(\d+):\d+: error", errors)}
        bad = [k for k in switches if (found[k][0], found[k][1]) in places]
        print(f"build {attempt}: {len(switches)} switches, {len(bad)} refused", file=sys.stderr, flush=True)
        if not bad:
            sys.exit(errors)
        for k in bad:
            del switches[k]
    start = time.monotonic()
    outcome, said = run(0, 3600)
    patience = 10 * (time.monotonic() - start)
    if outcome == "killed":
        sys.exit("the checker itself disagrees with the corpus: " + said)
    counts = {"killed": 0, "not built": 0, "survived": 0, "not tried": 0}

    def tell(k, outcome, said):
        name, number, old, new = found[k]
        counts[outcome] += 1
        print(f"{outcome:<9} {name}:{number + 1}: {old.strip()}  ->  {new.strip()}   {said[:90]}", flush=True)

    for k in switches:
        tell(k, *run(k + 1, patience))
    for k in range(len(found)):
        if k in switches:
            continue
        if "--switches-only" in sys.argv:
            tell(k, "not tried", "")
            continue
        write({k: found[k][3]})
        code, _ = build()
        tell(k, *(("not built", "") if code else run(0, patience)))
    print(counts)


main()
