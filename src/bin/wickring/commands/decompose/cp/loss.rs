//! `wickring decompose cp --loss`: canonical polyadic decomposition by a loss other than squares.

use super::report::Report;
use crate::commands::tensor_file::{Loaded, require_finite};
use crate::context::{Context, Outcome};
use std::path::Path;
use wickring::Error;
use wickring::decomp::{CpLoss, CpMasked, EntryLoss};
use wickring::run::Progress;

/// Reads `poisson`, `gamma`, `logit` or `huber:D`.
pub fn parse(text: &str) -> Result<EntryLoss, String> {
    let distance = |d: &str| d.parse::<f64>().ok().filter(|d| *d > 0.0 && d.is_finite());
    match (text, text.strip_prefix("huber:").map(distance)) {
        ("poisson", _) => Ok(EntryLoss::Poisson),
        ("gamma", _) => Ok(EntryLoss::Gamma),
        ("logit", _) => Ok(EntryLoss::Logit),
        (_, Some(Some(d))) => Ok(EntryLoss::Huber(d)),
        (_, Some(None)) => Err("the distance after huber: must be a positive number".into()),
        _ => Err("expected poisson, gamma, logit or huber:D".into()),
    }
}

/// Fits `loaded`; sparse counts are not expanded.
pub fn run(
    file: &Path,
    (engine, loss): (&CpLoss, EntryLoss),
    loaded: Loaded,
    mut report: Report,
    context: &Context,
) -> Result<Outcome, Error> {
    let masked = context.masks();
    let refuse = |problem: &str| Err(Error::file(file, "", problem));
    let mut rng = context.rng();
    let mut meter = context.meter();
    let mut watch = |p: &Progress| meter.step(p);
    let dense = match loaded {
        Loaded::Complex(_) => return refuse("is complex: --loss is for real tensors"),
        Loaded::Sparse(_) if masked => {
            return refuse(
                "is sparse: entries that are not stored are zeros, --missing mask has no use",
            );
        }
        Loaded::Sparse(s) if loss == EntryLoss::Poisson => Err(s),
        Loaded::Sparse(s) => match s.to_dense(1 << 25) {
            Ok(t) => Ok(t),
            Err(_) => return refuse("is too large to expand: sparse tensors take --loss poisson"),
        },
        Loaded::Real(t) => Ok(t),
    };
    let fit = match &dense {
        Err(s) => engine.decompose_sparse(s, &mut rng, &mut watch)?,
        Ok(t) if masked => {
            let mask = CpMasked::mask_of(t.view());
            engine.decompose_masked(t.view(), mask.view(), &mut rng, &mut watch)?
        }
        Ok(t) => {
            require_finite(file, t)?;
            engine.decompose_observed(t.view(), &mut rng, &mut watch)?
        }
    };
    drop(meter);
    report.fit(&fit);
    report.loss(loss, &fit);
    super::super::numeric_proof::absent("the loss is not that of squares", context)?;
    report.finish(&fit, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_read() {
        assert_eq!(parse("huber:0.5"), Ok(EntryLoss::Huber(0.5)));
        assert_eq!(parse("poisson"), Ok(EntryLoss::Poisson));
        for bad in [
            "huber",
            "huber:",
            "huber:-1",
            "huber:nan",
            "huber:inf",
            "Poisson",
            "",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
