//! What goes out: formats by the ending, reports that never take the name of the factors, names of columns, masks, notes.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::outside::{Folder, Run};
use serde_json::Value;
use wickring::io::arrays;

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}{}", run.out, run.err))
}

/// Entries of a tensor of rank two.
fn rank_two(dims: [usize; 3], seed: usize) -> Vec<f64> {
    let a =
        |m: usize, i: usize, r: usize| ((i * i * (r + 2) + 3 * m + r * 5 + seed) % 7) as f64 - 2.5;
    let mut data = Vec::new();
    for i in 0..dims[0] {
        for j in 0..dims[1] {
            for k in 0..dims[2] {
                data.push((0..2).map(|r| a(0, i, r) * a(1, j, r) * a(2, k, r)).sum());
            }
        }
    }
    data
}

#[test]
fn the_ending_of_out_says_the_format_of_factors() {
    let at = Folder::new("endings");
    at.array("t.npy", &[4, 3, 3], &rank_two([4, 3, 3], 1));
    for call in [
        "decompose cp t.npy --rank 2",
        "decompose tucker t.npy --rank 2,2,2",
        "decompose train t.npy --rank 2",
        "decompose ring t.npy --rank 1",
    ] {
        let words: Vec<&str> = call.split(' ').collect();
        let mut compared = Vec::new();
        for out in ["f.npz", "f.mat", "f.json"] {
            let run = at.run(&[&words[..], &["--out", out, "--quiet"]].concat());
            assert!([0, 3].contains(&run.code), "{call}: {}", run.err);
            let mut arrays = arrays::read(&at.path(out)).unwrap();
            arrays.sort_by(|a, b| a.0.cmp(&b.0));
            let numbers = arrays
                .iter()
                .map(|(n, t)| (n.clone(), t.as_slice().to_vec()));
            compared.push(numbers.collect::<Vec<_>>());
            let report = if out == "f.json" {
                "f.report.json"
            } else {
                "f.json"
            };
            let text = std::fs::read_to_string(at.path(report)).unwrap();
            assert!(text.contains("\"schema\""), "{report}");
            let same = json(&at.run(&["compare", out, "f.npz", "--json"]));
            assert!(same["distance"].as_f64().unwrap() < 1e-7, "{call}: {same}");
        }
        assert!(compared.iter().all(|c| *c == compared[0]), "{call}");
        let run = at.run(&[&words[..], &["--out", "g.csv", "--json"]].concat());
        assert!([0, 3].contains(&run.code), "{call}: {}", run.err);
        for (name, _) in &compared[0] {
            assert!(at.path(&format!("g_{name}.csv")).exists(), "{call}: {name}");
        }
    }
    // `verify` reads the JSON.
    at.run(&["decompose", "cp", "t.npy", "--rank", "2", "--out", "f.json"]);
    let run = at.run(&["verify", "f.json", "--tensor", "t.npy", "--tol", "1e-9"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    // A table among the inputs is not overwritten by one of several.
    at.array("x.npy", &[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    at.run(&["convert", "x.npy", "h_core.csv"]);
    let run = at.run(&[
        "decompose",
        "tucker",
        "h_core.csv",
        "--rank",
        "1",
        "--out",
        "h.csv",
    ]);
    assert!(
        run.code == 2 && run.err.contains("is an input"),
        "{}",
        run.err
    );
}

#[test]
fn complex_factors_come_back() {
    let at = Folder::new("complex");
    let parts = [rank_two([3, 3, 2], 2), rank_two([3, 3, 2], 4)];
    let pairs: Vec<f64> = parts[0]
        .iter()
        .zip(&parts[1])
        .flat_map(|(a, b)| [*a, *b])
        .collect();
    let mut bytes = wickring::io::npy::encode(&[3, 3, 4], false, &pairs);
    // The same header for pairs, as long as it was.
    let text = String::from_utf8_lossy(&bytes[10..128]).replace("<f8", "<c16");
    let text = text.replace("(3, 3, 4), } ", "(3, 3, 2), }");
    bytes.splice(10..128, text.bytes());
    std::fs::write(at.path("z.npy"), bytes).unwrap();
    for out in ["a.npz", "a.mat", "a.json"] {
        let run = at.run(&[
            "decompose",
            "train",
            "z.npy",
            "--tol",
            "1e-12",
            "--out",
            out,
            "--quiet",
        ]);
        assert_eq!(run.code, 0, "{}", run.err);
        let names: Vec<String> = arrays::read(&at.path(out))
            .unwrap()
            .into_iter()
            .map(|a| a.0)
            .collect();
        assert!(
            names.contains(&"core_0_imag".to_owned()),
            "{out}: {names:?}"
        );
        // Rounding what was written gives the same ranks: the imaginary parts were read.
        let again = json(&at.run(&["decompose", "train", out, "--tol", "1e-10", "--json"]));
        let first = json(&at.run(&["decompose", "train", "z.npy", "--tol", "1e-12", "--json"]));
        assert_eq!(again["ranks"], first["ranks"], "{out}");
        let same = json(&at.run(&["compare", out, "a.npz", "--json"]));
        assert!(same["distance"].as_f64().unwrap() < 1e-12);
    }
}

#[test]
fn a_mask_is_a_second_file_and_missing_entries_are_counted() {
    let at = Folder::new("mask");
    let data = rank_two([5, 4, 4], 3);
    at.array("t.npy", &[5, 4, 4], &data);
    let mask: Vec<f64> = (0..80).map(|k| f64::from(u8::from(k % 9 != 4))).collect();
    let gaps = mask.iter().filter(|m| **m == 0.0).count();
    at.array("m.npy", &[5, 4, 4], &mask);
    let holed: Vec<f64> = data
        .iter()
        .zip(&mask)
        .map(|(x, m)| if *m == 0.0 { f64::NAN } else { *x })
        .collect();
    at.array("h.npy", &[5, 4, 4], &holed);
    for command in ["cp", "ring"] {
        let call = ["decompose", command, "--rank", "2", "--json"];
        let by_file = json(&at.run(&[&call[..], &["t.npy", "--mask", "m.npy"]].concat()));
        let by_nan = json(&at.run(&[&call[..], &["h.npy", "--missing", "mask"]].concat()));
        assert_eq!(by_file["rel_error"], by_nan["rel_error"], "{command}");
        for report in [&by_file, &by_nan] {
            assert_eq!(report["inputs"][0]["missing"], gaps, "{command}");
        }
        assert_eq!(by_file["inputs"][1]["path"], "m.npy");
        let text = at
            .run(&[
                "decompose",
                command,
                "t.npy",
                "--rank",
                "2",
                "--mask",
                "m.npy",
            ])
            .out;
        assert!(
            text.contains(&format!("{gaps} of 80 entries are missing")),
            "{text}"
        );
        let whole = json(&at.run(&[&call[..], &["t.npy"]].concat()));
        assert_eq!(whole["inputs"][0]["missing"], 0);
    }
}

#[test]
fn names_of_columns_go_into_models_and_come_out_again() {
    let at = Folder::new("names");
    let row = |k: usize| {
        let x = [(k * 37 % 101) as f64 / 20.0, (k * 61 % 97) as f64 / 9.0];
        format!("{},{}\n", x[0], x[1])
    };
    let table: String = (0..300).map(row).collect();
    std::fs::write(at.path("s.csv"), format!("height,weight\n{table}")).unwrap();
    let learn = "learn mixture s.csv --method em --components 1 --covariance full --out m.json";
    let run = at.run(&learn.split(' ').collect::<Vec<_>>());
    assert!([0, 3].contains(&run.code), "{}", run.err);
    let model: Value =
        serde_json::from_str(&std::fs::read_to_string(at.path("m.json")).unwrap()).unwrap();
    assert_eq!(
        model["inputs"][0]["columns"],
        serde_json::json!(["height", "weight"])
    );
    for out in ["d.csv", "d.tsv"] {
        let run = at.run(&["sample", "m.json", "-n", "3", "--out", out]);
        assert_eq!(run.code, 0, "{}", run.err);
        let text = std::fs::read_to_string(at.path(out)).unwrap();
        assert!(
            text.starts_with(if out == "d.csv" {
                "height,weight\n"
            } else {
                "height\tweight\n"
            }),
            "{text}"
        );
        assert_eq!(text.lines().count(), 4);
    }
    at.run(&["sample", "m.json", "-n", "3", "--out", "d.npz"]);
    assert_eq!(arrays::read(&at.path("d.npz")).unwrap()[0].0, "samples");
    // Columns in another order, and others beside them, are taken by name.
    std::fs::write(at.path("turned.csv"), "weight,other,height\n2,9,1\n4,9,3\n").unwrap();
    std::fs::write(at.path("straight.csv"), "height,weight\n1,2\n3,4\n").unwrap();
    let predict = |input: &str, out: &str| {
        json(&at.run(&[
            "predict", "m.json", "--input", input, "--out", out, "--json",
        ]))
    };
    let note = predict("turned.csv", "a.csv");
    assert!(
        note["notes"][0]
            .as_str()
            .unwrap()
            .contains("by the model's names"),
        "{note}"
    );
    assert!(predict("straight.csv", "b.csv").get("notes").is_none());
    let read = |name: &str| std::fs::read_to_string(at.path(name)).unwrap();
    assert_eq!(read("a.csv"), read("b.csv"));
    std::fs::write(at.path("strange.csv"), "u,v\n1,2\n").unwrap();
    let note = predict("strange.csv", "c.csv");
    assert!(
        note["notes"][0].as_str().unwrap().contains("u, v"),
        "{note}"
    );
    // Two rows of a wide table are refused with what they look like.
    std::fs::write(at.path("wide.csv"), "1,2,3\n4,5,6\n").unwrap();
    let run = at.run(&["predict", "m.json", "--input", "wide.csv", "--out", "e.csv"]);
    assert!(
        run.code == 2 && run.err.contains("looks transposed"),
        "{}",
        run.err
    );
}

#[test]
fn a_sample_that_looks_transposed_is_said_to_be_so() {
    let at = Folder::new("transposed");
    let rows: Vec<f64> = (0..240).map(|k| f64::from(k * k % 31) / 7.0).collect();
    at.array("wide.npy", &[4, 60], &rows);
    at.array("tall.npy", &[60, 4], &rows);
    let add =
        |input: &str| json(&at.run(&["moments", "add", input, "--out", "m", "--force", "--json"]));
    let wide = add("wide.npy");
    assert!(
        wide["notes"][0]
            .as_str()
            .unwrap()
            .contains("look transposed"),
        "{wide}"
    );
    assert!(add("tall.npy").get("notes").is_none());
}

#[test]
fn a_tensor_of_zeros_has_no_components_to_be_unique() {
    let at = Folder::new("zeros");
    at.array("o.npy", &[4, 3, 3], &[0.0; 36]);
    let run = at.run(&["decompose", "cp", "o.npy", "--rank", "auto"]);
    assert!(!run.out.contains("NaN"), "{}", run.out);
    let report = json(&at.run(&["decompose", "cp", "o.npy", "--rank", "auto", "--json"]));
    assert_eq!(
        (&report["rank"], &report["unique"]),
        (&0.into(), &"no components".into())
    );
}
