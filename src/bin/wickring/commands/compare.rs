//! `wickring compare A B`: two CP models, rings or maps, and what differs between them.

use super::map::read_map;
use crate::context::{Context, Outcome};
use clap::Args;
use num_complex::Complex;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::{npz, source};
use wickring::tensor::{CpTensor, Factor, Tensor, TensorRing, TuckerTensor};

/// Compare two factor files of decompose (CP: match score and matched components; rings, trains and Tucker models:
/// distance of their tensors) or two maps (distance in the best gauge).
#[derive(Args)]
pub struct Compare {
    /// Factors (.npz with weights and factor_0, ..; core_0, ..; core and factor_0, ..) or a model of a map (.json).
    a: PathBuf,
    /// The same kind of file.
    b: PathBuf,
}

/// What a file holds.
enum Model {
    Cp(CpTensor<Complex<f64>>),
    Ring(TensorRing<Complex<f64>>),
    Tucker(TuckerTensor<Complex<f64>>),
    Map,
}

impl Model {
    fn name(&self) -> &'static str {
        match self {
            Self::Cp(_) => "CP factors",
            Self::Ring(_) => "cores of a ring",
            Self::Tucker(_) => "a Tucker model",
            Self::Map => "a map",
        }
    }
}

/// Runs `wickring compare`.
pub fn run(args: &Compare, context: &Context) -> Result<Outcome, Error> {
    let (value, text) = match (read(&args.a)?, read(&args.b)?) {
        (Model::Cp(a), Model::Cp(b)) => cp(&a, &b)?,
        (Model::Ring(a), Model::Ring(b)) => ring(&a, &b)?,
        (Model::Tucker(a), Model::Tucker(b)) => tucker(&a, &b)?,
        (Model::Map, Model::Map) => {
            let distance = read_map(&args.a)?.distance(&read_map(&args.b)?)?;
            let text =
                format!("relative distance in the best gauge, mean squares: {distance:.6e}\n");
            (json!({ "kind": "map", "distance": distance }), text)
        }
        (a, b) => {
            let problem = format!(
                "holds {}, but {} holds {}",
                b.name(),
                args.a.display(),
                a.name()
            );
            return Err(Error::file(args.b.as_path(), "", problem));
        }
    };
    context.emit(&value, &text);
    Ok(Outcome::Certified)
}

fn read(path: &Path) -> Result<Model, Error> {
    match source::format(path)?.as_str() {
        "json" => Ok(Model::Map),
        "npz" => factors(path),
        _ => {
            let problem = "expected factors (.npz) or a model (.json)";
            Err(Error::file(path, "", problem))
        }
    }
}

/// The arrays `stem_0`, `stem_1`, .. with their imaginary parts `stem_k_imag`.
fn numbered(path: &Path, names: &[String], stem: &str) -> Result<Vec<Tensor<Complex<f64>>>, Error> {
    let mut found = Vec::new();
    for name in (0..).map(|k| format!("{stem}_{k}")) {
        if !names.contains(&name) {
            break;
        }
        found.push(array(path, names, &name)?);
    }
    Ok(found)
}

/// One array with its imaginary part `name_imag`.
fn array(path: &Path, names: &[String], name: &str) -> Result<Tensor<Complex<f64>>, Error> {
    let real = match npz::read_array(path, name)? {
        npz::Array::Complex(t) => return Ok(t),
        npz::Array::Real(t) => t,
    };
    let imag = format!("{name}_imag");
    let imag = match names.contains(&imag) {
        true => npz::read_one(path, &imag)?.into_vec(),
        false => vec![0.0; real.as_slice().len()],
    };
    let parts = real.as_slice().iter().zip(imag);
    let data = parts.map(|(&re, im)| Complex::new(re, im)).collect();
    Tensor::from_vec(real.dims(), data)
}

/// The ring in a file of cores; `None` for any other file.
pub fn cores(path: &Path) -> Result<Option<TensorRing<Complex<f64>>>, Error> {
    if source::format(path)? != "npz" {
        return Ok(None);
    }
    let names: Vec<String> = npz::list(path)?.into_iter().map(|m| m.name).collect();
    let cores = numbered(path, &names, "core")?;
    if cores.is_empty() {
        return Ok(None);
    }
    let fault = |e: Error| Error::file(path, "", e.problem());
    TensorRing::new(cores).map(Some).map_err(fault)
}

fn factors(path: &Path) -> Result<Model, Error> {
    let names: Vec<String> = npz::list(path)?.into_iter().map(|m| m.name).collect();
    if let Some(ring) = cores(path)? {
        return Ok(Model::Ring(ring));
    }
    let fault = |e: Error| Error::file(path, "", e.problem());
    let factors = numbered(path, &names, "factor")?;
    let holds = |name: &str| names.iter().any(|n| n == name);
    if factors.is_empty() || !(holds("weights") || holds("core")) {
        let problem = "holds neither weights nor core with factor_0, .., nor core_0, ..";
        return Err(Error::file(path, "", problem));
    }
    let columns = |t: Tensor<Complex<f64>>| match *t.dims() {
        [n, r] => Factor::new(n, r, t.into_vec()),
        _ => Err(Error::shape(
            "compare",
            "factors with two dimensions",
            format!("{:?}", t.dims()),
        )),
    };
    let factors: Result<Vec<_>, _> = factors.into_iter().map(columns).collect();
    if holds("core") {
        let core = array(path, &names, "core")?;
        let model = factors.and_then(|f| TuckerTensor::new(core, f));
        return model.map(Model::Tucker).map_err(fault);
    }
    let weights = npz::read_one(path, "weights")?.into_vec();
    let weights = weights.into_iter().map(|w| Complex::new(w, 0.0)).collect();
    let model = factors.and_then(|f| CpTensor::new(weights, f));
    model.map(Model::Cp).map_err(fault)
}

fn cp(a: &CpTensor<Complex<f64>>, b: &CpTensor<Complex<f64>>) -> Result<(Value, String), Error> {
    let score = a.match_score(b)?;
    let (ra, rb) = (a.rank(), b.rank());
    let minus = Complex::new(-1.0, 0.0);
    let scale = a.norm().max(b.norm()).max(f64::MIN_POSITIVE);
    let distance = a.add(&b.scaled(&minus))?.norm() / scale;
    let mut text = format!(
        "CP models of ranks {ra} and {rb}: match score {score:.6}, relative distance of the tensors {distance:.3e}\n"
    );
    let mut rows = Vec::new();
    for (r, s, cosine) in a.matching(b)? {
        if r >= ra || s >= rb {
            let (side, k) = if r < ra { ("A", r) } else { ("B", s) };
            text += &format!("  component {k} of {side} has no partner\n");
            rows.push(
                json!({ "a": (r < ra).then_some(r), "b": (s < rb).then_some(s), "cosine": 0.0 }),
            );
            continue;
        }
        let (wa, wb) = (a.weights()[r].norm(), b.weights()[s].norm());
        text += &format!("  {r} and {s}: cosine {cosine:.6}, weights {wa:.6e} and {wb:.6e}\n");
        rows.push(json!({ "a": r, "b": s, "cosine": cosine, "weight_a": wa, "weight_b": wb }));
    }
    let value = json!({
        "kind": "cp", "ranks": [ra, rb], "match_score": score, "distance": distance, "components": rows,
    });
    Ok((value, text))
}

fn ring(
    a: &TensorRing<Complex<f64>>,
    b: &TensorRing<Complex<f64>>,
) -> Result<(Value, String), Error> {
    let scale = a.norm().max(b.norm()).max(f64::MIN_POSITIVE);
    let distance = a.distance(b)? / scale;
    let (ra, rb) = (a.ranks(), b.ranks());
    let text = format!(
        "rings of ranks {ra:?} and {rb:?}: relative distance of their tensors {distance:.3e}\n"
    );
    let value = json!({ "kind": "ring", "ranks": [ra, rb], "distance": distance });
    Ok((value, text))
}

fn tucker(
    a: &TuckerTensor<Complex<f64>>,
    b: &TuckerTensor<Complex<f64>>,
) -> Result<(Value, String), Error> {
    let scale = a.norm()?.max(b.norm()?).max(f64::MIN_POSITIVE);
    let distance = a.distance(b)? / scale;
    let (ra, rb) = (a.ranks(), b.ranks());
    let text = format!(
        "Tucker models of ranks {ra:?} and {rb:?}: relative distance of their tensors {distance:.3e}\n"
    );
    let value = json!({ "kind": "tucker", "ranks": [ra, rb], "distance": distance });
    Ok((value, text))
}
