//! `wickring poly moment|cumulant|hermite`: exact Gaussian calculus.

use super::input::budget;
use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::poly::gaussian::{
    Covariance, GaussianLaw, HermiteExpansion, Law, ProductLaw, RadialLaw,
};
use wickring::poly::{Poly, Rational, Vars};

/// Most orders that can be asked for at once.
const MAX_ORDER: u32 = 64;

/// The law of the variables.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Dist {
    /// Normal: mean 0 and covariance I, unless --mean or --cov say otherwise.
    Normal,
    /// Uniform on the unit sphere.
    Sphere,
    /// Uniform in the unit ball.
    Ball,
    /// Independent, each uniform on [-1, 1] or on --range.
    Uniform,
}

/// An expression, the law of its variables, and the orders wanted.
#[derive(Args, Clone)]
pub struct Moments {
    /// A polynomial with rational coefficients, such as 'x^2 + 1/2*x*y'.
    #[arg(allow_hyphen_values = true)]
    expr: String,
    /// The law of the variables.
    #[arg(long, value_enum, default_value_t = Dist::Normal)]
    dist: Dist,
    /// Covariance, as CSV of rationals or decimals (read exactly); a first line may name the variables.
    #[arg(long, value_name = "FILE.csv")]
    cov: Option<PathBuf>,
    /// Mean of the normal law, such as '1,-1/2,0'.
    #[arg(long, allow_hyphen_values = true)]
    mean: Option<String>,
    /// Ends of the interval for --dist uniform, such as '0,1'.
    #[arg(long, allow_hyphen_values = true)]
    range: Option<String>,
    /// The variables in the order of the covariance and the mean; by default sorted by name (x2 before x10).
    #[arg(long, value_name = "x,y,..")]
    vars: Option<String>,
    /// Orders: one (4), a range (1..4, both ends included) or a list (1,2,4).
    #[arg(long, default_value = "1")]
    order: String,
}

/// An expression and the basis wanted.
#[derive(Args)]
pub struct Hermite {
    /// A polynomial with rational coefficients; with --inverse, its Hermite coefficients as one: x^2*y stands for He_2(x) He_1(y).
    #[arg(allow_hyphen_values = true)]
    expr: String,
    /// Variance s of the basis He^[s].
    #[arg(long, default_value = "1", allow_hyphen_values = true)]
    variance: String,
    /// From Hermite coefficients back to the polynomial.
    #[arg(long)]
    inverse: bool,
    /// The variables, in the order wanted; by default sorted by name.
    #[arg(long, value_name = "x,y,..")]
    vars: Option<String>,
}

/// Runs `wickring poly moment`.
pub fn moment(args: &Moments, context: &Context) -> Result<Outcome, Error> {
    report(args, context, "moments")
}

/// Runs `wickring poly cumulant`.
pub fn cumulant(args: &Moments, context: &Context) -> Result<Outcome, Error> {
    report(args, context, "cumulants")
}

fn report(args: &Moments, context: &Context, what: &'static str) -> Result<Outcome, Error> {
    let orders = orders(&args.order)?;
    let highest = orders.iter().copied().max().unwrap_or(0);
    let cov = args.cov.as_deref().map(read_covariance).transpose()?;
    let names = match (&args.vars, &cov) {
        (Some(list), _) => Some(split_names(list)?),
        (None, Some((names, _))) if !names.is_empty() => Some(names.clone()),
        _ => None,
    };
    let (p, vars) = read_polynomial(&args.expr, names, context)?;
    let (asked, dim) = (args.clone(), vars.names().len());
    // The laws do not look at the clock.
    let all = context.within("poly moment", move || {
        let law = choose_law(&asked, cov.map(|(_, c)| c), dim, &p, highest)?;
        match what {
            "moments" => law.moments(&p, highest),
            _ => law.cumulants(&p, highest),
        }
    })?;
    let values: Vec<String> = orders
        .iter()
        .map(|&k| all[k as usize - 1].to_string())
        .collect();
    let json = json!({ what: values, "orders": orders, "variables": vars.names() });
    let lines = orders.iter().zip(&values).map(|(k, v)| match what {
        "moments" => format!("E p^{k} = {v}\n"),
        _ => format!("kappa_{k} = {v}\n"),
    });
    context.emit(&json, &lines.collect::<String>());
    Ok(Outcome::Certified)
}

fn choose_law(
    args: &Moments,
    cov: Option<Covariance<Rational>>,
    dim: usize,
    p: &Poly<Rational>,
    highest: u32,
) -> Result<Box<dyn Law<Rational>>, Error> {
    let op = "poly moment";
    if args.dist != Dist::Normal && (cov.is_some() || args.mean.is_some()) {
        return Err(Error::invalid(
            op,
            "--cov and --mean go with --dist normal only",
        ));
    }
    if args.dist != Dist::Uniform && args.range.is_some() {
        return Err(Error::invalid(op, "--range goes with --dist uniform only"));
    }
    Ok(match args.dist {
        Dist::Normal => {
            let cov = cov.unwrap_or_else(|| Covariance::identity(dim));
            if cov.dim() != dim {
                let found = format!("{} variables; name all of them with --vars", dim);
                return Err(Error::shape(
                    op,
                    format!("as many variables as --cov has rows, {}", cov.dim()),
                    found,
                ));
            }
            let mean = match &args.mean {
                Some(list) => numbers("--mean", list)?,
                None => vec![Rational::default(); dim],
            };
            Box::new(GaussianLaw::new(mean, cov)?)
        }
        Dist::Sphere => Box::new(RadialLaw::sphere(dim.max(1))?),
        Dist::Ball => Box::new(RadialLaw::ball(dim.max(1))?),
        Dist::Uniform => {
            let ends = numbers("--range", args.range.as_deref().unwrap_or("-1,1"))?;
            let [low, high] = ends.as_slice() else {
                return Err(Error::invalid(op, "--range needs two numbers, such as 0,1"));
            };
            let degree = p.total_degree().saturating_mul(highest.into());
            let degree = u32::try_from(degree).unwrap_or(u32::MAX);
            Box::new(ProductLaw::uniform(dim, low, high, degree)?)
        }
    })
}

/// Runs `wickring poly hermite`.
pub fn hermite(args: &Hermite, context: &Context) -> Result<Outcome, Error> {
    let names = args.vars.as_deref().map(split_names).transpose()?;
    let (p, vars) = read_polynomial(&args.expr, names, context)?;
    let variance: Rational = args.variance.parse()?;
    if args.inverse {
        let q = context.within("poly hermite", move || {
            HermiteExpansion::from_symbol(p, variance).to_poly()
        })?;
        let text = q.display(&vars).to_string();
        context.emit(
            &json!({ "polynomial": text, "variables": vars.names() }),
            &format!("{text}\n"),
        );
        return Ok(Outcome::Certified);
    }
    let h = context.within("poly hermite", move || {
        HermiteExpansion::from_poly_with_variance(&p, variance)
    })?;
    let mut list = Vec::new();
    let mut text = String::new();
    for (mut e, c) in h.symbol().terms() {
        e.resize(vars.names().len(), 0);
        let factors: Vec<String> = e
            .iter()
            .enumerate()
            .filter(|&(_, &k)| k > 0)
            .map(|(i, k)| format!("He{k}({})", vars.name(i)))
            .collect();
        text.push_str(&format!(
            "{c}\t{}\n",
            if factors.is_empty() {
                "1".to_owned()
            } else {
                factors.join(" ")
            }
        ));
        list.push(json!([e, c.to_string()]));
    }
    if list.is_empty() {
        text.push_str("0\n");
    }
    let json =
        json!({ "hermite": list, "variance": h.variance().to_string(), "variables": vars.names() });
    context.emit(&json, &text);
    Ok(Outcome::Certified)
}

/// Reads the expression; without given names the variables are put into natural order of their names.
fn read_polynomial(
    text: &str,
    names: Option<Vec<String>>,
    context: &Context,
) -> Result<(Poly<Rational>, Vars), Error> {
    let stop = || context.should_stop();
    let within = budget(&stop);
    if let Some(names) = names {
        let mut vars = Vars::fixed(names);
        let p = Poly::parse_within(text, &mut vars, &within)?;
        return Ok((p, vars));
    }
    // Reading once finds the names; reading again numbers the variables in their natural order.
    let mut found = Vars::new();
    Poly::<Rational>::parse_within(text, &mut found, &within)?;
    let mut names = found.names().to_vec();
    names.sort_by_key(|name| natural_key(name));
    let mut vars = Vars::fixed(names);
    let p = Poly::parse_within(text, &mut vars, &within)?;
    Ok((p, vars))
}

/// `x10` after `x2`: the trailing number counts as a number.
fn natural_key(name: &str) -> (String, usize, String) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = name[stem.len()..].trim_start_matches('0');
    (stem.to_owned(), digits.len(), digits.to_owned())
}

fn split_names(list: &str) -> Result<Vec<String>, Error> {
    let names: Vec<String> = list.split(',').map(|n| n.trim().to_owned()).collect();
    let sound =
        |n: &String| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let twice = (1..names.len()).find(|&i| names[..i].contains(&names[i]));
    match (names.iter().find(|n| !sound(n)), twice) {
        (None, None) => Ok(names),
        (Some(bad), _) => Err(Error::invalid(
            "poly",
            format!("'{bad}' is no name of a variable; names are separated by commas"),
        )),
        (None, Some(i)) => Err(Error::invalid(
            "poly",
            format!("the variable {} is listed twice", names[i]),
        )),
    }
}

fn numbers(flag: &'static str, list: &str) -> Result<Vec<Rational>, Error> {
    let read = |text: &str| {
        let wrong = |_| {
            Error::invalid(
                flag,
                format!(
                    "expected numbers separated by commas, found '{}'",
                    text.trim()
                ),
            )
        };
        text.trim().parse().map_err(wrong)
    };
    list.split(',').map(read).collect()
}

/// `4`, `1..4` (both ends included) or `1,2,4`.
fn orders(text: &str) -> Result<Vec<u32>, Error> {
    let wrong = || {
        let found = wickring::error::quoted(text);
        Error::invalid(
            "--order",
            format!("needs orders in 1..={MAX_ORDER}, as 4, 1..4 or 1,2,4; found {found}"),
        )
    };
    let number = |t: &str| {
        t.trim()
            .trim_start_matches('=')
            .parse::<u32>()
            .map_err(|_| wrong())
    };
    let list = match text.split_once("..") {
        Some((low, high)) => (number(low)?..=number(high)?.min(MAX_ORDER + 1)).collect(),
        None => text.split(',').map(number).collect::<Result<Vec<_>, _>>()?,
    };
    if list.is_empty() || list.iter().any(|&k| k == 0 || k > MAX_ORDER) {
        return Err(wrong());
    }
    Ok(list)
}

fn read_covariance(path: &Path) -> Result<(Vec<String>, Covariance<Rational>), Error> {
    let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read ({e})"));
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > 1 << 26 {
        return Err(Error::file(
            path,
            "",
            "larger than 64 MiB: a covariance of that size cannot be treated exactly",
        ));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let place = |e: Error| match e {
        Error::InvalidInput { requirement, .. } => Error::file(path, "", requirement),
        Error::Shape {
            expected, found, ..
        } => Error::file(path, "", format!("expected {expected}, found {found}")),
        other => other,
    };
    let (names, covariance) = Covariance::parse(&text).map_err(place)?;
    covariance.factor().map_err(place)?;
    Ok((names, covariance))
}
