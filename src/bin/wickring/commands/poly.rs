//! `wickring poly ...`: exact polynomial algebra.

use crate::context::{Context, Outcome};
use clap::{Args, Subcommand};
use serde_json::json;
use wickring::Error;
use wickring::poly::{Poly as P, Rational, Vars};

/// What to do with polynomials.
#[derive(Subcommand)]
pub enum Poly {
    /// Whether two expressions are the same polynomial: exit 0 if so, 1 if not.
    Eq(Two),
    /// Multiply out.
    Expand(One),
    /// Moments of a polynomial of Gaussian, spherical or independent variables, exactly.
    Moment(super::poly_gaussian::Moments),
    /// Cumulants of a polynomial of Gaussian, spherical or independent variables, exactly.
    Cumulant(super::poly_gaussian::Moments),
    /// Expansion in Hermite polynomials, and back.
    Hermite(super::poly_gaussian::Hermite),
}

/// One expression.
#[derive(Args)]
pub struct One {
    /// A polynomial with rational coefficients, such as '(x + 1/2)^3 - y'.
    expr: String,
}

/// Two expressions.
#[derive(Args)]
pub struct Two {
    /// Left-hand side.
    left: String,
    /// Right-hand side.
    right: String,
}

/// Runs `wickring poly`.
pub fn run(command: &Poly, context: &Context) -> Result<Outcome, Error> {
    match command {
        Poly::Eq(args) => eq(args, context),
        Poly::Expand(args) => expand(args, context),
        Poly::Moment(args) => super::poly_gaussian::moment(args, context),
        Poly::Cumulant(args) => super::poly_gaussian::cumulant(args, context),
        Poly::Hermite(args) => super::poly_gaussian::hermite(args, context),
    }
}

fn expand(args: &One, context: &Context) -> Result<Outcome, Error> {
    let mut vars = Vars::new();
    let p = P::parse(&args.expr, &mut vars)?;
    let text = p.display(&vars).to_string();
    let json = json!({ "polynomial": text, "terms": p.len(), "variables": vars.names() });
    context.emit(&json, &format!("{text}\n"));
    Ok(Outcome::Certified)
}

fn eq(args: &Two, context: &Context) -> Result<Outcome, Error> {
    let mut vars = Vars::new();
    let left = P::<Rational>::parse(&args.left, &mut vars)?;
    let right = P::parse(&args.right, &mut vars)?;
    let difference = &left - &right;
    let equal = difference.is_zero();
    let shown = difference.display(&vars).to_string();
    let json = json!({ "equal": equal, "difference": shown });
    let text = if equal {
        "EQUAL\n".to_owned()
    } else {
        format!("DIFFERENT: left - right = {shown}\n")
    };
    context.emit(&json, &text);
    Ok(if equal {
        Outcome::Certified
    } else {
        Outcome::Refuted
    })
}
