//! Every ring decomposition is registered here once and gets the whole suite; the certificate of the command
//! line goes through the independent checker; every fuzz body replays its stored inputs.
#![allow(clippy::unwrap_used, clippy::panic)] // set-up of tests fails loudly

use num_complex::Complex;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::path::Path;
use std::process::Command;
use wickring::decomp::{
    Derivations, Peirce, RingAlgebraic, RingAls, RingAuto, RingCompletion, RingNls, RingQueries,
    RingSampledAls, RingSvd,
};
use wickring::fit::Fit;
use wickring::io::npy;
use wickring::laws::ring::fuzz::BODIES;
use wickring::laws::ring::planted::random_symmetric_ring;
use wickring::laws::ring::subjects::Subject;
use wickring::run::unobserved;
use wickring::tensor::{Scalar, SymmetricRing, Tensor, TensorRing, TensorView};
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn cube(seed: u64) -> Result<Tensor, Error> {
    TensorRing::gaussian(&[7, 7, 7], &[2, 2, 2], &mut rng(seed))?.to_dense()
}

fn order_four(seed: u64) -> Result<Tensor, Error> {
    TensorRing::gaussian(&[4, 4, 4, 4], &[2, 2, 2, 2], &mut rng(seed))?.to_dense()
}

fn train(seed: u64) -> Result<Tensor, Error> {
    TensorRing::gaussian(&[5, 6, 7, 4], &[1, 2, 3, 2], &mut rng(seed))?.to_dense()
}

fn symmetric(seed: u64) -> Result<Tensor, Error> {
    random_symmetric_ring(7, 3, &mut rng(seed))?.to_dense()
}

fn as_ring(fit: Fit<SymmetricRing>) -> Result<Fit<TensorRing>, Error> {
    let ring = TensorRing::from_symmetric(&fit.model)?;
    Ok(fit.map(|_| ring))
}

/// The Gram matrix that belongs to a symmetric tensor, from the derivations: Peirce needs it beside the tensor.
fn peirce(t: TensorView<'_>, seed: u64) -> Result<Fit<TensorRing>, Error> {
    let gram = Derivations::new(3)
        .decompose(t, &mut rng(seed))?
        .model
        .gram();
    as_ring(Peirce::new(3).decompose(gram.as_ref(), t, &mut rng(seed))?)
}

fn everything_observed(t: TensorView<'_>, seed: u64) -> Result<Fit<TensorRing>, Error> {
    let seen = vec![true; t.as_slice().len()];
    RingCompletion::new(&[2]).decompose(t, &seen, &mut rng(seed), &mut unobserved)
}

macro_rules! suite {
    ($name:ident, $plant:expr, $accuracy:expr, $noise:expr, $symmetric:expr, $decompose:expr) => {
        mod $name {
            use super::*;

            const SUBJECT: Subject = Subject {
                name: stringify!($name),
                plant: $plant,
                decompose: $decompose,
                accuracy: $accuracy,
                noise: $noise,
                symmetric: $symmetric,
            };

            #[test]
            fn keeps_every_law() {
                for seed in 0..3 {
                    assert_eq!(SUBJECT.recovers_what_was_planted(seed), Ok(()));
                    assert_eq!(SUBJECT.structureless_tensors_are_refused(seed), Ok(()));
                }
                assert_eq!(SUBJECT.moves_with_the_tensor(1), Ok(()));
                assert_eq!(SUBJECT.noise_grows_in_proportion(1), Ok(()));
                assert_eq!(SUBJECT.extreme_scales_are_moderate_ones(1), Ok(()));
                assert_eq!(SUBJECT.is_safe_and_repeatable(1), Ok(()));
            }
        }
    };
}

// Noise of relative size e on 343 entries leaves a residual below e: the ring fits a part of it. Algebraic answers
// amplify it by their condition, below 1e3 for these seeds.
suite!(engine, cube, 1e-8, Some(1.0), false, |t, s| RingAuto::new(
    &[2]
)
.decompose(t, &mut rng(s)));
suite!(engine_auto, cube, 1e-8, Some(1.0), false, |t, s| {
    RingAuto::auto().decompose(t, &mut rng(s))
});
suite!(
    engine_order_four,
    order_four,
    1e-8,
    Some(1.0),
    false,
    |t, s| RingAuto::auto().decompose(t, &mut rng(s))
);
suite!(algebraic, cube, 1e-8, Some(1e3), false, |t, s| {
    RingAlgebraic::new(&[2]).decompose(t, &mut rng(s))
});
suite!(als, cube, 1e-8, Some(1.0), false, |t, s| RingAls::new(&[2])
    .starts(20)
    .decompose(t, &mut rng(s)));
suite!(nls, cube, 1e-8, Some(1.0), false, |t, s| RingNls::new(&[2])
    .decompose(t, &mut rng(s), &mut unobserved));
suite!(sampled, cube, 1e-8, None, false, |t, s| {
    RingSampledAls::new(&[2])
        .starts(10)
        .max_sweeps(100)
        .decompose(t, &mut rng(s), &mut unobserved)
});
suite!(
    completion,
    cube,
    1e-8,
    Some(1.0),
    false,
    everything_observed
);
suite!(svd, train, 1e-8, Some(2.0), false, |t, s| RingSvd::new(&[
    1, 2, 3, 2
])
.decompose(t, &mut rng(s)));
suite!(derivations, symmetric, 1e-8, None, true, |t, s| as_ring(
    Derivations::new(3).decompose(t, &mut rng(s))?
));
suite!(peirce_frame, symmetric, 1e-8, None, true, peirce);

/// A method that calls everything converged breaks the laws.
#[test]
fn the_laws_can_fail() {
    fn bold(t: TensorView<'_>, seed: u64) -> Result<Fit<TensorRing>, Error> {
        let mut fit = RingAls::new(&[1])
            .max_sweeps(1)
            .starts(1)
            .decompose(t, &mut rng(seed))?;
        fit.status = Status::Converged;
        Ok(fit)
    }
    let subject = Subject {
        name: "bold",
        plant: cube,
        decompose: bold,
        accuracy: 1e-8,
        noise: Some(1.0),
        symmetric: false,
    };
    assert!(subject.recovers_what_was_planted(0).is_err());
    assert!(subject.structureless_tensors_are_refused(0).is_err());
    assert!(subject.noise_grows_in_proportion(0).is_err());
    assert!(subject.moves_with_the_tensor(0).is_err());
}

#[test]
fn every_fuzz_body_replays_its_inputs() {
    for (name, body) in BODIES {
        let folder = name.trim_start_matches("fuzz_");
        let mut inputs = 0;
        for entry in std::fs::read_dir(format!("fuzz/regressions/{folder}")).unwrap() {
            body(&std::fs::read(entry.unwrap().path()).unwrap());
            inputs += 1;
        }
        assert!(inputs > 0, "{name}");
    }
}

/// Under noise the whole tensor's optimum is that from the truth, also where sweeps alone are slow.
#[test]
fn levenberg_marquardt_ends_where_it_ends_from_the_truth() {
    fn one<T: Scalar>(dims: &[usize], ranks: &[usize], seed: u64) {
        let truth = TensorRing::<T>::gaussian(dims, ranks, &mut rng(seed)).unwrap();
        let mut t = truth.to_dense().unwrap();
        let size = truth.norm() / (t.as_slice().len() as f64).sqrt();
        let mut noise = rng(seed + 50);
        for x in t.as_mut_slice() {
            *x += T::gaussian(&mut noise) * T::from_real(1e-3 * size);
        }
        let nls = RingNls::new(ranks);
        let ours = nls
            .decompose(t.view(), &mut rng(seed), &mut unobserved)
            .unwrap();
        let best = nls.refine(t.view(), truth, &mut unobserved).unwrap();
        let (x, y) = (ours.evidence.rel_residual, best.evidence.rel_residual);
        assert!(x <= 1.01 * y, "{dims:?} {ranks:?} {seed}: {x} against {y}");
        assert_eq!(ours.status, Status::Converged, "{:?}", ours.evidence);
    }
    for seed in 0..2 {
        one::<f64>(&[12, 12, 12], &[3, 3, 3], seed);
        one::<f64>(&[9, 10, 11], &[2, 3, 2], seed);
        one::<f64>(&[6, 6, 6, 6], &[2, 2, 2, 2], seed);
        one::<Complex<f64>>(&[6, 6, 6], &[2, 2, 2], seed);
    }
}

#[test]
fn few_queries_are_enough_at_any_order() {
    for (dims, ranks) in [
        (&[12, 11, 10, 13][..], &[3, 3, 3, 3][..]),
        (&[6, 5, 7, 6, 5], &[2, 2, 2, 2, 2]),
        (&[5, 4, 6, 5, 4, 5], &[2, 3, 2, 2, 3, 2]),
        (&[30, 3, 3, 30], &[2, 3, 3, 2]),
    ] {
        for seed in 0..3 {
            let hidden = TensorRing::<f64>::gaussian(dims, ranks, &mut rng(seed)).unwrap();
            let mut asked = 0u64;
            let mut look = |i: &[usize]| {
                asked += 1;
                hidden.entry(i).unwrap()
            };
            let queries = RingQueries::new(ranks);
            let fit = queries.decompose(dims, &mut look, &mut rng(seed)).unwrap();
            assert_eq!(
                fit.status,
                Status::Converged,
                "{dims:?} {seed} {:?}",
                fit.evidence
            );
            assert_eq!(fit.work.samples, asked);
            let r = *ranks.iter().max().unwrap();
            let bound = 4 * (r * r + 4).pow(2) + 32 + 9 * dims.iter().sum::<usize>() * (r * r + 4);
            assert!(asked as usize <= bound, "{dims:?}: {asked} > {bound}");
            let gap = fit.model.distance(&hidden).unwrap() / hidden.norm();
            assert!(gap <= 1e-7, "{dims:?} {seed}: {gap}");
        }
    }
}

fn cli(arguments: &[&str]) -> (i32, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_wickring"))
        .args(arguments)
        .output()
        .unwrap();
    (
        out.status.code().unwrap(),
        String::from_utf8(out.stdout).unwrap(),
    )
}

#[test]
fn the_certificate_on_disk_is_checked_and_a_damaged_core_is_noticed() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str| folder.join(name).display().to_string();
    let t = cube(4).unwrap();
    npy::write(Path::new(&file("cube.npy")), t.view()).unwrap();
    let (code, _) = cli(&[
        "decompose",
        "ring",
        &file("cube.npy"),
        "--rank",
        "2",
        "--out",
        &file("f.npz"),
    ]);
    assert_eq!(code, 0);
    let (code, text) = cli(&["check", &file("f.certificate.json")]);
    assert_eq!(code, 0, "{text}");
    // The same claim with a smaller bound is false.
    let whole = std::fs::read_to_string(file("f.certificate.json")).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&whole).unwrap();
    json["claims"][0]["data"]["bound"] = serde_json::json!(1e-18);
    json.as_object_mut().unwrap().remove("seal");
    let sealed = wickring::certify::Certificate::seal_text(&json.to_string()).unwrap();
    std::fs::write(file("false.json"), sealed).unwrap();
    assert_eq!(cli(&["check", &file("false.json")]).0, 1);
}
