//! The statements of a program, with names.

use super::model::SchemeProgram;
use crate::poly::Rational;
use crate::scheme::model::Target;
use crate::scheme::reduce::forms::{Form, Forms};
use num_traits::One;

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line {
    /// A sum of multiples of names; empty for zero.
    Sum(String, Vec<(Rational, String)>),
    /// A product of two names.
    Product(String, String, String),
}

impl Line {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Sum(name, _) | Self::Product(name, ..) => name,
        }
    }
}

/// The names of the entries of an input or of the output: `a12` for matrices (`a1_12` when a size is above nine), `a1`
/// for others.
pub(crate) fn entry_names(target: &Target, k: usize) -> Vec<String> {
    let letter = ["a", "b", "c"][k];
    let size = target.shape()[k];
    match target {
        Target::Matmul(dims @ [_, m, p]) => {
            let width = [*m, *p, *p][k];
            let wide = dims.iter().any(|n| *n > 9);
            let name = |at: usize| match wide {
                true => format!("{letter}{}_{}", at / width + 1, at % width + 1),
                false => format!("{letter}{}{}", at / width + 1, at % width + 1),
            };
            (0..size).map(name).collect()
        }
        _ => (0..size).map(|at| format!("{letter}{}", at + 1)).collect(),
    }
}

/// All statements in order.
pub(crate) fn lines(program: &SchemeProgram) -> Vec<Line> {
    let [u, v, w] = &program.forms;
    let mut found = Vec::new();
    let left = side(u, &entry_names(&program.target, 0), ["s", "u"], &mut found);
    let right = side(v, &entry_names(&program.target, 1), ["t", "v"], &mut found);
    let products: Vec<String> = (1..=left.len()).map(|r| format!("m{r}")).collect();
    for ((name, l), r) in products.iter().zip(left).zip(right) {
        found.push(Line::Product(name.clone(), l, r));
    }
    let mut names = products;
    fresh(w, &mut names, "z", &mut found);
    for (name, row) in entry_names(&program.target, 2).into_iter().zip(&w.rows) {
        found.push(Line::Sum(name, terms(row, &names)));
    }
    found
}

fn terms(form: &Form, names: &[String]) -> Vec<(Rational, String)> {
    form.iter()
        .map(|(v, c)| (c.clone(), names[*v].clone()))
        .collect()
}

/// The statements of the fresh variables; their names are added to `names`.
fn fresh(forms: &Forms, names: &mut Vec<String>, letter: &str, out: &mut Vec<Line>) {
    for (k, form) in forms.fresh.iter().enumerate() {
        let name = format!("{letter}{}", k + 1);
        out.push(Line::Sum(name.clone(), terms(form, names)));
        names.push(name);
    }
}

/// The statements of one side of the products, and the names of the factors.
fn side(forms: &Forms, entries: &[String], letters: [&str; 2], out: &mut Vec<Line>) -> Vec<String> {
    let mut names = entries.to_vec();
    fresh(forms, &mut names, letters[0], out);
    let mut factors = Vec::new();
    for (r, row) in forms.rows.iter().enumerate() {
        match &row[..] {
            [(v, c)] if c.is_one() => factors.push(names[*v].clone()),
            _ => {
                let name = format!("{}{}", letters[1], r + 1);
                out.push(Line::Sum(name.clone(), terms(row, &names)));
                factors.push(name);
            }
        }
    }
    factors
}
