//! `wickring poly resultant | discriminant | eval | compose`.

use super::input::{Field, Reader, budget};
use super::{Compose, Discriminant, Eval, Resultant};
use crate::context::{Context, Outcome};
use serde_json::json;
use wickring::Error;
use wickring::poly::{Poly, Rational};

/// Runs `wickring poly resultant`.
pub fn resultant(args: &Resultant, context: &Context) -> Result<Outcome, Error> {
    let mut reader = Reader::with(&args.vars, Field::Rationals, context)?;
    let (left, right) = (reader.read(&args.left)?, reader.read(&args.right)?);
    let v = chosen(args.by.as_deref(), &[&left, &right], &reader)?;
    let stop = || context.should_stop();
    let found = left.resultant(&right, v, &budget(&stop))?;
    let text = found.display(&reader.vars).to_string();
    let json = json!({
        "resultant": text, "by": reader.vars.name(v), "terms": found.len(), "variables": reader.vars.names(),
    });
    context.emit(&json, &format!("{text}\n"));
    Ok(Outcome::Certified)
}

/// Runs `wickring poly discriminant`.
pub fn discriminant(args: &Discriminant, context: &Context) -> Result<Outcome, Error> {
    let mut reader = Reader::with(&args.vars, Field::Rationals, context)?;
    let p = reader.read(&args.expr)?;
    let v = chosen(args.by.as_deref(), &[&p], &reader)?;
    let stop = || context.should_stop();
    let found = p.discriminant(v, &budget(&stop))?;
    let text = found.display(&reader.vars).to_string();
    let json = json!({
        "discriminant": text, "by": reader.vars.name(v), "terms": found.len(), "variables": reader.vars.names(),
    });
    context.emit(&json, &format!("{text}\n"));
    Ok(Outcome::Certified)
}

/// Runs `wickring poly eval`.
pub fn eval(args: &Eval, context: &Context) -> Result<Outcome, Error> {
    let mut reader = Reader::new(&args.reading, context)?;
    let p = reader.read(&args.expr)?;
    let mut images: Vec<Option<Poly<Rational>>> = vec![None; reader.vars.names().len()];
    for part in args.at.iter().flat_map(|list| list.split(',')) {
        let (name, value) = assignment("--at", part)?;
        let v = place("--at", name, &reader)?;
        let value: Rational = value.parse().map_err(|_| {
            let found = wickring::error::quoted(value);
            let what = format!("expected a number such as 2, -1/3 or 0.25 for {name}, got {found}");
            Error::invalid("--at", what)
        })?;
        let value = reader.normal(Poly::constant(value))?;
        set("--at", name, &mut images[v], value)?;
    }
    replaced(&p, images, &mut reader, "value", context)
}

/// Runs `wickring poly compose`.
pub fn compose(args: &Compose, context: &Context) -> Result<Outcome, Error> {
    let mut reader = Reader::new(&args.reading, context)?;
    let p = reader.read(&args.expr)?;
    let mut images: Vec<Option<Poly<Rational>>> = vec![None; reader.vars.names().len()];
    for part in &args.put {
        let (name, image) = assignment("--put", part)?;
        let v = place("--put", name, &reader)?;
        let image = reader.read(image)?;
        images.resize(reader.vars.names().len().max(images.len()), None);
        set("--put", name, &mut images[v], image)?;
    }
    replaced(&p, images, &mut reader, "polynomial", context)
}

/// Puts the images in, those of other variables being the variables themselves, and prints.
fn replaced(
    p: &Poly<Rational>,
    images: Vec<Option<Poly<Rational>>>,
    reader: &mut Reader<'_>,
    key: &str,
    context: &Context,
) -> Result<Outcome, Error> {
    let same = |(v, image): (usize, Option<_>)| image.unwrap_or_else(|| Poly::variable(v));
    let images: Vec<Poly<Rational>> = images.into_iter().enumerate().map(same).collect();
    let stop = || context.should_stop();
    let found = p.compose(&images, &budget(&stop))?;
    let found = reader.normal(found)?;
    let text = found.display(&reader.vars).to_string();
    let json = json!({
        key: text, "terms": found.len(), "degree": found.total_degree(), "variables": reader.vars.names(),
    });
    context.emit(&json, &format!("{text}\n"));
    Ok(Outcome::Certified)
}

/// The variable that is named, or the only one that occurs.
fn chosen(
    name: Option<&str>,
    polynomials: &[&Poly<Rational>],
    reader: &Reader<'_>,
) -> Result<usize, Error> {
    if let Some(name) = name {
        return place("--by", name.trim(), reader);
    }
    let occurs = |v: &usize| polynomials.iter().any(|p| p.degree(*v) > 0);
    let found: Vec<usize> = (0..reader.vars.names().len()).filter(occurs).collect();
    match found[..] {
        [v] => Ok(v),
        _ => {
            let names: Vec<String> = found.iter().map(|v| reader.vars.name(*v)).collect();
            let shown = match names.is_empty() {
                true => "no variable occurs".to_owned(),
                false => format!("{} occur", names.join(", ")),
            };
            Err(Error::invalid(
                "--by",
                format!("name one variable: {shown}"),
            ))
        }
    }
}

fn place(option: &'static str, name: &str, reader: &Reader<'_>) -> Result<usize, Error> {
    let names = reader.vars.names();
    names.iter().position(|n| n == name).ok_or_else(|| {
        let (found, known) = (wickring::error::quoted(name), names.join(", "));
        let what = format!("expected a variable that occurs ({known}), got {found}");
        Error::invalid(option, what)
    })
}

fn assignment<'a>(option: &'static str, text: &'a str) -> Result<(&'a str, &'a str), Error> {
    let parts = text.split_once('=');
    let parts = parts.map(|(name, value)| (name.trim(), value.trim()));
    parts.ok_or_else(|| {
        let found = wickring::error::quoted(text);
        Error::invalid(option, format!("expected NAME=VALUE, got {found}"))
    })
}

fn set<T>(option: &'static str, name: &str, slot: &mut Option<T>, value: T) -> Result<(), Error> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::invalid(option, format!("{name} is given twice"))),
    }
}
