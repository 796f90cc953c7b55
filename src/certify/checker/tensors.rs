//! Factorisations of tensors. The entry at `(i, j, ..)` of a tensor is the term with exponents `i, j, ..`, so
//! that the product of vectors in different modes is their outer product.

use super::replay::Verdict;
use super::terms::{Checked, Machine, Terms, malformed, monomial, one, rational};
use crate::error::quoted;
use dashu_int::ops::PowerOfTwo;
use dashu_ratio::RBig;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// `T[i, j, ..] = Tr(G_0[i] G_1[j] ..)` with cores `R x n x R'`. A CP factor `n x R` is written `1 x n x R`
/// in all modes and stands for diagonal matrices.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claim {
    field: String,
    factors: Vec<Vec<Vec<Value>>>,
    cores: Vec<Vec<Vec<Vec<Value>>>>,
    target: Target,
    /// The error may be `O(x^order)` over `Q[x,1/x]`; 0 for none.
    order: u32,
    bound: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Target {
    Matmul([u16; 3]),
    Polymul([u16; 2]),
    /// Row by row, the last index fastest.
    Dense {
        shape: Vec<usize>,
        entries: Vec<Value>,
    },
}

struct Field<'a> {
    name: &'a str,
    prime: Option<u64>,
    modes: usize,
}

impl Field<'_> {
    fn holds(&self, c: &RBig) -> bool {
        match (self.name, self.prime) {
            ("ZT", _) => c.denominator().is_one() && (RBig::NEG_ONE..=RBig::ONE).contains(c),
            ("Z", _) => c.denominator().is_one(),
            ("Z[1/2]", _) => c.denominator().is_power_of_two(),
            (_, Some(p)) => c.denominator() % p != 0,
            _ => true,
        }
    }

    /// An entry at an index: a number, or an expression in the adjoined `i` or `x`, whose exponent comes last.
    fn entry(&self, index: &[usize], json: &Value, m: &mut Machine) -> Checked<Terms> {
        let adjoined = match self.name {
            "Q(i)" => Some("i"),
            "Q[x,1/x]" => Some("x"),
            _ => None,
        };
        let names = (0..self.modes).map(|_| "").chain(adjoined);
        m.names = names.map(str::to_owned).collect();
        let known = m.names.len();
        let value = m.read(json)?;
        let exact = self.name == "binary64" || !json.is_f64();
        if !exact || m.names.len() > known || !value.values().all(|c| self.holds(c)) {
            return malformed(format!(
                "{} does not lie in {}",
                quoted(&json.to_string()),
                self.name
            ));
        }
        m.mul(&place(index), &value)
    }
}

/// The unit tensor at an index.
fn place(index: &[usize]) -> Terms {
    monomial(index.iter().map(|&i| i as i64).collect(), RBig::ONE)
}

fn target(target: &Target, field: &Field, m: &mut Machine) -> Checked<(Vec<usize>, Terms)> {
    let mut sum = Terms::new();
    let shape = match target {
        Target::Matmul(dims) => {
            let [n, p, q] = dims.map(usize::from);
            for (i, j, k) in
                (0..n).flat_map(|i| (0..p).flat_map(move |j| (0..q).map(move |k| (i, j, k))))
            {
                m.add(
                    &mut sum,
                    1,
                    &one(),
                    &place(&[i * p + j, j * q + k, i * q + k]),
                )?;
            }
            vec![n * p, p * q, n * q]
        }
        Target::Polymul(dims) => {
            let [a, b] = dims.map(usize::from);
            for (i, j) in (0..a).flat_map(|i| (0..b).map(move |j| (i, j))) {
                m.add(&mut sum, 1, &one(), &place(&[i, j, i + j]))?;
            }
            vec![a, b, (a + b).saturating_sub(1)]
        }
        Target::Dense { shape, entries } => {
            let volume = shape.iter().try_fold(1usize, |v, &n| v.checked_mul(n));
            if volume != Some(entries.len()) {
                return malformed(format!(
                    "{} entries do not fill the shape {shape:?}",
                    entries.len()
                ));
            }
            for (flat, entry) in entries.iter().enumerate() {
                let mut index = vec![0; shape.len()];
                shape.iter().enumerate().rev().fold(flat, |rest, (k, &n)| {
                    index[k] = rest % n;
                    rest / n
                });
                let entry = field.entry(&index, entry, m)?;
                m.add(&mut sum, 1, &one(), &entry)?;
            }
            shape.clone()
        }
    };
    Ok((shape, sum))
}

/// Row and column to the vector over one mode that stands there.
type Core = BTreeMap<(usize, usize), Terms>;

/// The cores with their shapes, from either way of writing.
fn cores(claim: &Claim, field: &Field, m: &mut Machine) -> Checked<Vec<([usize; 3], Core)>> {
    let mut cores = Vec::new();
    let diagonal = claim
        .factors
        .iter()
        .map(|f| (true, std::slice::from_ref(f)));
    for (k, (cp, core)) in diagonal
        .chain(claim.cores.iter().map(|c| (false, &c[..])))
        .enumerate()
    {
        let n = core.first().map_or(0, Vec::len);
        let right = core.first().and_then(|c| c.first()).map_or(0, Vec::len);
        if right == 0
            || core
                .iter()
                .any(|c| c.len() != n || c.iter().any(|r| r.len() != right))
        {
            return malformed("a factor or core is nested lists of equal lengths");
        }
        let mut found = Core::new();
        for (a, i, b) in (0..core.len())
            .flat_map(|a| (0..n).flat_map(move |i| (0..right).map(move |b| (a, i, b))))
        {
            let entry = field.entry(&[&vec![0; k][..], &[i]].concat(), &core[a][i][b], m)?;
            let slot = found.entry((if cp { b } else { a }, b)).or_default();
            m.add(slot, 1, &one(), &entry)?;
        }
        cores.push(([if cp { right } else { core.len() }, n, right], found));
    }
    Ok(cores)
}

fn multiply_out(cores: &[([usize; 3], Core)], m: &mut Machine) -> Checked<Terms> {
    let next = cores.iter().cycle().skip(1);
    if cores.iter().zip(next).any(|(a, b)| a.0[2] != b.0[0]) {
        return malformed("the ranks of neighbours do not agree");
    }
    let mut sum = Terms::new();
    for start in 0..cores.first().map_or(0, |c| c.0[0]) {
        let mut paths = BTreeMap::from([(start, one())]);
        for (_, core) in cores {
            let mut longer: BTreeMap<usize, Terms> = BTreeMap::new();
            for (bond, path) in &paths {
                for ((_, end), step) in core.range((*bond, 0)..(bond + 1, 0)) {
                    m.add(longer.entry(*end).or_default(), 1, path, step)?;
                }
            }
            paths = longer;
        }
        m.add(
            &mut sum,
            1,
            &one(),
            &paths.remove(&start).unwrap_or_default(),
        )?;
    }
    Ok(sum)
}

/// `cp-exact`, `ring-exact` and `numeric-residual`.
pub(super) fn replay(kind: &str, claim: &Claim, m: &mut Machine) -> Checked<Verdict> {
    let divided = |p: u64| (2..).take_while(|d| d * d <= p).any(|d| p % d == 0);
    let prime = claim.field.strip_prefix("F_").and_then(|p| p.parse().ok());
    let prime = prime.filter(|p| (2..1 << 31).contains(p) && !divided(*p));
    let (name, numeric) = (&claim.field[..], kind == "numeric-residual");
    let fields: &[_] = if numeric {
        &["binary64"]
    } else {
        &["ZT", "Z", "Z[1/2]", "Q", "Q(i)", "Q[x,1/x]"]
    };
    if (prime.is_none() && !fields.contains(&name)) || (prime.is_some() && numeric) {
        return malformed(format!(
            "a field of {kind} is one of {fields:?} or F_p with a prime p"
        ));
    }
    let (cp, order) = (claim.cores.is_empty(), i64::from(claim.order));
    let fits = if numeric {
        cp || claim.factors.is_empty()
    } else {
        cp == (kind == "cp-exact")
    };
    if !fits || (order > 0 && name != "Q[x,1/x]") || (!cp && !claim.factors.is_empty()) {
        return malformed("the fields of the claim do not go together");
    }
    let field = Field {
        name,
        prime,
        modes: claim.factors.len() + claim.cores.len(),
    };
    let cores = cores(claim, &field, m)?;
    let mut gap = multiply_out(&cores, m)?;
    let (shape, target) = target(&claim.target, &field, m)?;
    if !shape.iter().eq(cores.iter().map(|c| &c.0[1])) {
        return malformed(format!(
            "the factors do not fit a target of shape {shape:?}"
        ));
    }
    m.add(&mut gap, -1, &one(), &target)?;
    let rank = cores.iter().map(|c| c.0[0]).max().unwrap_or(0);
    let what = format!(
        "a {} of rank {rank}",
        if cp {
            "CP decomposition"
        } else {
            "tensor ring"
        }
    );
    if numeric {
        let bound = rational(&claim.bound)?;
        let squared = |t: &Terms| t.values().fold(RBig::ZERO, |s, c| s + c * c);
        let holds = bound >= RBig::ZERO && squared(&gap) <= squared(&target) * &bound * &bound;
        let shown = bound.to_f64().value();
        return Ok(if holds {
            Ok(format!(
                "{what} of a {shape:?} tensor with relative residual at most {shown:e}"
            ))
        } else {
            Err(format!("the relative residual is above {shown:e}"))
        });
    }
    let mut wrong = Terms::new();
    for (mut e, c) in gap {
        e.resize(shape.len() + 1, 0);
        let power = e.pop().unwrap_or(0);
        let vanishes = prime.is_some_and(|p| c.numerator() % p == 0);
        if name == "Q(i)" {
            // i^2 = -1; the real and the imaginary part are told apart by a last index.
            e.push(power.rem_euclid(2));
            let sign = 1 - 2 * (power.rem_euclid(4) / 2);
            m.add(&mut wrong, sign, &monomial(e, c), &one())?;
        } else if !vanishes && (order == 0 || power < order) {
            wrong.insert(e, c);
        }
    }
    let modes = |e: &Vec<i64>| {
        (0..shape.len())
            .map(|k| e.get(k).copied().unwrap_or(0))
            .collect()
    };
    let places: BTreeSet<Vec<i64>> = wrong.keys().map(modes).collect();
    Ok(match places.first() {
        Some(first) => Err(format!(
            "{} of the {shape:?} entries are wrong, first at {first:?}",
            places.len()
        )),
        None if order > 0 => Ok(format!("{what} of a {shape:?} tensor up to O(x^{order})")),
        None => Ok(format!("{what} of a {shape:?} tensor over {name}")),
    })
}
