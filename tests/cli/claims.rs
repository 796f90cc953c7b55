//! `check` and `verify` where nothing false may be called true, and where work is bounded.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use wickring::certify::{Certificate, Claim, sha256};

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("wickring-claims-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Exit code, standard output and standard error of a command line; `~` stands for the folder.
fn run(folder: &Path, line: &str) -> (i32, String, String) {
    let words = line.split_whitespace();
    let args = words.map(|w| w.replace('~', folder.to_str().unwrap()));
    let output = Command::new(env!("CARGO_BIN_EXE_wickring"))
        .args(args)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap();
    (code, text(&output.stdout), text(&output.stderr))
}

#[test]
fn inputs_are_compared_with_files() {
    let dir = folder("data");
    std::fs::write(dir.join("a.txt"), "samples").unwrap();
    std::fs::write(dir.join("b.txt"), "others").unwrap();
    let text = Certificate::new()
        .input("somewhere/a.txt", b"samples")
        .hashed_input("lost.txt", &sha256(b"lost"))
        .fit("stalled", "cp.residual: too large")
        .claim(Claim::identity("(x + 1)^2", "x^2 + 2*x + 1").unwrap())
        .to_json();
    std::fs::write(dir.join("c.json"), text).unwrap();
    let (code, out, err) = run(&dir, "check ~/c.json");
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.contains("said to be stalled; it failed: cp.residual"),
        "{out}"
    );
    let (code, out, _) = run(&dir, "check ~/c.json --data ~/a.txt");
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("SAME") && out.contains("ABSENT"), "{out}");
    let (code, out, _) = run(&dir, "check ~/c.json --data ~/a.txt ~/b.txt");
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("DIFFERS"), "{out}");
    assert_eq!(run(&dir, "check ~/c.json --data ~/none.txt").0, 2);
    let (code, out, _) = run(&dir, "check ~/c.json --max-steps 10");
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("UNKNOWN"), "{out}");
}

#[test]
fn vacuous_claims_do_not_exit_zero() {
    let dir = folder("vacuous");
    let text = Certificate::new()
        .claim(Claim::identity("0", "0").unwrap())
        .to_json();
    std::fs::write(dir.join("c.json"), text).unwrap();
    let (code, out, _) = run(&dir, "check ~/c.json");
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("VACUOUS"), "{out}");
}

#[test]
fn exponents_of_schemes_do_not_wrap() {
    let dir = folder("wrap");
    for power in [
        "-9223372036854775808",
        "9223372036854775807",
        "4611686018427387904",
        "-18446744073709551616",
    ] {
        std::fs::write(
            dir.join("b.txt"),
            format!("x^{power}\n#\nx^{power}\n#\n1\n"),
        )
        .unwrap();
        let (code, out, err) = run(&dir, "verify ~/b.txt");
        assert_eq!(code, 2, "{power}: {out}{err}");
    }
}

const CLASSICAL: &str = r#"{"n":[1,2,1],"U":[[1,0],[0,1]],"V":[[1,0],[0,1]],"W":[[1],[1]]}"#;

#[test]
fn right_modulo_two_only_is_wrong() {
    let dir = folder("even");
    std::fs::write(dir.join("good.json"), CLASSICAL).unwrap();
    assert_eq!(run(&dir, "verify ~/good.json").0, 0);
    // One term listed three times: off by two.
    let thrice = r#"{"n":[1,2,1],"U":[[1,0],[1,0],[1,0],[0,1]],"V":[[1,0],[1,0],[1,0],[0,1]],"W":[[1],[1],[1],[1]]}"#;
    std::fs::write(dir.join("even.json"), thrice).unwrap();
    let (code, out, _) = run(&dir, "verify ~/even.json");
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("WRONG") && out.contains("holds mod 2"),
        "{out}"
    );
    assert_eq!(run(&dir, "verify ~/even.json --field F2").0, 0);
    let stated = thrice.replacen('{', "{\"z2\":true,", 1);
    std::fs::write(dir.join("stated.json"), stated).unwrap();
    assert_eq!(run(&dir, "verify ~/stated.json").0, 0);
    // A field twice: nobody knows which one is meant.
    let twice = CLASSICAL.replacen('{', "{\"U\":[[2,0],[0,1]],", 1);
    std::fs::write(dir.join("twice.json"), twice).unwrap();
    let (code, out, err) = run(&dir, "verify ~/twice.json");
    assert_eq!(code, 2, "{out}{err}");
    assert!(err.contains("repeated"), "{err}");
}

#[test]
fn a_guessed_target_is_no_claim() {
    let dir = folder("guess");
    // The sizes of <1,2,1>, and another bilinear map.
    let text = r#"{"U":[[1,0],[0,1]],"V":[[1,0],[0,-1]],"W":[[1],[1]]}"#;
    std::fs::write(dir.join("other.json"), text).unwrap();
    let (code, out, err) = run(&dir, "verify ~/other.json");
    assert_eq!(code, 2, "{out}{err}");
    assert!(
        out.contains("NO CLAIM") && out.contains("<1,2,1>") && out.contains("guessed"),
        "{out}"
    );
    assert_eq!(run(&dir, "verify ~/other.json --tensor matmul:1,2,1").0, 1);
    assert_eq!(run(&dir, "verify ~/other.json --target matmul:1,2,1").0, 1);
    std::fs::write(dir.join("same.json"), text.replace("-1", "1")).unwrap();
    let (code, out, _) = run(&dir, "verify ~/same.json");
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("guessed"), "{out}");
}

#[test]
fn small_files_end_soon() {
    let dir = folder("bombs");
    let bomb = r#"{"n":[64,64,64],"m":60000,"U":[[0,0,"1"]],"V":[[0,0,"1"]],"W":[[0,0,"1"]]}"#;
    std::fs::write(dir.join("large.json"), bomb).unwrap();
    let start = Instant::now();
    let (code, out, err) = run(&dir, "verify ~/large.json --max-seconds 20");
    assert!(matches!(code, 1 | 3), "{code} {out}{err}");
    assert!(
        start.elapsed() < Duration::from_secs(25),
        "{:?}",
        start.elapsed()
    );
    // 2^33 and more products of entries.
    let ones = vec!["1"; 2048].join(" ");
    let table = vec![ones; 64].join("\n");
    std::fs::write(
        dir.join("dense.txt"),
        format!("{table}\n#\n{table}\n#\n{table}\n"),
    )
    .unwrap();
    let start = Instant::now();
    let (code, out, err) = run(
        &dir,
        "verify ~/dense.txt --tensor matmul:8,8,8 --max-seconds 1",
    );
    assert_eq!(code, 3, "{out}{err}");
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
}
