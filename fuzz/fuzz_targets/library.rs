//! Every fuzz body of the library in one program: `WICKRING_TARGET` names the one that runs.
//!
//! One program is built and linked once; the library takes minutes to compile with counters of coverage.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use wickring::laws::{self, Broken};

/// A body: what it finds wrong, if anything. Panics count as well.
type Body = fn(&[u8]) -> Result<(), Broken>;

const TARGETS: &[(&str, Body)] = &[
    ("certificates", |data| {
        laws::schemes::fuzz_certificate(data)?;
        laws::certificates::verdicts_follow_from_definitions(data)
    }),
    ("cp", laws::cp::fuzz_cp),
    ("drawn_schemes", laws::files::fuzz_drawn_schemes),
    ("factor_files", laws::schemes::fuzz_factor_files),
    ("gaussian", |data| {
        laws::gaussian::cases::fuzz_gaussian(data);
        Ok(())
    }),
    ("mixture", laws::learn::mixtures::fuzz_mixture),
    ("model_files", laws::files::fuzz_model_files),
    ("model_reader", laws::learn::quadratic_fuzz::fuzz_model_reader),
    ("moments", laws::learn::quadratic_fuzz::fuzz_moments),
    ("overcomplete", laws::learn::two_layer::fuzz_overcomplete),
    ("peirce", laws::learn::quadratic_fuzz::fuzz_peirce),
    ("poly_algebra", |data| {
        laws::poly::algebra::fuzz_poly_algebra(data);
        Ok(())
    }),
    ("poly_arith", |data| {
        laws::poly::ring::fuzz_poly_arith(data);
        Ok(())
    }),
    ("poly_batch", laws::poly::batch::fuzz_poly_batch),
    ("poly_identity", laws::poly::identities::fuzz_poly_identity),
    ("poly_parse", laws::poly::algebra::fuzz_poly_parse),
    ("polynomial_map", laws::learn::polynomial_maps::fuzz_polynomial_map),
    ("read_csv", laws::readers::fuzz_csv),
    ("read_mat", laws::readers::fuzz_mat),
    ("read_npy", laws::readers::fuzz_npy),
    ("read_npz", laws::readers::fuzz_npz),
    ("read_tns", laws::readers::fuzz_tns),
    ("relu", |data| {
        laws::learn::relu::fuzz_relu(data);
        Ok(())
    }),
    ("ring_algebraic", |data| {
        laws::ring::fuzz::fuzz_ring_algebraic(data);
        Ok(())
    }),
    ("ring_als", |data| {
        laws::ring::fuzz::fuzz_ring_als(data);
        Ok(())
    }),
    ("ring_completion", |data| {
        laws::ring::fuzz::fuzz_ring_completion(data);
        Ok(())
    }),
    ("ring_engine", |data| {
        laws::ring::fuzz::fuzz_ring_engine(data);
        Ok(())
    }),
    ("ring_methods", |data| {
        laws::ring::methods::fuzz_ring_methods(data);
        Ok(())
    }),
    ("ring_models", |data| {
        laws::ring::models::fuzz_ring_models(data);
        Ok(())
    }),
    ("ring_nls", |data| {
        laws::ring::fuzz::fuzz_ring_nls(data);
        Ok(())
    }),
    ("ring_queries", |data| {
        laws::ring::fuzz::fuzz_ring_queries(data);
        Ok(())
    }),
    ("ring_ranks", |data| {
        laws::ring::fuzz::fuzz_ring_ranks(data);
        Ok(())
    }),
    ("ring_sampled", |data| {
        laws::ring::fuzz::fuzz_ring_sampled(data);
        Ok(())
    }),
    ("ring_svd", |data| {
        laws::ring::fuzz::fuzz_ring_svd(data);
        Ok(())
    }),
    ("schemes", laws::schemes::fuzz_schemes),
    ("theory", laws::theory::fuzz::fuzz_theory),
    ("trains_and_cubes", |data| {
        laws::ring::methods::fuzz_trains_and_cubes(data);
        Ok(())
    }),
];

static CHOSEN: OnceLock<Body> = OnceLock::new();

/// The body that the environment asks for; ends the program with the list of all where there is none.
fn chosen() -> Body {
    let name = std::env::var("WICKRING_TARGET").unwrap_or_default();
    match TARGETS.iter().find(|t| t.0 == name) {
        Some(target) => target.1,
        None => {
            let names: Vec<&str> = TARGETS.iter().map(|t| t.0).collect();
            println!("{}", names.join("\n"));
            std::process::exit(2);
        }
    }
}

fuzz_target!(
    init: {
        let _ = CHOSEN.set(chosen());
    },
    |data: &[u8]| {
        let body = CHOSEN.get_or_init(chosen);
        assert_eq!(body(data), Ok(()));
    }
);
