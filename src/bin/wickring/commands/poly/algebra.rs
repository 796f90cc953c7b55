//! `wickring poly eq | expand | divide | gcd | factor | roots`.

use super::input::{Field, Reader, budget, located, text_of};
use super::{Divide, Many, One, Roots, Two, proof};
use crate::context::{Context, Outcome};
use serde_json::{Value, json};
use wickring::Error;
use wickring::certify::{Claim, Expression};
use wickring::poly::{Order, Poly as P, Rational, RealRoot, Residue};

pub fn expand(args: &One, context: &Context) -> Result<Outcome, Error> {
    let mut reader = Reader::new(&args.reading, context)?;
    let given = text_of(&args.expr)?;
    let p = reader.parse(&given).map_err(|e| located(e, &args.expr))?;
    let p = reader.normal(p)?;
    let vars = &reader.vars;
    let text = p.display(vars).to_string();
    proof::write(reader.field, context, || {
        let expanded = Expression::from_poly(&p, vars);
        Ok(Claim::equal(&Expression::parse(&given)?, &expanded)
            .about(format!("{given:.200} = {text:.200}")))
    })?;
    let json = json!({
        "polynomial": text, "terms": p.len(), "degree": p.total_degree(), "variables": vars.names(),
    });
    context.emit(&json, &format!("{text}\n"));
    Ok(Outcome::Certified)
}

pub fn eq(args: &Two, context: &Context) -> Result<Outcome, Error> {
    let mut reader = Reader::new(&args.reading, context)?;
    if reader.field == Field::Rationals {
        return super::identity::eq(args, reader, context);
    }
    proof::refuse(
        context,
        "certificates of equality are over Q: leave --field out",
    )?;
    let left = reader.read(&args.left)?;
    let right = reader.read(&args.right)?;
    let difference = reader.normal(&left - &right)?;
    let equal = difference.is_zero();
    let shown = difference.display(&reader.vars).to_string();
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

pub fn divide(args: &Divide, context: &Context) -> Result<Outcome, Error> {
    let order = Order::from_name(&args.order)?;
    let mut reader = Reader::new(&args.reading, context)?;
    let dividend = reader.read(&args.dividend)?;
    let divisors = args.divisors.iter().map(|d| reader.read(d));
    let divisors = divisors.collect::<Result<Vec<_>, Error>>()?;
    if let Some(k) = divisors.iter().position(P::is_zero) {
        let what = format!("divisor {} is zero: give nonzero divisors", k + 1);
        return Err(Error::invalid("poly divide", what));
    }
    let stop = || context.should_stop();
    let budget = budget(&stop);
    let (quotients, remainder) = match reader.field {
        Field::Prime(p) => {
            let images = divisors.iter().map(|d| d.modulo(p));
            let images = images.collect::<Result<Vec<_>, Error>>()?;
            let (q, r) = dividend.modulo(p)?.div_rem(&images, &order, &budget)?;
            let back = |p: &P<Residue>| p.map(|c| Rational::from(c.to_integer()));
            (q.iter().map(back).collect(), back(&r))
        }
        Field::Integers => {
            let whole = |p: &P<Rational>| p.map(Rational::numerator);
            let images: Vec<_> = divisors.iter().map(whole).collect();
            let (q, r) = whole(&dividend).div_rem(&images, &order, &budget)?;
            let back = |p: &P<_>| p.map(|c: &wickring::poly::Integer| Rational::from(c.clone()));
            (q.iter().map(back).collect(), back(&r))
        }
        Field::Complex => {
            let what = "--field Qi supports eq and expand; divide over Q, Z or Fp:P";
            return Err(Error::invalid("poly divide", what));
        }
        Field::Rationals => match exactly(&dividend, &divisors, &budget)? {
            Some(q) => (vec![q], P::zero()),
            None => dividend.div_rem(&divisors, &order, &budget)?,
        },
    };
    // The answer is checked before it is shown: f = sum q_i g_i + r.
    let mut sum = remainder.clone();
    for (q, d) in quotients.iter().zip(&divisors) {
        sum += &q.mul_within(d, &budget)?;
    }
    if !reader.normal(&sum - &dividend)?.is_zero() {
        let (op, routine) = ("poly divide", "division");
        return Err(Error::Backend { op, routine });
    }
    let modulus = matches!(reader.field, Field::Prime(_)).then_some(reader.field);
    proof::write(modulus.unwrap_or(Field::Rationals), context, || {
        let tree = |p: &P<Rational>| Expression::from_poly(p, &reader.vars);
        let products = divisors.iter().map(tree).zip(quotients.iter().map(tree));
        let mut products: Vec<_> = products.collect();
        if remainder.is_zero() {
            return Ok(Claim::ideal_membership(&tree(&dividend), &products));
        }
        products.push((tree(&P::constant(Rational::from(1))), tree(&remainder)));
        Ok(Claim::sum_of_products(&tree(&dividend), &products)
            .about("the last product is the remainder"))
    })?;
    let shown = |p: &P<Rational>| p.display(&reader.vars).to_string();
    let list: Vec<String> = quotients.iter().map(shown).collect();
    let exact = remainder.is_zero();
    let json = json!({ "quotients": list, "remainder": shown(&remainder), "exact": exact });
    let mut text = String::new();
    for (k, q) in list.iter().enumerate() {
        let name = if list.len() == 1 {
            "quotient".to_owned()
        } else {
            format!("quotient {}", k + 1)
        };
        text += &format!("{name}: {q}\n");
    }
    text += &format!("remainder: {}\n", shown(&remainder));
    context.emit(&json, &text);
    Ok(if args.exact && !exact {
        Outcome::Refuted
    } else {
        Outcome::Certified
    })
}

/// The exact quotient by a single divisor, which is much faster than division with remainder.
fn exactly(
    dividend: &P<Rational>,
    divisors: &[P<Rational>],
    budget: &wickring::poly::Budget<'_>,
) -> Result<Option<P<Rational>>, Error> {
    match divisors {
        [d] => dividend.divide_exact(d, budget),
        _ => Ok(None),
    }
}

pub fn gcd(args: &Many, context: &Context) -> Result<Outcome, Error> {
    let mut reader = Reader::new(&args.reading, context)?;
    let all = args.exprs.iter().map(|e| reader.read(e));
    let all = all.collect::<Result<Vec<_>, Error>>()?;
    let stop = || context.should_stop();
    let budget = budget(&stop);
    let mut common = P::zero();
    for p in &all {
        common = match reader.field {
            Field::Rationals | Field::Integers => common.gcd(p, &budget)?,
            Field::Prime(q) => {
                let image = common.gcd_mod(p, q, &budget)?;
                image.map(|c| Rational::from(c.clone()))
            }
            Field::Complex => {
                let what = "--field Qi supports eq and expand; gcd over Q, Z or Fp:P";
                return Err(Error::invalid("poly gcd", what));
            }
        };
    }
    if reader.field == Field::Integers {
        // Over Z the contents have a divisor too.
        let content = |p: &P<Rational>| p.content_and_primitive_part().0.abs().numerator();
        let zero = wickring::poly::Integer::ZERO;
        let shared = all
            .iter()
            .filter(|p| !p.is_zero())
            .fold(zero, |g, p| wickring::poly::integer_gcd(&g, &content(p)));
        common = common.scale(&Rational::from(shared));
    }
    let text = common.display(&reader.vars).to_string();
    context.emit(&json!({ "gcd": text }), &format!("{text}\n"));
    Ok(Outcome::Certified)
}

pub fn factor(args: &One, context: &Context) -> Result<Outcome, Error> {
    let mut reader = Reader::new(&args.reading, context)?;
    let p = reader.read(&args.expr)?;
    let stop = || context.should_stop();
    let (unit, factors) = match reader.field {
        Field::Rationals | Field::Integers => {
            let found = p.factor(&budget(&stop))?;
            (found.unit.to_string(), found.factors)
        }
        Field::Prime(q) => {
            let (unit, factors) = p
                .map(Rational::numerator)
                .factor_mod_within(q, &budget(&stop))?;
            let lift = |(f, k): (P<wickring::poly::Integer>, u32)| {
                (f.map(|c| Rational::from(c.clone())), k)
            };
            (unit.to_string(), factors.into_iter().map(lift).collect())
        }
        Field::Complex => {
            let what = "--field Qi supports eq and expand; factor over Q, Z or Fp:P";
            return Err(Error::invalid("poly factor", what));
        }
    };
    let shown = |p: &P<Rational>| p.display(&reader.vars).to_string();
    let list: Vec<Value> = factors.iter().map(|(f, k)| json!([shown(f), k])).collect();
    let json = json!({ "unit": unit, "factors": list });
    let mut parts: Vec<String> = Vec::new();
    if unit != "1" || factors.is_empty() {
        parts.push(unit);
    }
    for (f, k) in &factors {
        let body = format!("({})", shown(f));
        parts.push(if *k == 1 { body } else { format!("{body}^{k}") });
    }
    proof::write(reader.field, context, || {
        let product = Expression::parse(&parts.join("*"))?;
        let about = "the product of the factors; that they are irreducible is not claimed";
        Ok(Claim::equal(&Expression::from_poly(&p, &reader.vars), &product).about(about))
    })?;
    context.emit(&json, &format!("{}\n", parts.join("*")));
    Ok(Outcome::Certified)
}

pub fn roots(args: &Roots, context: &Context) -> Result<Outcome, Error> {
    let mut reader = Reader::with(&[], Field::Rationals, context)?;
    let p = reader.read(&args.expr)?;
    let stop = || context.should_stop();
    let roots = p.real_roots(args.bits, &budget(&stop))?;
    let mut text = String::new();
    let mut list = Vec::new();
    for r in &roots {
        let exact = r.exact().map(ToString::to_string);
        let times = match r.multiplicity {
            1 => String::new(),
            k => format!(" (multiplicity {k})"),
        };
        let line = match &exact {
            Some(x) => x.clone(),
            None => format!("{} in ({}, {})", readable(r), r.low, r.high),
        };
        text += &format!("{line}{times}\n");
        list.push(json!({
            "low": r.low.to_string(), "high": r.high.to_string(), "exact": exact,
            "interval": [r.low.to_string(), r.high.to_string()], "decimal": r.decimal(DIGITS),
            "value": r.to_f64(), "multiplicity": r.multiplicity,
        }));
    }
    if roots.is_empty() {
        text = "no real roots\n".to_owned();
    }
    context.emit(&json!({ "roots": list, "count": roots.len() }), &text);
    Ok(Outcome::Certified)
}

/// Significant digits of a decimal: as many as tell numbers of 53 bits apart.
const DIGITS: usize = 17;

/// The shortest text that reads back, with an exponent where there would be a row of zeros.
fn readable(root: &RealRoot) -> String {
    let x = root.to_f64();
    match x.abs() {
        1e-5..1e17 => x.to_string(),
        // Beyond the range of normal numbers digits would be lost.
        f64::MIN_POSITIVE..=f64::MAX => format!("{x:e}"),
        _ => root.decimal(DIGITS),
    }
}
