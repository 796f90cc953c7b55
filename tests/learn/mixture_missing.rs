//! Rows with gaps: the likelihood of what was measured, conditional laws, quantiles.
#![allow(clippy::unwrap_used)]

use faer::{Mat, MatRef};
use proptest::prelude::{ProptestConfig, any, proptest};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::fit::Fit;
use wickring::learn::mixture::{
    Component, CovarianceKind, Em, GaussianMixture, MaskedEm, MaskedModel,
};
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn learn(em: &MaskedEm, rows: &[f64], dim: usize) -> Result<Fit<MaskedModel>, Error> {
    let x = MatRef::from_row_major_slice(rows, rows.len() / dim, dim);
    em.learn(x, &mut rng(5))
}

fn law() -> GaussianMixture {
    let parts = [
        (
            0.4,
            vec![-4.0, 0.0, 1.0],
            vec![1.0, 0.6, 0.0, 0.6, 1.0, 0.2, 0.0, 0.2, 0.5],
        ),
        (
            0.6,
            vec![4.0, 1.0, -1.0],
            vec![2.0, -0.5, 0.3, -0.5, 1.0, 0.0, 0.3, 0.0, 1.0],
        ),
    ];
    let part = |(weight, mean, covariance)| Component {
        weight,
        mean,
        covariance,
    };
    GaussianMixture::new(3, parts.into_iter().map(part).collect()).unwrap()
}

fn holed(rows: &mut [f64], share: f64, seed: u64) {
    let mut rng = rng(seed);
    for x in rows {
        if rng.random::<f64>() < share {
            *x = f64::NAN;
        }
    }
}

/// Without gaps the two learners climb to the same maximum.
#[test]
fn no_gaps_is_the_plain_fit() {
    let rows = law().sample(500, &mut rng(1));
    let x = MatRef::from_row_major_slice(&rows, 500, 3);
    for kind in [
        CovarianceKind::Full,
        CovarianceKind::Diagonal,
        CovarianceKind::Shared,
    ] {
        let plain = Em::new(2).kinds(&[kind]).learn(x, &mut rng(2)).unwrap();
        let masked = learn(&MaskedEm::new(2).kinds(&[kind]), &rows, 3).unwrap();
        let gap = masked.model.log_likelihood - plain.model.log_likelihood;
        assert!(gap.abs() < 0.05, "{kind}: {gap}");
        assert_eq!((masked.model.gaps, masked.model.patterns), (0, 1));
    }
}

/// One normal law of two columns where the second is missing in some rows has a maximum in closed form (Anderson 1957):
/// the first column's own moments, and the regression of the second from the complete rows.
#[test]
fn a_monotone_pattern_has_its_closed_form() {
    let full = law().marginal(&[0, 1]).unwrap().given(&[]).unwrap();
    let mut rows = full.sample(300, &mut rng(3));
    rows.iter_mut()
        .skip(1)
        .step_by(4)
        .for_each(|x| *x = f64::NAN);
    let fit = learn(&MaskedEm::new(1), &rows, 2).unwrap();
    let first: Vec<f64> = rows.iter().step_by(2).copied().collect();
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let whole: Vec<&[f64]> = rows.chunks_exact(2).filter(|r| !r[1].is_nan()).collect();
    let (x, y): (Vec<f64>, Vec<f64>) = whole.iter().map(|r| (r[0], r[1])).unzip();
    let (mx, my) = (mean(&x), mean(&y));
    let cov = |a: &[f64], b: &[f64], ma: f64, mb: f64| {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - ma) * (b - mb))
            .sum::<f64>()
            / a.len() as f64
    };
    let slope = cov(&x, &y, mx, my) / cov(&x, &x, mx, mx);
    let left = cov(&y, &y, my, my) - slope * cov(&x, &y, mx, my);
    let (m0, v0) = (
        mean(&first),
        cov(&first, &first, mean(&first), mean(&first)),
    );
    let want_mean = my + slope * (m0 - mx);
    let c = &fit.model.mixture.components()[0];
    for (got, want) in [
        (c.mean[0], m0),
        (c.mean[1], want_mean),
        (c.covariance[0], v0),
        (c.covariance[1], slope * v0),
        (c.covariance[3], left + slope * slope * v0),
    ] {
        assert!(
            (got - want).abs() < 0.02 * (1.0 + want.abs()),
            "{got} {want}"
        );
    }
}

#[test]
fn planted_laws_come_back_from_rows_with_gaps() {
    for (share, seed) in [(0.1, 1), (0.3, 2), (0.3, 3)] {
        let mut rows = law().sample(1500, &mut rng(seed));
        holed(&mut rows, share, seed);
        let fit = learn(&MaskedEm::between(1, 4), &rows, 3).unwrap();
        assert_eq!(
            (fit.model.mixture.len(), fit.status),
            (2, Status::Converged),
            "{:?}",
            fit.evidence
        );
        assert!(fit.model.gaps > 0 && fit.model.patterns == 7);
        let fresh = law().sample(4000, &mut rng(99));
        let gap = law().log_likelihood(&fresh) - fit.model.mixture.log_likelihood(&fresh);
        assert!(gap / 4000.0 < 0.03, "{share}: {gap}");
        let measured = fit.model.mixture.log_density_measured(&rows).unwrap();
        let again: f64 = measured.iter().sum();
        assert!((again - fit.model.log_likelihood).abs() < 1e-6 * again.abs());
    }
}

/// A law that is no mixture of so few Gaussians is not converged, and what cannot be learned is refused.
#[test]
fn wrong_laws_and_hopeless_samples_are_said() {
    let mut rng = rng(8);
    let mut rows: Vec<f64> = (0..2000).map(|_| -rng.random::<f64>().ln()).collect();
    holed(&mut rows, 0.2, 4);
    assert_ne!(
        learn(&MaskedEm::new(1), &rows, 2).unwrap().status,
        Status::Converged
    );
    let mut never = law().sample(200, &mut rng);
    for (i, row) in never.chunks_exact_mut(3).enumerate() {
        row[i % 2] = f64::NAN;
    }
    // Columns 0 and 1 are never measured together.
    let fit = learn(&MaskedEm::new(1), &never, 3).unwrap();
    assert_eq!(fit.status, Status::IllConditioned);
    let empty = Mat::from_fn(30, 2, |i, j| if j == 0 { f64::NAN } else { i as f64 });
    let refused = MaskedEm::new(1)
        .learn(empty.as_ref(), &mut rng)
        .unwrap_err();
    assert!(refused.to_string().contains("column 0"), "{refused}");
    let mut infinite = law().sample(50, &mut rng);
    infinite[4] = f64::INFINITY;
    assert!(matches!(
        learn(&MaskedEm::new(1), &infinite, 3),
        Err(Error::NonFinite { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// The density of a row is that of some columns times that of the others given them.
    #[test]
    fn densities_factor(seed in any::<u64>(), column in 0usize..3) {
        let m = law();
        let row = m.sample(1, &mut rng(seed));
        let others: Vec<usize> = (0..3).filter(|a| *a != column).collect();
        let rest: Vec<f64> = others.iter().map(|a| row[*a]).collect();
        let first = m.marginal(&[column]).unwrap().log_density(&[row[column]])[0];
        let second = m.given(&[(column, row[column])]).unwrap().log_density(&rest)[0];
        assert!((first + second - m.log_density(&row)[0]).abs() < 1e-9);
    }

    /// Quantiles invert the distribution function.
    #[test]
    fn quantiles_invert(p in 1e-6f64..0.999_999, column in 0usize..3) {
        let x = law().quantile(column, p).unwrap();
        assert!((law().cdf(column, x).unwrap() - p).abs() < 1e-12);
    }

    /// Any pattern of gaps and any bytes of numbers are survived.
    #[test]
    fn any_gaps_are_survived(seed in any::<u64>(), share in 0.0f64..1.0, n in 2usize..40) {
        let mut rows = law().sample(n, &mut rng(seed));
        holed(&mut rows, share, seed);
        match learn(&MaskedEm::between(1, 2).starts(2), &rows, 3) {
            Ok(fit) => assert!(fit.model.log_likelihood.is_finite()),
            Err(e) => assert!(!e.to_string().is_empty()),
        }
    }
}
