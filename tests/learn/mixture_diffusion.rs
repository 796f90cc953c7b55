//! The learner of scores: laws come back, densities and scores are near the truth, edges are said, runs repeat.
#![allow(clippy::unwrap_used, clippy::panic)]

use faer::MatRef;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::ops::ControlFlow;
use wickring::fit::Fit;
use wickring::laws::learn::mixtures::fit_keeps_its_word;
use wickring::learn::mixture::{
    Batch, Chain, Diffusion, GaussianMixture, InMemory, MixtureModel, Population, SampleSource,
    ScoreModel, Step, extract_atoms,
};
use wickring::run::{Progress, unobserved};
use wickring::stats::{classifier_test, energy_test, histogram_total_variation, memorisation};
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn learn(learner: &Diffusion, rows: &[f64], dim: usize) -> Result<Fit<ScoreModel>, Error> {
    let samples = MatRef::from_row_major_slice(rows, rows.len() / dim, dim);
    learner.learn(samples, &mut rng(1))
}

/// Total variation on a histogram, less that of as many exact rows.
fn excess(truth: &Population, rows: &[f64]) -> f64 {
    let (low, high) = ([-13.0; 2], [13.0; 2]);
    let density = |p: &[f64]| -> Vec<f64> {
        let logs = truth.exact().log_density(p);
        logs.iter().map(|l| l.exp()).collect()
    };
    let tv = |r: &[f64]| histogram_total_variation(r, 30, low, high, &mut |p: &[f64]| density(p));
    tv(rows) - tv(&truth.sample(rows.len() / 2, &mut rng(77)))
}

#[test]
fn one_gaussian_has_no_directions_to_learn() {
    let truth = Population::named("one").unwrap();
    let rows = truth.sample(4000, &mut rng(2));
    let fit = learn(&Diffusion::new(), &rows, 2).unwrap();
    assert_eq!((fit.status, fit.model.rank()), (Status::Converged, 0));
    // Standard error of a variance of 8000 entries: 0.016.
    assert!(
        (fit.model.noise() - 1.0).abs() < 0.05,
        "{}",
        fit.model.noise()
    );
    let test = truth.sample(200, &mut rng(3));
    let got = fit.model.log_density(&test).unwrap();
    for (a, b) in got.iter().zip(truth.exact().log_density(&test)) {
        // Parameters off by 0.05 change log densities of rows within four standard deviations by 0.05 * 16.
        assert!((a - b).abs() < 0.8, "{a} {b}");
    }
    let atoms = extract_atoms(&fit.model, &rows, None, &mut rng(5)).unwrap();
    assert_eq!((atoms.mixture.len(), atoms.discrete), (1, true));
}

/// Three atoms: law, density, score, atoms, no copies of the data.
#[test]
fn discrete_laws_come_back() {
    let truth = Population::named("discrete").unwrap();
    let rows = truth.sample(4000, &mut rng(2));
    for learner in [Diffusion::new().noise(1.0), Diffusion::new()] {
        let fit = learn(&learner, &rows, 2).unwrap();
        assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
        let model = &fit.model;
        assert_eq!(
            fit_keeps_its_word(&fit, &MixtureModel::Score(Box::new(model.clone()))),
            Ok(())
        );
        let fresh = model.sample(20_000, Chain::default(), &mut rng(3)).unwrap();
        // The bar for 10000 samples is .02 of excess; fewer are used here, and two histograms of 20000 add .004 of noise.
        let gap = excess(&truth, &fresh);
        assert!(gap <= 0.05, "{gap}");
        let held_out = truth.sample(2000, &mut rng(4));
        let exact = truth.exact().log_density(&held_out);
        let learned = model.log_density(&held_out[..600]).unwrap();
        let error: f64 = exact.iter().zip(&learned).map(|(a, b)| (a - b).abs()).sum();
        assert!(error / 300.0 <= 0.15, "{}", error / 300.0);
        let ks = memorisation(&fresh[..4000], &held_out, &rows, 2);
        assert!(ks <= 0.02 + 2.0 * (2.0f64 / 2000.0).sqrt(), "{ks}");
        let same = classifier_test(&fresh[..4000], &held_out, 2, &mut rng(6));
        assert!(same.gap <= 0.03 + 3.0 * same.error, "{same:?}");
        let (_, p) = energy_test(&fresh[..600], &held_out[..600], 2, 99, &mut rng(7));
        assert!(p > 0.01, "{p}");
        for count in [None, Some(3)] {
            let atoms = extract_atoms(model, &rows, count, &mut rng(8)).unwrap();
            assert!(
                atoms.discrete && atoms.mixture.len() == 3,
                "{}",
                atoms.mixture.len()
            );
            for t in truth.exact().components() {
                let near = atoms.mixture.components().iter().filter(|c| {
                    let gap = (c.mean[0] - t.mean[0]).hypot(c.mean[1] - t.mean[1]);
                    // Five standard errors of 1300 rows.
                    gap < 0.2 && (c.weight - t.weight).abs() < 0.04
                });
                assert_eq!(near.count(), 1, "{:?}", atoms.mixture.components());
            }
        }
    }
}

/// A row has one density: in any order, in any company, and its error is said; the integral is one.
#[test]
fn densities_are_those_of_the_row() {
    let truth = Population::named("close").unwrap();
    let rows = truth.sample(1500, &mut rng(12));
    let fit = learn(&Diffusion::new(), &rows, 2).unwrap();
    let all = fit.model.log_density_with_error(&rows[..400]).unwrap();
    for i in [0, 7, 133, 199] {
        let alone = fit.model.log_density(&rows[2 * i..2 * i + 2]).unwrap();
        assert_eq!(alone[0], all[i].0);
    }
    let turned: Vec<f64> = rows[..400]
        .chunks_exact(2)
        .rev()
        .flatten()
        .copied()
        .collect();
    let turned = fit.model.log_density(&turned).unwrap();
    assert!(turned.iter().rev().zip(&all).all(|(a, b)| *a == b.0));
    let error = all.iter().map(|(_, e)| e).sum::<f64>() / 200.0;
    assert!(error < 0.1, "{error}");
    // On a grid of step one half: the density is smooth on that scale.
    let grid: Vec<f64> = (0..40 * 40)
        .flat_map(|i| [(i % 40) as f64 * 0.5 - 9.75, (i / 40) as f64 * 0.5 - 9.75])
        .collect();
    let logs = fit.model.log_density(&grid).unwrap();
    let integral = logs.iter().map(|l| 0.25 * l.exp()).sum::<f64>();
    assert!((integral - 1.0).abs() < 0.05, "{integral}");
}

#[test]
fn scores_are_near_the_exact_ones_and_nearer_with_more_rows() {
    let truth = Population::named("close").unwrap();
    let bound = |n: usize| {
        let rows = truth.sample(n, &mut rng(2));
        let fit = learn(&Diffusion::new().noise(1.0), &rows, 2).unwrap();
        let (errors, bound) = truth.score_error(&fit.model, 4000, &mut rng(3));
        assert_eq!(errors.len(), fit.model.temperatures().len());
        bound
    };
    let (few, many) = (bound(1000), bound(16_000));
    // The rate is one over the number of rows; a quarter leaves room for chance.
    assert!(few < 0.2 && many < 0.25 * few, "{few} {many}");
}

#[test]
fn continuous_laws_come_back_and_are_not_called_discrete() {
    let truth = Population::named("circle").unwrap();
    let rows = truth.sample(4000, &mut rng(2));
    let fit = learn(&Diffusion::new().noise(1.0), &rows, 2).unwrap();
    assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
    let fresh = fit
        .model
        .sample(20_000, Chain::default(), &mut rng(3))
        .unwrap();
    let gap = excess(&truth, &fresh);
    assert!(gap <= 0.06, "{gap}");
    // The noise has norm sqrt(pi/2): the mean of the denoised points lies on the circle.
    let denoised = fit.model.denoise(&rows[..2000], 1.0).unwrap();
    let radius: f64 = denoised
        .chunks_exact(2)
        .map(|p| p[0].hypot(p[1]))
        .sum::<f64>()
        / 1000.0;
    assert!((radius - 4.0).abs() < 0.2, "{radius}");
}

#[test]
fn the_chain_loses_nothing_by_stopping_at_the_noise() {
    let truth = Population::named("discrete").unwrap();
    for (steps, step, allowed) in [
        (64, Step::Plain, 0.008),
        (16, Step::Posterior, 0.012),
        (32, Step::Corrected, 0.008),
    ] {
        let chain = Chain { steps, step };
        let rows = truth.sample_by_chain(100_000, chain, &mut rng(3)).unwrap();
        // Standard deviation of the difference of two histograms of 1e5 rows: .001.
        let gap = excess(&truth, &rows);
        assert!(gap <= allowed + 0.003, "{chain:?} {gap}");
    }
}

/// Rows in pieces, as from files.
struct Pieces<'a>(&'a [f64], usize, usize);

impl SampleSource for Pieces<'_> {
    fn dim(&self) -> usize {
        self.1
    }
    fn pass(&mut self, each: Batch<'_>) -> Result<(), Error> {
        self.0.chunks(self.1 * self.2).try_for_each(each)
    }
}

#[test]
fn batches_and_threads_do_not_matter() {
    let truth = GaussianMixture::spherical(1, [(0.5, vec![-2.0]), (0.5, vec![3.0])], 1.0).unwrap();
    // More rows than are kept in memory: the coefficients come from a pass over all.
    let rows = truth.sample(210_000, &mut rng(2));
    let learner = Diffusion::new()
        .noise(1.0)
        .levels(3)
        .max_cells(2)
        .max_degree(2);
    let in_pool = |threads: usize, piece: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut source = Pieces(&rows, 1, piece);
            let fit = learner
                .learn_from(&mut source, &mut rng(3), &mut unobserved)
                .unwrap();
            let fresh = fit
                .model
                .sample(5000, Chain::default(), &mut rng(4))
                .unwrap();
            (fit.model, fresh)
        })
    };
    let first = in_pool(1, 210_000);
    assert_eq!(first, in_pool(2, 777));
    let whole = InMemory {
        rows: &rows,
        dim: 1,
    };
    let mut whole = whole;
    let fit = learner
        .learn_from(&mut whole, &mut rng(3), &mut unobserved)
        .unwrap();
    assert_eq!(fit.model, first.0);
}

#[test]
fn edges_are_right_or_said_or_refused() {
    let spherical =
        |dim, atoms: Vec<(f64, Vec<f64>)>| GaussianMixture::spherical(dim, atoms, 1.0).unwrap();
    let pair = spherical(2, vec![(0.5, vec![0.0, 0.0]), (0.5, vec![5.0, 0.0])]);
    let rows = pair.sample(600, &mut rng(2));
    let known = Diffusion::new().noise(1.0);
    // A constant column, a NaN, options outside their domain.
    let constant: Vec<f64> = rows
        .chunks_exact(2)
        .flat_map(|r| [r[0], 2.0, r[1]])
        .collect();
    assert!(matches!(
        learn(&known, &constant, 3),
        Err(Error::InvalidInput { .. })
    ));
    let mut bad = rows.clone();
    bad[5] = f64::INFINITY;
    assert!(matches!(
        learn(&known, &bad, 2),
        Err(Error::NonFinite { index: 5, .. })
    ));
    for wrong in [
        known.clone().noise(0.0),
        known.clone().levels(1),
        known.clone().max_cells(0),
        known.clone().max_degree(9),
    ] {
        assert!(matches!(
            learn(&wrong, &rows, 2),
            Err(Error::InvalidInput { .. })
        ));
    }
    assert!(matches!(
        learn(&known, &rows[..10], 2),
        Err(Error::InvalidInput { .. })
    ));
    // Less variance than the noise alone.
    let refused = learn(&Diffusion::new().noise(1.5), &rows, 2);
    assert!(
        matches!(refused, Err(Error::Degenerate { .. })),
        "{refused:?}"
    );
    // An outlier is set aside and counted; the law is that of the others.
    let mut far = rows.clone();
    far[300] = 1e6;
    let fit = learn(&known, &far, 2).unwrap();
    let aside = fit
        .evidence
        .checks
        .iter()
        .find(|e| e.key == "diffusion.outliers")
        .unwrap();
    assert_eq!(aside.measured, 1.0);
    let fresh = fit
        .model
        .sample(2000, Chain::default(), &mut rng(3))
        .unwrap();
    assert!(fresh.iter().all(|x| x.abs() < 20.0));
    let atoms = extract_atoms(&fit.model, &far, None, &mut rng(6)).unwrap();
    assert_eq!(atoms.mixture.len(), 2);
    // Copies count once: each row eight times is no more evidence than once.
    let copies: Vec<f64> = (0..8).flat_map(|_| rows[..120].to_vec()).collect();
    let fit = learn(&Diffusion::new().noise(0.7), &copies, 2).unwrap();
    assert_eq!(fit.status, Status::IllConditioned);
    // Copies side by side are the same sample as copies apart.
    let beside: Vec<f64> = rows[..120]
        .chunks_exact(2)
        .flat_map(|r| r.repeat(8))
        .collect();
    let fit = learn(&Diffusion::new().noise(0.7), &beside, 2).unwrap();
    assert_eq!(fit.status, Status::IllConditioned);
    // Fewer rows than columns.
    let wide =
        spherical(60, vec![(0.5, vec![0.0; 60]), (0.5, vec![2.0; 60])]).sample(40, &mut rng(4));
    let fit = learn(&known, &wide, 60).unwrap();
    assert_eq!(fit.status, Status::IllConditioned);
    assert_eq!(
        fit.evidence.first_failure().map(|e| [
            "diffusion.columns-over-rows",
            "diffusion.rows-per-dimension"
        ]
        .contains(&e.key)),
        Some(true)
    );
    // Coincident atoms are one atom; a light one is seen in the law.
    let twice = spherical(
        2,
        vec![
            (0.3, vec![0.0, 0.0]),
            (0.3, vec![0.0, 0.0]),
            (0.4, vec![6.0, 0.0]),
        ],
    );
    let rows = twice.sample(2000, &mut rng(5));
    let fit = learn(&known, &rows, 2).unwrap();
    let atoms = extract_atoms(&fit.model, &rows, None, &mut rng(6)).unwrap();
    assert_eq!((fit.status, atoms.mixture.len()), (Status::Converged, 2));
    let light = spherical(2, vec![(0.98, vec![0.0, 0.0]), (0.02, vec![9.0, 0.0])]);
    let rows = light.sample(4000, &mut rng(7));
    let fit = learn(&known, &rows, 2).unwrap();
    let fresh = fit
        .model
        .sample(20_000, Chain::default(), &mut rng(8))
        .unwrap();
    let share = fresh.chunks_exact(2).filter(|r| r[0] > 4.5).count() as f64 / 20_000.0;
    // Standard error of the share in 4000 rows: 0.0022.
    assert!((share - 0.02).abs() < 0.01, "{share}");
}

/// Stopped after some levels: the model so far, marked so, which still samples; before the first level an error.
#[test]
fn stopping_keeps_the_levels_so_far() {
    let truth = Population::named("discrete").unwrap();
    let rows = truth.sample(1000, &mut rng(2));
    let stopped_after = |calls: usize| {
        let mut made = 0;
        let mut observer = |p: &Progress| {
            made += usize::from(p.stage == "noise levels");
            if made > calls {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let mut source = InMemory {
            rows: &rows,
            dim: 2,
        };
        Diffusion::new()
            .noise(1.0)
            .learn_from(&mut source, &mut rng(3), &mut observer)
    };
    assert!(matches!(stopped_after(0), Err(Error::Stopped { .. })));
    let fit = stopped_after(10).unwrap();
    assert_eq!(fit.status, Status::Stopped);
    let levels = fit.model.temperatures().len();
    assert!((1..=10).contains(&levels), "{levels}");
    let fresh = fit
        .model
        .sample(500, Chain::default(), &mut rng(4))
        .unwrap();
    // Six standard deviations around three atoms at distance 3.
    assert!(fresh.iter().all(|x| x.abs() < 9.0));
}
