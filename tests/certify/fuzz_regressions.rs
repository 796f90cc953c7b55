//! Replays the stored fuzz corpora, and a few thousand inputs made from them, through the same functions.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use wickring::laws::Broken;
use wickring::laws::cp::fuzz_cp;
use wickring::laws::files::{fuzz_drawn_schemes, fuzz_model_files};
use wickring::laws::learn::quadratic_fuzz::{fuzz_model_reader, fuzz_moments, fuzz_peirce};
use wickring::laws::poly::algebra::fuzz_poly_parse;
use wickring::laws::poly::batch::fuzz_poly_batch;
use wickring::laws::poly::identities::fuzz_poly_identity;
use wickring::laws::readers::{fuzz_csv, fuzz_mat, fuzz_npy, fuzz_npz, fuzz_tns};
use wickring::laws::theory::fuzz::fuzz_theory;

fn replay(name: &str, law: fn(&[u8]) -> Result<(), Broken>, rounds: u64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/regressions")
        .join(name);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let data = std::fs::read(&path).unwrap();
        assert_eq!(law(&data), Ok(()), "{}", path.display());
        count += 1;
        let mut state = 0x9e37_79b9u64;
        for _ in 0..rounds {
            // A multiplicative congruential generator is enough to damage bytes.
            let mut next = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 33) as usize
            };
            let mut damaged = data.clone();
            for _ in 0..1 + next() % 4 {
                if !damaged.is_empty() {
                    let at = next() % damaged.len();
                    damaged[at] = next() as u8;
                }
            }
            damaged.truncate(1 + next() % (damaged.len() + 1));
            assert_eq!(
                law(&damaged),
                Ok(()),
                "{} damaged to {damaged:?}",
                path.display()
            );
        }
    }
    assert!(count > 0, "no corpus for {name}");
}

#[test]
fn polynomial_text() {
    replay("poly_parse", fuzz_poly_parse, 200);
}

#[test]
fn batches() {
    replay("poly_batch", fuzz_poly_batch, 60);
}

#[test]
fn identities() {
    replay("poly_identity", fuzz_poly_identity, 60);
}

#[test]
fn model_files() {
    replay("model_reader", fuzz_model_reader, 200);
}

#[test]
fn peirce_decompositions() {
    replay("peirce", fuzz_peirce, 200);
}

#[test]
fn moment_bytes() {
    replay("moments", fuzz_moments, 200);
}

#[test]
fn theory() {
    replay("theory", fuzz_theory, 60);
}

#[test]
fn cp_decompositions() {
    replay("cp", fuzz_cp, 25);
}

#[test]
fn arrays() {
    replay("read_npy", fuzz_npy, 400);
}

#[test]
fn archives() {
    replay("read_npz", fuzz_npz, 200);
}

#[test]
fn matlab_files() {
    replay("read_mat", fuzz_mat, 400);
}

#[test]
fn coordinates() {
    replay("read_tns", fuzz_tns, 400);
}

#[test]
fn tables() {
    replay("read_csv", fuzz_csv, 200);
}

#[test]
fn drawn_model_files() {
    replay("model_files", fuzz_model_files, 400);
}

#[test]
fn drawn_schemes() {
    replay("drawn_schemes", fuzz_drawn_schemes, 100);
}
