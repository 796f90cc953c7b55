//! No option without effect: for every option that a command shows, a run with it and a run without it (or with another
//! value) that differ in exit code, output, messages or files.
//!
//! `effects.txt` has a line for each: the command, arguments of both runs, and the option; `A ~ B` where both runs need
//! the option. The lines are held against the help texts: an option without a line fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::options::commands;
use crate::outside::Folder;
use crate::schema;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const LINES: &str = include_str!("effects.txt");
/// Options whose effect is shown for all commands at once, in `options.rs`.
const COMMON: [&str; 8] = [
    "--threads",
    "--json",
    "--quiet",
    "--verbose",
    "--out",
    "--force",
    "--missing",
    "--help",
];
/// Keys that tell a build, a clock, or the option itself.
const VOLATILE: [&str; 5] = ["version", "seconds", "cpu_seconds", "peak_bytes", "seed"];
/// Commands whose options are not walked: their runs take a minute.
const LONG: [&str; 1] = ["bench"];

fn text(at: &Folder, name: &str, content: &str) {
    std::fs::write(at.path(name), content).unwrap();
}

fn models(at: &Folder) {
    let matrices = "[[1.0,0.2],[0.2,0.5]],[[0.3,-0.7],[-0.7,0.1]],[[-0.2,0.4],[0.4,0.9]],[[0.6,0.1],[0.1,-0.8]]";
    text(
        at,
        "q.json",
        &format!(
            r#"{{"schema":"wickring/quadratic-map/1","latent_dim":2,"output_dim":4,"quadratic":[{matrices}],
            "linear":[[0,0],[0,0],[0,0],[0,0]],"constant":[0,0,0,0]}}"#
        ),
    );
    text(
        at,
        "q1.json",
        r#"{"schema":"wickring/quadratic-map/1","latent_dim":1,"output_dim":1,"quadratic":[[[1.0]]],
        "linear":[[0]],"constant":[0]}"#,
    );
    let r = 8usize;
    let entry = |a: usize, i: usize, j: usize| ((a + (i + 1) * (j + 1)) as f64).cos();
    let row = |a, i| (0..r).map(|j| entry(a, i, j)).collect::<Vec<f64>>();
    let big = serde_json::json!({
        "schema": "wickring/quadratic-map/1", "latent_dim": r, "output_dim": 6,
        "quadratic": (0..6).map(|a| (0..r).map(|i| row(a, i)).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "linear": vec![vec![0.0; r]; 6], "constant": vec![0.0; 6],
    });
    text(at, "big.json", &big.to_string());
    text(
        at,
        "one.json",
        r#"{"schema":"wickring/mixture/1","dim":3,"components":[{"weight":1,"mean":[0,0,0]}]}"#,
    );
    text(
        at,
        "mix.json",
        r#"{"schema":"wickring/mixture/1","dim":2,"components":[{"weight":0.5,"mean":[3,0]},
        {"weight":0.5,"mean":[-3,1]}]}"#,
    );
    text(
        at,
        "relu.json",
        r#"{"schema":"wickring/relu-network/1","input_dim":3,"constant":0,"linear":[0,0,0],
        "neurons":[{"coefficient":1,"weight":[1,0.5,0],"activation":"relu"},
        {"coefficient":-2,"weight":[0,1,1],"activation":"relu"}]}"#,
    );
    text(
        at,
        "cubic.json",
        r#"{"schema":"wickring/two-layer/1","input_dim":3,"activation":[0,0,0,1],
        "weights":[[1,0.5,0],[0,1,1]]}"#,
    );
}

fn tensors(at: &Folder) {
    let filled =
        |n: usize, f: &dyn Fn(f64) -> f64| (0..n).map(|k| f(k as f64)).collect::<Vec<f64>>();
    let t = filled(24, &|k| (1.7 * k + 0.3).sin());
    at.array("t.npy", &[4, 3, 2], &t);
    let mut holed = t.clone();
    holed[9] = f64::NAN;
    at.array("hole.npy", &[4, 3, 2], &holed);
    at.array("p.npy", &[3, 3, 2], &filled(18, &|k| 1.0 + (5.0 * k) % 4.0));
    at.array(
        "u.npy",
        &[2, 2, 2],
        &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0],
    );
    let cube = |vectors: &[(f64, Vec<f64>)]| -> (usize, Vec<f64>) {
        let n = vectors[0].1.len();
        let at = |k: usize| {
            let (i, j, l) = (k / n / n, k / n % n, k % n);
            vectors.iter().map(|(c, v)| c * v[i] * v[j] * v[l]).sum()
        };
        (n, (0..n * n * n).map(at).collect())
    };
    let (a, b) = (vec![1.0, 0.2, 0.1], vec![0.1, 1.0, 0.3]);
    let (n, s3) = cube(&[(1.0, a.clone()), (-2.0, b.clone())]);
    at.array("s3.npy", &[n, n, n], &s3);
    let other = cube(&[(1.0, a), (-1.0, b)]).1;
    // Orthogonal components of order four.
    let four = |n: usize, weights: &[f64]| -> Vec<f64> {
        let mut data = vec![0.0; n * n * n * n];
        let step = 1 + n + n * n + n * n * n;
        weights
            .iter()
            .enumerate()
            .for_each(|(k, w)| data[k * step] = *w);
        data
    };
    at.array("s4.npy", &[2; 4], &four(2, &[3.0, 2.0]));
    at.array("s9.npy", &[9; 4], &four(9, &[1.0; 9]));
    let tensor = |dims: &[usize], data: &[f64]| {
        wickring::tensor::Tensor::from_vec(dims, data.to_vec()).unwrap()
    };
    let (first, second) = (tensor(&[4, 3, 2], &t), tensor(&[3, 4, 2], &t));
    wickring::io::npz::write(
        &at.path("two.npz"),
        &[("a", first.view()), ("b", second.view())],
    )
    .unwrap();
    let (first, second) = (tensor(&[3, 3, 3], &s3), tensor(&[3, 3, 3], &other));
    wickring::io::npz::write(
        &at.path("ss.npz"),
        &[("a", first.view()), ("b", second.view())],
    )
    .unwrap();
    let rows = |n: usize, d: usize, seed: f64| -> Vec<f64> {
        filled(n * d, &|k| {
            (seed * k + 1.3).sin() * (1.0 + (0.37 * k).cos())
        })
    };
    let archive = |name: &str, arrays: &[(&str, &[usize], Vec<f64>)]| {
        let all: Vec<_> = arrays.iter().map(|a| (a.0, tensor(a.1, &a.2))).collect();
        let views: Vec<_> = all.iter().map(|a| (a.0, a.1.view())).collect();
        wickring::io::npz::write(&at.path(name), &views).unwrap();
    };
    archive(
        "rows.npz",
        &[
            ("a", &[300, 4], rows(300, 4, 1.7)),
            ("b", &[300, 4], rows(300, 4, 2.9)),
        ],
    );
    archive(
        "xy.npz",
        &[
            ("x", &[300, 3], rows(300, 3, 1.7)),
            ("w", &[300, 3], rows(300, 3, 2.9)),
            ("y", &[300, 1], rows(300, 1, 0.9)),
            ("z", &[300, 1], rows(300, 1, 2.1)),
        ],
    );
    archive(
        "s44.npz",
        &[
            ("a", &[2; 4], four(2, &[3.0, 2.0])),
            ("b", &[2; 4], four(2, &[5.0, 1.0])),
        ],
    );
    let eye = |n: usize, x: f64| {
        filled(n * n, &|k| {
            if (k as usize).is_multiple_of(n + 1) {
                x
            } else {
                0.0
            }
        })
    };
    at.array("omega.npy", &[6, 6], &eye(6, 1.0));
    at.array("omega2.npy", &[6, 6], &eye(6, 2.0));
    at.array("psi.npy", &[4, 4], &eye(4, 1.5));
    at.array("phi.npy", &[6, 4], &filled(24, &|k| 0.3 * k.sin()));
    at.array("phi2.npy", &[6, 4], &filled(24, &|k| 0.15 * k.sin()));
    at.array("w.npy", &[6, 4], &filled(24, &|k| (3.0 * k).cos()));
    at.array("teacher.npy", &[4], &filled(4, &f64::cos));
    at.array("second.npy", &[2], &[1.0, 2.0]);
    at.array(
        "mask.npy",
        &[4, 3, 2],
        &filled(24, &|k| f64::from(k as u8 != 5)),
    );
    at.array("sw.npy", &[2, 250], &filled(500, &f64::sin));
    at.array("tw.npy", &[2, 50], &filled(100, &f64::cos));
}

const STRASSEN: &str = "(a11+a22)*(b11+b22)*(c11+c22)\n(a21+a22)*b11*(c21-c22)\na11*(b12-b22)*(c12+c22)\n\
    a22*(b21-b11)*(c11+c21)\n(a11+a12)*b22*(c12-c11)\n(a21-a11)*(b11+b12)*c22\n(a12-a22)*(b21+b22)*c11\n";

/// Commands that make more files.
const STAGE: &str = "\
sample q.json -n 2000 --out z.npy
sample one.json -n 1500 --out x.npy
sample one.json -n 1500 --seed 5 --out x2.npy
sample mix.json -n 300 --out c.npy
sample mix.json -n 300 --seed 9 --out c2.npy
sample one.json -n 200 --out x.csv
sample one.json -n 400 --out xy.csv
sample mix.json -n 400 --out c.csv
sample q.json -n 2000 --out z.csv
predict relu.json --input x.npy --out y.npy
predict cubic.json --input x.npy --out y3.npy
decompose cp t.npy --rank 1 --out t1.npz
learn mixture c.npy --method diffusion --noise 1 --out diff.json
poly expand (x+1)^2 --out c.certificate.json
poly expand (x+y+z+w+1)^12 --out slow.certificate.json
scheme search --tensor matmul:2,2,2 --flips 100 --walkers 1 --out state.json";

fn stage(at: &Folder) -> BTreeSet<String> {
    models(at);
    tensors(at);
    for (name, content) in [
        ("s.exp", STRASSEN.to_owned()),
        ("bad.exp", STRASSEN.replacen("c21-c22", "c21+c22", 1)),
        ("x.exp", "x".to_owned()),
        ("bad.txt", "x".to_owned()),
        ("best.csv", "format,ZT,Z,Q\n2x2x2,6,7,7\n".to_owned()),
        ("cov.csv", "2\n".to_owned()),
        ("cov2.csv", "2,1\n1,3\n".to_owned()),
        (
            "audit.csv",
            "data,model,G,loglik\na,E,1,-10\na,E,2,-12\n".to_owned(),
        ),
    ] {
        text(at, name, &content);
    }
    for line in STAGE.lines() {
        let run = at.run(&line.split(' ').collect::<Vec<_>>());
        assert!(matches!(run.code, 0 | 3), "{line}: {}", run.err);
    }
    let names = std::fs::read_dir(at.path(".")).unwrap();
    names
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

/// Without what a clock or a build would change.
fn settled(value: &Value) -> Value {
    match value {
        Value::Object(all) => {
            let kept = all.iter().filter(|(k, _)| !VOLATILE.contains(&k.as_str()));
            kept.map(|(k, v)| (k.clone(), settled(v)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(all) => all.iter().map(settled).collect(),
        other => other.clone(),
    }
}

/// What a run leaves behind: exit code, output, messages, files that were not there.
#[derive(PartialEq)]
struct Left {
    code: i32,
    out: Value,
    err: String,
    files: BTreeMap<String, Vec<u8>>,
}

fn collect(
    folder: &Path,
    base: &Path,
    staged: &BTreeSet<String>,
    files: &mut BTreeMap<String, Vec<u8>>,
) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .strip_prefix(base)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if staged.contains(&name) {
            continue;
        }
        if path.is_dir() {
            collect(&path, base, staged, files);
            std::fs::remove_dir_all(&path).unwrap();
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let parsed = serde_json::from_slice::<Value>(&bytes);
        let bytes = parsed.map_or(bytes, |v| settled(&v).to_string().into_bytes());
        files.insert(name, bytes);
        std::fs::remove_file(&path).unwrap();
    }
}

fn left(at: &Folder, staged: &BTreeSet<String>, args: &[&str]) -> Left {
    let run = at.run(&[args, &["--json"]].concat());
    let out = serde_json::from_str(&run.out).unwrap_or(Value::String(run.out));
    let mut files = BTreeMap::new();
    let base = at.path(".");
    collect(&base, &base, staged, &mut files);
    Left {
        code: run.code,
        out,
        err: run.err,
        files,
    }
}

/// The options in a help text.
fn shown(help: &str) -> impl Iterator<Item = String> + '_ {
    let lines = help.lines().map(str::trim_start);
    let option = |l: &str| {
        let l = l
            .split_once(", --")
            .map_or(l.to_owned(), |(_, rest)| format!("--{rest}"));
        let end = l
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap_or(l.len());
        l[..end].to_owned()
    };
    lines
        .filter(|l| l.starts_with("--") || (l.starts_with('-') && l.contains(", --")))
        .map(option)
}

struct Line<'a> {
    command: &'a str,
    option: &'a str,
    without: Vec<&'a str>,
    with: Vec<&'a str>,
}

fn lines() -> Vec<Line<'static>> {
    let words = |text: &'static str| text.split_whitespace().collect::<Vec<&str>>();
    let read = |line: &'static str| {
        let parts: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [command, base, option] = parts[..] else {
            panic!("{line}")
        };
        let (first, second) = option.split_once(" ~ ").unwrap_or(("", option));
        let all = |more: &'static str| [words(command), words(base), words(more)].concat();
        let named = if first.is_empty() { second } else { first };
        Line {
            command,
            option: words(named)[0],
            without: all(first),
            with: all(second),
        }
    };
    LINES
        .lines()
        .filter(|l| !l.trim().is_empty())
        .map(read)
        .collect()
}

#[test]
fn every_option_changes_something() {
    let at = Folder::new("effects");
    let staged = stage(&at);
    let lines = lines();
    let (mut idle, mut outputs) = (Vec::new(), BTreeMap::<String, Vec<Value>>::new());
    let mut known: BTreeMap<Vec<&str>, Left> = BTreeMap::new();
    for line in &lines {
        for args in [&line.without, &line.with] {
            let found = known
                .entry(args.clone())
                .or_insert_with(|| left(&at, &staged, args));
            if found.out.is_object() && found.code != 2 && found.code != 4 {
                outputs
                    .entry(line.command.to_owned())
                    .or_default()
                    .push(found.out.clone());
            }
            if found.code == 4 {
                idle.push(format!("internal error: {args:?}: {}", found.err));
            }
        }
        if known[&line.without] == known[&line.with] {
            idle.push(format!("{} {}: {:?}", line.command, line.option, line.with));
        }
    }
    let listed: BTreeSet<(&str, &str)> = lines.iter().map(|l| (l.command, l.option)).collect();
    for (command, help) in commands(&at) {
        for option in shown(&help).filter(|o| !COMMON.contains(&o.as_str())) {
            let there = listed.contains(&(command.as_str(), option.as_str()));
            if !there && !LONG.contains(&command.as_str()) {
                idle.push(format!("{command} {option}: no line in effects.txt"));
            }
        }
    }
    idle.extend(schema::judged(&outputs));
    assert!(lines.len() > 250, "{}", lines.len());
    assert!(idle.is_empty(), "\n{}", idle.join("\n"));
}
