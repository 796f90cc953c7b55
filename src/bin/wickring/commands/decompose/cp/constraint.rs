//! `wickring decompose cp --constraint`: constraints of single modes.

use super::report::Report;
use crate::commands::tensor_file::require_finite;
use crate::context::{Context, Outcome};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::decomp::{Constraint, CpConstrained, CpMasked};
use wickring::io::StoredTensor;
use wickring::run::Progress;
use wickring::tensor::{Factor, Tensor};

/// One `--constraint`: its modes, none for all, and what they must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    modes: Option<Vec<usize>>,
    what: What,
}

impl Asked {
    /// Nothing negative in any mode.
    pub fn nonneg() -> Self {
        Self {
            modes: None,
            what: What::Known(Constraint::Nonnegative),
        }
    }
}

/// A constraint as it is typed: a factor still lies in its file.
#[derive(Clone, Debug, PartialEq)]
enum What {
    Known(Constraint),
    File(PathBuf),
}

/// Reads `MODES:KIND`, with modes as in `0`, `0,2` or `all`.
pub fn parse(text: &str) -> Result<Asked, String> {
    let expected = "expected MODES:KIND, as in 0:nonneg, 0,2:unimodal, all:l1:0.01, 1:smooth:0.1, 2:orthonormal or 0:fixed:a.npy; modes count from 0";
    let (modes, kind) = text.split_once(':').ok_or(expected)?;
    let modes = match modes {
        "all" => None,
        list => {
            let numbers = list.split(',').map(|m| m.trim().parse());
            Some(numbers.collect::<Result<_, _>>().map_err(|_| expected)?)
        }
    };
    let (word, value) = kind
        .split_once(':')
        .map_or((kind, None), |(w, v)| (w, Some(v)));
    let cost = || {
        let number = value.and_then(|v| v.parse::<f64>().ok());
        let good = number.filter(|x| *x > 0.0 && x.is_finite());
        good.ok_or(format!("{word} needs a positive cost, as in {word}:0.1"))
    };
    let plain = |known: Constraint| match value {
        None => Ok(known),
        Some(_) => Err(format!("{word} takes no value")),
    };
    let what = match word {
        "nonneg" => What::Known(plain(Constraint::Nonnegative)?),
        "unimodal" => What::Known(plain(Constraint::Unimodal)?),
        "orthonormal" => What::Known(plain(Constraint::Orthonormal)?),
        "smooth" => What::Known(Constraint::Smooth(cost()?)),
        "l1" => What::Known(Constraint::Sparse(cost()?)),
        "fixed" => What::File(value.ok_or("fixed needs a file, as in fixed:a.npy")?.into()),
        _ => return Err(expected.into()),
    };
    Ok(Asked { modes, what })
}

/// The factor in a file: a matrix with a column for each component.
fn fixed(path: &Path) -> Result<Factor, Error> {
    let matrix = match StoredTensor::read(path, None)? {
        StoredTensor::Real(t) => t,
        StoredTensor::Sparse(s) => s.to_dense(1 << 25)?,
        StoredTensor::Complex(_) => {
            return Err(Error::file(path, "", "is complex, expected real entries"));
        }
    };
    match *matrix.dims() {
        [rows, cols] => Factor::new(rows, cols, matrix.into_vec()),
        _ => {
            let problem = format!("has shape {:?}, expected a matrix", matrix.dims());
            Err(Error::file(path, "", problem))
        }
    }
}

/// The method with all that was asked for, and what the report says of it.
fn method(
    engine: CpConstrained,
    asked: &[Asked],
    order: usize,
) -> Result<(CpConstrained, Vec<Value>), Error> {
    let (mut engine, mut list) = (engine, Vec::new());
    for one in asked {
        let constraint = match &one.what {
            What::Known(known) => known.clone(),
            What::File(path) => Constraint::Fixed(fixed(path)?),
        };
        let all = || (0..order).collect();
        for mode in one.modes.clone().unwrap_or_else(all) {
            let mut entry = json!({ "mode": mode, "kind": constraint.word() });
            if let Some(cost) = constraint.cost() {
                entry["cost"] = json!(cost);
            }
            if let What::File(path) = &one.what {
                entry["file"] = json!(path.display().to_string());
            }
            list.push(entry);
            engine = engine.constrain(mode, constraint.clone());
        }
    }
    Ok((engine, list))
}

/// Fits `t`; entries that are not finite are missing where the command line says so.
pub fn run(
    file: &Path,
    (engine, asked): (CpConstrained, &[Asked]),
    t: &Tensor,
    mut report: Report,
    context: &Context,
) -> Result<Outcome, Error> {
    let (engine, list) = method(engine, asked, t.dims().len())?;
    let mut rng = context.rng();
    let mut meter = context.meter();
    let mut watch = |p: &Progress| meter.step(p);
    let fit = if context.masks() {
        let mask = CpMasked::mask_of(t.view());
        engine.decompose_masked(t.view(), mask.view(), &mut rng, &mut watch)?
    } else {
        require_finite(file, t)?;
        engine.decompose_observed(t.view(), &mut rng, &mut watch)?
    };
    drop(meter);
    report.fit(&fit);
    report.constraints(list);
    super::super::numeric_proof::absent("its factors are constrained", context)?;
    report.finish(&fit, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_read() {
        let read = |text: &str| parse(text).map(|a| (a.modes, a.what));
        let known = |c| What::Known(c);
        assert_eq!(
            read("0,2:nonneg"),
            Ok((Some(vec![0, 2]), known(Constraint::Nonnegative)))
        );
        assert_eq!(
            read("all:l1:0.5"),
            Ok((None, known(Constraint::Sparse(0.5))))
        );
        assert_eq!(
            read("1:smooth:2"),
            Ok((Some(vec![1]), known(Constraint::Smooth(2.0))))
        );
        assert_eq!(
            read("1:fixed:a:b.npy"),
            Ok((Some(vec![1]), What::File("a:b.npy".into())))
        );
        for bad in [
            "",
            "nonneg",
            "x:nonneg",
            "0:nonneg:1",
            "0:smooth",
            "0:l1:0",
            "0:l1:nan",
            "0:fixed",
            "-1:nonneg",
            "0:round",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
