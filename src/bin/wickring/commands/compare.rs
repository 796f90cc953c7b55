//! `wickring compare A B`: two CP models, rings or maps, and what differs between them.

use super::map::read_map;
use crate::context::{Context, Outcome};
use clap::Args;
use num_complex::Complex;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::{arrays, mat, npz, source};
use wickring::tensor::{CpTensor, Factor, Parafac2Model, Tensor, TensorRing, TuckerTensor};

/// Compare two factor files of decompose (CP: match score and matched components; PARAFAC2: the same and
/// distance; rings, trains and Tucker models: distance of their tensors) or two maps (distance in the best gauge).
#[derive(Args)]
pub struct Compare {
    /// Factors (.npz, .mat or .json with weights and factor_0, ..; core_0, ..; core and factor_0, ..) or a model of a map
    /// (.json).
    a: PathBuf,
    /// The same kind of file.
    b: PathBuf,
}

/// What a file holds.
enum Model {
    Cp(CpTensor<Complex<f64>>),
    Ring(TensorRing<Complex<f64>>),
    Tucker(TuckerTensor<Complex<f64>>),
    Parafac2(Parafac2Model),
    Map,
}

impl Model {
    fn name(&self) -> &'static str {
        match self {
            Self::Cp(_) => "CP factors",
            Self::Ring(_) => "cores of a ring",
            Self::Tucker(_) => "a Tucker model",
            Self::Parafac2(_) => "a PARAFAC2 model",
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
        (Model::Parafac2(a), Model::Parafac2(b)) => parafac2(&a, &b)?,
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
        "json" if is_model(path)? => Ok(Model::Map),
        "npz" | "mat" | "json" => factors(path),
        _ => {
            let problem = "expected factors (.npz, .mat, .json) or a model (.json)";
            Err(Error::file(path, "", problem))
        }
    }
}

/// Whether a JSON file says by its schema that it is a model.
fn is_model(path: &Path) -> Result<bool, Error> {
    let value: Result<Value, _> = serde_json::from_slice(&source::bytes(path)?);
    Ok(value.map_or(true, |v| v.get("schema").is_some()))
}

/// Arrays with the imaginary parts that stand beside them.
struct Parts(Vec<(String, Tensor)>);

impl Parts {
    fn find(&self, name: &str) -> Option<&Tensor> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map(|(_, t)| t)
    }

    /// One array with its imaginary part `name_imag`; `None` where it is not there.
    fn array(&self, name: &str) -> Option<Result<Tensor<Complex<f64>>, Error>> {
        let real = self.find(name)?;
        let zeros = || vec![0.0; real.as_slice().len()];
        let imag = self.find(&format!("{name}_imag"));
        let imag = imag.map_or_else(zeros, |t| t.as_slice().to_vec());
        let parts = real.as_slice().iter().zip(imag);
        let data = parts.map(|(&re, im)| Complex::new(re, im)).collect();
        Some(Tensor::from_vec(real.dims(), data))
    }

    /// The model of `decompose parafac2`.
    fn parafac2(&self) -> Result<Parafac2Model, Error> {
        let matrix = |name: &str| match self.find(name) {
            Some(t) if t.dims().len() == 2 => {
                Factor::new(t.dims()[0], t.dims()[1], t.as_slice().to_vec())
            }
            _ => Err(Error::shape("compare", "a matrix", name)),
        };
        let known = (0..).take_while(|k| self.find(&format!("basis_{k}")).is_some());
        let bases = known.map(|k: usize| matrix(&format!("basis_{k}")));
        let bases = bases.collect::<Result<Vec<_>, _>>()?;
        Parafac2Model::new(
            bases,
            matrix("core")?,
            matrix("shared")?,
            matrix("loadings")?,
        )
    }

    /// The arrays `stem_0`, `stem_1`, ..
    fn numbered(&self, stem: &str) -> Result<Vec<Tensor<Complex<f64>>>, Error> {
        (0..)
            .map_while(|k| self.array(&format!("{stem}_{k}")))
            .collect()
    }
}

/// The ring in a file of cores; `None` for any other file.
pub fn cores(path: &Path) -> Result<Option<TensorRing<Complex<f64>>>, Error> {
    let held = match source::format(path)?.as_str() {
        "npz" => npz::list(path)?.iter().any(|m| m.name == "core_0"),
        "mat" => mat::list(path)?.iter().any(|v| v.name == "core_0"),
        "json" => !is_model(path)?,
        _ => false,
    };
    if !held {
        return Ok(None);
    }
    let cores = Parts(arrays::read(path)?).numbered("core")?;
    if cores.is_empty() {
        return Ok(None);
    }
    let fault = |e: Error| Error::file(path, "", e.problem());
    TensorRing::new(cores).map(Some).map_err(fault)
}

fn factors(path: &Path) -> Result<Model, Error> {
    if let Some(ring) = cores(path)? {
        return Ok(Model::Ring(ring));
    }
    let parts = Parts(arrays::read(path)?);
    let fault = |e: Error| Error::file(path, "", e.problem());
    if parts.find("shared").is_some() && parts.find("loadings").is_some() {
        return parts.parafac2().map(Model::Parafac2).map_err(fault);
    }
    let columns = |t: Tensor<Complex<f64>>| match *t.dims() {
        [n, r] => Factor::new(n, r, t.into_vec()),
        _ => Err(Error::shape(
            "compare",
            "factors with two dimensions",
            format!("{:?}", t.dims()),
        )),
    };
    let factors = parts.numbered("factor")?.into_iter().map(columns);
    let factors: Result<Vec<_>, _> = factors.collect();
    let some = factors.as_ref().is_ok_and(|f| !f.is_empty());
    match (parts.array("core"), parts.array("weights")) {
        (Some(core), _) if some => {
            let model = factors.and_then(|f| TuckerTensor::new(core?, f));
            model.map(Model::Tucker).map_err(fault)
        }
        (None, Some(weights)) if some => {
            // A list stands in a .mat file as one column.
            let model = factors.and_then(|f| CpTensor::new(weights?.into_vec(), f));
            model.map(Model::Cp).map_err(fault)
        }
        _ => {
            factors.map_err(fault)?;
            let problem = "holds neither weights nor core with factor_0, .., nor core_0, ..; of two schemes: wickring scheme canonical A B";
            Err(Error::file(path, "", problem))
        }
    }
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
        let (wa, wb) = (length(a, r), length(b, s));
        text += &format!("  {r} and {s}: cosine {cosine:.6}, weights {wa:.6e} and {wb:.6e}\n");
        rows.push(json!({ "a": r, "b": s, "cosine": cosine, "weight_a": wa, "weight_b": wb }));
    }
    let value = json!({
        "kind": "cp", "ranks": [ra, rb], "match_score": score, "distance": distance, "components": rows,
    });
    Ok((value, text))
}

/// The weight that a component has where its columns are unit vectors, whatever their lengths in the file.
fn length(model: &CpTensor<Complex<f64>>, r: usize) -> f64 {
    let columns = model.factors().iter().map(|f| f.column_norm(r));
    model.weights()[r].norm() * columns.product::<f64>()
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

fn parafac2(a: &Parafac2Model, b: &Parafac2Model) -> Result<(Value, String), Error> {
    let scale = a.norm().max(b.norm()).max(f64::MIN_POSITIVE);
    let distance = a.distance(b)? / scale;
    let (ra, rb) = (a.rank(), b.rank());
    let mut text = format!(
        "PARAFAC2 models of ranks {ra} and {rb}: relative distance of their slices {distance:.3e}\n"
    );
    let mut rows = Vec::new();
    if ra == rb {
        for (r, s, cosine) in a.matching(b)? {
            text += &format!("  {r} and {s}: cosine {cosine:.6}\n");
            rows.push(json!({ "a": r, "b": s, "cosine": cosine }));
        }
    }
    let value = json!({
        "kind": "parafac2", "ranks": [ra, rb], "distance": distance, "components": rows,
    });
    Ok((value, text))
}
