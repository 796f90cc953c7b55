//! Axes, linear or logarithmic, with numbers or names.

use plotters::coord::ranged1d::{KeyPointHint, Ranged};

/// An axis that may be logarithmic: positions are in drawing units, labels in those of the data.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Lower end.
    pub from: f64,
    /// Upper end.
    pub to: f64,
    /// Whether positions are logarithms.
    pub log: bool,
    /// Names of the positions 0, 1, ..; empty for numbers.
    pub names: Vec<String>,
}

impl Axis {
    /// 1, 2 and 5 of each decade, for a logarithmic axis of few decades.
    fn decades(&self) -> Vec<f64> {
        let (first, last) = (self.from.floor() as i32, self.to.ceil() as i32);
        let each =
            (first..=last).flat_map(|k| [1.0, 2.0, 5.0].map(|m: f64| f64::from(k) + m.log10()));
        each.filter(|v| (self.from..=self.to).contains(v)).collect()
    }
}

impl Ranged for Axis {
    type FormatOption = plotters::coord::ranged1d::NoDefaultFormatting;
    type ValueType = f64;
    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.from) / (self.to - self.from);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }
    fn key_points<H: KeyPointHint>(&self, hint: H) -> Vec<f64> {
        let most = hint.max_num_points().clamp(2, 9);
        if !self.names.is_empty() {
            // At most two dozen names fit side by side.
            let step = self.names.len().div_ceil(24).max(1);
            return (0..self.names.len())
                .step_by(step)
                .map(|k| k as f64)
                .collect();
        }
        if self.log && self.to - self.from < 2.5 {
            return self.decades();
        }
        let raw = (self.to - self.from) / most as f64;
        let step = if self.log && raw <= 1.0 {
            1.0
        } else {
            nice(raw)
        };
        let first = (self.from / step).ceil();
        (0..=most)
            .map(|k| (first + k as f64) * step)
            .filter(|v| *v <= self.to + 1e-9 * step)
            .collect()
    }
    fn range(&self) -> std::ops::Range<f64> {
        self.from..self.to
    }
}

impl plotters::coord::ranged1d::ValueFormatter<f64> for Axis {
    fn format_ext(&self, v: &f64) -> String {
        if !self.names.is_empty() {
            return self
                .names
                .get(v.round() as usize)
                .cloned()
                .unwrap_or_default();
        }
        if self.log && (v - v.round()).abs() < 1e-9 && !(-3.0..4.5).contains(v) {
            return format!("1e{v:.0}");
        }
        let v = &if self.log { 10f64.powf(*v) } else { *v };
        let v = if !self.log && v.abs() < 1e-12 * (self.to - self.from) {
            0.0
        } else {
            *v
        };
        if v != 0.0 && !(1e-3..1e5).contains(&v.abs()) {
            return format!("{v:.1e}");
        }
        let text = format!("{v:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// The least of 1, 2, 5 times a power of ten that is not below `raw`.
fn nice(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|s| s * power >= raw);
    step.unwrap_or(10.0) * power
}

/// The axis that holds the values, with a margin.
///
/// # Errors
/// When no value is finite.
pub fn axis(values: impl Iterator<Item = f64>, log: bool) -> Result<Axis, String> {
    let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
    for v in values.filter(|v| v.is_finite()) {
        (from, to) = (from.min(v), to.max(v));
    }
    if from > to {
        return Err("nothing to draw: no finite point".into());
    }
    let margin = if to > from { 0.05 * (to - from) } else { 0.5 };
    Ok(Axis {
        from: from - margin,
        to: to + margin,
        log,
        names: Vec::new(),
    })
}
