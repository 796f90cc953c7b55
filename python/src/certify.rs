//! Exact verdicts on schemes and models, certificates, and their independent checker.

use crate::arrays::{entries, view};
use crate::error::OrRaise;
use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::certify::{self, Certificate, Claim, Expression, Language, Limits};
use wickring::io::npz;
use wickring::scheme::{
    RationalRing, Residual, Scheme, SchemeField, SchemeFormat, Target, Verdict, examine,
    read_models, read_schemes, rings_from_arrays, schemes_from_arrays,
};
use wickring::tensor::Tensor;

type Named<'py> = Vec<(String, PyReadonlyArrayDyn<'py, f64>)>;

/// Replays the claims of a certificate.
#[pyfunction]
#[pyo3(signature = (text, max_bytes = None, max_steps = None))]
pub fn check<'py>(
    py: Python<'py>,
    text: &str,
    max_bytes: Option<usize>,
    max_steps: Option<u64>,
) -> PyResult<Bound<'py, PyDict>> {
    let usual = Limits::default();
    let limits = Limits {
        bytes: max_bytes.unwrap_or(usual.bytes),
        steps: max_steps.unwrap_or(usual.steps),
        ..usual
    };
    let report = py.detach(|| certify::check(text, limits)).or_raise(py)?;
    let claims = PyList::empty(py);
    for f in &report.findings {
        let claim = PyDict::new(py);
        claim.set_item("kind", &f.kind)?;
        claim.set_item("about", &f.about)?;
        claim.set_item("holds", f.holds)?;
        claim.set_item("reason", &f.reason)?;
        claims.append(claim)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("ok", report.holds())?;
    dict.set_item("producer", &report.producer)?;
    dict.set_item("inputs", report.inputs.clone())?;
    dict.set_item("claims", claims)?;
    Ok(dict)
}

/// The claims of a certificate for another system: `lean`, `lean-core`, `coq`, `sage` or `python`.
#[pyfunction]
pub fn emit(py: Python<'_>, text: &str, language: &str) -> PyResult<String> {
    let language = match language {
        "lean" => Language::Lean,
        "lean-core" => Language::LeanCore,
        "coq" => Language::Coq,
        "sage" => Language::Sage,
        "python" => Language::Python,
        _ => {
            return Err(PyValueError::new_err(
                "language: one of lean, lean-core, coq, sage, python",
            ));
        }
    };
    certify::emit(text, language).or_raise(py)
}

/// What a file or a set of arrays claims.
type Claims = (Vec<Scheme>, Vec<RationalRing>);

fn from_arrays(arrays: &[(String, Tensor)], stem: &str) -> Result<Claims, Error> {
    let rings = rings_from_arrays(arrays)?;
    match rings.is_empty() {
        true => Ok((schemes_from_arrays(arrays, stem)?, rings)),
        false => Ok((Vec::new(), rings)),
    }
}

fn from_file(path: &Path) -> Result<Claims, Error> {
    let lossy = |x: Option<&std::ffi::OsStr>| x.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, extension) = (lossy(path.file_stem()), lossy(path.extension()));
    let here = |e: Error| Error::file(path, "", e.to_string());
    if extension == "npz" {
        return from_arrays(&npz::read(path)?, &stem).map_err(here);
    }
    let format = SchemeFormat::of_extension(&extension);
    let known = "expected .json, .m, .mpl, .exp, .txt or .npz";
    let format = format.ok_or_else(|| Error::file(path, "", known))?;
    let bytes = wickring::io::source::bytes(path)?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Error::file(path, "", "is not UTF-8 text"))?;
    if format == SchemeFormat::Json
        && let Some(models) = read_models(text).map_err(here)?
    {
        return Ok(models);
    }
    Ok((read_schemes(text, format, &stem).map_err(here)?, Vec::new()))
}

/// One verdict, as data.
struct Row {
    name: String,
    verdict: &'static str,
    target: String,
    field: String,
    rank: usize,
    wrong_entries: usize,
    rel_residual: f64,
    claim: Option<Claim>,
}

fn scheme_row(scheme: &Scheme, target: Option<&Target>, field: SchemeField) -> Result<Row, Error> {
    let found = examine(scheme, target, field)?;
    let claim = found.scheme.claim(&found.field, &found.target);
    let (verdict, claim) = match found.verdict {
        Verdict::Exact => ("exact", Some(claim)),
        Verdict::Border { order } => ("border", Some(claim.up_to_order(order))),
        _ => ("wrong", None),
    };
    let rational = !found.field.starts_with("mod") && verdict != "border";
    Ok(Row {
        name: scheme.name.clone(),
        verdict,
        target: found.target.name(),
        rank: scheme.rank(),
        wrong_entries: found.residual.wrong_entries(),
        rel_residual: match rational {
            true => found.residual.relative_bound(&found.target),
            false => f64::NAN,
        },
        field: found.field,
        claim,
    })
}

fn ring_row(ring: &RationalRing, target: Option<&Target>) -> Result<Row, Error> {
    let target = target.ok_or_else(|| Error::invalid("verify", "a ring needs a tensor"))?;
    let residual = ring.residual(target)?;
    let exact = residual.is_zero();
    Ok(Row {
        name: ring.name.clone(),
        verdict: if exact { "exact" } else { "wrong" },
        target: target.name(),
        field: ring.field().to_owned(),
        rank: ring.ranks().into_iter().max().unwrap_or(0),
        wrong_entries: residual.wrong_entries(),
        rel_residual: residual.relative_bound(target),
        claim: exact.then(|| ring.claim(target)),
    })
}

/// Verdicts on a file of schemes (`path`) or on named arrays, against a tensor by name or as an array.
#[pyfunction]
pub fn verify<'py>(
    py: Python<'py>,
    path: Option<PathBuf>,
    arrays: Named<'py>,
    tensor: Option<&str>,
    dense: Option<PyReadonlyArrayDyn<'py, f64>>,
    field: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let field = SchemeField::parse(field).or_raise(py)?;
    let dense = dense.as_ref().map(view).transpose()?;
    let arrays = tensors(&arrays)?;
    let work = || -> Result<Vec<Row>, Error> {
        let target = match (tensor, dense) {
            (Some(name), _) => Some(Target::parse(name)?),
            (None, Some(t)) => Some(Target::dense(t)?),
            (None, None) => None,
        };
        let (schemes, rings) = match &path {
            Some(path) => from_file(path)?,
            None => from_arrays(&arrays, "")?,
        };
        let schemes = schemes
            .iter()
            .map(|s| scheme_row(s, target.as_ref(), field));
        schemes
            .chain(rings.iter().map(|r| ring_row(r, target.as_ref())))
            .collect()
    };
    let rows = py.detach(work).or_raise(py)?;
    let (claims, mut certificate) = (PyList::empty(py), Certificate::new());
    let mut all = true;
    for row in rows {
        let line = PyDict::new(py);
        line.set_item("name", row.name)?;
        line.set_item("verdict", row.verdict)?;
        line.set_item("holds", row.verdict != "wrong")?;
        line.set_item("target", row.target)?;
        line.set_item("field", row.field)?;
        line.set_item("rank", row.rank)?;
        line.set_item("wrong_entries", row.wrong_entries)?;
        line.set_item("rel_residual", row.rel_residual)?;
        claims.append(line)?;
        all &= row.verdict != "wrong";
        if let Some(claim) = row.claim {
            certificate = certificate.claim(claim);
        }
    }
    let dict = PyDict::new(py);
    dict.set_item("ok", all && !claims.is_empty())?;
    dict.set_item("claims", claims)?;
    let text = (!certificate.is_empty()).then(|| certificate.to_json());
    dict.set_item("certificate", text)?;
    Ok(dict)
}

fn tensors(arrays: &Named<'_>) -> PyResult<Vec<(String, Tensor)>> {
    let one = |(name, x): &(String, PyReadonlyArrayDyn<'_, f64>)| {
        let t = Tensor::from_vec(x.shape(), entries(x)?.to_vec()).or_raise(x.py())?;
        Ok((name.clone(), t))
    };
    arrays.iter().map(one).collect()
}

/// Products of entries beyond which no certificate is written: the checker would need minutes.
const MAX_PRODUCTS: usize = 1 << 20;

/// A certificate that the model in `arrays` is within a stated relative distance of a tensor; exact arithmetic, rounded
/// outward.
#[pyfunction]
pub fn residual_certificate<'py>(
    py: Python<'py>,
    arrays: Named<'py>,
    tensor: PyReadonlyArrayDyn<'py, f64>,
) -> PyResult<String> {
    let op = "certificate";
    let (arrays, t) = (tensors(&arrays)?, view(&tensor)?);
    let work = || -> Result<String, Error> {
        let size: usize = t.dims().iter().product();
        let (schemes, rings) = from_arrays(&arrays, "")?;
        let products = rings
            .iter()
            .map(|r| r.ranks().iter().product())
            .chain(schemes.iter().map(Scheme::rank));
        if size.saturating_mul(products.max().unwrap_or(1)) > MAX_PRODUCTS {
            return Err(Error::limit(op, "products to replay", MAX_PRODUCTS as u64));
        }
        let target = Target::dense(t)?;
        let mut certificate = Certificate::new();
        let none = || Error::invalid(op, "no relative bound exists for a tensor that is zero");
        for s in &schemes {
            let bound = Residual::of(s, &target)?.relative_bound(&target);
            let bound = Some(bound).filter(|b| b.is_finite()).ok_or_else(none)?;
            certificate = certificate.claim(s.residual_claim(&target, bound));
        }
        for r in &rings {
            let bound = r.residual(&target)?.relative_bound(&target);
            let bound = Some(bound).filter(|b| b.is_finite()).ok_or_else(none)?;
            certificate = certificate.claim(r.residual_claim(&target, bound));
        }
        Ok(certificate.to_json())
    };
    py.detach(work).or_raise(py)
}

/// A certificate that two expressions, as they are written, are equal; the checker decides whether it is true.
#[pyfunction]
pub fn identity_certificate(py: Python<'_>, left: &str, right: &str) -> PyResult<String> {
    let side = |text: &str| Expression::parse(text).or_raise(py);
    let claim = Claim::equal(&side(left)?, &side(right)?);
    Ok(Certificate::new().claim(claim).to_json())
}
