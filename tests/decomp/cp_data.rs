//! CP on data with known answers, which stand beside the project; ignored where they do not.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)] // helpers of tests

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use wickring::io::npz;

fn data(name: &str) -> PathBuf {
    let tensors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/tensors");
    tensors.join(name)
}

/// Exit code, the JSON report and the complaint of `decompose cp FILE FLAGS --out OUT`.
fn decompose(file: &Path, flags: &str, out: &Path) -> (i32, Value, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_wickring"))
        .args(["decompose", "cp"])
        .arg(file)
        .args(flags.split_whitespace())
        .arg("--out")
        .arg(out)
        .arg("--json")
        .output()
        .unwrap();
    let report = serde_json::from_slice(&run.stdout).unwrap_or(Value::Null);
    let complaint = String::from_utf8_lossy(&run.stderr).into_owned();
    (run.status.code().unwrap(), report, complaint)
}

fn out(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("wickring-data-{name}-{}.npz", std::process::id()))
}

#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn three_amino_acids_are_found_and_their_concentrations_predicted() {
    let file = data("amino.mat");
    let table = data("amino_concentrations_mol_per_l.csv");
    let model = out("amino");
    let (code, report, _) = decompose(&file, "--rank auto", &model);
    assert_eq!((code, report["rank"].as_u64()), (0, Some(3)));
    assert!((report["rel_error"].as_f64().unwrap() - 0.025_048_5).abs() < 1e-7);
    let row = &report["ranks"][2];
    assert!(row["starts_agreeing"].as_u64() >= Some(2), "{row}");
    assert!(row["split_half"].as_f64().unwrap() > 0.85, "{row}");
    let text = std::fs::read_to_string(table).unwrap();
    let known: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|l| l.split(',').map(|x| x.trim().parse().unwrap()).collect())
        .collect();
    let arrays = npz::read(&model).unwrap();
    let (_, a) = arrays.iter().find(|(n, _)| n == "factor_0").unwrap();
    let entry = |i: usize, r: usize| a.view().get(&[i, r]).copied().unwrap();
    // Samples 0, 1, 2 are pure; they name the components and set their scales.
    for (k, allowed) in [(0, 0.03), (1, 0.03), (2, 0.15)] {
        let r = (0..3)
            .max_by(|&r, &s| entry(k, r).abs().total_cmp(&entry(k, s).abs()))
            .unwrap();
        for sample in [3, 4] {
            let predicted = entry(sample, r) * known[k][k] / entry(k, r);
            let off = predicted / known[sample][k] - 1.0;
            assert!(off.abs() < allowed, "acid {k}, sample {sample}: {off}");
        }
    }
}

/// One component too many has several minima, most of them wrong: two starts that agree do not settle it.
#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn the_least_of_many_minima_is_found_by_default() {
    let file = data("amino.mat");
    for seed in 0..3 {
        let flags = format!("--rank 4 --seed {seed}");
        let (code, report, _) = decompose(&file, &flags, &out("four"));
        let error = report["rel_error"].as_f64().unwrap();
        assert!(
            code == 0 && error < 0.021_405,
            "seed {seed}: {code} {error}"
        );
    }
}

#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn missing_entries_are_refused_until_they_are_masked() {
    let file = data("il2_response_13x4x12x8_has_nan.npy");
    let (code, _, complaint) = decompose(&file, "--rank 2", &out("refused"));
    assert!(code == 2 && complaint.contains("192"), "{code} {complaint}");
    // Figures of the file's notes: the best of eight starts.
    let known = [0.402609, 0.318245, 0.236337, 0.209304, 0.188998];
    for (rank, error) in (1..=5).zip(known) {
        let flags = format!("--rank {rank} --missing mask");
        let (code, report, _) = decompose(&file, &flags, &out("masked"));
        let found = report["rel_error"].as_f64().unwrap();
        assert!(found <= error + 5e-7, "rank {rank}: {found}");
        // Said when the components are not determined, never kept silent.
        let good = report["status"] == "converged";
        assert_eq!(good, code == 0, "rank {rank}: {report}");
    }
}
