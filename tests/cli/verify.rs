//! `verify`, `check` and `decompose --exact` as scripts meet them: exit codes, JSON, certificates.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)] // helpers of tests

use num_complex::Complex;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use wickring::certify::Certificate;
use wickring::io::{npy, npz};
use wickring::tensor::{Tensor, TensorRing};

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("wickring-verify-{name}-{}", std::process::id()));
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
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Exit code and the one JSON object of a command line.
fn json(folder: &Path, line: &str) -> (i32, Value) {
    let (code, out, err) = run(folder, &format!("{line} --json"));
    (
        code,
        serde_json::from_str(&out).unwrap_or_else(|e| Value::from(format!("{e}: {out}{err}"))),
    )
}

fn save(path: &Path, arrays: &[(&str, &Tensor)]) {
    let views: Vec<_> = arrays.iter().map(|(n, t)| (*n, t.view())).collect();
    npz::write(path, &views).unwrap();
}

fn matrix(rows: &[&[f64]]) -> Tensor {
    Tensor::from_fn(&[rows.len(), rows[0].len()], |i| rows[i[0]][i[1]]).unwrap()
}

/// Karatsuba's product of linear polynomials: 3 terms for a `2 x 2 x 3` tensor.
fn karatsuba() -> (Tensor, [Tensor; 3]) {
    let t = Tensor::from_fn(&[2, 2, 3], |i| f64::from(u8::from(i[0] + i[1] == i[2]))).unwrap();
    let a = matrix(&[&[1.0, 0.0, 1.0], &[0.0, 1.0, 1.0]]);
    let c = matrix(&[&[1.0, 0.0, 0.0], &[-1.0, -1.0, 1.0], &[0.0, 1.0, 0.0]]);
    (t, [a.clone(), a, c])
}

#[test]
fn factor_files_are_held_against_their_tensor() {
    let dir = folder("factors");
    let (t, [a, b, c]) = karatsuba();
    npy::write(&dir.join("t.npy"), t.view()).unwrap();
    // Weights that undo a scaling by powers of two, exactly.
    let weights = Tensor::from_vec(&[3], vec![2.0, -4.0, 0.5]).unwrap();
    let scale = [0.5, -0.25, 2.0];
    let scaled = Tensor::from_fn(&[2, 3], |i| a.as_slice()[i[0] + 2 * i[1]] * scale[i[1]]).unwrap();
    let good = [
        ("weights", &weights),
        ("factor_0", &scaled),
        ("factor_1", &b),
        ("factor_2", &c),
    ];
    save(&dir.join("f.npz"), &good);
    let (code, found) = json(&dir, "verify ~/f.npz --tensor ~/t.npy --out ~/proof.json");
    let first = &found["schemes"][0];
    assert_eq!(
        (code, &first["verdict"], &first["rank"]),
        (0, &"EXACT".into(), &3.into()),
        "{found}"
    );
    assert_eq!(
        (&first["wrong_entries"], &first["rel_residual"]),
        (&0.into(), &0.0.into())
    );
    assert_eq!(run(&dir, "check ~/proof.json").0, 0);
    assert_eq!(run(&dir, "verify ~/f.npz --tensor polymul:2,2").0, 0);
    assert_eq!(
        run(&dir, "verify ~/f.npz --tensor matmul:2,2,2").0,
        2,
        "the sizes do not fit"
    );

    // One entry off by a millionth: a comparison of floats would pass it.
    let mut wrong = c.clone();
    wrong.as_mut_slice()[0] += 1.0 / 1048576.0;
    save(
        &dir.join("g.npz"),
        &[("factor_0", &a), ("factor_1", &b), ("factor_2", &wrong)],
    );
    let (code, found) = json(&dir, "verify ~/g.npz --tensor ~/t.npy --find-bad");
    let first = &found["schemes"][0];
    assert_eq!(
        (code, &first["verdict"], &first["wrong_entries"]),
        (1, &"WRONG".into(), &1.into()),
        "{found}"
    );
    // 2^-20 over the norm 2, rounded up by less than a unit in the last place.
    let bound = first["rel_residual"].as_f64().unwrap() * 2f64.powi(21);
    assert!((1.0..1.0 + 1e-15).contains(&bound), "{bound}");
    assert_eq!(
        (&first["fault"]["term"], &first["fault"]["factor"]),
        (&0.into(), &2.into())
    );
    let (code, found) = json(
        &dir,
        "verify ~/g.npz --tensor ~/t.npy --tol 1e-6 --out ~/near.json",
    );
    assert_eq!(
        (code, &found["schemes"][0]["verdict"]),
        (0, &"WITHIN".into()),
        "{found}"
    );
    assert_eq!(run(&dir, "check ~/near.json").0, 0);
    assert_eq!(run(&dir, "verify ~/g.npz --tensor ~/t.npy --tol 1e-7").0, 1);

    // Fractions as texts: 1/3 has no exact float.
    let text = r#"{"factors": [[["1/3", 0], [0, 1]], [[3, 0], [0, "1"]]]}"#;
    std::fs::write(dir.join("r.json"), text).unwrap();
    let unit = matrix(&[&[1.0, 0.0], &[0.0, 1.0]]);
    npy::write(&dir.join("unit.npy"), unit.view()).unwrap();
    let (code, found) = json(&dir, "verify ~/r.json --tensor ~/unit.npy");
    assert_eq!(
        (code, &found["schemes"][0]["field"]),
        (0, &"Q".into()),
        "{found}"
    );
}

#[test]
fn rings_and_trains_are_multiplied_out() {
    let dir = folder("rings");
    // The matrices 1 and X, X^2 = 1: Tr(G_i G_j) is 2 where i = j, else 0.
    let core = Tensor::from_fn(&[2, 2, 2], |i| {
        f64::from(u8::from((i[0] + i[2]) % 2 == i[1]))
    })
    .unwrap();
    npy::write(
        &dir.join("t.npy"),
        matrix(&[&[2.0, 0.0], &[0.0, 2.0]]).view(),
    )
    .unwrap();
    save(
        &dir.join("ring.npz"),
        &[("core_0", &core), ("core_1", &core)],
    );
    let (code, found) = json(
        &dir,
        "verify ~/ring.npz --tensor ~/t.npy --out ~/proof.json",
    );
    let first = &found["schemes"][0];
    assert_eq!(
        (code, &first["verdict"], &first["model"]),
        (0, &"EXACT".into(), &"ring".into()),
        "{found}"
    );
    assert_eq!(run(&dir, "check ~/proof.json").0, 0);
    assert_eq!(run(&dir, "verify ~/ring.npz").0, 2, "no tensor is known");
    let mut off = core.clone();
    off.as_mut_slice()[0] += 1e-9;
    save(&dir.join("off.npz"), &[("core_0", &off), ("core_1", &core)]);
    let (code, found) = json(&dir, "verify ~/off.npz --tensor ~/t.npy");
    assert_eq!(
        (code, &found["schemes"][0]["verdict"]),
        (1, &"WRONG".into()),
        "{found}"
    );
    assert_eq!(
        run(
            &dir,
            "verify ~/off.npz --tensor ~/t.npy --tol 1e-8 --out ~/n.json"
        )
        .0,
        0
    );
    assert_eq!(run(&dir, "check ~/n.json").0, 0);
    // An open chain: [1 2] [x; y].
    let text = r#"{"cores": [[[["1/2", 2]]], [[[4]], [["1/4"]]]]}"#;
    std::fs::write(dir.join("train.json"), text).unwrap();
    npy::write(&dir.join("one.npy"), matrix(&[&[2.5]]).view()).unwrap();
    let (code, found) = json(&dir, "verify ~/train.json --tensor ~/one.npy");
    let first = &found["schemes"][0];
    assert_eq!(
        (code, &first["verdict"], &first["model"]),
        (0, &"EXACT".into(), &"train".into()),
        "{found}"
    );
    save(
        &dir.join("gap.npz"),
        &[("core_0", &core), ("core_2", &core)],
    );
    assert_eq!(run(&dir, "verify ~/gap.npz --tensor ~/t.npy").0, 2);
}

#[test]
fn from_floats_to_proof_in_one_go() {
    let dir = folder("exact");
    let (t, _) = karatsuba();
    npy::write(&dir.join("t.npy"), t.view()).unwrap();
    let (code, found) = json(&dir, "decompose cp ~/t.npy --rank 3 --exact --out ~/f.npz");
    assert_eq!((code, &found["exact"]), (0, &true.into()), "{found}");
    assert_eq!(run(&dir, "check ~/f.certificate.json").0, 0);
    assert_eq!(
        run(&dir, "verify ~/f.npz --tensor ~/t.npy --tol 1e-14").0,
        0
    );
    assert_eq!(run(&dir, "decompose cp ~/t.npy --rank 1..3 --exact").0, 2);
    // The same at a scale where every small number looks like zero.
    let tiny = Tensor::from_fn(&[2, 2, 3], |i| {
        1e-200 * f64::from(u8::from(i[0] + i[1] == i[2]))
    })
    .unwrap();
    npy::write(&dir.join("tiny.npy"), tiny.view()).unwrap();
    let (code, found) = json(
        &dir,
        "decompose cp ~/tiny.npy --rank 3 --exact --out ~/tiny.json",
    );
    assert_eq!((code, &found["exact"]), (0, &true.into()), "{found}");
    assert_eq!(run(&dir, "check ~/tiny.json").0, 0);
    // Rank two is below the rank of the tensor: nothing is certified.
    let (code, ..) = run(&dir, "decompose cp ~/t.npy --rank 2 --exact --starts 2");
    assert_eq!(code, 3);
}

#[test]
fn numeric_models_come_with_a_bound_that_the_checker_replays() {
    let dir = folder("numeric");
    let (a, b) = ([1.0, 0.3, -0.7, 0.2], [0.1, 0.9, 0.2, -0.4]);
    let rank_two = |i: &[usize]| a[i[0]] * b[i[1]] * b[i[2]] + b[i[0]] * a[i[1]] * a[i[2]];
    let t = Tensor::from_fn(&[4, 4, 4], rank_two).unwrap();
    npy::write(&dir.join("cp.npy"), t.view()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let ring = TensorRing::<f64>::gaussian(&[5, 5, 5], &[2, 2, 2], &mut rng).unwrap();
    npy::write(&dir.join("ring.npy"), ring.to_dense().unwrap().view()).unwrap();
    for method in ["cp", "ring"] {
        let line = format!("decompose {method} ~/{method}.npy --rank 2 --out ~/{method}.npz");
        let (code, out, err) = run(&dir, &line);
        assert_eq!(code, 0, "{out}{err}");
        let path = dir.join(format!("{method}.certificate.json"));
        let (code, out, err) = run(&dir, &format!("check ~/{method}.certificate.json"));
        assert_eq!(code, 0, "{out}{err}");
        // The bound is tight: half of it is refuted.
        let mut whole: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        whole.as_object_mut().unwrap().remove("seal");
        let bound = whole["claims"][0]["data"]["bound"].as_f64().unwrap();
        assert!(bound > 0.0 && bound < 1e-10, "{bound}");
        whole["claims"][0]["data"]["bound"] = (bound / 2.0).into();
        std::fs::write(&path, Certificate::seal_text(&whole.to_string()).unwrap()).unwrap();
        assert_eq!(
            run(&dir, &format!("check ~/{method}.certificate.json")).0,
            1
        );
    }
}

#[test]
fn pickled_objects_are_refused_with_a_hint() {
    let dir = folder("pickled");
    let mut header = "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }".to_owned();
    header += &" ".repeat(117 - header.len());
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(b"\n\x80\x04pickle");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(dir.join("p.npz")).unwrap());
    zip.start_file("2,2,2.npy", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(&bytes).unwrap();
    zip.finish().unwrap();
    let (code, out, err) = run(&dir, "verify ~/p.npz");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.contains("p.npz") && err.contains("allow_pickle") && err.lines().count() == 1,
        "{err}"
    );
}

#[test]
fn fields_and_tables_on_the_command_line() {
    let dir = folder("fields");
    // <1,1,1> as 1/2 * 2 * 1: exact over Q, without a value modulo 2.
    let text = r#"{"n": [1, 1, 1], "U": [["1/2"]], "V": [["2"]], "W": [["1"]]}"#;
    std::fs::write(dir.join("half.json"), text).unwrap();
    for (field, code) in [
        ("auto", 0),
        ("Q", 0),
        ("Fp:7", 0),
        ("F2", 2),
        ("Z", 2),
        ("Fp:9", 2),
    ] {
        assert_eq!(
            run(&dir, &format!("verify ~/half.json --field {field}")).0,
            code,
            "{field}"
        );
    }
}

#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn published_schemes_are_compared_and_their_faults_found() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/schemes");
    let table = "--compare ~/best_known_ranks_2026-07-02.csv --cost";
    for (file, best) in [("perminov_2x4x9_58_Q.json", 58), ("laderman_333_23.m", 23)] {
        let (code, found) = json(&data, &format!("verify ~/{file} {table}"));
        let first = &found["schemes"][0];
        assert_eq!(code, 0, "{found}");
        assert!(first["best_known"].as_u64().unwrap() <= best, "{found}");
        assert_eq!(&first["cost"]["multiplications"], &first["rank"]);
    }
    let line = "verify ~/bad/one_vector_negated_333_23.json --find-bad --field Fp:5";
    let (code, found) = json(&data, line);
    assert_eq!(
        (code, &found["schemes"][0]["wrong_entries"]),
        (1, &2.into()),
        "{found}"
    );
}

#[test]
fn a_certificate_never_speaks_of_older_factors() {
    let dir = folder("stale");
    let (t, _) = karatsuba();
    npy::write(&dir.join("t.npy"), t.view()).unwrap();
    let holed = Tensor::from_fn(&[2, 2, 3], |i| match i == [0, 0, 1] {
        true => f64::NAN,
        false => f64::from(u8::from(i[0] + i[1] == i[2])),
    })
    .unwrap();
    npy::write(&dir.join("holed.npy"), holed.view()).unwrap();
    let fit = |file: &str, more: &str| {
        run(
            &dir,
            &format!("decompose cp ~/{file} --rank 3 --out ~/f.npz {more}"),
        )
    };
    assert_eq!(fit("t.npy", "").0, 0);
    let certificate = dir.join("f.certificate.json");
    assert!(certificate.exists());
    // What is missing is left out of the bound.
    let (_, out, err) = fit("holed.npy", "--missing mask");
    assert!(certificate.exists(), "{out}{err}");
    let (code, said, err) = run(&dir, "check ~/f.certificate.json --data ~/holed.npy");
    assert!(
        code == 0 && said.contains("over its 11 observed entries"),
        "{said}{err}"
    );
    let (_, out, err) = fit("t.npy", "--loss huber:1");
    assert!(!certificate.exists(), "{out}{err}");
    assert!(out.contains("no certificate of the residual"), "{out}");
    assert!(err.contains("spoke of other factors"), "{err}");
}

/// Complex entries in one file: two doubles each, the first index fastest.
fn save_complex(path: &Path, t: &Tensor<Complex<f64>>) {
    let mut header = format!(
        "{{'descr': '<c16', 'fortran_order': True, 'shape': ({}), }}",
        t.dims()
            .iter()
            .map(|n| format!("{n}, "))
            .collect::<String>()
    );
    header += &" ".repeat(117 - header.len());
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(header.as_bytes());
    bytes.push(b'\n');
    let parts = t.as_slice().iter().flat_map(|z| [z.re, z.im]);
    bytes.extend(parts.flat_map(f64::to_le_bytes));
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_complex_ring_is_certified_part_by_part() {
    let dir = folder("complex");
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let ring = TensorRing::<Complex<f64>>::gaussian(&[5, 5, 5], &[2, 2, 2], &mut rng).unwrap();
    let t = ring.to_dense().unwrap();
    save_complex(&dir.join("t.npy"), &t);
    let (code, out, err) = run(&dir, "decompose ring ~/t.npy --rank 2 --out ~/f.npz");
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = run(&dir, "check ~/f.certificate.json");
    assert_eq!((code, out.matches("TRUE").count()), (0, 2), "{out}{err}");
    // Each bound is tight: half of it is refuted.
    let path = dir.join("f.certificate.json");
    let text = std::fs::read_to_string(&path).unwrap();
    for k in 0..2 {
        let mut whole: Value = serde_json::from_str(&text).unwrap();
        whole.as_object_mut().unwrap().remove("seal");
        let bound = whole["claims"][k]["data"]["bound"].as_f64().unwrap();
        assert!(bound > 0.0 && bound < 1e-10, "{bound}");
        whole["claims"][k]["data"]["bound"] = (bound / 2.0).into();
        std::fs::write(&path, Certificate::seal_text(&whole.to_string()).unwrap()).unwrap();
        assert_eq!(run(&dir, "check ~/f.certificate.json").0, 1, "claim {k}");
    }
}

#[test]
fn nonnegative_factors_of_a_tensor_with_gaps() {
    let dir = folder("nonneg");
    let t = Tensor::from_fn(&[4, 5, 3], |i| {
        let [a, b, c] = [i[0], i[1], i[2]].map(|k| k as f64);
        match i == [1, 2, 0] {
            true => f64::NAN,
            false => (a + 1.0) * (b + 2.0) + (4.0 - a) * (c + 1.0),
        }
    })
    .unwrap();
    npy::write(&dir.join("t.npy"), t.view()).unwrap();
    let line = "decompose cp ~/t.npy --rank 1..3 --nonneg --missing mask --out ~/f.npz";
    let (code, found) = json(&dir, line);
    assert_eq!((code, &found["rank"]), (0, &2.into()), "{found}");
    assert!(found["rel_error"].as_f64().unwrap() < 1e-8, "{found}");
    assert_eq!(run(&dir, "decompose cp ~/t.npy --rank 2 --nonneg").0, 2);
}
