//! The model that is the same number everywhere: what a fit has to beat, and the units in which losses are small.

use super::entry_loss::EntryLoss;

/// The constant model and what it leaves.
#[derive(Clone, Copy)]
pub(super) struct Constant {
    pub(super) model: f64,
    /// Its loss: half of the null deviance.
    pub(super) loss: f64,
    /// Weights of all entries.
    pub(super) weight: f64,
    /// A loss that counts as large.
    pub(super) unit: f64,
}

/// The size of an entry of a first model.
pub(super) fn size(loss: EntryLoss, constant: &Constant) -> f64 {
    match loss {
        EntryLoss::Poisson | EntryLoss::Gamma => constant.model,
        EntryLoss::Logit => 1.0,
        EntryLoss::Huber(_) => {
            let spread = (2.0 * constant.loss / constant.weight).sqrt();
            spread.max(constant.model.abs())
        }
    }
}

/// A constant model with its loss and the weight of all entries.
pub(super) fn constant(loss: EntryLoss, model: f64, value: f64, weight: f64) -> Constant {
    let unit = value + weight * loss.units(model).1;
    Constant {
        model,
        loss: value,
        weight,
        unit,
    }
}

/// The constant model of dense entries with positive weight.
pub(super) fn constant_of(loss: EntryLoss, entries: &[f64], weights: Option<&[f64]>) -> Constant {
    let weight = |k: usize| weights.map_or(1.0, |w| w[k]);
    let pairs = entries.iter().enumerate().map(|(k, &x)| (x, weight(k)));
    let pairs: Vec<(f64, f64)> = pairs.filter(|p| p.1 > 0.0).collect();
    let model = loss.constant(&pairs).unwrap_or(0.0);
    let value = pairs.iter().map(|p| p.1 * loss.excess(p.0, model)).sum();
    constant(loss, model, value, pairs.iter().map(|p| p.1).sum())
}
