//! Laws of mixtures: exact identities of the chain, of heat, of moments, of nestings; what learners owe.

use crate::Error;
use crate::Status;
use crate::fit::Fit;
use crate::io::model::ModelFile;
use crate::laws::broken::{Broken, check, within};
use crate::laws::bytes::Bytes;
use crate::learn::mixture::{
    Chain, CovarianceKind, Diffusion, Em, GaussianMixture, MixtureModel, MomentMethod,
    PrincipalMoments, ScoreModel, TableEntry, broken_nestings, spherical_atoms,
};
use crate::linalg;
use crate::poly::Rational;
use faer::{Mat, MatRef};
use num_traits::Zero;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn failed(law: &'static str, e: &Error) -> Broken {
    Broken {
        law,
        measured: f64::NAN,
        allowed: 0.0,
        case: e.to_string(),
    }
}

/// A step of the reverse chain from `from` to `to` is exact for one atom: the variance that is kept and the
/// variance that is added sum to that of the lower level, `(S/T)^2 T + S (T - S) / T = S`, and two steps are one.
///
/// # Errors
/// [`Broken`] when it does not hold; nothing is claimed unless `0 < to <= between <= from`.
pub fn steps_keep_one_atom(
    from: &Rational,
    between: &Rational,
    to: &Rational,
) -> Result<(), Broken> {
    let zero = Rational::zero();
    if !(*to > zero && to <= between && between <= from) {
        return Ok(());
    }
    let law = "mixtures::steps_keep_one_atom";
    // What a step keeps of a point, and the variance that it adds; temperatures are positive.
    let step = |t: &Rational, s: &Rational| -> Option<(Rational, Rational)> {
        Some(((s / t)?, (&(s * &(t - s)) / t)?))
    };
    let steps = (step(from, to), step(from, between), step(between, to));
    let (Some((keep, added)), Some((first, noise)), Some((second, rest))) = steps else {
        return check(law, false, || {
            "a positive temperature without a reciprocal".into()
        });
    };
    let after = &(&(&keep * &keep) * from) + &added;
    check(law, &after == to, || format!("{from} -> {to}"))?;
    let twice = &(&(&second * &second) * &noise) + &rest;
    let composed = twice == added && &first * &second == keep;
    check(law, composed, || format!("{from} -> {between} -> {to}"))
}

/// Heat is a semigroup, `heated(s).heated(t) = heated(s + t)`, and the score is the gradient of the log density.
///
/// Rounding: log densities are sums of squares over the smallest variance; central differences with step `h`
/// are wrong by `h^2` times a third derivative, which `(1 + |x|/s)^3 / s^3` bounds for unit weights.
///
/// # Errors
/// [`Broken`] with the difference.
pub fn heat_and_score(m: &GaussianMixture, x: &[f64], s: f64, t: f64) -> Result<(), Broken> {
    let law = "mixtures::heat_and_score";
    let heat = |m: &GaussianMixture, v: f64| m.heated(v).map_err(|e| failed(law, &e));
    let twice = heat(&heat(m, s)?, t)?;
    let once = heat(m, s + t)?;
    let (a, b) = (twice.log_density(x)[0], once.log_density(x)[0]);
    let reach = m.components().iter().map(|c| {
        let gap: f64 = c.mean.iter().zip(x).map(|(m, x)| (m - x) * (m - x)).sum();
        gap / (s + t)
    });
    let size = 10.0 + reach.fold(0.0, f64::max);
    let entries = (m.dim() * m.dim() * m.len()) as f64;
    within(law, (a - b).abs(), 64.0 * f64::EPSILON * entries * size)?;
    let score = once.score(x).map_err(|e| failed(law, &e))?;
    let sd = (s + t).sqrt();
    let h = 1e-4 * sd;
    for a in 0..x.len() {
        let at = |sign: f64| {
            let mut y = x.to_vec();
            y[a] += sign * h;
            once.log_density(&y)[0]
        };
        let difference = (at(1.0) - at(-1.0)) / (2.0 * h);
        let curvature = size.powf(1.5) / (sd * sd * sd);
        let rounding = 64.0 * f64::EPSILON * entries * size / h;
        within(
            law,
            (difference - score[a]).abs(),
            40.0 * h * h * curvature + rounding,
        )?;
    }
    Ok(())
}

/// Atoms with affinely independent means come back from the exact moments of their mixture with spherical noise.
///
/// The whitened problem is orthogonal, so errors are rounding times the amplification of whitening (power 3/2)
/// and the division by the root of the least weight.
///
/// # Errors
/// [`Broken`] with the largest error, in units of the spread of the means.
pub fn moments_determine_atoms(
    weights: &[f64],
    means: &[Vec<f64>],
    variances: &[f64],
) -> Result<(), Broken> {
    let law = "mixtures::moments_determine_atoms";
    let (k, r) = (weights.len(), means.first().map_or(0, Vec::len));
    if k != r + 1 || k < 2 {
        return Ok(());
    }
    let total: f64 = weights.iter().sum();
    let w: Vec<f64> = weights.iter().map(|w| w / total).collect();
    let expect = |f: &dyn Fn(usize) -> f64| (0..k).map(|i| w[i] * f(i)).sum::<f64>();
    let centre: Vec<f64> = (0..r).map(|a| expect(&|i| means[i][a])).collect();
    let signal = Mat::from_fn(r, r, |a, b| {
        expect(&|i| (means[i][a] - centre[a]) * (means[i][b] - centre[b]))
    });
    let spectrum = linalg::symmetric_eigen(law, signal.as_ref()).map_err(|e| failed(law, &e))?;
    let noise = expect(&|i| variances[i]);
    let turned: Vec<Vec<f64>> = means
        .iter()
        .map(|m| {
            let along = |c: usize| (0..r).map(move |a| (a, c));
            (0..r)
                .map(|c| {
                    along(c)
                        .map(|(a, c)| spectrum.vectors[(a, c)] * (m[a] - centre[a]))
                        .sum()
                })
                .collect()
        })
        .collect();
    let drift: Vec<f64> = (0..r)
        .map(|a| expect(&|i| variances[i] * turned[i][a]))
        .collect();
    let same = |a: usize, b: usize| f64::from(u8::from(a == b));
    let third = (0..r * r * r).map(|i| {
        let (a, b, c) = (i / (r * r), i / r % r, i % r);
        let gaussian = same(a, b) * drift[c] + same(b, c) * drift[a] + same(a, c) * drift[b];
        expect(&|i| turned[i][a] * turned[i][b] * turned[i][c]) + gaussian
    });
    let moments = PrincipalMoments {
        third: third.collect(),
        variances: spectrum.values.iter().map(|v| v + noise).collect(),
        noise_drift: drift.clone(),
    };
    let found = spherical_atoms(&moments, noise).map_err(|e| failed(law, &e))?;
    let spread = spectrum.values.iter().fold(0.0f64, |m, v| m.max(*v)).sqrt();
    let least = w.iter().fold(1.0f64, |m, v| m.min(*v));
    let allowed =
        1e3 * f64::EPSILON * (k * k) as f64 * found.amplification.powf(2.5) / least.powf(1.5);
    for (i, mean) in turned.iter().enumerate() {
        let gap = |j: usize| {
            let there = &found.means[j * r..(j + 1) * r];
            let far = mean
                .iter()
                .zip(there)
                .map(|(a, b)| (a - b) * (a - b))
                .sum::<f64>()
                .sqrt();
            far / spread
                + (found.weights[j] - w[i]).abs()
                + (found.variances[j] - variances[i]).abs() / (noise + spread * spread)
        };
        let nearest = (0..k).map(gap).fold(f64::INFINITY, f64::min);
        within(law, nearest, allowed)?;
    }
    Ok(())
}

/// A table whose likelihoods grow with families and numbers of components has no broken nesting, and lowering
/// one entry below a contained one is noticed there and nowhere below it.
///
/// # Errors
/// [`Broken`] with what was flagged.
pub fn audit_flags_what_is_broken(gains: &[f64], lowered: usize) -> Result<(), Broken> {
    let law = "mixtures::audit_flags_what_is_broken";
    let kinds = CovarianceKind::ALL;
    let mut table: Vec<TableEntry> = Vec::new();
    let mut log_likelihood = -1000.0;
    for (i, gain) in gains.iter().enumerate() {
        log_likelihood += gain.abs().min(1e6);
        table.push(TableEntry {
            family: kinds[i % kinds.len()].name().to_owned(),
            components: i / kinds.len() + 1,
            log_likelihood,
        });
    }
    let clean = broken_nestings(&table, 1e-9);
    check(law, clean.is_empty(), || format!("{clean:?}"))?;
    // The full family contains every other one with the same number of components.
    let full = kinds.len() - 1;
    let at = lowered * kinds.len() + full;
    if at < table.len() {
        table[at].log_likelihood = table[at - 1].log_likelihood - 1.0;
        let found = broken_nestings(&table, 1e-9);
        let named = found
            .iter()
            .any(|b| b.failed == at && b.missing >= 1.0 - 1e-9);
        let only = found.iter().all(|b| b.failed == at);
        check(law, named && only, || format!("{found:?}"))?;
    }
    Ok(())
}

/// What a learner of mixtures owes: numbers, weights that sum to one, `Converged` only with a certificate that
/// holds, and a model file that reads back to the same model.
///
/// # Errors
/// [`Broken`] with what is wrong.
pub fn fit_keeps_its_word<M>(fit: &Fit<M>, model: &MixtureModel) -> Result<(), Broken> {
    let law = "mixtures::fit_keeps_its_word";
    let honest = fit.status != Status::Converged || fit.evidence.holds();
    check(law, honest, || format!("{:?}", fit.evidence))?;
    if let MixtureModel::Gaussian(m) = model {
        let sum: f64 = m.components().iter().map(|c| c.weight).sum();
        within(law, (sum - 1.0).abs(), 8.0 * f64::EPSILON * m.len() as f64)?;
    }
    let body = model.to_body(None).map_err(|e| failed(law, &e))?;
    let again = MixtureModel::from_body(&body).map_err(|e| failed(law, &e))?;
    check(law, reads_back(model, &again), || {
        "another model came back".into()
    })?;
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let fresh = model
        .sample(7, Chain::default(), &mut rng)
        .map_err(|e| failed(law, &e))?;
    let finite = fresh.len() == 7 * model.dim() && fresh.iter().all(|x| x.is_finite());
    check(law, finite, || format!("{fresh:?}"))
}

/// Weights are divided by their sum again on reading, which may change a last digit.
fn reads_back(a: &MixtureModel, b: &MixtureModel) -> bool {
    let (MixtureModel::Gaussian(a), MixtureModel::Gaussian(b)) = (a, b) else {
        return a == b;
    };
    let same = |(c, d): (
        &crate::learn::mixture::Component,
        &crate::learn::mixture::Component,
    )| {
        let weight = (c.weight - d.weight).abs() <= 4.0 * f64::EPSILON * c.weight;
        weight && c.mean == d.mean && c.covariance == d.covariance
    };
    a.len() == b.len() && a.components().iter().zip(b.components()).all(same)
}

/// Learning by diffusion commutes with rotations and shifts: the rows that the two models draw with one seed are
/// the same rows moved, but for a share of at most `allowed` where rounding changed a cell. `rotation` is
/// orthogonal; the law must have no directions of pure noise, whose noise is drawn in the original coordinates.
///
/// # Errors
/// [`Broken`] with the share of rows that differ by more than 1e-6 noise levels.
pub fn diffusion_commutes_with_motions(
    learner: &Diffusion,
    rows: &[f64],
    rotation: MatRef<'_, f64>,
    shift: &[f64],
    allowed: f64,
) -> Result<(), Broken> {
    let law = "mixtures::diffusion_commutes_with_motions";
    let dim = shift.len();
    let moved = |rows: &[f64]| -> Vec<f64> {
        let each = rows.chunks_exact(dim);
        each.flat_map(|x| {
            let along = |a: usize| (0..dim).map(|b| rotation[(a, b)] * x[b]).sum::<f64>();
            (0..dim).map(|a| along(a) + shift[a]).collect::<Vec<f64>>()
        })
        .collect()
    };
    let learn = |rows: &[f64]| -> Result<ScoreModel, Broken> {
        let samples = MatRef::from_row_major_slice(rows, rows.len() / dim, dim);
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        Ok(learner
            .learn(samples, &mut rng)
            .map_err(|e| failed(law, &e))?
            .model)
    };
    let (still, turned) = (learn(rows)?, learn(&moved(rows))?);
    let same_shape = still.rank() == dim && turned.rank() == dim;
    check(law, same_shape, || {
        format!("ranks {} and {}", still.rank(), turned.rank())
    })?;
    let draw = |m: &ScoreModel| {
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        m.sample(2000, Chain::default(), &mut rng)
            .map_err(|e| failed(law, &e))
    };
    let (expected, found) = (moved(&draw(&still)?), draw(&turned)?);
    let scale = 1e-6 * still.noise();
    let pairs = expected.chunks_exact(dim).zip(found.chunks_exact(dim));
    let differ = pairs.filter(|(a, b)| a.iter().zip(*b).any(|(x, y)| !((x - y).abs() <= scale)));
    within(law, differ.count() as f64 / 2000.0, allowed)
}

/// Maximum likelihood commutes with the maps of the columns that its family knows: the fit of `x map + shift` is the image
/// of the fit, so its log-likelihood is that of `x` less `N log |det map|`, and log-densities of rows agree up to this
/// constant. Full and shared covariances: any invertible map; diagonal ones: a diagonal map; spherical ones and those of
/// equal shape: a multiple of a rotation. Nothing is claimed when one of the two fits is not sound.
///
/// Climbs end within their tolerance of the same maximum, so log-likelihoods agree to a few tolerances and log-densities
/// to the root of one over the rows of a component.
///
/// # Errors
/// [`Broken`] with the difference.
pub fn em_commutes_with_maps(
    em: &Em,
    rows: &[f64],
    map: MatRef<'_, f64>,
    shift: &[f64],
) -> Result<(), Broken> {
    let law = "mixtures::em_commutes_with_maps";
    let dim = shift.len();
    let n = rows.len() / dim;
    let moved: Vec<f64> = rows
        .chunks_exact(dim)
        .flat_map(|x| {
            let along = |a: usize| (0..dim).map(|b| x[b] * map[(b, a)]).sum::<f64>();
            (0..dim).map(|a| along(a) + shift[a]).collect::<Vec<f64>>()
        })
        .collect();
    let learn = |rows: &[f64]| {
        let samples = MatRef::from_row_major_slice(rows, n, dim);
        em.learn(samples, &mut ChaCha8Rng::seed_from_u64(21))
            .map_err(|e| failed(law, &e))
    };
    let (still, turned) = (learn(rows)?, learn(&moved)?);
    if still.status != Status::Converged || turned.status != Status::Converged {
        return Ok(());
    }
    let svd = linalg::thin_svd(law, map).map_err(|e| failed(law, &e))?;
    let volume: f64 = svd.s.iter().map(|s| s.ln()).sum();
    let (a, b) = (still.model.log_likelihood, turned.model.log_likelihood);
    let gap = (a - b - n as f64 * volume).abs();
    within(law, gap, 5e-3 + 1e-9 * (a.abs() + b.abs()))?;
    let pairs = still.model.mixture.log_density(rows);
    let pairs = pairs
        .into_iter()
        .zip(turned.model.mixture.log_density(&moved));
    let worst = pairs
        .map(|(a, b)| (a - b - volume).abs())
        .fold(0.0, f64::max);
    within(law, worst, 0.1)
}

/// Any bytes as a model file, or as a small sample for each learner: an error, or a fit that keeps its word.
///
/// # Errors
/// [`Broken`] as [`fit_keeps_its_word`].
pub fn fuzz_mixture(data: &[u8]) -> Result<(), Broken> {
    let mut bytes = Bytes::new(data);
    if data.first() == Some(&b'{') {
        let text = String::from_utf8_lossy(data);
        let Ok(file) = ModelFile::from_json(&text) else {
            return Ok(());
        };
        if let Ok(model) = MixtureModel::from_body(&file.body)
            && model.dim() <= 64
        {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            // A hand-written model may overflow; it may not panic.
            let _ = model.sample(3, Chain::default(), &mut rng);
            let _ = model.score(&vec![0.5; model.dim()]);
        }
        return Ok(());
    }
    let method = bytes.below(3);
    let (n, dim) = (bytes.below(40), 1 + bytes.below(3));
    let k = 1 + bytes.below(4);
    let nasty = bytes.byte() > 200;
    let rows: Vec<f64> = (0..n * dim)
        .map(|_| {
            if nasty {
                bytes.any_float()
            } else {
                bytes.finite()
            }
        })
        .collect();
    let x = MatRef::from_row_major_slice(&rows, n, dim);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    match method {
        0 => match Em::new(k).starts(2).max_sweeps(60).learn(x, &mut rng) {
            Ok(fit) => fit_keeps_its_word(&fit, &MixtureModel::Gaussian(fit.model.mixture.clone())),
            Err(_) => Ok(()),
        },
        1 => match MomentMethod::new(k).learn(x, &mut rng) {
            Ok(fit) => fit_keeps_its_word(&fit, &MixtureModel::Gaussian(fit.model.mixture.clone())),
            Err(_) => Ok(()),
        },
        _ => {
            let learner = Diffusion::new().levels(3).max_cells(2).max_degree(2);
            match learner.learn(x, &mut rng) {
                Ok(fit) => {
                    fit_keeps_its_word(&fit, &MixtureModel::Score(Box::new(fit.model.clone())))
                }
                Err(_) => Ok(()),
            }
        }
    }
}
