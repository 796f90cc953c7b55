//! What `wickring learn mixture` does for each method.

use super::mixture::{Mixture, OP};
use crate::context::Context;
use faer::MatRef;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use wickring::fit::{Evidence, Fit};
use wickring::io::samples::Samples;
use wickring::learn::mixture::{
    AutoMixture, CovarianceKind, Diffusion, Em, EmModel, EmRow, GaussianMixture, MaskedEm,
    MixtureAnswer, MixtureCandidate, MixtureMethod, MixtureModel, MomentMethod, MomentModel,
    ScoreModel, extract_atoms_observed,
};
use wickring::run::Progress;
use wickring::{Error, Status};

/// Numbers that em and moments load at most: half a GiB, of which up to eight copies are made.
const MAX_ENTRIES: usize = 1 << 26;
/// Components tried with `--components auto`.
const MOST: usize = 30;
/// The same with gaps in the rows, where a sweep takes longer.
const MOST_MASKED: usize = 9;
/// Rows of the table that are printed.
const LISTED: usize = 5;

/// What each method hands to the writer.
pub(super) struct Learned {
    pub(super) generator: MixtureModel,
    pub(super) components: Option<GaussianMixture>,
    pub(super) status: Status,
    pub(super) evidence: Evidence,
    pub(super) extra: Value,
    /// Lines about the choice of the method, for people.
    pub(super) words: String,
}

pub(super) fn diffusion(
    args: &Mixture,
    context: &Context,
    (samples, looked_at): (&mut Samples, &[f64]),
    components: Option<usize>,
) -> Result<Learned, Error> {
    let mut learner = Diffusion::new();
    if let Some(cells) = args.max_cells {
        learner = learner.max_cells(cells);
    }
    if let Some(degree) = args.max_degree {
        learner = learner.max_degree(degree);
    }
    if let Some(noise) = args.noise {
        learner = learner.noise(noise);
    }
    if let Some(levels) = args.levels {
        learner = learner.levels(levels);
    }
    let mut rng = context.rng();
    let mut meter = context.meter();
    let fit = learner.learn_from(samples, &mut rng, &mut |p| meter.step(p))?;
    with_scores(fit, looked_at, components, (context, &mut rng))
}

/// A model of scores, and the atoms that can be read off it.
fn with_scores(
    fit: Fit<ScoreModel>,
    looked_at: &[f64],
    components: Option<usize>,
    (context, rng): (&Context, &mut ChaCha8Rng),
) -> Result<Learned, Error> {
    let mut meter = context.meter();
    let mut status = fit.status;
    let mut read = |count: Option<usize>| {
        let mut watch = |p: &Progress| meter.step(p);
        extract_atoms_observed(&fit.model, looked_at, count, &mut *rng, &mut watch)
    };
    // A law that was cut short is not looked into further: the time is spent.
    let atoms = match status {
        Status::Stopped => None,
        _ => match read(components) {
            Err(Error::Stopped { .. }) => {
                status = Status::Stopped;
                None
            }
            other => Some(other?),
        },
    };
    if let (Some(fewer), Some(atoms)) = (components.map(|k| k - 1).filter(|&k| k > 0), &atoms)
        && let Ok(other) = read(Some(fewer))
    {
        fewer_suffice(context, fewer, other.bic, atoms.bic);
    }
    let extra = json!({
        "method": "diffusion",
        "noise": fit.model.noise(),
        "rank": fit.model.rank(),
        "levels": fit.model.temperatures(),
        "discrete": atoms.as_ref().map(|a| a.discrete),
    });
    Ok(Learned {
        generator: MixtureModel::Score(Box::new(fit.model)),
        components: atoms.filter(|a| a.discrete).map(|a| a.mixture),
        status,
        evidence: fit.evidence,
        extra,
        words: String::new(),
    })
}

pub(super) fn moments(
    args: &Mixture,
    context: &Context,
    samples: &Samples,
    components: Option<usize>,
) -> Result<Learned, Error> {
    let rows = load(samples)?;
    let x = MatRef::from_row_major_slice(&rows, samples.rows(), samples.columns());
    let most = args.max_components.unwrap_or(MOST).min(samples.rows());
    let learner = components.map_or_else(|| MomentMethod::between(1, most), MomentMethod::new);
    let learner = learner.refine(!args.moments_only);
    let learner = match args.noise {
        Some(noise) => learner.noise(noise),
        None => learner,
    };
    let (mut rng, mut meter) = (context.rng(), context.meter());
    let fit = learner.learn_observed(x, &mut rng, &mut |p| meter.step(p))?;
    let asked = components.map(|k| k - 1);
    if let Some(fewer) = asked.filter(|&k| k > 0 && fit.status != Status::Stopped)
        && let Ok(other) =
            MomentMethod::new(fewer).learn_observed(x, &mut rng, &mut |p| meter.step(p))
    {
        fewer_suffice(context, fewer, other.model.bic, fit.model.bic);
    }
    with_moments(fit)
}

fn with_moments(fit: Fit<MomentModel>) -> Result<Learned, Error> {
    let alone = MixtureModel::Gaussian(fit.model.from_moments.clone()).to_body(None)?;
    let extra = json!({
        "method": "moments",
        "one_variance": fit.model.one_variance,
        "log_likelihood": fit.model.log_likelihood,
        "bic": fit.model.bic,
        "moments_alone": alone.get("components"),
    });
    Ok(Learned {
        generator: MixtureModel::Gaussian(fit.model.mixture),
        components: None,
        status: fit.status,
        evidence: fit.evidence,
        extra,
        words: String::new(),
    })
}

pub(super) fn em(
    args: &Mixture,
    context: &Context,
    samples: &Samples,
    components: Option<usize>,
) -> Result<Learned, Error> {
    let kinds = families(args)?;
    let rows = load(samples)?;
    let (n, dim) = (samples.rows(), samples.columns());
    let most = args.max_components.unwrap_or(MOST);
    let learner = components.map_or_else(|| Em::between(1, most.min(n)), Em::new);
    let mut rng = context.rng();
    let mut meter = context.meter();
    let x = MatRef::from_row_major_slice(&rows, n, dim);
    let learner = learner.kinds(&kinds).starts(args.starts.unwrap_or(20));
    let fit = learner.learn_observed(x, &mut rng, &mut |p| meter.step(p))?;
    Ok(with_em(fit, (components, most), context))
}

fn with_em(
    fit: Fit<EmModel>,
    (components, most): (Option<usize>, usize),
    context: &Context,
) -> Learned {
    let chosen = fit.model.mixture.len();
    if components.is_none() && chosen == most {
        context.warn(&format!(
            "BIC is best at {most} components, the largest number tried: give a larger --max-components, or the law is none of few Gaussians"
        ));
    }
    left_out(context, &fit.model);
    let smaller = fit
        .model
        .table
        .iter()
        .filter(|r| r.components < chosen && r.sound);
    if components.is_some()
        && let Some(best) = smaller.max_by(|a, b| a.bic.total_cmp(&b.bic))
    {
        fewer_suffice(context, best.components, best.bic, fit.model.bic);
    }
    let table: Vec<Value> = fit.model.table.iter().map(table_row).collect();
    let words = best_rows(&fit.model.table);
    let given_up: Vec<Value> = fit.model.given_up.iter().map(|g| {
        json!({ "covariance": g.kind.name(), "components": g.components, "reason": g.reason })
    }).collect();
    let extra = json!({
        "method": "em",
        "covariance": fit.model.kind.name(),
        "log_likelihood": fit.model.log_likelihood,
        "bic": fit.model.bic,
        "table": table,
        "given_up": given_up,
    });
    Learned {
        generator: MixtureModel::Gaussian(fit.model.mixture),
        components: None,
        status: fit.status,
        evidence: fit.evidence,
        extra,
        words,
    }
}

/// Whichever method explains held-out rows best; samples that do not fit in memory are streamed by diffusion.
pub(super) fn auto(
    args: &Mixture,
    context: &Context,
    (samples, looked_at): (&mut Samples, &[f64]),
    components: Option<usize>,
) -> Result<Learned, Error> {
    let (n, dim) = (samples.rows(), samples.columns());
    if n.saturating_mul(dim) > MAX_ENTRIES {
        context.warn("the sample is too large for memory: diffusion learns it, which streams");
        return diffusion(args, context, (samples, looked_at), components);
    }
    let rows = load(samples)?;
    let most = args.max_components.unwrap_or(MOST);
    let (least, most) = components.map_or((1, most), |k| (k, k));
    let learner = AutoMixture::new().between(least, most);
    let learner = learner
        .kinds(&families(args)?)
        .starts(args.starts.unwrap_or(20));
    let learner = match args.noise {
        Some(noise) => learner.noise(noise),
        None => learner,
    };
    let (mut rng, mut meter) = (context.rng(), context.meter());
    let x = MatRef::from_row_major_slice(&rows, n, dim);
    let fit = learner.learn_observed(x, &mut rng, &mut |p| meter.step(p))?;
    let Fit {
        model,
        status,
        history,
        work,
        evidence,
    } = fit;
    let (answer, candidates) = (model.answer, model.candidates);
    let method = answer.method();
    let mut learned = match answer {
        MixtureAnswer::Em(model) => {
            let fit = Fit {
                model,
                status,
                history,
                work,
                evidence,
            };
            with_em(fit, (components, most), context)
        }
        MixtureAnswer::Moments(model) => with_moments(Fit {
            model,
            status,
            history,
            work,
            evidence,
        })?,
        MixtureAnswer::Diffusion(model) => {
            let model = *model;
            let fit = Fit {
                model,
                status,
                history,
                work,
                evidence,
            };
            with_scores(fit, looked_at, components, (context, &mut rng))?
        }
    };
    learned.words = choice_lines(method, &candidates) + &learned.words;
    learned.extra["chosen_by"] = "auto".into();
    learned.extra["candidates"] = candidates.iter().map(candidate).collect();
    Ok(learned)
}

fn candidate(c: &MixtureCandidate) -> Value {
    json!({ "method": c.method.name(), "held_out": c.held_out, "ahead_of_em": c.ahead_of_em.map(|a| a.0),
            "standard_error": c.ahead_of_em.map(|a| a.1), "reason": c.reason })
}

/// Which method was taken, and why, as lines.
fn choice_lines(method: MixtureMethod, candidates: &[MixtureCandidate]) -> String {
    let mut text = format!("  method: {method}, chosen on rows that were held out\n");
    for c in candidates {
        text += &match (c.held_out, c.ahead_of_em) {
            (Some(l), Some((gain, error))) => format!(
                "    {}: {l:.4} nats a row, {gain:+.4} to em (standard error {error:.4}); {}\n",
                c.method, c.reason
            ),
            (Some(l), None) => format!("    {}: {l:.4} nats a row; {}\n", c.method, c.reason),
            (None, _) => format!("    {} took no part: {}\n", c.method, c.reason),
        };
    }
    text
}

/// Maximum likelihood of the measured entries of rows with gaps.
pub(super) fn masked(
    args: &Mixture,
    context: &Context,
    samples: &Samples,
    components: Option<usize>,
) -> Result<Learned, Error> {
    if args.noise.is_some() {
        let text = "--noise does not go with --missing mask: the covariances hold the noise";
        return Err(Error::invalid(OP, text));
    }
    let rows = load(samples)?;
    let (n, dim) = (samples.rows(), samples.columns());
    let most = args.max_components.unwrap_or(MOST_MASKED).min(n);
    let learner = components.map_or_else(|| MaskedEm::between(1, most), MaskedEm::new);
    let learner = learner
        .kinds(&families(args)?)
        .starts(args.starts.unwrap_or(10));
    let (mut rng, mut meter) = (context.rng(), context.meter());
    let x = MatRef::from_row_major_slice(&rows, n, dim);
    let fit = learner.learn_observed(x, &mut rng, &mut |p| meter.step(p))?;
    let table: Vec<Value> = fit.model.table.iter().map(table_row).collect();
    let m = &fit.model;
    let words = format!(
        "  {} of {} entries were not measured, {} row(s) without any are left out; {} different sets of measured columns\n",
        m.gaps,
        n * dim,
        m.empty_rows,
        m.patterns
    );
    let extra = json!({
        "method": "em",
        "missing": { "entries": m.gaps, "empty_rows": m.empty_rows, "patterns": m.patterns },
        "covariance": m.kind.name(),
        "log_likelihood": m.log_likelihood,
        "bic": m.bic,
        "table": table,
    });
    Ok(Learned {
        generator: MixtureModel::Gaussian(fit.model.mixture),
        components: None,
        status: fit.status,
        evidence: fit.evidence,
        extra,
        words,
    })
}

fn table_row(r: &EmRow) -> Value {
    json!({ "covariance": r.kind.name(), "components": r.components, "log_likelihood": r.log_likelihood,
            "parameters": r.parameters, "bic": r.bic, "sound": r.sound, "reason": r.reason })
}

/// The best rows of a table, as lines.
fn best_rows(table: &[EmRow]) -> String {
    let mut rows: Vec<&EmRow> = table.iter().filter(|r| r.sound).collect();
    rows.sort_by(|a, b| b.bic.total_cmp(&a.bic));
    let line = |r: &&EmRow| {
        format!(
            "    BIC {:.3}: {} with {} component(s), log-likelihood {:.3}, {} parameters\n",
            r.bic, r.kind, r.components, r.log_likelihood, r.parameters
        )
    };
    let lines: String = rows.iter().take(LISTED).map(line).collect();
    format!(
        "  best of {} fits by BIC (larger is better):\n{lines}",
        table.len()
    )
}

fn families(args: &Mixture) -> Result<Vec<CovarianceKind>, Error> {
    match args.covariance.as_deref() {
        None | Some("auto") => Ok(CovarianceKind::ALL.to_vec()),
        Some(name) => {
            let unknown = || Error::invalid(OP, format!("--covariance: unknown family {name}"));
            Ok(vec![CovarianceKind::from_name(name).ok_or_else(unknown)?])
        }
    }
}

/// One line for each family that the choice could not or should not fall on.
fn left_out(context: &Context, model: &EmModel) {
    let given_up = model.given_up.iter();
    let given_up = given_up.map(|g| (g.kind, g.components, g.reason.as_str()));
    let unsound = model.table.iter().filter(|r| !r.sound);
    let unsound = unsound.map(|r| (r.kind, r.components, r.reason.unwrap_or_default()));
    for (kind, components, reason) in unsound.chain(given_up) {
        context.warn(&format!(
            "{} with {components} component(s) left out: {reason}",
            kind.name()
        ));
    }
}

/// Says so when fewer components than were asked for explain the sample better.
fn fewer_suffice(context: &Context, fewer: usize, bic: f64, asked: f64) {
    if bic > asked {
        context.warn(&format!(
            "{fewer} components have the better BIC ({bic:.1}, {asked:.1} for the number asked for): some of those listed may be one"
        ));
    }
}

/// Every row, for methods that go over them many times.
fn load(samples: &Samples) -> Result<Vec<f64>, Error> {
    let (n, dim) = (samples.rows(), samples.columns());
    if n.checked_mul(dim).is_none_or(|total| total > MAX_ENTRIES) {
        return Err(Error::limit(OP, "numbers", MAX_ENTRIES as u64));
    }
    let mut rows = Vec::with_capacity(n * dim);
    for chunk in samples.chunks(4096) {
        rows.extend(chunk?.data);
    }
    Ok(rows)
}

/// About `count` rows, evenly spaced.
pub(super) fn evenly(samples: &Samples, count: usize) -> Result<Vec<f64>, Error> {
    let dim = samples.columns();
    let step = samples.rows().div_ceil(count).max(1);
    let mut rows = Vec::new();
    for chunk in samples.chunks(4096) {
        let chunk = chunk?;
        for (i, row) in chunk.data.chunks_exact(dim).enumerate() {
            if (chunk.first_row + i) % step == 0 {
                rows.extend_from_slice(row);
            }
        }
    }
    Ok(rows)
}
