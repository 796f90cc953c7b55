//! The kinds of theorems, read and judged.

use super::super::terms::{Checked, Machine};
use super::integers::{Exact, Matrix};
use super::krawczyk::{Ball, Equation};
use super::models::{Kind, Model};
use super::slices::Slices;
use crate::Error;
use crate::certify::format::Verdict;
use crate::certify::json::{Json, malformed};
use crate::certify::numbers::{Budget, OP, limited, whole};
use dashu_int::IBig;
use dashu_ratio::RBig;
use std::collections::BTreeSet;

/// The claims that are replayed here.
pub(in crate::certify) const KINDS: [&str; 10] = [
    "cp-commuting",
    "rank-above",
    "border-rank",
    "cp-unique",
    "cp-exists",
    "cp-minimiser",
    "symmetric-exists",
    "symmetric-minimiser",
    "ring-exists",
    "poly-zero",
];
const MAX_UNKNOWNS: i64 = 600;
const MAX_SCALE: i64 = 256;
const MAX_DEGREE: usize = 64;
/// The fields of a claim of a zero.
const ZERO: [&str; 7] = [
    "variables",
    "equations",
    "scale",
    "point",
    "scaleC",
    "C",
    "radius",
];

/// The verdict on a claim of one of the kinds above; `earlier` are the claims before it.
pub(in crate::certify) fn theorem(
    kind: &str,
    data: &Json,
    earlier: &[Json],
    budget: &mut Budget,
) -> Checked<Verdict> {
    let mut m = Exact { budget };
    match kind {
        "cp-commuting" => commuting(data, &mut m),
        "rank-above" => above(data, &mut m),
        "border-rank" => border(data, &mut m),
        "cp-unique" => unique(data, earlier, &mut m),
        "cp-exists" => near(Kind::Cp, false, data, &mut m),
        "cp-minimiser" => near(Kind::Cp, true, data, &mut m),
        "symmetric-exists" => near(Kind::Symmetric, false, data, &mut m),
        "symmetric-minimiser" => near(Kind::Symmetric, true, data, &mut m),
        "ring-exists" => near(Kind::Ring, false, data, &mut m),
        "poly-zero" => zero(data, &mut m),
        _ => malformed(format!("there are no claims of kind {kind:.40?}")),
    }
}

fn verdict(holds: bool, what: String) -> Checked<Verdict> {
    Ok(match holds {
        true => Verdict::True(what),
        // The tests of this folder are sufficient conditions: what fails them is open.
        false => Verdict::Undecided(format!("its data do not show that it is so: {what}")),
    })
}

fn truth(json: &Json) -> Checked<bool> {
    match json {
        Json::Bool(b) => Ok(*b),
        other => malformed(format!("{} is neither true nor false", other.short())),
    }
}

fn commuting(data: &Json, m: &mut Exact) -> Checked<Verdict> {
    let names = ["target", "mode", "rank", "a", "b", "real"];
    let [target, mode, rank, a, b, real] = data.fields(names)?;
    let (mode, real) = (whole(mode, 0, 2)? as usize, truth(real)?);
    let rank = whole(rank, 1, i64::MAX)? as usize;
    let (t, a, b) = (m.target(target)?, m.integers(a)?, m.integers(b)?);
    let (found, says) = m.slices(&t, mode, [&a, &b])?;
    let holds = match says {
        Slices::Commuting { real: roots } => found == rank && (roots == rank) == real,
        _ => false,
    };
    let words = match real {
        true => format!("rank {rank} over R and over C"),
        false => format!("rank {rank} over C and a larger one over R"),
    };
    let what = format!("{words}, and the decomposition over C is unique");
    match says {
        // These settle the rank, and it is another one, over one field or the other.
        Slices::Commuting { .. } if !holds => Ok(Verdict::False(format!("not {what}"))),
        Slices::NotCommuting | Slices::NotDiagonal if found >= rank => {
            Ok(Verdict::False(format!("the rank is larger than {rank}")))
        }
        _ => verdict(holds, what),
    }
}

fn above(data: &Json, m: &mut Exact) -> Checked<Verdict> {
    let names = ["target", "mode", "rank", "a", "b", "border"];
    let [target, mode, rank, a, b, border] = data.fields(names)?;
    let (mode, border) = (whole(mode, 0, 2)? as usize, truth(border)?);
    let rank = whole(rank, 0, i64::MAX - 1)? as usize;
    let (t, a, b) = (m.target(target)?, m.integers(a)?, m.integers(b)?);
    let (found, says) = m.slices(&t, mode, [&a, &b])?;
    let more = match says {
        Slices::NotCommuting => true,
        Slices::NotDiagonal => !border,
        _ => false,
    };
    let what = match border {
        true => format!("border rank larger than {rank}"),
        false => format!("rank larger than {rank} over every field that contains Q"),
    };
    match says {
        Slices::Commuting { .. } if found <= rank => {
            Ok(Verdict::False(format!("the rank over C is {found}")))
        }
        _ => verdict(found > rank || (found == rank && more), what),
    }
}

fn border(data: &Json, m: &mut Exact) -> Checked<Verdict> {
    let names = ["target", "mode", "p", "projection", "prime", "bound"];
    let [target, mode, p, projection, prime, bound] = data.fields(names)?;
    let mode = whole(mode, 0, 2)? as usize;
    let p = limited(p, 0, 8, "p")? as usize;
    let prime = whole(prime, 2, (1 << 31) - 1)? as u64;
    let bound = whole(bound, 1, i64::MAX)? as usize;
    let t = m.target(target)?;
    let columns = t.shape.get(mode).copied().unwrap_or(0);
    let projection = m.matrix(projection, (2 * p + 1, columns))?;
    let found = m.koszul(&t, (mode, p), &projection, prime)?;
    verdict(found >= bound, format!("border rank at least {bound}"))
}

fn unique(data: &Json, earlier: &[Json], m: &mut Exact) -> Checked<Verdict> {
    let [model, prime, ranks] = data.fields(["model", "prime", "ranks"])?;
    let model = whole(model, 0, earlier.len() as i64 - 1)? as usize;
    let prime = whole(prime, 2, (1 << 31) - 1)? as u64;
    let factors = m.columns(&earlier[model])?;
    m.budget.spend(1 << 14)?;
    if !super::koszul::is_prime(prime) {
        return malformed(format!("{prime} is no prime below 2^31"));
    }
    let rank = factors.first().map_or(0, Vec::len);
    let even = rank > 0 && factors.iter().all(|f| f.len() == rank);
    let (ranks, order) = (ranks.list()?, factors.len());
    if !even || order < 3 || ranks.len() != order {
        return malformed("three modes or more of one rank, and a number for each, are needed");
    }
    let (mut sum, mut holds) = (0, true);
    for (factor, k) in factors.iter().zip(ranks) {
        let k = whole(k, 1, rank as i64)? as usize;
        sum += k;
        holds = holds && m.independent(factor, k, prime)?;
    }
    // Kruskal 1977; Sidiropoulos and Bro 2000 for more modes.
    holds &= rank == 1 || sum > 2 * rank + order - 2;
    let claim = model + 1;
    verdict(
        holds,
        format!("the decomposition of claim {claim} is of least rank, {rank}, and unique"),
    )
}

/// The radius `[n, e]`, `n 2^e`, and numbers in units of `2^-scale`, in a common unit.
fn ball(
    (scale, radius): (&Json, &Json),
    centre: Vec<IBig>,
    degree: usize,
    place: Vec<Option<usize>>,
    m: &mut Exact,
) -> Checked<Ball> {
    let scale = limited(scale, 0, MAX_SCALE, "scale")? as usize;
    let [n, e] = radius.list()? else {
        return malformed("a radius is [number, exponent]");
    };
    let (n, e) = (m.integer(n)?, whole(e, -2 * MAX_SCALE, 0)?);
    if n <= IBig::ZERO {
        return malformed("a radius is positive");
    }
    let e = e.unsigned_abs() as usize;
    let unit = scale.max(e);
    m.budget.spend(centre.len().saturating_mul(64))?;
    let centre = centre.into_iter().map(|x| x << (unit - scale)).collect();
    Ok(Ball::new(centre, n << (unit - e), (unit, degree), place))
}

/// Existence of a decomposition, or of a minimum of the squared distance, near the printed cores.
fn near(kind: Kind, minimum: bool, data: &Json, m: &mut Exact) -> Checked<Verdict> {
    let names = fields(minimum);
    let [target, scale, cores, unknowns, precision, matrix, radius] = data.fields(names)?;
    let t = m.target(target)?;
    let model = Model::read(kind, cores, &t, m)?;
    let (list, count) = (unknowns.list()?, model.parameters.len());
    let place = places(list, count)?;
    let precision = limited(precision, 0, MAX_SCALE, "scale")? as usize;
    let matrix = m.matrix(matrix, (list.len(), list.len()))?;
    let held: Vec<usize> = (0..count).filter(|&p| place[p].is_none()).collect();
    let gauge = model.is_gauge(&held);
    let ball = ball(
        (scale, radius),
        model.parameters.clone(),
        model.degree(),
        place,
        m,
    )?;
    let within = format!("within {} of the printed cores", power(radius)?);
    let rank = model.rank();
    let Some(equations) = model.equations(&t, !minimum, m)? else {
        return Ok(Verdict::False("the target is not symmetric".into()));
    };
    if minimum {
        if !gauge {
            return malformed(
                "what is not unknown must be one entry other than zero of each column that scaling moves",
            );
        }
        let what = format!(
            "{within} the squared distance of rank {rank} has exactly one critical point with the held entries, \
             a strict local minimum up to scaling"
        );
        let holds = m.one_minimum(
            &ball,
            &mut equations.into_iter(),
            &t.denominator,
            (&matrix, precision),
        )?;
        return verdict(holds, what);
    }
    if equations.len() != list.len() {
        let (have, want) = (equations.len(), list.len());
        return malformed(format!("there are {have} equations and {want} unknowns"));
    }
    let what = format!(
        "{within} there is exactly one real decomposition of rank {rank} with the held entries"
    );
    let holds = m.one_zero(
        &ball,
        &mut equations.into_iter(),
        &t.denominator,
        (&matrix, precision),
    )?;
    verdict(holds, what)
}

/// The fields of a claim near printed cores.
fn fields(minimum: bool) -> [&'static str; 7] {
    let (digits, name) = if minimum {
        ("scaleL", "L")
    } else {
        ("scaleC", "C")
    };
    [
        "target", "scale", "cores", "unknowns", digits, name, "radius",
    ]
}

/// The number of each parameter among the unknowns, if it is one.
fn places(list: &[Json<'_>], count: usize) -> Checked<Vec<Option<usize>>> {
    limited_count(list.len())?;
    let mut place = vec![None; count];
    for (k, u) in list.iter().enumerate() {
        let u = whole(u, 0, count as i64 - 1)? as usize;
        if place[u].replace(k).is_some() {
            return malformed(format!("the unknown {u} is repeated"));
        }
    }
    Ok(place)
}

/// A radius in words.
fn power(radius: &Json<'_>) -> Checked<String> {
    let [number, exponent] = [0, 1].map(|k| radius.list().map(|l| l[k].short()));
    Ok(format!("{} * 2^{}", number?, exponent?))
}

fn limited_count(n: usize) -> Checked<()> {
    match n {
        0 => malformed("there are no unknowns"),
        n if n as i64 > MAX_UNKNOWNS => Err(Error::limit(OP, "unknowns", MAX_UNKNOWNS as u64)),
        _ => Ok(()),
    }
}

/// A zero of a square system of polynomials.
fn zero(data: &Json, m: &mut Exact) -> Checked<Verdict> {
    let [
        variables,
        equations,
        scale,
        point,
        precision,
        matrix,
        radius,
    ] = data.fields(ZERO)?;
    let (names, list) = (variables.list()?, equations.list()?);
    limited_count(names.len())?;
    if list.len() != names.len() {
        return malformed("there must be as many equations as variables");
    }
    let (values, systems) = polynomials(names, list, m)?;
    let (values, unit) = m.cleared(&values)?;
    let mut values = values.into_iter();
    let systems: Vec<Equation> = systems
        .into_iter()
        .map(|monomials| {
            monomials
                .into_iter()
                .filter_map(|f| Some((values.next()?, f)))
                .collect()
        })
        .collect();
    let degree = systems
        .iter()
        .flatten()
        .map(|t| t.1.len())
        .max()
        .unwrap_or(0)
        .max(1);
    if degree > MAX_DEGREE {
        return Err(Error::limit(OP, "degree", MAX_DEGREE as u64));
    }
    let precision = limited(precision, 0, MAX_SCALE, "scale")? as usize;
    let n = names.len();
    let (matrix, point): (Matrix, _) = (m.matrix(matrix, (n, n))?, m.integers(point)?);
    if point.len() != n {
        return malformed("the point has a coordinate for each variable");
    }
    let place = (0..n).map(Some).collect();
    let ball = ball((scale, radius), point, degree, place, m)?;
    let what = format!(
        "exactly one common zero of {n} polynomials within {} of the point, a simple one",
        power(radius)?
    );
    let holds = m.one_zero(&ball, &mut systems.into_iter(), &unit, (&matrix, precision))?;
    verdict(holds, what)
}

/// The coefficients of all equations, and the factors of their monomials.
fn polynomials(
    names: &[Json],
    equations: &[Json],
    m: &mut Exact,
) -> Checked<(Vec<RBig>, Vec<Vec<Vec<usize>>>)> {
    let mut machine = Machine::new(m.budget.clone());
    let mut known = BTreeSet::new();
    for name in names {
        let new = known.insert(name.text()?);
        // A text that is no name is read as a number.
        if !new || machine.read(name)?.keys().next().is_none_or(Vec::is_empty) {
            return malformed(format!("{} is no variable, or repeated", name.short()));
        }
    }
    let (mut values, mut systems) = (Vec::new(), Vec::new());
    for equation in equations {
        let mut monomials = Vec::new();
        for (exponents, c) in machine.read(equation)? {
            if exponents.len() > names.len() {
                return malformed("an equation has a variable that is not in the list");
            }
            let total: i64 = exponents.iter().sum();
            if total > MAX_DEGREE as i64 {
                return Err(Error::limit(OP, "degree", MAX_DEGREE as u64));
            }
            let repeated = |(v, e): (usize, &i64)| std::iter::repeat_n(v, *e as usize);
            monomials.push(exponents.iter().enumerate().flat_map(repeated).collect());
            values.push(c);
        }
        systems.push(monomials);
    }
    *m.budget = machine.budget;
    Ok((values, systems))
}
