//! `wickring poly groebner`.

use super::input::{Field, Reader, budget, located, text_of};
use super::{Groebner, proof};
use crate::context::{Context, Outcome};
use serde_json::{Value, json};
use std::fmt::Display;
use wickring::Error;
use wickring::certify::{Claim, Expression};
use wickring::poly::{
    Budget, GroebnerBasis, IdealField, Order, Poly as P, Rational, Residue, Ring, eliminate,
    groebner_basis, groebner_basis_mod, in_radical, saturate,
};

/// Variables beyond this are refused: the algorithm is exponential in them.
const MAX_VARS: usize = 64;
/// Powers of a member of the radical that are tried for a certificate.
const MAX_POWER: u32 = 64;
const OP: &str = "poly groebner";

/// The system, and what is asked about it.
struct Question {
    generators: Vec<P<Rational>>,
    order: Order,
    certify: bool,
    gone: Vec<usize>,
    contains: Option<P<Rational>>,
    radical: Option<P<Rational>>,
    saturate: Option<P<Rational>>,
    nvars: usize,
}

pub fn groebner(args: &Groebner, context: &Context) -> Result<Outcome, Error> {
    let field = Field::of(&args.field)?;
    if matches!(field, Field::Complex | Field::Integers) {
        let what = "--field of a Groebner basis is Q or Fp:P";
        return Err(Error::invalid(OP, what));
    }
    let mut reader = Reader::with(&args.vars, field, context)?;
    let question = question(args, &mut reader)?;
    let stop = || context.should_stop();
    let budget = budget(&stop);
    let whole = |p: &P<Rational>| p.display(&reader.vars).to_string();
    let residues = |p: &P<Residue>| p.to_integers().display(&reader.vars).to_string();
    let found = match field {
        Field::Prime(p) => {
            let image = |q: &P<Rational>| q.modulo(p);
            let basis = |q: &Question| {
                groebner_basis_mod(&q.generators, q.nvars, p, &q.order, q.certify, &budget)
            };
            answered(&question, image, basis, residues, &budget)
        }
        _ => {
            let basis =
                |q: &Question| groebner_basis(&q.generators, q.nvars, &q.order, q.certify, &budget);
            answered(&question, |q| Ok(q.clone()), basis, whole, &budget)
        }
    };
    let mut degrees = question.generators.iter().map(P::total_degree);
    let product = degrees.try_fold(1u64, u64::checked_mul);
    let mut found = match found {
        Err(Error::Stopped { .. }) => return Ok(stopped(&question, product, &reader, context)),
        found => found?,
    };
    found.json["order"] = json!(args.order);
    found.json["field"] = json!(args.field);
    found.json["variables"] = json!(reader.vars.names());
    found.json["degree_product"] = json!(product);
    if let Some(p) = product {
        found.text += &format!("degree product: {p}\n");
    }
    found.text += &found.verdict;
    certificate(&question, &found, &reader, context)?;
    context.emit(&found.json, &found.text);
    Ok(match found.holds {
        Some(false) => Outcome::Refuted,
        _ => Outcome::Certified,
    })
}

fn question(args: &Groebner, reader: &mut Reader<'_>) -> Result<Question, Error> {
    let mut generators = Vec::new();
    for argument in &args.exprs {
        let text = text_of(argument)?;
        for part in system(&text) {
            let p = reader.parse(part).map_err(|e| located(e, argument))?;
            generators.push(reader.normal(p)?);
        }
    }
    let mut asked = |e: &Option<String>| e.as_deref().map(|e| reader.read(e)).transpose();
    let (contains, radical) = (asked(&args.contains)?, asked(&args.radical)?);
    let saturate = asked(&args.saturate)?;
    let names = reader.vars.names();
    let gone = args.eliminate.iter().map(|name| {
        let at = names.iter().position(|n| n == name.trim());
        let what = || format!("--eliminate names a variable of the system, got '{name}'");
        at.ok_or_else(|| Error::invalid(OP, what()))
    });
    let gone = gone.collect::<Result<Vec<_>, Error>>()?;
    let nvars = names.len();
    if nvars > MAX_VARS {
        return Err(Error::limit(OP, "variables", MAX_VARS as u64));
    }
    Ok(Question {
        generators,
        order: Order::from_name(&args.order)?,
        certify: args.certify || contains.is_some(),
        gone,
        contains,
        radical,
        saturate,
        nvars,
    })
}

/// What is known without a basis is still worth saying.
fn stopped(
    question: &Question,
    product: Option<u64>,
    reader: &Reader<'_>,
    context: &Context,
) -> Outcome {
    let json = json!({
        "status": "stopped", "degree_product": product, "variables": reader.vars.names(),
        "generators": question.generators.len(), "certified": false,
    });
    let degrees = product.map_or("beyond 2^64".to_owned(), |p| p.to_string());
    let text = format!("stopped before a basis was found\ndegree product: {degrees}\n");
    context.emit(&json, &text);
    Outcome::NotCertified
}

/// What was found, to be shown.
struct Answer {
    json: Value,
    text: String,
    verdict: String,
    /// The answer to a question that is true or false.
    holds: Option<bool>,
}

/// Answers over any field; `basis` computes the plain one.
fn answered<C: IdealField + Display>(
    question: &Question,
    image: impl Fn(&P<Rational>) -> Result<P<C>, Error>,
    basis: impl Fn(&Question) -> Result<GroebnerBasis<C>, Error>,
    shown: impl Fn(&P<C>) -> String,
    budget: &Budget<'_>,
) -> Result<Answer, Error> {
    let images = || {
        question
            .generators
            .iter()
            .map(&image)
            .collect::<Result<Vec<_>, Error>>()
    };
    let n = question.nvars;
    if let Some(p) = &question.radical {
        let holds = in_radical(&images()?, n, &image(p)?, budget)?;
        return Ok(Answer {
            json: json!({ "radical_contains": holds }),
            text: String::new(),
            verdict: if holds {
                "MEMBER OF THE RADICAL\n"
            } else {
                "NOT A MEMBER OF THE RADICAL\n"
            }
            .to_owned(),
            holds: Some(holds),
        });
    }
    let found = match &question.saturate {
        Some(p) => saturate(&images()?, n, &image(p)?, budget)?,
        None if !question.gone.is_empty() => eliminate(&images()?, n, &question.gone, budget)?,
        None => basis(question)?,
    };
    let mut answer = described(&found, question, &shown)?;
    if let Some(p) = &question.contains {
        let cofactors = found.membership(&image(p)?, budget)?;
        let list = cofactors
            .as_ref()
            .map(|h| h.iter().map(&shown).collect::<Vec<_>>());
        answer.json["contains"] = json!(cofactors.is_some());
        answer.json["cofactors"] = json!(list);
        answer.verdict = match cofactors {
            Some(_) => "MEMBER\n".to_owned(),
            None => "NOT A MEMBER\n".to_owned(),
        };
        for (k, h) in list.iter().flatten().enumerate() {
            answer.verdict += &format!("cofactor {}: {h}\n", k + 1);
        }
        answer.holds = Some(cofactors.is_some());
    }
    Ok(answer)
}

fn described<C: Ring + Display>(
    found: &GroebnerBasis<C>,
    question: &Question,
    shown: impl Fn(&P<C>) -> String,
) -> Result<Answer, Error> {
    let basis: Vec<String> = found.basis.iter().map(shown).collect();
    let json = json!({ "basis": basis, "certified": found.cofactors.is_some() });
    let mut text = match basis.is_empty() {
        true => "the zero ideal: its basis is empty".to_owned(),
        false => basis.join("\n"),
    };
    text.push('\n');
    let mut answer = Answer {
        json,
        text,
        verdict: String::new(),
        holds: None,
    };
    // Without the variables that are gone these numbers would say something else.
    if question.gone.is_empty() {
        let quotient = found.quotient_dimension()?;
        answer.json["quotient_dimension"] = json!(quotient);
        answer.text += &match quotient {
            Some(d) => format!("quotient dimension: {d}\n"),
            None => "quotient dimension: infinite\n".to_owned(),
        };
        let dimension = found.dimension()?;
        answer.json["dimension"] = json!(dimension);
        if quotient.is_none() {
            let shown = dimension.map_or("none".to_owned(), |d| d.to_string());
            answer.text += &format!("dimension of the solutions: {shown}\n");
        }
    }
    Ok(answer)
}

/// Writes the certificate of membership that `--out` names.
fn certificate(
    question: &Question,
    found: &Answer,
    reader: &Reader<'_>,
    context: &Context,
) -> Result<(), Error> {
    if context.certificate().is_none() {
        return Ok(());
    }
    let stop = || context.should_stop();
    let budget = budget(&stop);
    let asked = question.contains.as_ref().or(question.radical.as_ref());
    let Some(asked) = asked else {
        return proof::refuse(
            context,
            "a certificate is one of membership: ask with --contains EXPR or --radical EXPR",
        );
    };
    if found.holds != Some(true) {
        context.warn("no certificate is written: it is not a member");
        return Ok(());
    }
    if reader.field != Field::Rationals {
        return proof::refuse(context, "certificates of polynomials are over Q");
    }
    let order = Order::DegRevLex;
    let basis = groebner_basis(&question.generators, question.nvars, &order, true, &budget)?;
    // The least power that lies in the ideal itself.
    let mut power = asked.clone();
    for _ in 0..MAX_POWER {
        if let Some(cofactors) = basis.membership(&power, &budget)? {
            return written(question, &power, &cofactors, reader, context);
        }
        power = power.mul_within(asked, &budget)?;
    }
    proof::refuse(context, "no power up to the 64th lies in the ideal")
}

fn written(
    question: &Question,
    p: &P<Rational>,
    cofactors: &[P<Rational>],
    reader: &Reader<'_>,
    context: &Context,
) -> Result<(), Error> {
    proof::write(Field::Rationals, context, || {
        let tree = |p: &P<Rational>| Expression::from_poly(p, &reader.vars);
        let generators = question.generators.iter().map(tree);
        let products: Vec<_> = generators.zip(cofactors.iter().map(tree)).collect();
        Ok(Claim::ideal_membership(&tree(p), &products))
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
