//! Overcomplete and robust decompositions: planted components come back, what cannot be found is not claimed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use faer::Mat;
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use wickring::decomp::{
    KoszulYoung, NoiseFamily, Overcomplete, PackedForm, Robust, RobustMethod, SubspacePower,
    shifted_power, spectral_components,
};
use wickring::learn::Dictionary;
use wickring::linalg::small::unit_columns;
use wickring::run::unobserved;
use wickring::tensor::{Factor, SymmetricCp};
use wickring::{Error, Status};

fn unit(n: usize, r: usize, rng: &mut ChaCha8Rng) -> Mat<f64> {
    let mut a = Mat::<f64>::from_fn(n, r, |_, _| StandardNormal.sample(rng));
    unit_columns(a.as_mut());
    a
}

/// Share of the columns of `a` that some column of `v` equals up to sign: inner product beyond `least`.
fn recovered(a: &Mat<f64>, v: &Factor, least: f64) -> f64 {
    let gram = a.transpose() * v.as_mat();
    let hit = |i: &usize| gram.row(*i).iter().any(|g| g.abs() > least);
    (0..a.ncols()).filter(hit).count() as f64 / a.ncols() as f64
}

#[test]
fn more_components_than_dimensions() {
    let cases = [(3, 12, 20), (3, 20, 45), (3, 30, 82), (4, 6, 12), (5, 6, 8)];
    for (order, n, r) in cases {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let a = unit(n, r, &mut rng);
        let weights: Vec<f64> = (0..r)
            .map(|i| if order == 4 && i % 3 == 0 { -1.5 } else { 1.0 })
            .collect();
        let form = PackedForm::of_powers(order, &weights, a.transpose()).unwrap();
        let fit = Overcomplete::new(r)
            .decompose_packed(&form, &mut rng, &mut unobserved)
            .unwrap();
        assert_eq!(
            fit.status,
            Status::Converged,
            "{order} {n} {r} {:?}",
            fit.evidence
        );
        assert!(fit.evidence.rel_residual <= 1e-12);
        assert_eq!(recovered(&a, fit.model.vectors(), 0.999), 1.0);
    }
}

#[test]
fn too_many_or_too_few_components_are_not_certified() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let a = unit(6, 8, &mut rng);
    let t = SymmetricCp::new(3, vec![1.0; 8], Factor::from_fn(6, 8, |i, r| a[(i, r)]))
        .unwrap()
        .to_dense()
        .unwrap();
    // One more than there are: an exact fit that is not unique.
    for rank in [7, 9, 12] {
        let fit = Overcomplete::new(rank)
            .starts(3)
            .decompose(t.view(), &mut rng)
            .unwrap();
        assert_ne!(fit.status, Status::Converged, "{rank}: {:?}", fit.evidence);
    }
    // Noise is explained no better by components than by chance.
    let form = PackedForm::from_entries(3, 8, |_| StandardNormal.sample(&mut rng)).unwrap();
    let fit = Overcomplete::new(5)
        .starts(4)
        .decompose_packed(&form, &mut rng, &mut unobserved)
        .unwrap();
    assert_ne!(fit.status, Status::Converged, "{:?}", fit.evidence);
}

#[test]
fn the_methods_of_the_literature() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    // Koszul-Young: ten generic components in seven dimensions, no start.
    let v = Factor::from_fn(7, 10, |_, _| StandardNormal.sample(&mut rng));
    let t = SymmetricCp::new(3, vec![1.0; 10], v)
        .unwrap()
        .to_dense()
        .unwrap();
    let fit = KoszulYoung::new(10).decompose(t.view(), &mut rng).unwrap();
    assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
    let wrong = KoszulYoung::new(9).decompose(t.view(), &mut rng);
    assert!(matches!(wrong, Err(Error::Degenerate { .. })), "{wrong:?}");

    // Subspace power method: 14 components of both signs in six dimensions.
    let a = unit(6, 14, &mut rng);
    let weights: Vec<f64> = (0..14).map(|i| 1.0 - 2.0 * f64::from(i % 2)).collect();
    let v = Factor::from_fn(6, 14, |i, r| a[(i, r)]);
    let t = SymmetricCp::new(4, weights, v).unwrap().to_dense().unwrap();
    let fit = SubspacePower::new(14)
        .decompose(t.view(), &mut rng)
        .unwrap();
    assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
    assert_eq!(recovered(&a, fit.model.vectors(), 0.999), 1.0);

    // Power iteration and random contractions find components while they are few.
    let a = unit(16, 4, &mut rng);
    let form = PackedForm::of_powers(3, &[1.0; 4], a.transpose()).unwrap();
    for (x, values) in [
        shifted_power(&form, 0.0, 200, 200, 4, &mut rng).unwrap(),
        spectral_components(&form, 4, 8, &mut rng).unwrap(),
    ] {
        let v = Factor::from_fn(16, x.ncols(), |i, c| x[(i, c)]);
        assert!(recovered(&a, &v, 0.9) >= 0.8, "{values:?}");
    }
}

#[test]
fn every_family_of_errors_is_withstood() {
    let methods = [
        RobustMethod::SubspacePower,
        RobustMethod::SchrammSteurer { error: None },
        RobustMethod::ShiftedPower { shift: None },
    ];
    for (k, family) in NoiseFamily::ALL.into_iter().enumerate() {
        for eps in [0.1, 0.3] {
            let mut rng = ChaCha8Rng::seed_from_u64(k as u64);
            let (truth, t) = family.plant(12, 12, eps, &mut rng).unwrap();
            let a = truth.as_mat().to_owned();
            for method in methods {
                let fit = Robust::new(12)
                    .method(method)
                    .decompose(t.view(), &mut rng)
                    .unwrap();
                let share = recovered(&a, fit.model.vectors(), 0.9f64.sqrt());
                assert_eq!(share, 1.0, "{} {eps} {method:?}", family.name());
                assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
            }
        }
    }
}

/// Plain power iteration fails where the error is `-eps Id`: the shift is what repairs it.
#[test]
fn the_negative_identity_stops_plain_power_iteration() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let (truth, t) = NoiseFamily::NegativeIdentity
        .plant(12, 12, 0.6, &mut rng)
        .unwrap();
    let a = truth.as_mat().to_owned();
    let mut share = |shift| {
        let method = RobustMethod::ShiftedPower { shift };
        let fit = Robust::new(12)
            .method(method)
            .decompose(t.view(), &mut rng)
            .unwrap();
        recovered(&a, fit.model.vectors(), 0.9f64.sqrt())
    };
    assert!(share(Some(0.0)) < 0.9);
    assert_eq!(share(None), 1.0);
    // More components than there are cannot be certified.
    let (_, t) = NoiseFamily::Gaussian.plant(8, 3, 0.1, &mut rng).unwrap();
    let fit = Robust::new(8).decompose(t.view(), &mut rng);
    assert!(fit.is_err() || fit.unwrap().status != Status::Converged);
}

/// Groups of four coefficients, active together: `E x_i^4 = 1`, `E x_i^2 x_j^2 = tau` inside a group.
fn coefficients(n: usize, d: usize, tau: f64, rng: &mut ChaCha8Rng) -> Mat<f64> {
    let p = tau / 2.0;
    let mut x = Mat::zeros(n, d);
    for i in 0..n {
        for group in 0..d / 4 {
            if !rng.random_bool(p / tau) {
                continue;
            }
            for k in 0..4 {
                if rng.random_bool(tau) {
                    let sign = if rng.random::<bool>() { 1.0 } else { -1.0 };
                    x[(i, 4 * group + k)] = sign * p.powf(-0.25);
                }
            }
        }
    }
    x
}

#[test]
fn dictionaries_below_the_contrast_and_refusal_above() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let d = 16;
    let g = unit(d, d, &mut rng);
    let (a, ..) = wickring::linalg::polar_orthogonal("test", g.as_ref()).unwrap();
    let x = coefficients(5000, d, 0.25, &mut rng);
    let y = &x * a.transpose();
    let fit = Dictionary::new(d)
        .tau(0.25)
        .learn(y.as_ref(), &mut rng)
        .unwrap();
    let share = recovered(&a, &fit.model, 0.9f64.sqrt());
    assert!(share >= 0.9, "{share}");
    let told = Dictionary::new(d).tau(0.4).learn(y.as_ref(), &mut rng);
    assert!(matches!(told, Err(Error::Degenerate { .. })));
    // Not told, it sees that what it found has too great moments.
    let x = coefficients(20_000, d, 0.6, &mut rng);
    let y = &x * a.transpose();
    let seen = Dictionary::new(d).learn(y.as_ref(), &mut rng);
    let claimed = matches!(&seen, Ok(fit) if fit.status == Status::Converged);
    assert!(!claimed, "{seen:?}");
}
