//! Maximum likelihood: the reference table of another program, its broken nestings, recovery, refusals.

// Test code: a failed read of the reference data should stop the test where it happens.
#![allow(clippy::unwrap_used)]

use faer::Mat;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::error::Status;
use wickring::learn::mixture::{
    CovarianceKind, Em, GaussianMixture, MomentMethod, TableEntry, broken_nestings,
};

fn data_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/mixtures")
}

fn read(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let row = |r: Result<csv::StringRecord, _>| r.unwrap().iter().map(str::to_owned).collect();
    reader.records().map(row).collect()
}

fn matrix(path: &Path) -> Mat<f64> {
    let rows = read(path);
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| {
        rows[i][j].parse().unwrap()
    })
}

/// data, family, components, log-likelihood
fn reference(folder: &Path) -> Vec<(String, TableEntry)> {
    read(&folder.join("reference_mclust_6.0.0.csv"))
        .into_iter()
        .map(|r| {
            let entry = TableEntry {
                family: r[1].clone(),
                components: r[2].parse().unwrap(),
                log_likelihood: r[5].parse().unwrap(),
            };
            (r[0].clone(), entry)
        })
        .collect()
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn normal_rows(m: &GaussianMixture, n: usize, rng: &mut impl Rng) -> Mat<f64> {
    let flat = m.sample(n, rng);
    Mat::from_fn(n, m.dim(), |i, j| flat[i * m.dim() + j])
}

/// Every model that both sides have: at least the reference's log-likelihood less 1e-3.
#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn reaches_the_reference_likelihoods() {
    let folder = data_folder();
    let reference = reference(&folder);
    for name in ["faithful", "iris_R", "galaxies_1000km_s"] {
        let x = matrix(&folder.join(format!("{name}.csv")));
        let rows: Vec<&TableEntry> = reference
            .iter()
            .filter(|(d, _)| d == name)
            .map(|(_, e)| e)
            .collect();
        let kinds: Vec<CovarianceKind> = rows
            .iter()
            .filter_map(|e| CovarianceKind::from_name(&e.family))
            .collect();
        let most = rows.iter().map(|e| e.components).max().unwrap();
        let fit = Em::between(most, most)
            .kinds(&kinds)
            .learn(x.as_ref(), &mut rng(0))
            .unwrap();
        for want in rows {
            let kind = CovarianceKind::from_name(&want.family).unwrap();
            let same = |r: &&wickring::learn::mixture::EmRow| {
                r.kind == kind && r.components == want.components
            };
            let got = fit.model.table.iter().find(same).unwrap();
            println!(
                "{name} {:4} {} reference {:.4} ours {:.4} sound {}",
                want.family, want.components, want.log_likelihood, got.log_likelihood, got.sound
            );
            assert!(
                got.log_likelihood >= want.log_likelihood - 1e-3,
                "{name} {want:?} {got:?}"
            );
        }
        let entries: Vec<TableEntry> = fit.model.table.iter().map(|r| r.entry()).collect();
        assert_eq!(broken_nestings(&entries, 1e-3), [], "{name}");
    }
}

/// The reference's own failures are found, and nothing else is accused.
#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn names_the_broken_nestings_of_the_reference() {
    let folder = data_folder();
    let reference = reference(&folder);
    let mut found = Vec::new();
    for name in [
        "faithful",
        "iris_R",
        "acidity",
        "galaxies_1000km_s",
        "banknote",
        "gvhd_pos",
    ] {
        let own = reference.iter().filter(|(d, _)| d == name);
        let table: Vec<TableEntry> = own.map(|(_, e)| e.clone()).collect();
        for b in broken_nestings(&table, 1e-3) {
            let (f, by) = (&table[b.failed], &table[b.beaten_by]);
            found.push(format!(
                "{name} {}{} < {}{}",
                f.family, f.components, by.family, by.components
            ));
        }
    }
    let known = [
        "faithful EEE4 < EEE3",
        "faithful VVV3 < EEE3",
        "acidity E3 < E2",
        "acidity V2 < E2",
        "galaxies_1000km_s E2 < E1",
        "galaxies_1000km_s V5 < V4",
    ];
    assert_eq!(found, known);
}

/// `d BIC` of the reference's documentation: iris, equal shape, two components.
#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn parameter_counts_are_those_of_the_reference() {
    let folder = data_folder();
    for r in read(&folder.join("reference_mclust_6.0.0.csv")) {
        if let Some(kind) = CovarianceKind::from_name(&r[1]) {
            let (k, dim): (usize, usize) = (r[2].parse().unwrap(), r[4].parse().unwrap());
            assert_eq!(kind.parameters(k, dim).to_string(), r[6], "{r:?}");
        }
    }
}

#[test]
fn recovers_a_planted_mixture_and_chooses_by_bic() {
    let truth = GaussianMixture::spherical(
        2,
        [
            (0.5, vec![0.0, 0.0]),
            (0.3, vec![6.0, 0.0]),
            (0.2, vec![0.0, 6.0]),
        ],
        1.0,
    )
    .unwrap();
    let x = normal_rows(&truth, 1500, &mut rng(3));
    let kinds = [CovarianceKind::SharedSpherical, CovarianceKind::Full];
    let fit = Em::between(1, 6)
        .kinds(&kinds)
        .learn(x.as_ref(), &mut rng(4))
        .unwrap();
    assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
    assert_eq!((fit.model.mixture.len(), fit.model.kind), (3, kinds[0]));
    for c in truth.components() {
        let near = fit.model.mixture.components().iter().map(|e| {
            let gap: f64 = e
                .mean
                .iter()
                .zip(&c.mean)
                .map(|(a, b)| (a - b) * (a - b))
                .sum();
            // Standard errors: 1/sqrt(600) of a mean, 0.01 of a weight; five of them.
            gap.sqrt() <= 5.0 * (2.0f64 / 600.0).sqrt() && (e.weight - c.weight).abs() <= 0.05
        });
        assert_eq!(near.filter(|x| *x).count(), 1, "{c:?}");
    }
}

#[test]
fn refuses_what_has_no_fit_and_marks_what_collapsed() {
    let x = normal_rows(
        &GaussianMixture::spherical(2, [(1.0, vec![0.0; 2])], 1.0).unwrap(),
        50,
        &mut rng(5),
    );
    let learn = |em: Em, x: &Mat<f64>| em.learn(x.as_ref(), &mut rng(0));
    assert!(matches!(
        learn(Em::new(0), &x),
        Err(Error::InvalidInput { .. })
    ));
    assert!(matches!(
        learn(Em::new(51), &x),
        Err(Error::InvalidInput { .. })
    ));
    assert!(matches!(
        learn(Em::new(2).tol(0.0), &x),
        Err(Error::InvalidInput { .. })
    ));
    assert!(matches!(
        learn(Em::new(2).kinds(&[]), &x),
        Err(Error::InvalidInput { .. })
    ));
    let mut bad = x.clone();
    bad[(7, 1)] = f64::NAN;
    assert!(matches!(
        learn(Em::new(2), &bad),
        Err(Error::NonFinite { index: 15, .. })
    ));
    let constant = Mat::from_fn(50, 2, |i, j| if j == 0 { x[(i, 0)] } else { 3.0 });
    assert!(matches!(
        learn(Em::new(2), &constant),
        Err(Error::InvalidInput { .. })
    ));
    // Twenty copies of three points: no density, so never converged.
    let points = Mat::from_fn(60, 2, |i, j| [[0.0, 1.0], [5.0, 0.0], [0.0, 7.0]][i % 3][j]);
    match learn(Em::new(3), &points) {
        Ok(fit) => assert_eq!(fit.status, Status::IllConditioned),
        Err(e) => assert!(matches!(e, Error::Degenerate { .. }), "{e}"),
    }
}

#[test]
fn an_outlier_is_set_aside_and_counted() {
    let truth = GaussianMixture::spherical(1, [(0.5, vec![0.0]), (0.5, vec![8.0])], 1.0).unwrap();
    let mut x = normal_rows(&truth, 500, &mut rng(6));
    x[(123, 0)] = 1e6;
    let fit = Em::new(2).learn(x.as_ref(), &mut rng(0)).unwrap();
    assert_eq!(fit.model.set_aside, 1);
    let means: Vec<f64> = fit
        .model
        .mixture
        .components()
        .iter()
        .map(|c| c.mean[0])
        .collect();
    assert!(
        means.iter().all(|m| m.abs() < 1.0 || (m - 8.0).abs() < 1.0),
        "{means:?}"
    );
}

#[test]
fn rotated_and_shifted_rows_give_the_moved_mixture() {
    let atoms = [
        (0.5, vec![0.0, 0.0]),
        (0.3, vec![5.0, 1.0]),
        (0.2, vec![-2.0, 4.0]),
    ];
    let truth = GaussianMixture::spherical(2, atoms, 1.0).unwrap();
    let x = normal_rows(&truth, 800, &mut rng(7));
    let (s, c) = 0.7f64.sin_cos();
    let moved = Mat::from_fn(800, 2, |i, j| {
        let (a, b) = (x[(i, 0)], x[(i, 1)]);
        [c * a - s * b + 1000.0, s * a + c * b - 3.0][j]
    });
    let flat = |m: &Mat<f64>| -> Vec<f64> { (0..1600).map(|i| m[(i / 2, i % 2)]).collect() };
    let em = |x: &Mat<f64>| Em::new(3).learn(x.as_ref(), &mut rng(1)).unwrap();
    let moments = |x: &Mat<f64>| {
        let fit = MomentMethod::new(3).learn(x.as_ref(), &mut rng(1));
        fit.unwrap().model.mixture
    };
    let pairs = [
        (em(&x).model.mixture, em(&moved).model.mixture),
        (moments(&x), moments(&moved)),
    ];
    for (here, there) in pairs {
        let gaps = here.log_density(&flat(&x));
        let gaps = gaps.iter().zip(there.log_density(&flat(&moved)));
        let (mut total, mut worst) = (0.0, 0.0f64);
        for (a, b) in gaps {
            total += a - b;
            worst = worst.max((a - b).abs());
        }
        // Climbs end within 1e-4 and 1e-3 nats of the maximum; parameters are then good to the root of that
        // over the number of rows in a component, and a row is at most five standard deviations away.
        assert!(f64::abs(total) <= 2e-3 && worst <= 0.05, "{total} {worst}");
    }
}
