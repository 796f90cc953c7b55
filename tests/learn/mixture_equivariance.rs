//! Maximum likelihood does not depend on the units of the columns, and singular samples are named, not fitted.
#![allow(clippy::unwrap_used, clippy::panic)]

use faer::{Mat, MatRef};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use wickring::fit::Fit;
use wickring::laws::learn::mixtures::em_commutes_with_maps;
use wickring::learn::mixture::{CovarianceKind, Em, EmModel, GaussianMixture};
use wickring::linalg::symmetric_eigen;
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn normal(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = rng(seed);
    (0..n).map(|_| StandardNormal.sample(&mut rng)).collect()
}

fn learn(em: &Em, rows: &[f64], dim: usize) -> Result<Fit<EmModel>, Error> {
    let samples = MatRef::from_row_major_slice(rows, rows.len() / dim, dim);
    em.learn(samples, &mut rng(0))
}

/// `-n/2 (d log 2 pi + log det S + d)`, with the determinant of scaled columns by their spectrum.
fn closed_form(rows: &[f64], dim: usize) -> f64 {
    let n = (rows.len() / dim) as f64;
    let column = |a: usize| rows.iter().skip(a).step_by(dim);
    let mean: Vec<f64> = (0..dim).map(|a| column(a).sum::<f64>() / n).collect();
    let sd = |a: usize| (column(a).map(|x| (x - mean[a]).powi(2)).sum::<f64>() / n).sqrt();
    let sd: Vec<f64> = (0..dim).map(sd).collect();
    let scaled = Mat::from_fn(rows.len() / dim, dim, |i, a| {
        (rows[i * dim + a] - mean[a]) / sd[a]
    });
    let correlation = scaled.transpose() * &scaled;
    let values = symmetric_eigen("test", correlation.as_ref())
        .unwrap()
        .values;
    let log_det = values.iter().map(|v| (v / n).ln()).sum::<f64>()
        + 2.0 * sd.iter().map(|s| s.ln()).sum::<f64>();
    -0.5 * n * (dim as f64 * (1.0 + std::f64::consts::TAU.ln()) + log_det)
}

/// One component: the closed form, whatever the units and however thin the sample.
#[test]
fn one_component_is_the_closed_form_in_any_units() {
    for seed in 0..3 {
        let z = normal(60 * 3, seed);
        let rows =
            |f: &dyn Fn(&[f64]) -> Vec<f64>| z.chunks_exact(3).flat_map(f).collect::<Vec<f64>>();
        let cases = [
            (rows(&|z| vec![1e4 * z[0], z[1]]), 2),
            (rows(&|z| vec![z[0], z[0] + 1e-4 * z[1]]), 2),
            (rows(&|z| vec![1e-6 * z[0], 1e6 * z[1], z[2] + 1e5]), 3),
            (
                rows(&|z| vec![z[0], 3.0 * z[0] + 1e-5 * z[1], z[0] + 1e-3 * z[2]]),
                3,
            ),
            // Rounded to tenths, and the same in another unit, rounded likewise.
            (
                rows(&|z| {
                    let tenth = |x: f64| (10.0 * x).round() / 10.0;
                    let c = tenth(20.0 + 7.0 * z[0]);
                    vec![c, tenth(1.8 * c + 32.0)]
                }),
                2,
            ),
        ];
        for (i, (x, dim)) in cases.iter().enumerate() {
            for kinds in [vec![CovarianceKind::Full], CovarianceKind::ALL.to_vec()] {
                let fit = learn(&Em::new(1).kinds(&kinds), x, *dim).unwrap();
                let (got, want) = (fit.model.log_likelihood, closed_form(x, *dim));
                assert_eq!(fit.status, Status::Converged, "{i} {:?}", fit.evidence);
                let full = fit
                    .model
                    .table
                    .iter()
                    .filter(|r| r.kind == CovarianceKind::Full);
                let full = full
                    .map(|r| r.log_likelihood)
                    .fold(f64::NEG_INFINITY, f64::max);
                assert!((full - want).abs() <= 0.01, "{i} {full} {want}");
                assert!(got <= full + 1e-6);
            }
        }
    }
}

/// Two clusters so far apart that the likelihood has a closed form, too.
#[test]
fn far_clusters_keep_their_own_width() {
    for seed in 0..3 {
        for far in [1e3, 1e4, 1e6] {
            let mut x = normal(400, seed);
            x.chunks_exact_mut(2).skip(120).for_each(|r| r[0] += far);
            x.iter_mut().skip(1).step_by(2).for_each(|v| *v *= 3e-3);
            let fit = learn(&Em::new(2).kinds(&CovarianceKind::ALL), &x, 2).unwrap();
            let of = |rows: &[f64]| {
                let n = (rows.len() / 2) as f64;
                closed_form(rows, 2) + n * (n / 200.0).ln()
            };
            let want = of(&x[..240]) + of(&x[240..]);
            assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
            let full = fit
                .model
                .table
                .iter()
                .find(|r| r.kind == CovarianceKind::Full && r.components == 2);
            let got = full.unwrap().log_likelihood;
            assert!((got - want).abs() <= 0.01, "{seed} {far}: {got} {want}");
        }
    }
}

#[test]
fn singular_samples_are_refused_with_the_relation() {
    let z = normal(40 * 4, 5);
    let rows = |f: &dyn Fn(&[f64]) -> Vec<f64>| z.chunks_exact(4).flat_map(f).collect::<Vec<f64>>();
    let cases: [(Vec<f64>, usize, &[&str]); 4] = [
        (
            rows(&|z| vec![z[0], z[1], z[0]]),
            3,
            &["column 2 = 1 * column 0", "column 0 = 1 * column 2"],
        ),
        (
            rows(&|z| {
                let e: Vec<f64> = z[..3].iter().map(|x| x.exp()).collect();
                let sum: f64 = e.iter().sum();
                e.iter().map(|x| x / sum).collect()
            }),
            3,
            &["+ 1 in every row"],
        ),
        (
            rows(&|z| vec![z[0], 1.8 * z[0] + 32.0]),
            2,
            &["1.8 * column 0 + 32", "0.555555556 * column 1"],
        ),
        (z[..40].to_vec(), 8, &["more rows than columns"]),
    ];
    for (x, dim, named) in &cases {
        for k in [1, 2] {
            let refused = learn(&Em::new(k).kinds(&CovarianceKind::ALL), x, *dim).unwrap_err();
            assert!(matches!(refused, Error::InvalidInput { .. }), "{refused}");
            let text = refused.to_string();
            assert!(named.iter().any(|n| text.contains(n)), "{text}");
        }
    }
}

/// Ten copies of sixty rows are sixty rows; what rests on one row, or on chance, is not sound.
#[test]
fn copies_and_single_rows_carry_no_components() {
    for seed in 0..3 {
        let x = normal(120, 40 + seed);
        let once = learn(&Em::between(1, 9).kinds(&CovarianceKind::ALL), &x, 2).unwrap();
        let copies: Vec<f64> = (0..10).flat_map(|_| x.clone()).collect();
        let fit = learn(&Em::between(1, 9).kinds(&CovarianceKind::ALL), &copies, 2).unwrap();
        assert_eq!(
            fit.model.mixture.len(),
            once.model.mixture.len(),
            "{:?}",
            fit.model.table
        );
        assert!(fit.model.mixture.len() <= 3);
        let counted = fit.evidence.check("em.rows-that-count").unwrap();
        assert_eq!(counted.measured, 60.0);
        // Nine rows.
        let few = learn(&Em::between(1, 9).kinds(&CovarianceKind::ALL), &x[..18], 2).unwrap();
        for row in few.model.table.iter().filter(|r| r.sound) {
            assert!(row.components <= 4, "{row:?}");
        }
        let own = few.evidence.check("em.rows-of-component").unwrap();
        assert!(
            own.holds() == (few.status != Status::IllConditioned)
                || few.status != Status::Converged
        );
        assert!(few.status != Status::Converged || few.model.mixture.len() <= 4);
        // More components than rows allow: said so.
        let forced = learn(&Em::new(7), &x[..18], 2);
        match forced {
            Ok(fit) => assert_eq!(fit.status, Status::IllConditioned),
            Err(e) => assert!(matches!(e, Error::Degenerate { .. }), "{e}"),
        }
    }
}

/// The best number of components is never the largest that was tried.
#[test]
fn a_scan_that_ends_at_its_cap_is_not_converged() {
    let atoms = (0..6).map(|i| (1.0, vec![12.0 * f64::from(i), 0.0]));
    let x = GaussianMixture::spherical(2, atoms, 1.0)
        .unwrap()
        .sample(900, &mut rng(8));
    let kinds = [CovarianceKind::SharedSpherical];
    let cut = learn(&Em::between(1, 4).kinds(&kinds), &x, 2).unwrap();
    assert_eq!((cut.model.mixture.len(), cut.status), (4, Status::Stalled));
    assert!(cut.evidence.fails("em.most-components"));
    let free = learn(&Em::between(1, 8).kinds(&kinds), &x, 2).unwrap();
    assert_eq!(
        (free.model.mixture.len(), free.status),
        (6, Status::Converged)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fits_move_with_the_columns(
        seed in 0u64..1000, k in 1usize..4, dim in 1usize..4,
        logs in prop::collection::vec(-6f64..6.0, 3),
        entries in prop::collection::vec(-1f64..1.0, 9),
        shift in prop::collection::vec(-100f64..100.0, 3),
    ) {
        let atoms = (0..k).map(|j| {
            let at = |a: usize| 7.0 * (j as f64) * f64::from(u8::from(a == j % dim)) + j as f64;
            (1.0, (0..dim).map(at).collect())
        });
        let rows = GaussianMixture::spherical(dim, atoms.collect::<Vec<_>>(), 1.0).unwrap();
        let rows = rows.sample(150 * k, &mut rng(seed));
        let skew = Mat::from_fn(dim, dim, |a, b| 2.0 * f64::from(u8::from(a == b)) + 0.5 * entries[a * 3 + b]);
        let (turn, ..) = wickring::linalg::polar_orthogonal("test", skew.as_ref()).unwrap();
        let scale = |a: usize| 10f64.powf(logs[a]);
        let mixed = Mat::from_fn(dim, dim, |a, b| skew[(a, b)] * 10f64.powf(logs[b] / 2.0));
        let scaled = Mat::from_fn(dim, dim, |a, b| f64::from(u8::from(a == b)) * scale(a));
        let turned = Mat::from_fn(dim, dim, |a, b| scale(0) * turn[(a, b)]);
        let cases = [
            (vec![CovarianceKind::Full], mixed.clone()),
            (vec![CovarianceKind::Shared], mixed),
            (vec![CovarianceKind::SharedDiagonal, CovarianceKind::Diagonal], scaled),
            (vec![CovarianceKind::Spherical, CovarianceKind::EqualShape], turned),
        ];
        for (kinds, map) in cases {
            let em = Em::new(k).kinds(&kinds).starts(6);
            let law = em_commutes_with_maps(&em, &rows, map.as_ref(), &shift[..dim]);
            prop_assert!(law.is_ok(), "{kinds:?} {law:?}");
        }
    }
}
