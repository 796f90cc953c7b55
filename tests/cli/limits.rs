//! Small files that lie about sizes: for every command and every format, an answer or a refusal within ten seconds of
//! processor time and a gigabyte.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::outside::{Folder, Run, shell};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::Write;
use zip::write::SimpleFileOptions;

/// Files of this size at most.
const SMALL: usize = 1 << 20;
/// Checks of debug builds take about twice as long as what they check.
const SECONDS: f64 = if cfg!(debug_assertions) { 20.0 } else { 10.0 };
const MEGABYTES: f64 = 1000.0;

/// A `.npy` file whose header claims `shape`, and what follows it.
fn npy(shape: &str, descr: &str, data: &[u8]) -> Vec<u8> {
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    header += &" ".repeat(63 - (10 + header.len()) % 64);
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(data);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let packed = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in members {
        zip.start_file(*name, packed).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A `.mat` file with one array of bytes, compressed.
fn mat(dims: [i32; 3], data: &[u8]) -> Vec<u8> {
    let element = |kind: u32, body: &[u8]| {
        let mut out = kind.to_le_bytes().to_vec();
        out.extend((body.len() as u32).to_le_bytes());
        out.extend(body);
        out.resize(out.len().next_multiple_of(8), 0);
        out
    };
    let sizes: Vec<u8> = dims.iter().flat_map(|n| n.to_le_bytes()).collect();
    let mut body = element(6, &[9, 0, 0, 0, 0, 0, 0, 0]);
    body.extend(element(5, &sizes));
    body.extend(element(1, b"x"));
    body.extend(element(2, data));
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&element(14, &body)).unwrap();
    let packed = packed.finish().unwrap();
    let mut out = format!("{:<124}", "MATLAB 5.0 MAT-file").into_bytes();
    out.extend([0, 1, b'I', b'M', 15, 0, 0, 0]);
    out.extend((packed.len() as u32).to_le_bytes());
    out.extend(packed);
    out
}

type Lie = (&'static str, Vec<u8>);

fn tensors() -> Vec<Lie> {
    let zeros = vec![0u8; 250_000_000];
    vec![
        (
            "unpacks.npz",
            archive(&[("t.npy", &npy("250, 1000, 1000", "|u1", &zeros))]),
        ),
        (
            "unpacks.npy.gz",
            gzip(&npy("250, 1000, 1000", "|u1", &zeros)),
        ),
        ("unpacks.mat", mat([250, 1000, 1000], &zeros)),
        ("long.npy", npy("1099511627776, 1024, 3", "<f8", &[0; 64])),
        ("wraps.npy", npy("9223372036854775808, 4", "<f8", &[0; 64])),
        ("hidden.npy", npy("0, 4611686018427387904, 4", "<f8", &[])),
        ("claims.mat", mat([1 << 30, 1 << 30, 1 << 30], &[0; 64])),
        (
            "first.tns",
            b"4611686018427387904 1 1 1.0\n2 2 2 2.0\n".to_vec(),
        ),
        (
            "last.tns",
            b"1 1 18446744073709551615 1.0\n2 2 2 2.0\n".to_vec(),
        ),
        ("far.tns", b"1000000000 1000000000 1 1.0\n".to_vec()),
        ("many.tns", "1 ".repeat(500_000).into_bytes()),
        ("modes.npy", npy(&"1, ".repeat(300), "|u1", &[1])),
    ]
}

fn samples() -> Vec<Lie> {
    let zeros = vec![0u8; 250_000_000];
    vec![
        ("rows.npy.gz", gzip(&npy("2500000, 100", "|u1", &zeros))),
        (
            "doubles.npy.gz",
            gzip(&npy("30000000, 1", "<f8", &zeros[..240_000_000])),
        ),
        ("long.npy", npy("1099511627776, 3", "<f8", &[0; 64])),
        ("hidden.npy", npy("1099511627776, 0", "<f8", &[])),
        ("wide.npy", npy("1, 900000", "|u1", &zeros[..900_000])),
        (
            "wide.csv",
            format!("{}1\n", "1,".repeat(400_000)).into_bytes(),
        ),
        ("quoted.csv", "\"".repeat(900_000).into_bytes()),
        (
            "digits.csv",
            format!("{}\n1\n", "9".repeat(900_000)).into_bytes(),
        ),
        (
            "ragged.csv",
            format!("1,2\n{}", "3\n".repeat(300_000)).into_bytes(),
        ),
    ]
}

fn models() -> Vec<Lie> {
    let zeros = vec!["0"; 30_000].join(",");
    let text = |t: String| t.into_bytes();
    let map = "\"schema\":\"wickring/quadratic-map/1\"";
    let mixture = "\"schema\":\"wickring/mixture/1\"";
    vec![
        ("big.json", text(format!("{{{map},\"latent_dim\":1000000,\"output_dim\":1000000,\"quadratic\":[],\"linear\":[],\"constant\":[]}}"))),
        ("implied.json", text(format!("{{{mixture},\"dim\":30000,\"components\":[{{\"weight\":1,\"mean\":[{zeros}]}}]}}"))),
        ("components.json", text(format!("{{{mixture},\"dim\":1000000,\"components\":[{}{{}}]}}", "{\"weight\":1,\"mean\":[0]},".repeat(30_000)))),
        ("degree.json", text("{\"schema\":\"wickring/polynomial-map/1\",\"latent_dim\":2,\"output_dim\":1,\"degree\":2000,\"outputs\":[[[[1000,1000],1.0]]]}".to_owned())),
        ("lists.json", text("[".repeat(900_000))),
        ("objects.json", text(format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)))),
        ("digits.json", text(format!("{{{map},\"latent_dim\":{}}}", "9".repeat(900_000)))),
        ("bytes.json", vec![0xff; 900_000]),
    ]
}

fn schemes() -> Vec<Lie> {
    let text = |t: String| t.into_bytes();
    let ones = npy("2000000, 16", "|i1", &vec![1; 32_000_000]);
    vec![
        ("claims.json", text("{\"n\":[64,64,64],\"m\":60000,\"u\":[[1]],\"v\":[[1]],\"w\":[[1]]}".to_owned())),
        ("sizes.json", text("{\"n\":[1000000000,1000000000,1000000000],\"m\":1,\"u\":[[1]],\"v\":[[1]],\"w\":[[1]]}".to_owned())),
        ("deep.json", text(format!("{{\"n\":{}", "[".repeat(200_000)))),
        ("power.txt", text("x^4000000000\n#\nx^-9223372036854775808\n#\n1\n".to_owned())),
        ("brackets.exp", text("(".repeat(500_000))),
        ("index.exp", text("a999999999_999999999*b11*c11".to_owned())),
        ("digits.exp", text(format!("a11*b11*{}*c11", "9".repeat(900_000)))),
        ("doubled.slp", text((0..40_000).map(|i| format!("t{}:=t{i}*t{i};\n", i + 1)).collect())),
        ("unpacks.npz", archive(&[("u.npy", &ones), ("v.npy", &ones), ("w.npy", &ones)])),
        ("claims.certificate.json", text(format!("{{\"schema\":\"wickring/certificate/1\",\"claims\":[{}{{}}]}}", "{\"kind\":\"polynomial-identity\"},".repeat(25_000)))),
    ]
}

const OF_TENSORS: &[&str] = &[
    "decompose cp F --rank 2",
    "decompose cp F --rank 2 --nonneg",
    "decompose cp F --rank 2 --loss poisson",
    "decompose ring F --rank 2",
    "decompose symmetric F --rank 2",
    "decompose orthogonal F --rank 1",
    "decompose train F --tol 0.1",
    "decompose tucker F --tol 0.1",
    "decompose exact F --rank 2",
    "convert F copy.npz --force",
    "verify F",
];
const OF_SAMPLES: &[&str] = &[
    "learn quadratic F --out m.json",
    "learn polynomial F --degree 2 --out m.json",
    "learn mixture F --components 2 --method em --out m.json",
    "learn mixture F --components 2 --out m.json",
    "learn relu --inputs F --targets F --out m.json",
    "learn two-layer --inputs F --targets F --activation x^2 --neurons 2 --out m.json",
    "moments add F --third --out sums",
    "moments show F",
    "convert F copy.csv --force",
];
const OF_MODELS: &[&str] = &[
    "sample F -n 10 --out rows.npy",
    "sample F -n 1000000000000 --out rows.npy",
    "predict F --input one.csv --out rows.npy",
    "map pce F",
    "map cumulants F",
    "map distance F F",
    "compare F F",
    "check F",
    "moments merge F F --out sums",
];
const OF_SCHEMES: &[&str] = &[
    "verify F",
    "check F",
    "scheme canonical F",
    "scheme convert F copy.exp --force",
    "scheme lift F --out lifted.json",
    "scheme reduce F --out reduced.json",
    "scheme program F --out program.py",
    "scheme table F",
    "scheme search F --flips 1000 --out found.json",
    "scheme search --resume F --flips 1000 --out found.json",
];

/// Processor seconds and megabytes of the line that `-v` adds to standard error.
fn cost(run: &Run) -> Option<(f64, f64)> {
    let line = run.err.lines().find(|l| l.contains("most memory"))?;
    let after = |what: &str| {
        let rest = line.split_once(what)?.1;
        rest.split_whitespace().next()?.parse().ok()
    };
    Some((after("processor time ")?, after("most memory ")?))
}

fn within_limits(name: &str, lies: Vec<Lie>, lines: &[&str]) {
    let at = Folder::new(name);
    std::fs::write(at.path("one.csv"), "1\n2\n3\n").unwrap();
    let mut broken = Vec::new();
    for (name, bytes) in lies {
        assert!(bytes.len() <= SMALL, "{name} has {} bytes", bytes.len());
        std::fs::write(at.path(name), bytes).unwrap();
        for line in lines {
            let line = line.replace(" F", &format!(" {name}"));
            // What does not end by itself is ended.
            let run = shell(
                &at,
                &format!("ulimit -t 60; ulimit -v 8000000; exec $W -v {line} >/dev/null"),
            );
            let told: Vec<&str> = run
                .err
                .lines()
                .filter(|l| !l.contains("most memory"))
                .collect();
            let fine = matches!(run.code, 0..=3)
                && !run.err.contains("internal error")
                && told.iter().all(|l| l.len() < 2000)
                && (run.code == 0 || told.len() < 3)
                && cost(&run).is_some_and(|(s, m)| s <= SECONDS && m <= MEGABYTES);
            if !fine {
                let shown: String = run.err.chars().take(300).collect();
                broken.push(format!("{line}: code {}: {shown}", run.code));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn tensors_that_lie_cost_little() {
    within_limits("lying-tensors", tensors(), OF_TENSORS);
}

#[cfg(target_os = "linux")]
#[test]
fn samples_that_lie_cost_little() {
    within_limits("lying-samples", samples(), OF_SAMPLES);
}

#[cfg(target_os = "linux")]
#[test]
fn models_that_lie_cost_little() {
    within_limits("lying-models", models(), OF_MODELS);
}

#[cfg(target_os = "linux")]
#[test]
fn schemes_and_certificates_that_lie_cost_little() {
    within_limits("lying-schemes", schemes(), OF_SCHEMES);
}

/// Expressions whose text is short and whose value is not.
#[cfg(target_os = "linux")]
#[test]
fn expressions_that_lie_cost_little() {
    let texts = [
        "x^(10^9)".to_owned(),
        "(x+1)^1000000".to_owned(),
        "(x+y+z+w)^300".to_owned(),
        "(((((x^9)^9)^9)^9)^9)^9".to_owned(),
        "2^(2^40)".to_owned(),
        format!("{}x{}", "(".repeat(30_000), ")".repeat(30_000)),
        format!("{}x", "-".repeat(60_000)),
        "9".repeat(60_000),
        "10^100000*x^2-3*x".to_owned(),
    ];
    let at = Folder::new("lying-texts");
    let mut broken = Vec::new();
    for text in &texts {
        for line in [
            "expand", "factor", "roots", "moment", "gcd", "divide", "eq", "groebner",
        ] {
            let second = match line {
                "gcd" | "divide" => "'x^2-1'".to_owned(),
                "eq" => format!("'{text}'"),
                _ => String::new(),
            };
            let head: String = text.chars().take(30).collect();
            let command = format!(
                "ulimit -t 60; ulimit -v 8000000; exec $W -v poly {line} --max-seconds 5 -- '{text}' {second} >/dev/null"
            );
            let run = shell(&at, &command);
            let fine = matches!(run.code, 0..=3)
                && cost(&run).is_some_and(|(s, m)| s <= SECONDS && m <= MEGABYTES);
            if !fine {
                let shown: String = run.err.chars().take(300).collect();
                broken.push(format!("poly {line} {head}: code {}: {shown}", run.code));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The clock is looked at while an expression is read: its powers are products already.
#[cfg(target_os = "linux")]
#[test]
fn reading_an_expression_ends_with_the_time() {
    let at = Folder::new("reading");
    let text = format!("(x+1)^5{}", "*(y-21)^5".repeat(300));
    for line in [
        "expand",
        "moment",
        "cumulant",
        "hermite",
        "hermite --inverse",
    ] {
        let command = format!("exec $W -v poly {line} --max-seconds 0.1 -- '{text}' >/dev/null");
        let run = shell(&at, &command);
        let soon = cost(&run).is_some_and(|(s, _)| s <= 3.0);
        assert!(
            run.code == 3 && soon,
            "{line}: {}: {:.300}",
            run.code,
            run.err
        );
    }
}
