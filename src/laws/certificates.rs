//! Laws of the checker: verdicts on small claims made from bytes, against definitions in machine integers.
//!
//! Entries of factorisations are halves of Gaussian integers, multiplied out entry by entry; polynomials are compared
//! by their values on a grid that is finer than their degree; moments come from the derivatives (Stein's lemma).
//! Nothing here uses the checker's arithmetic, and what leaves 127 bits is left out.

use super::broken::{Broken, check};
use super::bytes::Bytes;
use crate::Error;
use crate::certify::{self, Certificate, Limits};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const LAW: &str = "certificates::verdicts_follow_from_definitions";
/// Degree in a variable up to which values on a grid are compared.
const MOST_DEGREE: usize = 12;

/// What a definition says of a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    /// True, whether it says something or not.
    True,
    Vacuous,
    Holds,
    False,
    Refused,
}

/// The checker and the definition agree on a claim made from `data`: a factorisation over one of seven rings, an
/// identity, a sum of squares, or a moment.
///
/// # Errors
/// [`Broken`] when they do not.
pub fn verdicts_follow_from_definitions(data: &[u8]) -> Result<(), Broken> {
    let mut source = Bytes::new(data);
    let made = match source.byte() % 5 {
        0..=2 => factorisation(&mut source),
        3 => identity(&mut source),
        _ => moment(&mut source),
    };
    let Some((kind, claim, expected)) = made else {
        return Ok(());
    };
    let object = json!({
        "schema": "wickring/certificate/2", "producer": "", "inputs": [], "fit": null,
        "claims": [{ "kind": kind, "about": "", "data": claim }],
    });
    let text = Certificate::seal_text(&object.to_string()).unwrap_or_default();
    let limits = Limits {
        steps: 1 << 22,
        ..Limits::default()
    };
    let word = match certify::check(&text, limits) {
        Ok(report) => report.findings.first().map_or("", |f| f.word()),
        Err(Error::LimitExceeded { .. }) => return Ok(()),
        Err(_) => "REFUSED",
    };
    let agrees = match expected {
        Expected::True => matches!(word, "TRUE" | "VACUOUS"),
        Expected::Vacuous => word == "VACUOUS",
        Expected::Holds => word == "TRUE",
        Expected::False => word == "FALSE",
        Expected::Refused => word == "REFUSED",
    };
    check(LAW, agrees, || format!("{expected:?}, not {word}: {text}"))
}

type Made = Option<(&'static str, Value, Expected)>;

/// Real and imaginary part, in units of a power of a half that goes with them.
type Gauss = (i128, i128);

fn times(a: Gauss, b: Gauss) -> Option<Gauss> {
    let (x, y) = (a.0.checked_mul(b.0)?, a.1.checked_mul(b.1)?);
    let (u, v) = (a.0.checked_mul(b.1)?, a.1.checked_mul(b.0)?);
    Some((x.checked_sub(y)?, u.checked_add(v)?))
}

fn plus(a: Gauss, b: Gauss) -> Option<Gauss> {
    Some((a.0.checked_add(b.0)?, a.1.checked_add(b.1)?))
}

/// A ring: its name, whether halves and whether `i` may occur in what is drawn.
struct Field {
    name: &'static str,
    halves: bool,
    complex: bool,
}

static FIELDS: [Field; 8] = [
    Field::plain("Z"),
    Field::plain("ZT"),
    Field::plain("mod 2"),
    Field::plain("mod 6"),
    Field::plain("mod 7"),
    Field {
        name: "Z[1/2]",
        halves: true,
        complex: false,
    },
    Field {
        name: "Q",
        halves: true,
        complex: false,
    },
    Field {
        name: "Q(i)",
        halves: true,
        complex: true,
    },
];

impl Field {
    const fn plain(name: &'static str) -> Self {
        Self {
            name,
            halves: false,
            complex: false,
        }
    }

    /// Whether a value in units of `2^-scale` lies in the ring.
    fn holds(&self, (re, _): Gauss, scale: usize) -> bool {
        match self.name {
            "ZT" => re.unsigned_abs() <= 1 << scale,
            _ => true,
        }
    }

    /// Whether it vanishes there.
    fn vanishes(&self, (re, im): Gauss) -> bool {
        match self.name.strip_prefix("mod ").map(str::parse::<i128>) {
            Some(Ok(n)) => re % n == 0 && im == 0,
            _ => (re, im) == (0, 0),
        }
    }

    /// A value in units of `2^-scale`, as certificates write it.
    fn write(&self, (re, im): Gauss, scale: usize) -> Value {
        let part = |x: i128| match scale {
            0 => json!(x.to_string()),
            _ => json!(format!("{x}/{}", 1i128 << scale)),
        };
        match self.complex {
            // Powers of i beyond the first, and twice the same.
            true => json!([[0, part(re)], [5, part(im)], [2, "1/3"], [-4, "1/3"]]),
            false => part(re),
        }
    }
}

/// Cores `R x n x R'`, for `cp` `1 x n x R`, and what they multiply out to, perhaps changed in one entry.
fn factorisation(source: &mut Bytes<'_>) -> Made {
    let field = &FIELDS[source.below(FIELDS.len())];
    let (cp, modes) = (source.byte().is_multiple_of(2), 1 + source.below(3));
    let shape: Vec<usize> = (0..modes).map(|_| 1 + source.below(3)).collect();
    let rank = 1 + source.below(3);
    let ranks: Vec<usize> = (0..modes)
        .map(|_| if cp { rank } else { 1 + source.below(2) })
        .collect();
    let cores = cores(source, field, (cp, &ranks), &shape);
    let unit = usize::from(field.halves);
    let volume: usize = shape.iter().product();
    let scale = unit * modes;
    let found = (0..volume).map(|at| entry(&cores, (cp, &ranks), &shape, at));
    let found = found.collect::<Option<Vec<Gauss>>>()?;
    let mut target = found.clone();
    if source.byte() % 2 == 1 {
        let at = source.below(volume);
        target[at] = plus(target[at], (i128::from(source.small()), 0))?;
    }
    let all = cores.iter().flatten().flatten().flatten();
    let inside = all.into_iter().all(|x| field.holds(*x, unit))
        && target.iter().all(|x| field.holds(*x, scale));
    let equal = found
        .iter()
        .zip(&target)
        .all(|(a, b)| field.vanishes((a.0 - b.0, a.1 - b.1)));
    let expected = match (inside, equal, target.iter().all(|x| field.vanishes(*x))) {
        (false, ..) => Expected::Refused,
        (_, false, _) => Expected::False,
        (_, _, true) => Expected::Vacuous,
        _ => Expected::Holds,
    };
    let write = |x: &Gauss| field.write(*x, unit);
    let rows = |row: &Vec<Gauss>| row.iter().map(write).collect::<Value>();
    let slices = |slice: &Vec<Vec<Gauss>>| slice.iter().map(rows).collect::<Value>();
    let cores: Vec<Value> = cores
        .iter()
        .map(|c| c.iter().map(slices).collect())
        .collect();
    let entries: Vec<Value> = target.iter().map(|x| field.write(*x, scale)).collect();
    let (kind, model) = if cp {
        ("cp-exact", "cp")
    } else {
        ("ring-exact", "ring")
    };
    let data = json!({
        "model": model, "field": field.name, "cores": cores, "order": 0, "bound": 0,
        "target": { "dense": { "shape": shape, "entries": entries } },
    });
    Some((kind, data, expected))
}

/// Slices of rows of halves of numbers.
type Core = Vec<Vec<Vec<Gauss>>>;

fn cores(
    source: &mut Bytes<'_>,
    field: &Field,
    (cp, ranks): (bool, &[usize]),
    shape: &[usize],
) -> Vec<Core> {
    let mut draw = || {
        let (re, im) = (i128::from(source.small()), i128::from(source.small()));
        (re, i128::from(field.complex) * im)
    };
    let core = |(k, n): (usize, &usize)| {
        let (left, right) = (if cp { 1 } else { ranks[k] }, ranks[(k + 1) % ranks.len()]);
        let mut row = || (0..right).map(|_| draw()).collect::<Vec<_>>();
        let mut slice = || (0..*n).map(|_| row()).collect::<Vec<_>>();
        (0..left).map(|_| slice()).collect()
    };
    shape.iter().enumerate().map(core).collect()
}

/// The entry at a place, the last index fastest: the sum over every way through the bonds.
fn entry(
    cores: &[Core],
    (cp, ranks): (bool, &[usize]),
    shape: &[usize],
    mut at: usize,
) -> Option<Gauss> {
    let mut index = vec![0; shape.len()];
    for (i, n) in index.iter_mut().zip(shape).rev() {
        *i = at % n;
        at /= n;
    }
    let ways: usize = if cp { ranks[0] } else { ranks.iter().product() };
    (0..ways).try_fold((0, 0), |sum, way| {
        let mut rest = way;
        let bonds: Vec<usize> = ranks
            .iter()
            .map(|r| {
                let bond = rest % r;
                rest /= if cp { 1 } else { *r };
                bond
            })
            .collect();
        let term = cores
            .iter()
            .enumerate()
            .try_fold((1, 0), |term, (k, core)| {
                let (a, b) = (bonds[k], bonds[(k + 1) % bonds.len()]);
                times(term, core[if cp { 0 } else { a }][index[k]][b])
            })?;
        plus(sum, term)
    })
}

/// A polynomial in x and y as a tree, in brackets up to some depth.
fn tree(source: &mut Bytes<'_>, depth: usize) -> Value {
    match source.byte() % if depth == 0 { 4 } else { 8 } {
        0 | 1 => json!(source.small()),
        2 => json!("x"),
        3 => json!("y"),
        4 => json!(["^", tree(source, depth - 1), source.below(4)]),
        5 => json!(["*", tree(source, depth - 1), tree(source, depth - 1)]),
        _ => json!(["+", tree(source, depth - 1), tree(source, depth - 1)]),
    }
}

/// At most the degree in one variable.
fn degree(tree: &Value) -> usize {
    match tree {
        Value::String(_) => 1,
        Value::Array(list) => {
            let rest = list.iter().skip(1);
            match list[0].as_str() {
                Some("^") => {
                    degree(&list[1]).saturating_mul(list[2].as_u64().unwrap_or(0) as usize)
                }
                Some("*") => rest.map(degree).fold(0, usize::saturating_add),
                _ => rest.map(degree).max().unwrap_or(0),
            }
        }
        _ => 0,
    }
}

fn value(tree: &Value, at: [i128; 2]) -> Option<i128> {
    match tree {
        Value::String(name) => Some(at[usize::from(name == "y")]),
        Value::Array(list) => {
            let mut args = list.iter().skip(1);
            match list[0].as_str() {
                Some("^") => {
                    let base = value(&list[1], at)?;
                    (0..list[2].as_u64()?).try_fold(1i128, |p, _| p.checked_mul(base))
                }
                Some("*") => args.try_fold(1i128, |p, t| p.checked_mul(value(t, at)?)),
                _ => args.try_fold(0i128, |s, t| s.checked_add(value(t, at)?)),
            }
        }
        number => number.as_i64().map(i128::from),
    }
}

/// `left = sum a b`, or `sum a b^2` with numbers `a`; half of them made true.
fn identity(source: &mut Bytes<'_>) -> Made {
    let squares = source.byte() % 2 == 1;
    let mut pairs = Vec::new();
    for _ in 0..1 + source.below(3) {
        let a = if squares {
            json!(source.small())
        } else {
            tree(source, 2)
        };
        pairs.push((a, tree(source, 2)));
    }
    let product = |(a, b): &(Value, Value)| match squares {
        true => json!(["*", a, b, b]),
        false => json!(["*", b, a]),
    };
    let sum: Vec<Value> = std::iter::once(json!("+"))
        .chain(pairs.iter().map(product))
        .collect();
    let sum = Value::Array(sum);
    let left = match source.byte() % 2 {
        0 => tree(source, 3),
        _ => json!(["+", sum, source.byte() / 200]),
    };
    let most = degree(&left).max(degree(&sum));
    if most > MOST_DEGREE {
        return None;
    }
    let mut equal = true;
    for x in 0..=most as i128 {
        for y in 0..=most as i128 {
            equal &= value(&left, [x, y])? == value(&sum, [x, y])?;
        }
    }
    let negative = squares && pairs.iter().any(|(a, _)| a.as_i64() < Some(0));
    let expected = match equal && !negative {
        true => Expected::True,
        false => Expected::False,
    };
    let right: Vec<Value> = pairs.iter().map(|(a, b)| json!([a, b])).collect();
    let kind = if squares {
        "sos"
    } else {
        "polynomial-identity"
    };
    Some((kind, json!({ "left": left, "right": right }), expected))
}

/// Exponents of x and y to coefficients.
type Terms = BTreeMap<[usize; 2], i128>;

fn mean(terms: &Terms) -> Option<i128> {
    // E[x f] = E[f'].
    fn power(k: usize) -> Option<i128> {
        match k {
            0 => Some(1),
            1 => Some(0),
            _ => power(k - 2)?.checked_mul(k as i128 - 1),
        }
    }
    terms.iter().try_fold(0i128, |sum, ([i, j], c)| {
        let product = power(*i)?.checked_mul(power(*j)?)?;
        sum.checked_add(product.checked_mul(*c)?)
    })
}

fn multiplied(a: &Terms, b: &Terms) -> Option<Terms> {
    let mut product = Terms::new();
    for ([i, j], c) in a {
        for ([k, l], d) in b {
            let term = product.entry([i + k, j + l]).or_insert(0i128);
            *term = term.checked_add(c.checked_mul(*d)?)?;
        }
    }
    Some(product)
}

/// A moment or cumulant of up to three outputs, perhaps off.
fn moment(source: &mut Bytes<'_>) -> Made {
    let outputs: Vec<Terms> = (0..1 + source.below(2))
        .map(|_| {
            (0..1 + source.below(3))
                .map(|_| {
                    (
                        [source.below(3), source.below(3)],
                        i128::from(source.small()),
                    )
                })
                .collect()
        })
        .collect();
    let index: Vec<usize> = (0..1 + source.below(3))
        .map(|_| source.below(outputs.len()))
        .collect();
    let of = |set: &[usize]| -> Option<i128> {
        let one = Terms::from([([0, 0], 1)]);
        let product = set
            .iter()
            .try_fold(one, |p, &k| multiplied(&p, &outputs[index[k]]));
        mean(&product?)
    };
    let cumulant = source.byte() % 2 == 1;
    let exact = match (cumulant, index.len()) {
        (true, 2) => of(&[0, 1])?.checked_sub(of(&[0])?.checked_mul(of(&[1])?)?)?,
        (true, 3) => {
            let [a, b, c] = [of(&[0])?, of(&[1])?, of(&[2])?];
            let pairs = [(of(&[0, 1])?, c), (of(&[0, 2])?, b), (of(&[1, 2])?, a)];
            let pairs = pairs
                .iter()
                .try_fold(0i128, |s, (x, y)| s.checked_add(x.checked_mul(*y)?));
            let triple = a.checked_mul(b)?.checked_mul(c)?.checked_mul(2)?;
            of(&[0, 1, 2])?.checked_sub(pairs?)?.checked_add(triple)?
        }
        (_, n) => of(&(0..n).collect::<Vec<_>>())?,
    };
    let (off, tolerance) = (i128::from(source.small()), i128::from(source.byte() % 6));
    let expected = match (
        off.abs() > tolerance,
        tolerance > 0 && exact.abs() <= tolerance,
    ) {
        (true, _) => Expected::False,
        (_, true) => Expected::Vacuous,
        _ => Expected::Holds,
    };
    let term = |([i, j], c): (&[usize; 2], &i128)| {
        json!(["*", c.to_string(), ["^", "x", i], ["^", "y", j]])
    };
    let output = |terms: &Terms| {
        let sum = std::iter::once(json!("+")).chain(terms.iter().map(term));
        Value::Array(sum.collect())
    };
    let name = if cumulant { "cumulant" } else { "moment" };
    let data = json!({
        "polynomials": outputs.iter().map(output).collect::<Vec<_>>(), "tolerance": tolerance.to_string(),
        "values": [[name, index, exact.checked_add(off)?.to_string()]],
    });
    Some(("gaussian-moments", data, expected))
}
