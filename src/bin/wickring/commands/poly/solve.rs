//! `wickring poly solve`: real zeros of square systems, each in a ball that is proved to hold exactly one.

use super::input::{Field, Reader, located, text_of};
use super::{Solve, groebner::system, proof};
use crate::context::{Context, Outcome};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::{Value, json};
use wickring::Error;
use wickring::certify::{Certificate, CertifiedZero, Limits, Proof, find_zeros, prove_zeros};
use wickring::io::write_whole;
use wickring::poly::{Poly, Rational, Vars};

/// Random starts where none is given.
const STARTS: usize = 64;

pub fn solve(args: &Solve, context: &Context) -> Result<Outcome, Error> {
    let mut reader = Reader::with(&args.vars, Field::Rationals, context)?;
    let mut polynomials = Vec::new();
    for argument in &args.exprs {
        let text = text_of(argument)?;
        for part in system(&text) {
            let p = reader.parse(part).map_err(|e| located(e, argument))?;
            polynomials.push(p);
        }
    }
    let n = reader.vars.names().len();
    if polynomials.len() != n {
        let found = format!(
            "{} polynomials in {n} variables: --prove and Newton's method need as many of each",
            polynomials.len()
        );
        return Err(Error::invalid("poly solve", found));
    }
    let starts = match &args.start[..] {
        [] => random(n, &mut context.rng()),
        texts => {
            let starts = texts.iter().map(|text| start(text, &reader.vars));
            starts.collect::<Result<_, _>>()?
        }
    };
    let limits = Limits {
        deadline: context.deadline(),
        ..Limits::default()
    };
    let (zeros, found) = match args.prove {
        true => prove_zeros(&polynomials, &reader.vars, &starts, limits)?,
        false => {
            let points = find_zeros(&polynomials, &reader.vars, &starts, limits)?;
            let radius = f64::NAN;
            let zeros = points.into_iter();
            let zeros = zeros.map(|point| CertifiedZero { point, radius });
            (zeros.collect(), Proof::default())
        }
    };
    if !args.prove {
        proof::refuse(context, "a certificate needs --prove")?;
    } else if found.claims.is_empty() {
        proof::refuse(context, "no zero was proved")?;
    } else if let Some(out) = context.certificate() {
        let claims = found.claims.iter().cloned();
        let certificate = claims.fold(Certificate::new(), Certificate::claim);
        write_whole(out, certificate.to_json().as_bytes())?;
        let shown = out.display();
        context.say(&format!("wrote {shown}; check it: wickring check {shown}"));
    }
    // Random starts that lead nowhere are no failures.
    let given = !args.start.is_empty();
    let refused: &[String] = if given { &found.refused } else { &[] };
    // A start that is a zero and was not proved is a multiple one, or lies in a family.
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(x, y)| (x - y).abs() <= 1e-9);
    let exact = starts.iter().filter(|s| given && vanishes(&polynomials, s));
    let exact: Vec<&Vec<f64>> = exact
        .filter(|s| !zeros.iter().any(|z| near(&z.point, s)))
        .collect();
    let list: Vec<Value> = zeros.iter().map(|z| object(z, args.prove)).collect();
    let json = json!({
        "variables": reader.vars.names(), "zeros": list, "proved": args.prove && !zeros.is_empty(),
        "not_proved": refused, "starts": starts.len(), "exact_zeros": exact,
    });
    let mut text: String = zeros
        .iter()
        .map(|z| line(z, &reader.vars, args.prove))
        .collect();
    refused
        .iter()
        .for_each(|why| text += &format!("NOT PROVED  {why}\n"));
    for point in &exact {
        let names = reader.vars.names().iter().zip(*point);
        let parts: Vec<String> = names.map(|(name, x)| format!("{name} = {x}")).collect();
        let why =
            "a zero exactly, and not a simple one, so that no ball holds it alone for certain";
        text += &format!("{}   {why}\n", parts.join(", "));
    }
    text += &match (zeros.len(), args.prove) {
        (0, _) if !exact.is_empty() => String::new(),
        (0, _) => "no zero found\n".to_owned(),
        (_, true) => {
            "exactly one zero lies in each ball; that there are no others is not said\n".to_owned()
        }
        (_, false) => "limits of Newton's method, not proved: --prove\n".to_owned(),
    };
    context.emit(&json, &text);
    Ok(
        match args.prove && !zeros.is_empty() && refused.is_empty() {
            true => Outcome::Certified,
            false => Outcome::NotCertified,
        },
    )
}

/// Whether every polynomial is exactly zero at a point.
fn vanishes(polynomials: &[Poly<Rational>], point: &[f64]) -> bool {
    let exact: Option<Vec<Rational>> = point.iter().map(|x| Rational::from_f64(*x)).collect();
    exact.is_some_and(|at| {
        polynomials
            .iter()
            .all(|p| p.eval(&at) == Rational::default())
    })
}

/// Normal coordinates of sizes from 1/4 to 16.
fn random(n: usize, rng: &mut impl Rng) -> Vec<Vec<f64>> {
    let mut point = |k: usize| -> Vec<f64> {
        let size = 0.25 * 4f64.powi((k % 4) as i32);
        let mut normal = || -> f64 { StandardNormal.sample(rng) };
        (0..n).map(|_| size * normal()).collect()
    };
    (0..STARTS).map(&mut point).collect()
}

/// `x=1,y=-2.5`: a number for each variable.
fn start(text: &str, vars: &Vars) -> Result<Vec<f64>, Error> {
    let wrong = |what: String| {
        let quoted = wickring::error::quoted(text);
        Error::invalid(
            "--start",
            format!("{what}; expected x=1,y=-2.5, got {quoted}"),
        )
    };
    let mut point = vec![None; vars.names().len()];
    for part in text.split(',') {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let known = vars.names().iter().position(|n| n == name.trim());
        let at = known.ok_or_else(|| wrong(format!("no variable {:?} occurs", name.trim())))?;
        let value: f64 = value
            .trim()
            .parse()
            .map_err(|_| wrong("no number".into()))?;
        if !value.is_finite() || point[at].replace(value).is_some() {
            return Err(wrong("a value is repeated or not finite".into()));
        }
    }
    let whole: Option<Vec<f64>> = point.into_iter().collect();
    whole.ok_or_else(|| wrong("a variable has no value".into()))
}

fn object(zero: &CertifiedZero, proved: bool) -> Value {
    match proved {
        true => json!({ "point": zero.point, "radius": zero.radius }),
        false => json!({ "point": zero.point }),
    }
}

fn line(zero: &CertifiedZero, vars: &Vars, proved: bool) -> String {
    let names = vars.names().iter().zip(&zero.point);
    let parts: Vec<String> = names.map(|(name, x)| format!("{name} = {x}")).collect();
    let radius = match proved {
        true => format!("   within {:e}", zero.radius),
        false => String::new(),
    };
    format!("{}{radius}\n", parts.join(", "))
}
