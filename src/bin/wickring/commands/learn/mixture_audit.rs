//! `wickring learn mixture --audit`: is a table of likelihoods nested as its models are?

use crate::context::{Context, Outcome};
use serde_json::{Value, json};
use std::path::Path;
use wickring::Error;
use wickring::learn::mixture::{TableEntry, broken_nestings};

/// Nats that a contained model may be better by: rounding of printed tables.
const SLACK: f64 = 1e-3;
/// The largest table that is read.
const MAX_BYTES: u64 = 1 << 26;
const MAX_ROWS: usize = 20_000;
/// Names of a column, in lower case: ours and those of other programs.
const DATA: [&str; 3] = ["data", "dataset", "sample"];
const FAMILY: [&str; 4] = ["model", "family", "covariance", "modelname"];
const COMPONENTS: [&str; 4] = ["g", "components", "k", "n_components"];
const LIKELIHOOD: [&str; 4] = ["loglik", "log_likelihood", "loglikelihood", "logl"];

/// Reads the table, names what is broken; refuted when anything is.
pub fn run(path: &Path, context: &Context) -> Result<Outcome, Error> {
    let table = read(path)?;
    let mut names: Vec<&str> = Vec::new();
    for (data, _) in &table {
        if !names.contains(&data.as_str()) {
            names.push(data);
        }
    }
    let mut broken: Vec<Value> = Vec::new();
    let mut text = String::new();
    for name in names {
        let own = table.iter().filter(|(data, _)| data == name);
        let entries: Vec<TableEntry> = own.map(|(_, e)| e.clone()).collect();
        for b in broken_nestings(&entries, SLACK) {
            let (failed, by) = (&entries[b.failed], &entries[b.beaten_by]);
            text += &format!(
                "{name}: {} with {} components ({:.6}) is beaten by {} with {} ({:.6}): its maximisation failed by at least {:.6} nats\n",
                failed.family,
                failed.components,
                failed.log_likelihood,
                by.family,
                by.components,
                by.log_likelihood,
                b.missing
            );
            let entry = |e: &TableEntry| json!({ "model": e.family, "components": e.components, "log_likelihood": e.log_likelihood });
            broken.push(json!({ "data": name, "failed": entry(failed), "beaten_by": entry(by), "missing": b.missing }));
        }
    }
    let count = broken.len();
    text += &format!("{} fits, {count} broken nestings\n", table.len());
    context.emit(&json!({ "fits": table.len(), "broken": broken }), &text);
    Ok(if count == 0 {
        Outcome::Certified
    } else {
        Outcome::Refuted
    })
}

fn read(path: &Path) -> Result<Vec<(String, TableEntry)>, Error> {
    let fault = |place: String, what: String| Error::file(path, place, what);
    let unreadable = |e: std::io::Error| fault(String::new(), format!("cannot be read: {e}"));
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
        return Err(fault(
            String::new(),
            format!("is larger than {MAX_BYTES} bytes"),
        ));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let mut lines = text
        .lines()
        .enumerate()
        .filter(|(_, l)| !l.trim().is_empty());
    let cells = |line: &str| -> Vec<String> {
        let clean = |c: &str| c.trim().trim_matches('"').to_owned();
        line.split(',').map(clean).collect()
    };
    let header = lines
        .next()
        .map(|(_, l)| cells(&l.to_ascii_lowercase()))
        .unwrap_or_default();
    let column = |names: &[&str]| header.iter().position(|h| names.contains(&h.as_str()));
    let need = |names: &[&str]| {
        let missing = || fault("header".into(), format!("has no column {}", names[0]));
        column(names).ok_or_else(missing)
    };
    let (family, components, likelihood) = (need(&FAMILY)?, need(&COMPONENTS)?, need(&LIKELIHOOD)?);
    let data = column(&DATA);
    let mut table = Vec::new();
    for (n, line) in lines {
        let cells = cells(line);
        let cell = |at: usize| cells.get(at).map(String::as_str).unwrap_or_default();
        let wrong = |what: &str| fault(format!("line {}", n + 1), format!("expected {what}"));
        let count: usize = cell(components)
            .parse()
            .map_err(|_| wrong("a number of components"))?;
        let value: f64 = cell(likelihood)
            .parse()
            .map_err(|_| wrong("a log-likelihood"))?;
        if !value.is_finite() {
            return Err(wrong("a finite log-likelihood"));
        }
        if table.len() == MAX_ROWS {
            return Err(Error::limit(
                "learn mixture --audit",
                "rows",
                MAX_ROWS as u64,
            ));
        }
        let entry = TableEntry {
            family: cell(family).to_owned(),
            components: count,
            log_likelihood: value,
        };
        table.push((data.map_or_else(String::new, |d| cell(d).to_owned()), entry));
    }
    Ok(table)
}
