//! `wickring poly groebner`.

use super::input::{Field, Reader, budget, located, text_of};
use super::{Groebner, proof};
use crate::context::{Context, Outcome};
use serde_json::json;
use wickring::Error;
use wickring::certify::{Claim, Expression};
use wickring::poly::{Order, Poly as P, Rational, groebner_basis};

/// Variables beyond this are refused: the algorithm is exponential in them.
const MAX_VARS: usize = 64;

pub fn groebner(args: &Groebner, context: &Context) -> Result<Outcome, Error> {
    let order = Order::from_name(&args.order)?;
    let mut reader = Reader::with(&args.vars, Field::Rationals, context)?;
    let mut generators = Vec::new();
    for argument in &args.exprs {
        let text = text_of(argument)?;
        for part in system(&text) {
            let p = reader.parse(part).map_err(|e| located(e, argument))?;
            generators.push(p);
        }
    }
    let asked = args
        .contains
        .as_deref()
        .map(|e| reader.read(e))
        .transpose()?;
    let nvars = reader.vars.names().len();
    if nvars > MAX_VARS {
        return Err(Error::limit("poly groebner", "variables", MAX_VARS as u64));
    }
    let product = generators
        .iter()
        .map(P::total_degree)
        .try_fold(1u64, u64::checked_mul);
    let stop = || context.should_stop();
    let budget = budget(&stop);
    let certify = args.certify || asked.is_some();
    let found = match groebner_basis(&generators, nvars, &order, certify, &budget) {
        Err(Error::Stopped { .. }) => {
            // What is known without a basis is still worth saying.
            let json = json!({
                "status": "stopped", "degree_product": product, "variables": reader.vars.names(),
                "generators": generators.len(), "certified": false,
            });
            let degrees = product.map_or("beyond 2^64".to_owned(), |p| p.to_string());
            context.emit(
                &json,
                &format!("stopped before a basis was found\ndegree product: {degrees}\n"),
            );
            return Ok(Outcome::NotCertified);
        }
        found => found?,
    };
    let dimension = found.quotient_dimension()?;
    let shown = |p: &P<Rational>| p.display(&reader.vars).to_string();
    let basis: Vec<String> = found.basis.iter().map(shown).collect();
    let mut json = json!({
        "basis": basis, "order": args.order, "variables": reader.vars.names(),
        "quotient_dimension": dimension, "degree_product": product, "certified": certify,
    });
    let mut text = basis.join("\n");
    text += &match dimension {
        Some(d) => format!("\nquotient dimension: {d}\n"),
        None => "\nquotient dimension: infinite\n".to_owned(),
    };
    if let Some(p) = product {
        text += &format!("degree product: {p}\n");
    }
    let Some(p) = asked else {
        proof::refuse(
            context,
            "a certificate is one of membership: ask with --contains EXPR",
        )?;
        context.emit(&json, &text);
        return Ok(Outcome::Certified);
    };
    let cofactors = found.membership(&p, &budget)?;
    match &cofactors {
        Some(h) => proof::write(Field::Rationals, context, || {
            let tree = |p: &P<Rational>| Expression::from_poly(p, &reader.vars);
            let products: Vec<_> = generators
                .iter()
                .map(tree)
                .zip(h.iter().map(tree))
                .collect();
            Ok(Claim::ideal_membership(&tree(&p), &products))
        })?,
        None if context.certificate().is_some() => {
            context.warn("no certificate is written: it is not a member");
        }
        None => {}
    }
    let list = cofactors
        .as_ref()
        .map(|h| h.iter().map(shown).collect::<Vec<_>>());
    json["contains"] = json!(cofactors.is_some());
    json["cofactors"] = json!(list);
    text += match cofactors {
        Some(_) => "MEMBER\n",
        None => "NOT A MEMBER\n",
    };
    for (k, h) in list.iter().flatten().enumerate() {
        text += &format!("cofactor {}: {h}\n", k + 1);
    }
    context.emit(&json, &text);
    Ok(if cofactors.is_some() {
        Outcome::Certified
    } else {
        Outcome::Refuted
    })
}

/// The polynomials of a text: separated by ';' or else by lines; a system of PHCpack begins with the number
/// of its equations and may go on with anything after the last of them.
pub fn system(text: &str) -> Vec<&str> {
    let (head, rest) = text.trim_start().split_once('\n').unwrap_or((text, ""));
    let count = head
        .split_whitespace()
        .next()
        .and_then(|n| n.parse::<usize>().ok());
    if let (Some(n), true) = (count, rest.contains(';')) {
        return rest.split(';').take(n).collect();
    }
    let parts: Box<dyn Iterator<Item = &str>> = match text.contains(';') {
        true => Box::new(text.split(';')),
        false => Box::new(text.lines()),
    };
    parts.map(str::trim).filter(|p| !p.is_empty()).collect()
}
