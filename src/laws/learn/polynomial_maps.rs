//! Laws of polynomial maps, and generators of planted ones.

use crate::io::samples::Samples;
use crate::laws::broken::{Broken, check, within};
use crate::laws::bytes::Bytes;
use crate::learn::polynomial::Polynomial;
use crate::learn::{Noise, add_noise};
use crate::poly::{Rational, Ring};
use crate::run::unobserved;
use crate::tensor::{MonomialBasis, PolynomialMap, binomial};
use crate::{Error, Status};
use faer::Mat;
use num_traits::{One, Zero};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

/// A map with Gaussian coefficients for all monomials of degree `degree`, or with `homogeneous` false of all
/// degrees up to it.
///
/// # Errors
/// Those of [`MonomialBasis::homogeneous`]; `Shape` when `d` is 0.
pub fn random_polynomial_map(
    d: usize,
    rank: usize,
    degree: usize,
    homogeneous: bool,
    rng: &mut impl Rng,
) -> Result<PolynomialMap, Error> {
    let basis = match homogeneous {
        true => MonomialBasis::homogeneous(rank, degree)?,
        false => MonomialBasis::up_to(rank, degree)?,
    };
    let c = Mat::from_fn(d, basis.len(), |_, _| StandardNormal.sample(&mut *rng));
    PolynomialMap::new(basis, c)
}

/// Samples of a map with independent normal noise of the given share of the standard deviation of each output.
///
/// # Errors
/// Those of [`Samples::from_rows`].
pub fn noisy_samples(
    map: &PolynomialMap,
    share: f64,
    n: usize,
    rng: &mut impl Rng,
) -> Result<Samples, Error> {
    let covariance = map.covariance();
    let level = |a: usize| share / (1.0 - share * share).sqrt() * covariance[(a, a)].sqrt();
    let noise: Vec<f64> = (0..map.output_dim()).map(level).collect();
    let mut rows = map.sample(n, rng);
    add_noise(&mut rows, &noise, rng);
    Samples::from_rows(map.output_dim(), rows)
}

/// A map is found again from noisy samples, certified, the noise beside it: to `times` the error that the information in the
/// samples leaves, and the share of noise to a tenth.
///
/// # Errors
/// [`Broken`] with what was found.
pub fn noisy_maps_come_back(
    map: &PolynomialMap,
    share: f64,
    (n, seed, times): (usize, u64, f64),
) -> Result<(), Broken> {
    let law = "polynomial::noisy_maps_come_back";
    let failed = |e: Error| Broken {
        law,
        measured: f64::NAN,
        allowed: 0.0,
        case: e.to_string(),
    };
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let samples = noisy_samples(map, share, n, rng).map_err(failed)?;
    let learner = Polynomial::new(map.degree() as usize).noise(Noise::Estimated);
    let fit = learner.latent(map.latent_dim());
    let fit = fit.learn(&samples, rng, &mut unobserved).map_err(failed)?;
    let failure = fit.evidence.first_failure();
    check(law, fit.status == Status::Converged, || {
        format!("{}: {failure:?}", fit.status)
    })?;
    let figure = |key: &str| fit.evidence.check(key).map_or(f64::NAN, |c| c.measured);
    let (expected, noise) = (
        figure("polynomial.expected-error"),
        figure("polynomial.noise"),
    );
    let error = fit.model.map.distance(map).map_err(failed)?;
    within(law, error, times * expected)?;
    within(law, (noise / share - 1.0).abs(), 0.1)
}

/// The dimensions that the algebraic learner rests on, exactly, from integer points `x` (rows of `v` entries): with
/// `y = phi(x)` all monomials of degree `w`, the quadrics in `y` modulo those that vanish number `C(v + 2w - 1, 2w)`, and
/// the matrices `A` for which `y'QAy` vanishes for every vanishing quadric `Q` form an algebra of dimension `v^2`.
///
/// # Errors
/// [`Broken`] with the dimensions found. Too few points, or points in special position, break the law.
pub fn veronese_dimensions(v: usize, w: usize, points: &[Vec<i64>]) -> Result<(), Broken> {
    let law = "polynomial::veronese_dimensions";
    let Ok(basis) = MonomialBasis::homogeneous(v, w) else {
        return Ok(());
    };
    let m = basis.len();
    let rows: Vec<Vec<Rational>> = points.iter().map(|x| exact_row(&basis, x)).collect();
    let pairs: Vec<(usize, usize)> = (0..m).flat_map(|j| (0..=j).map(move |i| (i, j))).collect();
    let quadrics = rows
        .iter()
        .map(|y| pairs.iter().map(|&(i, j)| &y[i] * &y[j]).collect())
        .collect();
    let ideal = null_space(quadrics, pairs.len());
    let expected = binomial(v + 2 * w - 1, 2 * w).unwrap_or(0);
    check(law, pairs.len() - ideal.len() == expected, || {
        format!("{} quadrics, {} vanish", pairs.len(), ideal.len())
    })?;
    let mut equations = Vec::new();
    for q in &ideal {
        for y in &rows {
            let mut qy = vec![Rational::zero(); m];
            for (&(i, j), c) in pairs.iter().zip(q) {
                // c y_i y_j is half of c (e_i e_j' + e_j e_i') on both sides.
                qy[i] += &(c * &y[j]);
                qy[j] += &(c * &y[i]);
            }
            let row = qy.iter().flat_map(|a| y.iter().map(move |b| a * b));
            equations.push(row.collect());
        }
    }
    let algebra = null_space(equations, m * m).len();
    check(law, algebra == v * v, || {
        format!("algebra of dimension {algebra}")
    })
}

fn exact_row(basis: &MonomialBasis, x: &[i64]) -> Vec<Rational> {
    let power =
        |(&k, &x): (&u32, &i64)| (0..k).fold(Rational::one(), |p, _| &p * &Rational::from(x));
    let value = |e: &Vec<u32>| {
        let factors = e.iter().zip(x).map(power);
        factors.fold(Rational::one(), |p, f| &p * &f)
    };
    basis.exponents().iter().map(value).collect()
}

/// A basis of the null space of exact rows, by Gauss-Jordan elimination.
fn null_space(mut rows: Vec<Vec<Rational>>, columns: usize) -> Vec<Vec<Rational>> {
    let mut pivots: Vec<usize> = Vec::new();
    for column in 0..columns {
        let done = pivots.len();
        let Some(at) = (done..rows.len()).find(|&i| !rows[i][column].is_zero()) else {
            continue;
        };
        rows.swap(done, at);
        let Some(inverse) = Rational::one().checked_div(&rows[done][column]) else {
            continue;
        };
        let pivot: Vec<Rational> = rows[done].iter().map(|x| x * &inverse).collect();
        for (i, row) in rows.iter_mut().enumerate() {
            let f = row[column].clone();
            if i != done && !f.is_zero() {
                row.iter_mut()
                    .zip(&pivot)
                    .for_each(|(x, p)| *x -= &(&f * p));
            }
        }
        rows[done] = pivot;
        pivots.push(column);
        // Rows below that vanished need not be looked at again.
        let kept = pivots.len();
        let mut rest = rows.split_off(kept);
        rest.retain(|r| r.iter().any(|x| !x.is_zero()));
        rows.extend(rest);
    }
    let free = (0..columns).filter(|c| !pivots.contains(c));
    free.map(|c| {
        let mut vector = vec![Rational::zero(); columns];
        vector[c] = Rational::one();
        for (row, &p) in rows.iter().zip(&pivots) {
            vector[p] = -row[c].clone();
        }
        vector
    })
    .collect()
}

/// Any bytes as a tiny sample: an error or a model, and `Converged` only where held-out samples lie on the variety.
///
/// # Errors
/// [`Broken`] with the residual.
pub fn fuzz_polynomial_map(data: &[u8]) -> Result<(), Broken> {
    let mut bytes = Bytes::new(data);
    let (d, degree) = (1 + bytes.below(6), 2 + bytes.below(2));
    let (n, planted) = (20 + bytes.below(60), bytes.byte().is_multiple_of(2));
    let rng = &mut ChaCha8Rng::seed_from_u64(u64::from(bytes.byte()));
    let mut rows: Vec<f64> = match random_polynomial_map(d, 2, degree, bytes.byte() < 128, rng) {
        Ok(map) if planted => map.sample(n, rng),
        _ => (0..n * d).map(|_| bytes.any_float()).collect(),
    };
    // Damage here and there.
    while !bytes.is_empty() {
        let at = bytes.below(rows.len());
        rows[at] = bytes.any_float();
    }
    let Ok(samples) = Samples::from_rows(d, rows) else {
        return Ok(());
    };
    let learner = Polynomial::new(degree);
    let Ok(fit) = learner.learn(&samples, rng, &mut crate::run::unobserved) else {
        return Ok(());
    };
    if fit.status == Status::Converged {
        within(
            "polynomial::converged_means_on_the_variety",
            fit.evidence.rel_residual,
            1e-6,
        )?;
    }
    let finite = fit.model.map.covariance();
    check("polynomial::sizes", finite.nrows() == d, || {
        "outputs".into()
    })
}
