//! What a CP command writes: factors as `.npz`, a report as JSON beside it, a table, a picture.

use super::super::theorems;
use super::pictures::{self, TriedRank};
use crate::commands::tensor_file::{heading, inputs, write_arrays};
use crate::context::{Context, Outcome};
use crate::evidence;
use crate::plot::Figure;
use num_complex::Complex;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::Path;
use wickring::certify::Proof;
use wickring::decomp::{EntryLoss, RankTable, Uniqueness, fit_uniqueness};
use wickring::fit::Fit;
use wickring::io::write_whole;
use wickring::linalg::Scalar;
use wickring::poly::Ring;
use wickring::tensor::{CpTensor, Factor, Tensor};
use wickring::{Error, Status};

/// A report under construction: the JSON object and the text for people.
pub struct Report {
    json: Map<String, Value>,
    text: String,
    /// The number of components said, where it is not that of the fit written.
    none: bool,
    /// Whether criteria disagree on the number of components.
    disputed: bool,
    /// Whether theorems were asked for and none was proved.
    unproved: bool,
    /// The ranks that were compared, for the picture.
    tried: Vec<TriedRank>,
}

impl Report {
    /// A report about the tensor in `path`.
    pub fn new(kind: &str, path: &Path, dims: &[usize], context: &Context) -> Result<Self, Error> {
        let mut json = Map::new();
        json.insert("schema".into(), json!(format!("wickring/{kind}/1")));
        json.insert("version".into(), json!(env!("CARGO_PKG_VERSION")));
        json.insert("seed".into(), json!(context.common.seed));
        json.insert("inputs".into(), inputs(path, dims, context)?);
        let text = heading(path, dims, context);
        Ok(Self {
            json,
            text,
            none: false,
            disputed: false,
            unproved: false,
            tried: Vec::new(),
        })
    }

    /// Adds what was proved, and what was not.
    pub fn proof(&mut self, proof: &Proof) {
        self.unproved = proof.claims.is_empty();
        self.json.insert("theorems".into(), theorems::object(proof));
        self.text += &theorems::lines(proof);
    }

    /// The digest of the file.
    pub fn sha256(&self) -> &str {
        let input = self.json.get("inputs").and_then(|inputs| inputs.get(0));
        let digest = input.and_then(|input| input["sha256"].as_str());
        digest.unwrap_or_default()
    }

    /// Adds the table of ranks and the choice.
    pub fn table<T: Scalar + Ring>(&mut self, table: &RankTable<T>) {
        let mut rows = Vec::new();
        let _ = writeln!(
            self.text,
            "rank  rel.error   gain/noise  smooth  core cons.  halves  agreeing  cond      status"
        );
        for row in &table.rows {
            let c = &row.fit.evidence;
            let rank = row.fit.model.rank();
            let (agreeing, starts) = row.agreement();
            let e = &row.evidence;
            let consistency = e.core_consistency.map_or("-".into(), percent);
            let ratio = e.gain / e.noise_gain;
            let halves = row.split_half.map_or("-".into(), |x| format!("{x:.2}"));
            let _ = writeln!(
                self.text,
                "{rank:>4}  {:<10.6}  {:>10}  {:>6.1}  {consistency:>10}  {halves:>6}  {:>8}  {:<8}  {}, {}{}",
                c.rel_residual,
                if ratio.is_nan() {
                    // Neither signal nor noise.
                    "-".to_owned()
                } else if ratio.abs() < 1e4 {
                    format!("{ratio:.2}")
                } else {
                    format!("{ratio:.1e}")
                },
                e.smoothness,
                format!("{agreeing}/{starts}"),
                format!("{:.1e}", c.condition),
                row.fit.status,
                fit_uniqueness(&row.fit).word(),
                if row.is_degenerate() {
                    ", degenerate"
                } else {
                    ""
                },
            );
            self.tried.push(TriedRank {
                rank,
                residual: c.rel_residual,
                consistency: e.core_consistency,
            });
            rows.push(json!({
                "rank": rank,
                "rel_error": c.rel_residual,
                "explained_variance": 1.0 - c.rel_residual * c.rel_residual,
                "gain": e.gain,
                "noise_gain": number(e.noise_gain),
                "smoothness": e.smoothness,
                "detected": e.is_detected(),
                "trilinear": e.is_trilinear(),
                "core_consistency": e.core_consistency,
                "core_ratio": e.core_ratio.map(number),
                "split_half": row.split_half,
                "unique": fit_uniqueness(&row.fit).word(),
                "starts": starts,
                "starts_agreeing": agreeing,
                "condition": number(c.condition),
                "kruskal_slack": row.kruskal_slack,
                "kruskal_exact": row.kruskal_exact,
                "degenerate": row.is_degenerate(),
                "status": row.fit.status.name(),
            }));
        }
        let _ = writeln!(self.text, "chosen: {}, {}", table.rank(), table.reason);
        let grows = table
            .chosen
            .and_then(|k| table.rows.get(k))
            .is_some_and(|r| r.evidence.noise_grows());
        if grows {
            let warning =
                "the noise grows with the signal: weights or a logarithm may lower the number";
            let _ = writeln!(self.text, "warning: {warning}");
            self.json.insert("warning".into(), json!(warning));
        }
        self.none = table.chosen.is_none();
        self.disputed = !table.agreed;
        self.json.insert("table".into(), json!(rows));
        self.json.insert("ranks".into(), json!(rows));
        self.json.insert("reason".into(), json!(table.reason));
        self.json.insert("agreed".into(), json!(table.agreed));
        self.json.insert("other_rank".into(), json!(table.other));
    }

    /// Adds what was measured about the fit that is kept.
    pub fn fit<T: Scalar + Ring>(&mut self, fit: &Fit<CpTensor<T>>) {
        let c = &fit.evidence;
        let mut report = Map::new();
        let figures = json!({
            "rank": fit.model.rank(),
            "rel_error": c.rel_residual,
            "explained_variance": 1.0 - c.rel_residual * c.rel_residual,
            "iterations": fit.work.sweeps,
            "starts": fit.work.starts,
            "history": fit.history,
        });
        if let Value::Object(figures) = figures {
            report.extend(figures);
        }
        evidence::extend(&mut report, c);
        self.json.insert("status".into(), json!(fit.status.name()));
        let rank = if self.none { 0 } else { fit.model.rank() };
        self.json.insert("rank".into(), json!(rank));
        let unique = fit_uniqueness(fit);
        let family = match unique {
            Uniqueness::Family(n) => Some(n),
            _ => None,
        };
        // Of a model without components there is nothing to be unique.
        let word = if self.none || fit.model.rank() == 0 {
            "no components"
        } else {
            unique.word()
        };
        self.json.insert("unique".into(), json!(word));
        self.json.insert("flat_directions".into(), json!(family));
        self.json.insert("rel_error".into(), json!(c.rel_residual));
        self.json.insert("report".into(), Value::Object(report));
        let _ = writeln!(
            self.text,
            "rank {}: {}, {}{}, relative error {:.6e}, condition {:.1e}, {} iterations, {} starts",
            fit.model.rank(),
            fit.status,
            word,
            family.map_or(String::new(), |n| format!(" (a family of dimension {n})")),
            c.rel_residual,
            c.condition,
            fit.work.sweeps,
            fit.work.starts
        );
        let figure = |key: &str| c.check(key).map(|e| e.measured);
        if let (Some(seen), Some(gaps)) =
            (figure("cp.observed-entries"), figure("cp.missing-entries"))
        {
            let held = figure("cp.held-out-entries").unwrap_or(0.0);
            let total = seen + gaps;
            let _ = writeln!(
                self.text,
                "  {gaps} of {total} entries are missing, {held} of the others were held out"
            );
        }
        for e in c.checks.iter().filter(|e| e.allowed.is_finite()) {
            let mark = if e.holds() { "ok" } else { "FAILS" };
            let (name, measured, allowed) = (&e.label, e.measured, e.allowed);
            let _ = writeln!(
                self.text,
                "  {name}: {measured:.3e} (at most {allowed:.3e}) {mark}"
            );
        }
    }

    /// Adds the loss and the deviances of a fit that is not by squares.
    pub fn loss(&mut self, loss: EntryLoss, fit: &Fit<CpTensor>) {
        let figure = |key: &str| fit.evidence.check(key).map_or(0.0, |c| c.measured);
        let (deviance, null) = (figure("cp.deviance"), figure("cp.null-deviance"));
        let explained = figure("cp.explained-deviance");
        self.json.insert("loss".into(), json!(loss.to_string()));
        let figures = [
            ("deviance", deviance),
            ("null_deviance", null),
            ("explained_deviance", explained),
        ];
        for (key, x) in figures {
            self.json.insert(key.into(), number(x));
        }
        let _ = writeln!(
            self.text,
            "  {loss}: deviance {deviance:.6e} of {null:.6e} with a constant, {:.2}% explained",
            100.0 * explained
        );
    }

    /// Adds the constraints under which factors were fitted.
    pub fn constraints(&mut self, list: Vec<Value>) {
        let word = |c: &Value| {
            let (mode, kind) = (&c["mode"], c["kind"].as_str().unwrap_or(""));
            let cost = c.get("cost").map_or(String::new(), |x| format!(" ({x})"));
            format!("mode {mode} {kind}{cost}")
        };
        let words: Vec<String> = list.iter().map(word).collect();
        let _ = writeln!(self.text, "  constraints: {}", words.join(", "));
        self.json.insert("constraints".into(), json!(list));
    }

    /// The table of ranks, where there is one, and the error of the search.
    fn tables(&self, history: &[f64]) -> Vec<Figure> {
        let mut all = pictures::ranks(&self.tried);
        all.extend(pictures::error(history));
        all
    }

    /// Writes files and text for a real model.
    pub fn finish(self, fit: &Fit<CpTensor>, context: &Context) -> Result<Outcome, Error> {
        let mut arrays = vec![("weights".to_owned(), vector(fit.model.weights())?)];
        for (m, f) in fit.model.factors().iter().enumerate() {
            arrays.push((format!("factor_{m}"), matrix(f)?));
        }
        context.draw(|| {
            let mut all = self.tables(&fit.history);
            all.extend(pictures::factors(&fit.model));
            Ok(all)
        })?;
        self.write(&arrays, fit.status, context)
    }

    /// Writes files and text for a complex model: real and imaginary parts as separate arrays.
    pub fn finish_complex(
        self,
        fit: &Fit<CpTensor<Complex<f64>>>,
        context: &Context,
    ) -> Result<Outcome, Error> {
        let weights: Vec<f64> = fit.model.weights().iter().map(|w| w.re).collect();
        let mut arrays = vec![("weights".to_owned(), vector(&weights)?)];
        for (m, f) in fit.model.factors().iter().enumerate() {
            let part = |g: fn(&Complex<f64>) -> f64| {
                Factor::from_fn(f.rows(), f.cols(), |i, r| g(&f.column(r)[i]))
            };
            arrays.push((format!("factor_{m}"), matrix(&part(|z| z.re))?));
            arrays.push((format!("factor_{m}_imag"), matrix(&part(|z| z.im))?));
        }
        context.draw(|| Ok(self.tables(&fit.history)))?;
        self.write(&arrays, fit.status, context)
    }

    fn write(
        mut self,
        arrays: &[(String, Tensor)],
        status: Status,
        context: &Context,
    ) -> Result<Outcome, Error> {
        if self.disputed && status == Status::Converged {
            // The fit is good; whether it is the right one is open.
            self.json.insert("status".into(), json!("undecided"));
        }
        if let Some(path) = &context.common.out {
            let (written, beside) = write_arrays(path, arrays)?;
            let object = context.with_notes(Value::Object(self.json.clone()));
            let text = serde_json::to_string_pretty(&object).unwrap_or_default() + "\n";
            write_whole(&beside, text.as_bytes())?;
            let _ = writeln!(self.text, "wrote {written} and {}", beside.display());
        }
        context.emit(&Value::Object(self.json), &self.text);
        Ok(
            if status == Status::Converged && !self.disputed && !self.unproved {
                Outcome::Certified
            } else {
                Outcome::NotCertified
            },
        )
    }
}

/// A rank that no tensor of this shape exceeds: the number of fibres of the longest mode.
pub fn rank_bound(dims: &[usize]) -> usize {
    let total = dims.iter().fold(1usize, |n, &d| n.saturating_mul(d));
    let longest = dims.iter().copied().max().unwrap_or(1);
    (total / longest.max(1)).max(1)
}

/// JSON has no infinity.
fn number(x: f64) -> Value {
    if x.is_finite() {
        json!(x)
    } else {
        json!(x.to_string())
    }
}

fn percent(x: f64) -> String {
    if x.abs() < 1e4 {
        format!("{x:.2}")
    } else {
        format!("{x:.1e}")
    }
}

fn vector(x: &[f64]) -> Result<Tensor, Error> {
    Tensor::from_vec(&[x.len()], x.to_vec())
}

fn matrix(f: &Factor) -> Result<Tensor, Error> {
    Tensor::from_vec(&[f.rows(), f.cols()], f.as_slice().to_vec())
}
