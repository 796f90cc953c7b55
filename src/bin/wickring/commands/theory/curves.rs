//! Tables and pictures of online learning curves.

use super::report::Table;
use crate::plot::{Figure, Mark, Series};
use wickring::theory::{Comparison, Moment, Trajectory};

/// The cells of a moment: error, Q, R, v.
fn cells(m: &Moment) -> Vec<f64> {
    let mut row = vec![m.error];
    m.parts().iter().for_each(|p| row.extend_from_slice(p));
    row
}

/// One row for each time: predictions, and means and standard errors over the runs.
pub fn tabulate(theory: &Trajectory, runs: &[Trajectory]) -> Table {
    let Some(first) = theory.moments.first() else {
        return Table::new(vec!["time".into()]);
    };
    let k = first.second.len();
    let m = first.r.len() / k.max(1);
    let mut names = vec!["error".to_owned()];
    (0..k * k).for_each(|i| names.push(format!("q_{}_{}", i / k, i % k)));
    (0..k * m).for_each(|i| names.push(format!("r_{}_{}", i / m, i % m)));
    (0..k).for_each(|i| names.push(format!("v_{i}")));
    let mut all = vec!["time".to_owned(), "error".to_owned()];
    let measured = |n: &String| ["simulated", "se", "z"].map(|what| format!("{n}_{what}"));
    if !runs.is_empty() {
        all.extend(measured(&names[0]));
    }
    all.extend(names[1..].iter().cloned());
    if !runs.is_empty() {
        names[1..].iter().for_each(|n| all.extend(measured(n)));
    }
    let compared = (0..names.len()).map(|i| compare(theory, runs, &|m| cells(m)[i], i == 0));
    let compared: Vec<Vec<Comparison>> = compared.collect();
    let mut table = Table::new(all);
    for (t, moment) in theory.moments.iter().enumerate() {
        let predicted = cells(moment);
        let found = |i: usize| match compared[i].get(t) {
            Some(c) => [c.mean, c.standard_error, c.z()],
            None => [f64::NAN; 3],
        };
        let mut row = vec![moment.time, predicted[0]];
        if !runs.is_empty() {
            row.extend(found(0));
        }
        row.extend_from_slice(&predicted[1..]);
        if !runs.is_empty() {
            (1..names.len()).for_each(|i| row.extend(found(i)));
        }
        table.push(row);
    }
    table
}

/// One quantity over the times that every run reached; empty without runs. Errors fluctuate in proportion to
/// themselves, overlaps do not.
fn compare(
    theory: &Trajectory,
    runs: &[Trajectory],
    f: &dyn Fn(&Moment) -> f64,
    proportional: bool,
) -> Vec<Comparison> {
    let times = runs.iter().map(|r| r.moments.len()).min().unwrap_or(0);
    let expected = theory.moments.iter().take(times);
    let predicted: Vec<(f64, f64)> = expected.map(|m| (m.time, f(m))).collect();
    let values = |r: &Trajectory| r.moments[..predicted.len()].iter().map(f).collect();
    let found: Vec<Vec<f64>> = runs.iter().map(values).collect();
    let scale = |x: f64| if proportional { x.abs() } else { 1.0 };
    Comparison::curve(&predicted, scale, &found)
}

/// Generalisation error and overlaps against time: theory as lines, simulation as points.
pub fn figures(theory: &Trajectory, runs: &[Trajectory], title: &str) -> Vec<Figure> {
    let line = |label: String, f: &dyn Fn(&Moment) -> f64| {
        let points = theory.moments.iter().filter(|m| m.time > 0.0);
        Series::new(label, Mark::Line, points.map(|m| (m.time, f(m))).collect())
    };
    let dots = |f: &dyn Fn(&Moment) -> f64, proportional: bool| {
        let mut series = Series::new("", Mark::Points, Vec::new());
        for c in compare(theory, runs, f, proportional)
            .iter()
            .filter(|c| c.at > 0.0)
        {
            series.points.push((c.at, c.mean));
            // A single run has no error bar.
            let bar = c.standard_error;
            series.errors.push(if bar.is_finite() { bar } else { 0.0 });
        }
        series
    };
    let mut error = vec![line("theory".into(), &|m| m.error)];
    if !runs.is_empty() {
        let label = format!("simulation, {} runs", runs.len());
        error.push(Series {
            label,
            ..dots(&|m| m.error, true)
        });
    }
    let mut overlaps = Vec::new();
    let first = theory.moments.first();
    let (k, km) = first.map_or((0, 0), |m| (m.second.len(), m.r.len()));
    for i in 0..(k * k).min(16) {
        if i % k >= i / k {
            overlaps.push(line(format!("Q{}{}", i / k, i % k), &|m| m.q[i]));
            overlaps.push(dots(&|m| m.q[i], false));
        }
    }
    for i in 0..km.min(16) {
        let m = km / k;
        overlaps.push(line(format!("R{}{}", i / m, i % m), &|x| x.r[i]));
        overlaps.push(dots(&|x| x.r[i], false));
    }
    overlaps.retain(|s| !s.points.is_empty());
    let figure = |title: &str, y: &str, log_y: bool, series: Vec<Series>| Figure {
        title: title.to_owned(),
        x: "steps / N".to_owned(),
        y: y.to_owned(),
        log_x: true,
        log_y,
        series,
        ..Figure::default()
    };
    vec![
        figure(title, "generalisation error", true, error),
        figure("order parameters", "overlap", false, overlaps),
    ]
}
