//! `wickring map ...`: what can be asked of a learned quadratic or polynomial map.

use crate::context::{Context, Outcome};
use clap::{Args, Subcommand};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::model::POLYNOMIAL_MAP;
use wickring::io::model::{ModelFile, QUADRATIC_MAP, in_file};
use wickring::io::write_whole;
use wickring::learn::add_noise;
use wickring::poly::gaussian::{GaussianLaw, HermiteExpansion, joint_cumulant};
use wickring::poly::{Poly, Rational};
use wickring::stats::TwoSampleTest;
use wickring::tensor::PolynomialMap;

/// Questions to a map.
#[derive(Subcommand)]
pub enum Map {
    Pce(Pce),
    Cumulants(Cumulants),
    Distance(Distance),
    Test(Test),
}

/// Export as a polynomial-chaos expansion: coefficients of products of probabilists' Hermite polynomials.
#[derive(Args)]
pub struct Pce {
    /// A quadratic-map or polynomial-map model file.
    model: PathBuf,
}

/// Exact joint cumulants of outputs, as rational numbers: every float of the model is one.
#[derive(Args)]
pub struct Cumulants {
    /// A quadratic-map or polynomial-map model file.
    model: PathBuf,
    /// Outputs, numbered from 0.
    #[arg(long, value_delimiter = ',', default_value = "0")]
    outputs: Vec<usize>,
    /// Highest order.
    #[arg(long, default_value_t = 3)]
    order: usize,
}

/// Relative distance between two maps, whatever the orthogonal gauge of their latents.
#[derive(Args)]
pub struct Distance {
    /// A model file.
    model: PathBuf,
    /// The model it is compared with.
    reference: PathBuf,
}

/// Two-sample tests of a map against samples that it was not learned from: exit 0 if they agree, 1 if not.
#[derive(Args)]
pub struct Test {
    /// A model file.
    model: PathBuf,
    /// Samples as rows.
    #[arg(required = true)]
    samples: Vec<PathBuf>,
}

/// Above this many spreads between fresh samples the laws differ.
const MAX_Z: f64 = 6.0;
/// Joint cumulants listed at most.
const MAX_TUPLES: usize = 5000;

/// Runs `wickring map`.
pub fn run(command: &Map, context: &Context) -> Result<Outcome, Error> {
    match command {
        Map::Pce(args) => pce(args, context),
        Map::Cumulants(args) => cumulants(args, context),
        Map::Distance(args) => distance(args, context),
        Map::Test(args) => test(args, context),
    }
}

/// The map in a model file, of either kind.
pub fn read_map(path: &Path) -> Result<PolynomialMap, Error> {
    let file = ModelFile::read(path)?;
    let map = match file.header.schema.as_str() {
        QUADRATIC_MAP => file
            .quadratic_map()
            .and_then(|m| PolynomialMap::of_quadratic(&m)),
        POLYNOMIAL_MAP => file.polynomial_map(),
        other => {
            let problem =
                format!("has schema {other}, expected {QUADRATIC_MAP} or {POLYNOMIAL_MAP}");
            return Err(Error::file(path, "schema", problem));
        }
    };
    map.map_err(|e| in_file(path, e))
}

fn pce(args: &Pce, context: &Context) -> Result<Outcome, Error> {
    let map = read_map(&args.model)?;
    let mut outputs = Vec::new();
    let mut text = String::new();
    for a in 0..map.output_dim() {
        if context.should_stop() {
            return Err(Error::Stopped { op: "map pce" });
        }
        let expansion = HermiteExpansion::from_poly(&map.output(a)?)?;
        let r = map.latent_dim();
        let mut terms: Vec<(Vec<u32>, f64)> = expansion
            .symbol()
            .terms()
            .map(|(mut e, c)| {
                e.resize(r, 0);
                (e, c.to_f64())
            })
            .collect();
        terms.sort_by(|x, y| {
            let degree = |e: &[u32]| e.iter().sum::<u32>();
            degree(&x.0).cmp(&degree(&y.0)).then(y.0.cmp(&x.0))
        });
        let mean = expansion.expectation();
        let variance = &expansion.inner(&expansion)? - &(&mean * &mean);
        let (mean, variance) = (mean.to_f64(), variance.to_f64());
        text += &format!(
            "output {a}: {} terms, mean {mean}, variance {variance}\n",
            terms.len()
        );
        outputs.push(json!({ "mean": mean, "variance": variance, "terms": terms }));
    }
    let value = json!({
        "schema": "wickring/chaos-expansion/1",
        "version": env!("CARGO_PKG_VERSION"),
        "germ": "independent standard normal",
        "basis": "products of probabilists' Hermite polynomials He_k, E He_j He_k = k! [j = k]",
        "latent_dim": map.latent_dim(),
        "output_dim": map.output_dim(),
        "degree": map.degree(),
        "outputs": outputs,
    });
    if let Some(out) = &context.common.out {
        write_whole(out, format!("{value}\n").as_bytes())?;
        text += &format!("wrote {}\n", out.display());
    }
    context.emit(&value, &text);
    Ok(Outcome::Certified)
}

fn cumulants(args: &Cumulants, context: &Context) -> Result<Outcome, Error> {
    let map = read_map(&args.model)?;
    if !(1..=8).contains(&args.order) {
        let text = format!("--order in 1..=8, got {}", args.order);
        return Err(Error::invalid("map cumulants", text));
    }
    let polynomials: Vec<Poly<Rational>> = args
        .outputs
        .iter()
        .map(|&a| map.output(a))
        .collect::<Result<_, _>>()?;
    let law = GaussianLaw::standard(map.latent_dim());
    let (mut list, mut text) = (Vec::<Value>::new(), String::new());
    for order in 1..=args.order {
        for index in tuples(polynomials.len(), order) {
            if context.should_stop() {
                return Err(Error::Stopped {
                    op: "map cumulants",
                });
            }
            if list.len() >= MAX_TUPLES {
                return Err(Error::limit(
                    "map cumulants",
                    "joint cumulants",
                    MAX_TUPLES as u64,
                ));
            }
            let chosen: Vec<&Poly<Rational>> = index.iter().map(|&i| &polynomials[i]).collect();
            let value = joint_cumulant(&law, &chosen)?;
            let names: Vec<usize> = index.iter().map(|&i| args.outputs[i]).collect();
            text += &format!("{names:?}  {:.15e}\n", value.to_f64());
            let exact = value.to_string();
            list.push(json!({ "outputs": names, "exact": exact, "value": value.to_f64() }));
        }
    }
    let value = json!({ "cumulants": list });
    if let Some(out) = &context.common.out {
        write_whole(out, format!("{value}\n").as_bytes())?;
    }
    context.emit(&value, &text);
    Ok(Outcome::Certified)
}

/// Nondecreasing tuples of numbers below `n`.
fn tuples(n: usize, order: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..order {
        all = all
            .into_iter()
            .flat_map(|t: Vec<usize>| {
                let from = t.last().copied().unwrap_or(0);
                (from..n).map(move |k| [t.as_slice(), &[k]].concat())
            })
            .take(MAX_TUPLES + 1)
            .collect();
    }
    all
}

fn distance(args: &Distance, context: &Context) -> Result<Outcome, Error> {
    let (map, reference) = (read_map(&args.model)?, read_map(&args.reference)?);
    let distance = map.distance(&reference)?;
    let text = format!("relative distance in the best gauge, mean squares: {distance:.6e}\n");
    context.emit(&json!({ "distance": distance }), &text);
    Ok(Outcome::Certified)
}

fn test(args: &Test, context: &Context) -> Result<Outcome, Error> {
    let map = read_map(&args.model)?;
    let noise = ModelFile::read(&args.model)?.noise();
    let noise = noise.map_err(|e| in_file(&args.model, e))?;
    let samples = context.rows(&args.samples, &context.common.columns)?;
    let d = map.output_dim();
    if samples.columns() != d {
        return Err(samples.mismatch(d, &format!("the map has {d} outputs")));
    }
    // Rows spread over the whole sample, without loading it.
    let every = (samples.rows() / 1000).max(1);
    let mut rows = Vec::new();
    for chunk in samples.chunks(4096) {
        let chunk = chunk?;
        for (i, row) in chunk.data.chunks_exact(d).enumerate() {
            if (chunk.first_row + i).is_multiple_of(every) {
                rows.extend_from_slice(row);
            }
        }
    }
    let sample = faer::MatRef::from_row_major_slice(&rows, rows.len() / d, d);
    let mut draw = |n: usize, rng: &mut ChaCha8Rng| {
        let mut rows = map.sample(n, rng);
        add_noise(&mut rows, &noise, rng);
        Ok(rows)
    };
    let found = TwoSampleTest::run(sample, &mut draw, &mut context.rng())?;
    let agree = found.sliced_z <= MAX_Z && found.energy_z <= MAX_Z;
    let value = json!({
        "agree": agree,
        "rows": found.rows,
        "sliced_wasserstein": found.sliced,
        "sliced_wasserstein_fresh": found.sliced_fresh,
        "sliced_wasserstein_z": found.sliced_z,
        "energy": found.energy,
        "energy_z": found.energy_z,
        "allowed_z": MAX_Z,
    });
    let text = format!(
        "{}: {} rows; sliced Wasserstein {:.4} standard deviations ({:.4} between fresh samples, z {:.1}), energy z {:.1}; at most {MAX_Z}\n",
        if agree { "AGREE" } else { "DIFFER" },
        found.rows,
        found.sliced,
        found.sliced_fresh,
        found.sliced_z,
        found.energy_z
    );
    context.emit(&value, &text);
    Ok(if agree {
        Outcome::Certified
    } else {
        Outcome::Refuted
    })
}
