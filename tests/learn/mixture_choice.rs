//! The default method: which one is taken on which law, and that the choice does not depend on threads or units.
#![allow(clippy::unwrap_used, clippy::panic)]

use faer::MatRef;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal, Uniform};
use wickring::Error;
use wickring::Status;
use wickring::fit::Fit;
use wickring::learn::mixture::{
    AutoMixture, AutoModel, CovarianceKind, Em, GaussianMixture, MixtureAnswer, MixtureMethod,
};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn learn(auto: &AutoMixture, rows: &[f64], dim: usize) -> Result<Fit<AutoModel>, Error> {
    let x = MatRef::from_row_major_slice(rows, rows.len() / dim, dim);
    auto.learn(x, &mut rng(5))
}

fn three(n: usize, seed: u64) -> Vec<f64> {
    let atoms = [
        (0.5, vec![0.0, 0.0]),
        (0.3, vec![7.0, 0.0]),
        (0.2, vec![0.0, 7.0]),
    ];
    let m = GaussianMixture::spherical(2, atoms, 1.0).unwrap();
    m.sample(n, &mut rng(seed))
}

/// A circle with noise: no mixture of few Gaussians.
fn circle(n: usize, seed: u64) -> Vec<f64> {
    let (mut rng, angle) = (rng(seed), Uniform::new(0.0, std::f64::consts::TAU).unwrap());
    let point = |_| {
        let t: f64 = angle.sample(&mut rng);
        let noise: [f64; 2] = [
            StandardNormal.sample(&mut rng),
            StandardNormal.sample(&mut rng),
        ];
        [4.0 * t.cos() + noise[0], 4.0 * t.sin() + noise[1]]
    };
    (0..n).flat_map(point).collect()
}

#[test]
fn few_gaussians_are_left_to_em() {
    let auto = AutoMixture::new().between(1, 6).starts(6);
    for seed in [1, 2] {
        let fit = learn(&auto, &three(600, seed), 2).unwrap();
        let MixtureAnswer::Em(m) = &fit.model.answer else {
            panic!("{:?}", fit.model.candidates)
        };
        assert_eq!((m.mixture.len(), fit.status), (3, Status::Converged));
        let em = &fit.model.candidates[0];
        assert!(em.method == MixtureMethod::Em && em.held_out.unwrap() < 0.0);
        assert!(fit.evidence.check("auto.held-out.em").is_some());
    }
}

/// Whatever is taken explains fresh rows no worse than EM, beyond what the contest could see.
#[test]
fn the_choice_is_no_worse_than_em() {
    let rows = circle(1000, 3);
    let auto = AutoMixture::new()
        .between(1, 8)
        .starts(4)
        .kinds(&[CovarianceKind::Spherical, CovarianceKind::Full]);
    let fit = learn(&auto, &rows, 2).unwrap();
    let scores = &fit.model.candidates[2];
    assert!(
        scores.method == MixtureMethod::Diffusion && scores.ahead_of_em.is_some(),
        "{scores:?}"
    );
    let x = MatRef::from_row_major_slice(&rows, 1000, 2);
    let em = Em::between(1, 8)
        .starts(4)
        .kinds(&[CovarianceKind::Spherical, CovarianceKind::Full]);
    let em = em.learn(x, &mut rng(5)).unwrap().model.mixture;
    let fresh = circle(1000, 4);
    let ours = fit.model.answer.law().log_density(&fresh).unwrap();
    let theirs = em.log_density(&fresh);
    let gap = ours.iter().zip(&theirs).map(|(a, b)| a - b).sum::<f64>() / 1000.0;
    assert!(gap > -0.03, "{gap} {:?}", fit.model.candidates);
}

#[test]
fn same_seed_same_model_at_any_number_of_threads() {
    let rows = three(500, 7);
    let auto = AutoMixture::new().between(1, 4).starts(4);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| learn(&auto, &rows, 2).unwrap())
    };
    assert!(on(1).model == on(3).model);
}

#[test]
fn small_and_asked_for_are_said() {
    let few = learn(&AutoMixture::new().between(1, 3), &three(40, 1), 2).unwrap();
    assert!(
        few.model
            .candidates
            .iter()
            .all(|c| c.held_out.is_none() && !c.reason.is_empty())
    );
    let asked = learn(
        &AutoMixture::new().between(3, 3).starts(4),
        &three(600, 1),
        2,
    )
    .unwrap();
    assert!(asked.model.candidates[2].held_out.is_none());
    let wrong = learn(&AutoMixture::new().between(0, 3), &three(60, 1), 2);
    assert!(matches!(wrong, Err(Error::InvalidInput { .. })));
    let mut bad = three(60, 1);
    bad[7] = f64::NAN;
    assert!(matches!(
        learn(&AutoMixture::new(), &bad, 2),
        Err(Error::NonFinite { .. })
    ));
}
