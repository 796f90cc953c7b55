//! Times of operations on polynomials that `benches/peers/algebra_families.py` draws from a seed.
//!
//! `cargo run --release --features bench,groebner --example algebra_families < INSTANCES`: every line is an instance in JSON,
//! `{"op": "gcd", "vars": ["x"], "polys": ["x^2 - 1", ..], "p": 0, "seconds": 10}`, every line of output its answer and time.

use serde_json::{Value, json};
use std::io::BufRead;
use std::time::{Duration, Instant};
use wickring::Error;
use wickring::poly::{Budget, Order, Poly, Rational, Vars, groebner_basis, groebner_basis_mod};

type P = Poly<Rational>;

struct Instance {
    op: String,
    vars: Vars,
    polys: Vec<P>,
    p: u64,
    limit: Duration,
}

fn read(line: &str) -> Result<Instance, String> {
    let value: Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
    let strings = |key: &str| -> Vec<String> {
        let list = value[key].as_array().into_iter().flatten();
        list.filter_map(|s| s.as_str().map(str::to_owned)).collect()
    };
    let names = strings("vars");
    let mut vars = Vars::fixed(names.iter().map(String::as_str));
    let polys = strings("polys");
    let polys = polys.iter().map(|s| P::parse(s, &mut vars));
    Ok(Instance {
        op: value["op"].as_str().unwrap_or_default().to_owned(),
        polys: polys
            .collect::<Result<_, Error>>()
            .map_err(|e| e.to_string())?,
        vars,
        p: value["p"].as_u64().unwrap_or(0),
        limit: Duration::from_secs_f64(value["seconds"].as_f64().unwrap_or(10.0)),
    })
}

/// The answer as JSON.
fn answer(i: &Instance, budget: &Budget<'_>) -> Result<Value, Error> {
    let shown = |p: &P| json!(p.display(&i.vars).to_string());
    let whole = |p: &Poly<wickring::poly::Integer>| json!(p.display(&i.vars).to_string());
    let n = i.vars.names().len();
    Ok(match (i.op.as_str(), i.polys.as_slice()) {
        ("gcd", [a, b]) if i.p > 0 => whole(&a.gcd_mod(b, i.p, budget)?),
        ("gcd", [a, b]) => shown(&a.gcd(b, budget)?),
        ("factor", [a]) if i.p > 0 => {
            let found = a.map(Rational::numerator).factor_mod_within(i.p, budget)?;
            let list = found.1.iter().map(|(f, k)| json!([whole(f), k]));
            json!([found.0.to_string(), list.collect::<Vec<_>>()])
        }
        ("factor", [a]) => {
            let found = a.factor(budget)?;
            let list = found.factors.iter().map(|(f, k)| json!([shown(f), k]));
            json!([found.unit.to_string(), list.collect::<Vec<_>>()])
        }
        ("resultant", [a, b]) => shown(&a.resultant(b, 0, budget)?),
        ("discriminant", [a]) => shown(&a.discriminant(0, budget)?),
        ("roots", [a]) => {
            let found = a.real_roots(53, budget)?;
            json!(found.iter().map(|r| r.to_f64()).collect::<Vec<_>>())
        }
        ("groebner", all) if i.p > 0 => {
            let order = Order::DegRevLex;
            let found = groebner_basis_mod(all, n, i.p, &order, false, budget)?;
            let list = found.basis.iter().map(|g| whole(&g.to_integers()));
            json!(list.collect::<Vec<_>>())
        }
        ("groebner", all) => {
            let found = groebner_basis(all, n, &Order::DegRevLex, false, budget)?;
            json!(found.basis.iter().map(shown).collect::<Vec<_>>())
        }
        ("groebner backend", all) => backend(all, n),
        _ => json!(null),
    })
}

/// The other crate alone, for the price of the check.
fn backend(all: &[P], n: usize) -> Value {
    use groebner::{Monomial, MonomialOrder, Polynomial, groebner_basis_f4_rational};
    let convert = |p: &P| {
        let terms = p.iter().map(|(mut e, c)| {
            e.resize(n, 0);
            (Monomial::new(e), num_rational::BigRational::from(c))
        });
        Polynomial::new(terms.collect(), n, MonomialOrder::GRevLex)
    };
    let found = groebner_basis_f4_rational(all.iter().map(convert).collect(), false);
    json!(found.map_or(0, |b| b.len()))
}

/// The answer, and the least time of a few calls.
fn timed(i: &Instance) -> Value {
    let (mut best, mut found) = (f64::INFINITY, Value::Null);
    let all = Instant::now();
    for _ in 0..5 {
        let start = Instant::now();
        let budget = Budget::default().deadline(start + i.limit);
        match answer(i, &budget) {
            Ok(value) => found = value,
            Err(e) => {
                return json!({ "error": e.to_string(), "seconds": start.elapsed().as_secs_f64() });
            }
        }
        best = best.min(start.elapsed().as_secs_f64());
        if all.elapsed().as_secs_f64() > 0.5 {
            break;
        }
    }
    json!({ "seconds": best, "answer": found })
}

fn main() -> std::io::Result<()> {
    for line in std::io::stdin().lock().lines() {
        let result = match read(&line?) {
            Ok(instance) => timed(&instance),
            Err(e) => json!({ "error": e }),
        };
        #[allow(clippy::print_stdout)]
        {
            println!("{result}");
        }
    }
    Ok(())
}
