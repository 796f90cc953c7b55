//! The demo page: every claim is checked, and broken claims are noticed.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::process::{Command, Output};

fn wickring(args: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_wickring");
    Command::new(binary).args(args).output().unwrap()
}

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("wickring-demo-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

#[test]
fn the_page_holds_and_its_certificate_replays() {
    let out = folder("whole");
    let run = wickring(&["demo", "--out", out.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(
        run.status.code(),
        Some(0),
        "{text}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    for word in ["EXACT", "WRONG", "BORDER", "RECOVERED", "ACCEPT", "REFUSED"] {
        assert!(text.contains(word), "{text}");
    }
    let certificate = out.join("certificate.json");
    let check = wickring(&["check", certificate.to_str().unwrap()]);
    assert_eq!(check.status.code(), Some(0));
    // One digit of a claimed value, and the checker refuses the file: its seal is broken.
    let text = std::fs::read_to_string(&certificate).unwrap();
    let damaged = text.replacen("\"54\"", "\"55\"", 1);
    assert_ne!(text, damaged);
    std::fs::write(&certificate, damaged).unwrap();
    let check = wickring(&["check", certificate.to_str().unwrap()]);
    assert_eq!(check.status.code(), Some(2));
    let _ = std::fs::remove_dir_all(&out);
}

#[test]
fn a_flipped_sign_or_a_perturbed_model_makes_the_page_fail() {
    for sabotage in ["sign", "identity", "model", "ring"] {
        let out = folder(sabotage);
        let run = wickring(&[
            "demo",
            "--sabotage",
            sabotage,
            "--out",
            out.to_str().unwrap(),
        ]);
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        assert_eq!(run.status.code(), Some(1), "{sabotage}: {text}");
        assert!(text.contains("NOT AS CLAIMED"), "{sabotage}: {text}");
        let _ = std::fs::remove_dir_all(&out);
    }
}
