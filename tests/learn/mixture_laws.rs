//! Laws of mixtures on generated cases, the fuzz corpus, and the method of moments.
#![allow(clippy::unwrap_used, clippy::panic)]

use faer::{Mat, MatRef};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::path::Path;
use wickring::laws::Broken;
use wickring::laws::learn::mixtures::{
    audit_flags_what_is_broken, diffusion_commutes_with_motions, fit_keeps_its_word, fuzz_mixture,
    heat_and_score, moments_determine_atoms, steps_keep_one_atom,
};
use wickring::learn::mixture::{Diffusion, GaussianMixture, MixtureModel, MomentMethod};
use wickring::poly::Rational;
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn held(law: Result<(), Broken>) -> Result<(), TestCaseError> {
    law.map_err(|b| TestCaseError::fail(b.to_string()))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn one_atom_is_exact_on_any_grid(a in 1i64..500, b in 0i64..500, c in 0i64..500, d in 1i64..60) {
        let over = |n: i64| Rational::new(n, d).unwrap();
        held(steps_keep_one_atom(&over(a + b + c), &over(a + b), &over(a)))?;
    }

    #[test]
    fn heat_is_a_semigroup_and_scores_are_gradients(
        centres in prop::collection::vec((-3f64..3.0, -3f64..3.0, 0.01f64..1.0, 0.1f64..2.0), 1..5),
        x in (-4f64..4.0, -4f64..4.0), s in 0.05f64..3.0, t in 0.05f64..3.0,
    ) {
        let parts = centres.iter().map(|&(a, b, w, v)| wickring::learn::mixture::Component {
            weight: w, mean: vec![a, b], covariance: vec![v, 0.3 * v, 0.3 * v, 2.0 * v],
        });
        let m = GaussianMixture::new(2, parts.collect()).unwrap();
        held(heat_and_score(&m, &[x.0, x.1], s, t))?;
    }

    #[test]
    fn exact_moments_determine_atoms(
        entries in prop::collection::vec(-1f64..1.0, 12),
        weights in prop::collection::vec(0.05f64..1.0, 4),
        variances in prop::collection::vec(0.2f64..3.0, 4),
        k in 2usize..5,
    ) {
        let r = k - 1;
        // A simplex pushed about: at least a third of each edge survives, so means stay independent.
        let mean = |i: usize| (0..r).map(|a| {
            3.0 * f64::from(u8::from(a + 1 == i)) + 0.4 * entries[(i * r + a) % 12]
        }).collect::<Vec<f64>>();
        let means: Vec<Vec<f64>> = (0..k).map(mean).collect();
        held(moments_determine_atoms(&weights[..k], &means, &variances[..k]))?;
    }

    #[test]
    fn the_audit_is_exact(gains in prop::collection::vec(0f64..100.0, 7..40), lowered in 0usize..5) {
        held(audit_flags_what_is_broken(&gains, lowered))?;
    }

    #[test]
    fn any_bytes_are_survived(data in prop::collection::vec(any::<u8>(), 0..300)) {
        held(fuzz_mixture(&data))?;
    }
}

#[test]
fn the_fuzz_corpus_is_survived() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions/mixture");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let data = std::fs::read(&path).unwrap();
        assert_eq!(fuzz_mixture(&data), Ok(()), "{}", path.display());
        count += 1;
    }
    assert!(count >= 10);
}

#[test]
fn rotations_and_shifts_give_the_moved_law() {
    let atoms = [
        (0.5, vec![0.0, 0.0]),
        (0.3, vec![5.0, 1.0]),
        (0.2, vec![-2.0, 4.0]),
    ];
    let rows = GaussianMixture::spherical(2, atoms, 1.0)
        .unwrap()
        .sample(1500, &mut rng(1));
    let (s, c) = 0.7f64.sin_cos();
    let rotation = Mat::from_fn(2, 2, |i, j| [[c, -s], [s, c]][i][j]);
    for learner in [
        Diffusion::new().levels(8).noise(1.0),
        Diffusion::new().levels(8),
    ] {
        let law = diffusion_commutes_with_motions(
            &learner,
            &rows,
            rotation.as_ref(),
            &[1000.0, -3.0],
            0.01,
        );
        assert_eq!(law, Ok(()));
    }
}

fn learn(
    m: MomentMethod,
    rows: &[f64],
    dim: usize,
) -> Result<wickring::fit::Fit<wickring::learn::mixture::MomentModel>, Error> {
    let samples = MatRef::from_row_major_slice(rows, rows.len() / dim, dim);
    m.learn(samples, &mut rng(2))
}

/// Largest distance of a true mean to the nearest found one, and of its weight.
fn distance(found: &GaussianMixture, truth: &GaussianMixture) -> (f64, f64) {
    let mut worst = (0.0f64, 0.0f64);
    for t in truth.components() {
        let gap = |m: &[f64]| -> f64 {
            m.iter()
                .zip(&t.mean)
                .map(|(a, b)| (a - b) * (a - b))
                .sum::<f64>()
                .sqrt()
        };
        let nearest = found.components().iter();
        let nearest = nearest
            .min_by(|a, b| gap(&a.mean).total_cmp(&gap(&b.mean)))
            .unwrap();
        worst.0 = worst.0.max(gap(&nearest.mean));
        worst.1 = worst.1.max((nearest.weight - t.weight).abs());
    }
    worst
}

#[test]
fn moments_find_separated_components() {
    let at = |dim: usize, e: usize, x: f64| {
        (0..dim)
            .map(|i| if i == e { x } else { 0.0 })
            .collect::<Vec<f64>>()
    };
    // Four components in ten dimensions; three on the plane, where no direction shows the noise; a pair on a line.
    let ten = (0..4).map(|e| (0.1 + 0.1 * e as f64, at(10, e, 4.0)));
    let plane = [
        (0.5, vec![3.0, 0.0]),
        (0.2, vec![-2.0, 2.0]),
        (0.3, vec![-1.0, -3.0]),
    ];
    let line = [(0.3, vec![-2.0]), (0.7, vec![2.0])];
    let cases = [
        (GaussianMixture::spherical(10, ten, 1.0).unwrap(), 0.3),
        (GaussianMixture::spherical(2, plane, 1.0).unwrap(), 0.3),
        (GaussianMixture::spherical(1, line, 1.0).unwrap(), 0.3),
    ];
    for (truth, allowed) in cases {
        let rows = truth.sample(10_000, &mut rng(7));
        for method in [MomentMethod::new(truth.len()), MomentMethod::between(1, 6)] {
            let fit = learn(method, &rows, truth.dim()).unwrap();
            assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
            assert_eq!(fit.model.mixture.len(), truth.len());
            assert!(fit.model.one_variance);
            // The least component has 1000 rows: five standard errors of a mean are 0.16 and of a weight 0.02.
            let after = distance(&fit.model.mixture, &truth);
            assert!(after.0 <= 0.16 && after.1 <= 0.02, "{after:?}");
            // Third moments alone are coarser, but inside the separation.
            let alone = distance(&fit.model.from_moments, &truth);
            assert!(alone.0 <= allowed * 4.0 && alone.1 <= 0.2, "{alone:?}");
            let model = MixtureModel::Gaussian(fit.model.mixture.clone());
            assert_eq!(fit_keeps_its_word(&fit, &model), Ok(()));
        }
    }
}

#[test]
fn moments_find_differing_variances() {
    let parts = [(0.5, 0.0, 0.5), (0.5, 5.0, 2.0)].map(|(weight, x, v)| {
        let mut covariance = vec![0.0; 25];
        (0..5).for_each(|a| covariance[a * 6] = v);
        let mean = vec![x, 0.0, -x, 1.0, 0.0];
        wickring::learn::mixture::Component {
            weight,
            mean,
            covariance,
        }
    });
    let truth = GaussianMixture::new(5, parts.to_vec()).unwrap();
    let rows = truth.sample(20_000, &mut rng(8));
    let fit = learn(MomentMethod::new(2), &rows, 5).unwrap();
    assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
    assert!(!fit.model.one_variance);
    let mut found: Vec<f64> = fit
        .model
        .from_moments
        .components()
        .iter()
        .map(|c| c.covariance[0])
        .collect();
    found.sort_by(f64::total_cmp);
    assert!(
        (found[0] - 0.5).abs() < 0.2 && (found[1] - 2.0).abs() < 0.2,
        "{found:?}"
    );
}

#[test]
fn moments_refuse_what_they_cannot_separate() {
    let mixture = |atoms: Vec<(f64, Vec<f64>)>| GaussianMixture::spherical(4, atoms, 1.0).unwrap();
    let x = |v: f64| vec![v, 0.0, 0.0, 0.0];
    let draw = |m: &GaussianMixture| m.sample(4000, &mut rng(9));
    // Three means on a line, and two that coincide, are affinely dependent.
    let line = draw(&mixture(vec![(1.0, x(-6.0)), (1.0, x(0.0)), (1.0, x(6.0))]));
    let coincident = draw(&mixture(vec![(1.0, x(0.0)), (1.0, x(0.0)), (1.0, x(5.0))]));
    for rows in [&line, &coincident] {
        let refused = learn(MomentMethod::new(3), rows, 4);
        assert!(
            matches!(refused, Err(Error::Degenerate { .. })),
            "{refused:?}"
        );
    }
    assert!(matches!(
        learn(MomentMethod::new(6), &line, 4),
        Err(Error::Degenerate { .. })
    ));
    assert!(matches!(
        learn(MomentMethod::new(0), &line, 4),
        Err(Error::InvalidInput { .. })
    ));
    assert!(matches!(
        learn(MomentMethod::new(2).noise(-1.0), &line, 4),
        Err(Error::InvalidInput { .. })
    ));
    // A free number of components settles for what can be told apart.
    let fit = learn(MomentMethod::between(1, 6), &coincident, 4).unwrap();
    assert_eq!(
        (fit.status, fit.model.mixture.len()),
        (Status::Converged, 2)
    );
    // Three on a line are no mixture of two: found, but never called converged.
    let fit = learn(MomentMethod::new(2), &line, 4).unwrap();
    assert_ne!(fit.status, Status::Converged);
}
