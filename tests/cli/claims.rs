//! `check` and `verify` where nothing false may be called true, and where work is bounded.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)] // helpers of tests

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use wickring::certify::{Certificate, Claim, sha256};
use wickring::io::{npy, npz};
use wickring::tensor::Tensor;

pub(crate) fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("wickring-claims-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Exit code, standard output and standard error of a command line; `~` stands for the folder.
pub(crate) fn run(folder: &Path, line: &str) -> (i32, String, String) {
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

/// A tensor of rank two with a part that no model has.
fn tensor(shape: &[usize]) -> Tensor {
    let wave = |i: &[usize], k: f64| {
        i.iter()
            .map(|&i| (0.3 + k * i as f64).sin())
            .product::<f64>()
    };
    let noise = |i: &[usize]| {
        1e-6 * (i
            .iter()
            .enumerate()
            .map(|(k, &i)| (k + 2) * i * i)
            .sum::<usize>() as f64)
            .sin()
    };
    Tensor::from_fn(shape, |i| wave(i, 0.7) + 2.0 * wave(i, 0.2) + noise(i)).unwrap()
}

#[test]
fn large_tensors_have_certificates_as_well() {
    let dir = folder("rounded");
    npy::write(&dir.join("t.npy"), tensor(&[60, 50, 45]).view()).unwrap();
    npy::write(&dir.join("s.npy"), tensor(&[20, 10, 12]).view()).unwrap();
    for (file, line) in [
        ("t", "decompose cp ~/t.npy --rank 2 --out ~/f.npz"),
        ("t", "decompose train ~/t.npy --ranks 2 --out ~/f.npz"),
        ("s", "decompose ring ~/s.npy --rank 2 --out ~/f.npz"),
    ] {
        // The part that no model has is no noise, which a ring notices.
        let (code, out, err) = run(&dir, line);
        assert!(
            code == 0 || (code == 3 && file == "s"),
            "{line}: {out}{err}"
        );
        let text = std::fs::read_to_string(dir.join("f.certificate.json")).unwrap();
        assert!(text.contains("rounded-residual"), "{line}");
        let (code, out, _) = run(&dir, "check ~/f.certificate.json");
        let word = if file == "t" {
            (3, "OPEN")
        } else {
            (0, "TRUE")
        };
        assert!(code == word.0 && out.contains(word.1), "{line}: {out}");
        let (code, out, _) = run(
            &dir,
            &format!("check ~/f.certificate.json --data ~/{file}.npy"),
        );
        assert!(
            code == 0 && out.contains("TRUE") && out.contains("SAME"),
            "{line}: {out}"
        );
        let whole: Value = serde_json::from_str(&text).unwrap();
        let bound = whole["claims"][0]["data"]["bound"].as_f64().unwrap();
        assert!(bound > 1e-7 && bound < 1e-5, "{line}: {bound}");
    }
    // Another file of the same shape: it is not what was used, and the claim stays open.
    npy::write(&dir.join("other.npy"), tensor(&[60, 50, 45]).view()).unwrap();
    let (code, ..) = run(&dir, "decompose cp ~/t.npy --rank 2 --out ~/f.npz");
    assert_eq!(code, 0);
    let mut bytes = std::fs::read(dir.join("other.npy")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(dir.join("other.npy"), bytes).unwrap();
    let (code, out, _) = run(&dir, "check ~/f.certificate.json --data ~/other.npy");
    assert!(
        code == 1 && out.contains("DIFFERS") && out.contains("OPEN"),
        "{out}"
    );
    // The same numbers in another file: the bytes differ, the tensor does not.
    npz::write(
        &dir.join("same.npz"),
        &[
            ("T", tensor(&[60, 50, 45]).view()),
            ("x", tensor(&[3, 3, 3]).view()),
        ],
    )
    .unwrap();
    let (code, out, _) = run(&dir, "check ~/f.certificate.json --data ~/same.npz");
    assert!(
        code == 1 && out.contains("DIFFERS") && out.contains("TRUE"),
        "{out}"
    );
    std::fs::write(dir.join("words.txt"), "no tensor").unwrap();
    let (_, out, _) = run(&dir, "check ~/f.certificate.json --data ~/words.txt");
    assert!(out.contains("NOTE") && out.contains("OPEN"), "{out}");
}

#[test]
fn a_certificate_that_is_not_written_is_explained() {
    let dir = folder("unwritten");
    let zero = Tensor::from_fn(&[9, 9, 9], |_| 0.0).unwrap();
    npy::write(&dir.join("zero.npy"), zero.view()).unwrap();
    let (_, out, err) = run(&dir, "decompose train ~/zero.npy --ranks 1 --out ~/f.npz");
    assert!(
        out.contains("no certificate of the residual: no relative bound"),
        "{out}{err}"
    );
    assert!(!dir.join("f.certificate.json").exists());
}

#[test]
fn polynomials_are_certified_on_request() {
    let dir = folder("poly");
    let file = dir.join("p.certificate.json");
    for (line, kind) in [
        ("poly eq (x+y)^2 x^2+2*x*y+y^2", "polynomial-identity"),
        ("poly expand (x+2*y-1/3)^5", "polynomial-identity"),
        ("poly divide x^4-y^4 x-y", "ideal-membership"),
        ("poly divide x^4-y^4+1 x-y y-2", "polynomial-identity"),
        ("poly factor x^8-16*y^4", "polynomial-identity"),
        (
            "poly groebner x^2+y^2-1 x*y-2 --contains x^3+x*y^2-x",
            "ideal-membership",
        ),
    ] {
        let _ = std::fs::remove_file(&file);
        let (code, out, err) = run(&dir, &format!("{line} --out ~/p.certificate.json"));
        assert!(code == 0 && out.contains("wrote"), "{line}: {out}{err}");
        assert!(
            std::fs::read_to_string(&file).unwrap().contains(kind),
            "{line}"
        );
        let (code, out, err) = run(&dir, "check ~/p.certificate.json");
        assert!(code == 0 && out.contains("TRUE"), "{line}: {out}{err}");
    }
    for (line, code, word) in [
        ("poly eq x+1 x", 1, "sides differ"),
        ("poly eq x x", 2, "VACUOUS"),
        ("poly eq --field F7 x+7 x", 2, "over Q"),
        ("poly expand --field F7 (x+1)^7", 2, "over Q"),
        ("poly gcd x^2-1 x-1", 2, "has no certificate"),
        ("poly roots x^2-2", 2, "has no certificate"),
        ("poly groebner x^2-1 x-1", 2, "--contains"),
        ("poly groebner x^2-1 --contains x", 1, "not a member"),
        ("poly eq (x+y+z+w)^400 (x+y+w+z)^400", 2, "random points"),
    ] {
        let _ = std::fs::remove_file(&file);
        let (found, out, err) = run(&dir, &format!("{line} --out ~/p.certificate.json"));
        assert!(
            found == code && err.contains(word),
            "{line}: {found} {out}{err}"
        );
        assert!(!file.exists(), "{line}");
    }
    // The printed result is still what other names hold.
    assert_eq!(run(&dir, "poly expand (x+1)^2 --out ~/p.json").0, 0);
    assert!(
        std::fs::read_to_string(dir.join("p.json"))
            .unwrap()
            .contains("polynomial")
    );
}

#[test]
fn schemes_are_known_by_their_content() {
    let dir = folder("content");
    let save = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    save("noname", "-a11*(-b11)(c11)\n");
    save("flips.txt", "1 1 2 2\n1 1\n1 0 0 1\n1 0 0 1\n");
    save("scheme.dat", CLASSICAL);
    save("program", "m1 := (a11)*(b11);\nc11 := m1;\n");
    for name in ["noname", "flips.txt", "scheme.dat", "program"] {
        let (code, out, err) = run(&dir, &format!("verify ~/{name}"));
        assert!(code == 0 && out.contains("EXACT"), "{name}: {out}{err}");
    }
    // Complex factors: i (-2i) / 2 = 1.
    let header = "{'descr': '<c16', 'fortran_order': True, 'shape': (1, 1), }";
    let mut zip = zip::ZipWriter::new(std::fs::File::create(dir.join("complex.npz")).unwrap());
    for (name, re, im) in [("u", 0.0, 1.0), ("v", 0.0, -2.0), ("w", 0.5, 0.0)] {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("{name}.npy"), options).unwrap();
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(format!("{header:<117}\n").bytes());
        bytes.extend([f64::to_le_bytes(re), f64::to_le_bytes(im)].concat());
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
    let (code, out, err) = run(&dir, "verify ~/complex.npz");
    assert!(code == 0 && out.contains("Q(i)"), "{out}{err}");
    save("bini", "Bini 1 1 1 1\n1 ; 1 ; 1\n");
    npy::write(&dir.join("one.npy"), tensor(&[2, 2]).view()).unwrap();
    save("words", "nothing that is known\n");
    for (name, word) in [
        ("bini", "q ; gamma ; alpha ; beta"),
        ("one.npy", "np.savez"),
        ("words", "none of the schemes"),
    ] {
        let (code, out, err) = run(&dir, &format!("verify ~/{name}"));
        assert!(code == 2 && err.contains(word), "{name}: {out}{err}");
    }
}

/// Sums of five products of small whole numbers: the decompositions form families of dimension eight.
#[test]
fn general_tensors_are_decomposed_exactly() {
    let dir = folder("general");
    let mut state = 2u64;
    let mut small = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 33) as u32 % 5) - 2.0
    };
    let mut exact = 0;
    for _ in 0..6 {
        let factors: Vec<[f64; 15]> = (0..3).map(|_| [(); 15].map(|()| small())).collect();
        let term =
            |i: &[usize], r: usize| (0..3).map(|k| factors[k][3 * r + i[k]]).product::<f64>();
        let t = Tensor::from_fn(&[3, 3, 3], |i| (0..5).map(|r| term(i, r)).sum()).unwrap();
        npy::write(&dir.join("t.npy"), t.view()).unwrap();
        let line = "decompose exact ~/t.npy --rank 5 --starts 1 --out ~/f.json";
        let (code, out, err) = run(&dir, line);
        assert!(code == 0 || code == 3, "{out}{err}");
        if code == 0 {
            exact += 1;
            let (code, out, err) = run(&dir, "check ~/f.json");
            assert!(code == 0 && out.contains("rank 5"), "{out}{err}");
        }
    }
    assert!(exact >= 4, "{exact} of 6");
}

/// A claim about another tensor than the file is none about the file, whatever its seal.
#[test]
fn claims_are_held_against_the_files_that_they_name() {
    let dir = folder("held");
    let entry = |i: &[usize]| match i == [0, 0, 1] {
        true => f64::NAN,
        false => ((i[0] + 1) * (i[1] + 2) * (i[2] + 1)) as f64,
    };
    let t = wickring::tensor::Tensor::from_fn(&[4, 4, 4], entry).unwrap();
    npy::write(&dir.join("t.npy"), t.view()).unwrap();
    run(
        &dir,
        "decompose cp ~/t.npy --rank 1 --missing mask --out ~/f.npz",
    );
    let text = std::fs::read_to_string(dir.join("f.certificate.json")).unwrap();
    let mut whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    whole.as_object_mut().unwrap().remove("seal");
    whole["claims"][0]["data"]["bound"] = 0.5.into();
    for (entry, missing, code, word) in [
        (serde_json::json!(2.0), 1, 0, "SAME"),
        (serde_json::Value::Null, 2, 3, "leaves out 1 entries"),
        (serde_json::json!(2.5), 1, 1, "holds another tensor"),
    ] {
        let target = &mut whole["claims"][0]["data"]["target"]["observed"];
        target["entries"][0] = entry;
        target["missing"] = missing.into();
        let sealed = wickring::certify::Certificate::seal_text(&whole.to_string()).unwrap();
        std::fs::write(dir.join("g.json"), sealed).unwrap();
        let (found, said, err) = run(&dir, "check ~/g.json --data ~/t.npy");
        assert!(
            found == code && said.contains(word),
            "{word}: {found} {said}{err}"
        );
    }
}
