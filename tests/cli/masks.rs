//! Certificates of tensors with missing entries, of Tucker models, and why there is none.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use crate::claims::{folder, run};
use serde_json::Value;
use wickring::certify::sha256;
use wickring::io::npy;
use wickring::tensor::Tensor;

/// Entries of a small number of terms, the first index fastest.
fn smooth(i: &[usize]) -> f64 {
    (1.0 + i[0] as f64) / (2.0 + i[1] as f64) + (i[2] as f64).sqrt()
}

#[test]
fn a_mask_is_an_input_of_the_certificate_and_is_held() {
    let dir = folder("mask");
    // The certificate holds the first tensor, and the digest of the second.
    for sizes in [[6, 5, 4], [60, 50, 45]] {
        let entry = |i: &[usize]| match (i[0] + 2 * i[1] + i[2]) % 7 {
            0 => 99.0,
            _ => smooth(i),
        };
        let t = Tensor::from_fn(&sizes, entry).unwrap();
        let mask = Tensor::from_fn(&sizes, |i| f64::from(u8::from(entry(i) < 90.0))).unwrap();
        let mut other = mask.clone();
        other.as_mut_slice()[3] = 1.0 - other.as_slice()[3];
        for (name, t) in [("t", &t), ("m", &mask), ("o", &other)] {
            npy::write(&dir.join(format!("{name}.npy")), t.view()).unwrap();
        }
        let line = "decompose cp ~/t.npy --rank 2 --mask ~/m.npy --seed 1 --out ~/f.npz";
        let (code, out, err) = run(&dir, line);
        assert!(
            [0, 3].contains(&code) && out.contains("f.certificate.json"),
            "{out}{err}"
        );
        let text = std::fs::read_to_string(dir.join("f.certificate.json")).unwrap();
        let whole: Value = serde_json::from_str(&text).unwrap();
        let bytes = std::fs::read(dir.join("m.npy")).unwrap();
        assert_eq!(whole["inputs"][1]["sha256"], sha256(&bytes));
        let (code, out, err) = run(&dir, "check ~/f.certificate.json --data ~/t.npy ~/m.npy");
        assert_eq!(code, 0, "{sizes:?}: {out}{err}");
        assert_eq!(
            (out.matches("SAME").count(), out.matches("TRUE").count()),
            (2, 1),
            "{out}"
        );
        // Without the mask it is not seen that what is left out had to be; another mask is no input.
        let (code, out, _) = run(&dir, "check ~/f.certificate.json --data ~/t.npy");
        assert!(code == 3 && out.contains("ABSENT"), "{out}");
        let (code, out, _) = run(&dir, "check ~/f.certificate.json --data ~/t.npy ~/o.npy");
        assert!(code == 1 && out.contains("DIFFERS"), "{out}");
    }
}

#[test]
fn infinite_entries_that_are_left_out_do_not_stop_the_certificate() {
    let dir = folder("infinite");
    let entry = |i: &[usize]| match i {
        [1, 2, 3] => f64::INFINITY,
        [2, 2, 2] => f64::NEG_INFINITY,
        [0, 0, 0] => f64::NAN,
        _ => smooth(i),
    };
    for sizes in [[6, 5, 4], [60, 50, 45]] {
        let t = Tensor::from_fn(&sizes, entry).unwrap();
        npy::write(&dir.join("t.npy"), t.view()).unwrap();
        for command in ["cp", "ring"] {
            let line = format!("decompose {command} ~/t.npy --rank 2 --missing mask --out ~/f.npz");
            let line = line
                + if command == "ring" {
                    " --max-sweeps 20"
                } else {
                    ""
                };
            if command == "ring" && sizes[0] > 6 {
                continue;
            }
            let (_, out, err) = run(&dir, &line);
            assert!(out.contains("f.certificate.json"), "{command}: {out}{err}");
            let (code, out, err) = run(&dir, "check ~/f.certificate.json --data ~/t.npy");
            assert!(
                code == 0 && out.contains("observed entries"),
                "{command}: {out}{err}"
            );
        }
    }
    let (code, _, err) = run(&dir, "decompose cp ~/t.npy --rank 2");
    assert!(code == 2 && err.contains("entry ("), "{err}");
}

#[test]
fn tucker_models_have_certificates_and_reports_say_why_there_is_none() {
    let dir = folder("tucker");
    let t = Tensor::from_fn(&[7, 6, 5], smooth).unwrap();
    npy::write(&dir.join("t.npy"), t.view()).unwrap();
    for (more, bound) in [("--tol 1e-9", 1e-8), ("--rank 2,1,2", 1.0)] {
        let (_, out, err) = run(
            &dir,
            &format!("decompose tucker ~/t.npy {more} --out ~/f.npz"),
        );
        let (code, said, more) = run(&dir, "check ~/f.certificate.json --data ~/t.npy");
        assert_eq!(code, 0, "{out}{err}{said}{more}");
        let text = std::fs::read_to_string(dir.join("f.certificate.json")).unwrap();
        let whole: Value = serde_json::from_str(&text).unwrap();
        let report = std::fs::read_to_string(dir.join("f.json")).unwrap();
        let report: Value = serde_json::from_str(&report).unwrap();
        let error = report["rel_error"].as_f64().unwrap();
        let proved = &whole["claims"][0]["data"]["bound"];
        let proved = proved.as_f64().unwrap_or_else(|| panic!("{proved}"));
        // Of what is rounding alone two sums differ.
        let rounding = error < 1e-14;
        assert!(
            proved < bound && (rounding || proved > 0.99 * error),
            "{proved} {error}"
        );
    }
    std::fs::write(
        dir.join("s.tns"),
        "90000 90000 90000 1.0\n1 1 1 2.0\n2 1 1 2.0\n",
    )
    .unwrap();
    let line = "decompose cp ~/s.tns --rank 1 --iterations 2 --starts 1 --out ~/s.npz --json";
    let (_, out, err) = run(&dir, line);
    let said: Value = serde_json::from_str(&out).unwrap();
    let report = std::fs::read_to_string(dir.join("s.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    for notes in [&said["notes"], &report["notes"]] {
        assert!(
            notes.to_string().contains("too large to expand"),
            "{out}{err}"
        );
    }
}
