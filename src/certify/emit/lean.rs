//! Bilinear schemes for Lean 4: one theorem over any ring for Mathlib, and tables that the core of Lean decides.

use crate::Error;
use crate::poly::{Integer, Rational, integer_gcd};
use num_traits::{One, Zero};
use serde_json::Value;
use std::collections::BTreeMap;

const OP: &str = "certify::emit";
/// Products of entries that are multiplied out, and written into a table.
const MAX_PRODUCTS: usize = 1 << 22;

/// `scale T[i,j,k] + modulus E[i,j,k] = sum_r A[i,r] B[j,r] C[k,r]` over the integers: denominators are cleared, and
/// modulo n the multiple of n is written out.
pub(super) struct Scheme {
    factors: [Vec<Vec<Integer>>; 3],
    target: BTreeMap<[usize; 3], Integer>,
    excess: BTreeMap<[usize; 3], Integer>,
    modulus: Integer,
    rank: usize,
}

fn unfit<T>(why: impl Into<String>) -> Result<T, Error> {
    Err(Error::invalid(OP, why.into()))
}

fn rational(json: &Value) -> Option<Rational> {
    match json {
        Value::Number(n) => Some(Rational::from(n.as_i64()?)),
        Value::String(s) => s.parse().ok(),
        _ => None,
    }
}

/// Rational rows times the least common denominator, and that denominator.
fn cleared(rows: &[Value]) -> Option<(Vec<Vec<Integer>>, Integer)> {
    let row = |row: &Value| row.as_array()?.iter().map(rational).collect();
    let rows: Vec<Vec<Rational>> = rows.iter().map(row).collect::<Option<_>>()?;
    let mut lcm = Integer::one();
    for value in rows.iter().flatten() {
        let d = value.denominator();
        lcm = &lcm / &integer_gcd(&lcm, &d) * &d;
    }
    let scale = Rational::from(lcm.clone());
    let whole = |row: &Vec<Rational>| row.iter().map(|x| (x * &scale).numerator()).collect();
    Some((rows.iter().map(whole).collect(), lcm))
}

impl Scheme {
    /// Reads a claim of kind `cp-exact` of order three.
    pub(super) fn read(claim: &Value) -> Result<Self, Error> {
        let data = &claim["data"];
        let field = data["field"].as_str().unwrap_or("");
        let kind = claim["kind"].as_str().unwrap_or("");
        let modulus = match (kind, field, field.strip_prefix("mod ")) {
            ("cp-exact", _, Some(n)) => n.parse().unwrap_or(Integer::zero()),
            ("cp-exact", "ZT" | "Z" | "Z[1/2]" | "Q", None) => Integer::zero(),
            ("cp-exact", ..) => {
                return unfit(format!(
                    "a decomposition over {field} is no identity over the integers"
                ));
            }
            _ => return unfit(format!("a claim of kind {kind} is no scheme")),
        };
        let cores = data["cores"].as_array().filter(|c| c.len() == 3);
        let Some(cores) = cores else {
            return unfit("a decomposition of another order than three is no bilinear scheme");
        };
        let mut scale = Integer::one();
        let mut factors: [Vec<Vec<Integer>>; 3] = Default::default();
        for (factor, core) in factors.iter_mut().zip(cores) {
            let rows = core[0].as_array().and_then(|rows| cleared(rows));
            let Some((rows, denominator)) = rows else {
                return unfit("an entry is no plain number");
            };
            scale *= &denominator;
            *factor = rows;
        }
        let rank = factors[0].first().map_or(0, Vec::len);
        let shape = [0, 1, 2].map(|k| factors[k].len());
        let wanted = wanted(&data["target"], shape)?;
        let mut target = BTreeMap::new();
        for (at, value) in wanted {
            let value = &value * &Rational::from(scale.clone());
            if !value.is_integer() {
                return unfit("the target has denominators that the factors have not");
            }
            target.insert(at, value.numerator());
        }
        let mut scheme = Self {
            factors,
            target,
            excess: BTreeMap::new(),
            modulus,
            rank,
        };
        if !scheme.modulus.is_zero() {
            scheme.excess = scheme.find_excess(shape)?;
        }
        Ok(scheme)
    }

    /// What the factors multiply out to beyond the target, divided by the modulus.
    fn find_excess(&self, shape: [usize; 3]) -> Result<BTreeMap<[usize; 3], Integer>, Error> {
        let work = shape.iter().try_fold(self.rank, |w, n| w.checked_mul(*n));
        if work.is_none_or(|w| w > MAX_PRODUCTS) {
            return unfit("the scheme is too large to be multiplied out here");
        }
        let [a, b, c] = &self.factors;
        let mut excess = BTreeMap::new();
        for (i, (j, k)) in (0..shape[0])
            .flat_map(|i| (0..shape[1]).flat_map(move |j| (0..shape[2]).map(move |k| (i, (j, k)))))
        {
            let mut sum = Integer::zero();
            for r in 0..self.rank {
                sum += &(&(&a[i][r] * &b[j][r]) * &c[k][r]);
            }
            if let Some(t) = self.target.get(&[i, j, k]) {
                sum -= t;
            }
            let (quotient, rest) = (&sum / &self.modulus, &sum % &self.modulus);
            if !rest.is_zero() {
                return unfit("the scheme is wrong: check the certificate first");
            }
            if !quotient.is_zero() {
                excess.insert([i, j, k], quotient);
            }
        }
        Ok(excess)
    }

    /// One theorem over any ring, for Mathlib.
    pub(super) fn theorem(&self, n: usize) -> String {
        let [a, b, c] = &self.factors;
        let names = |letter: &str, count: usize| {
            (0..count)
                .map(|i| format!("{letter}{i}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let linear = |rows: &[Vec<Integer>], letter: &str, r: usize| {
            sum(rows
                .iter()
                .enumerate()
                .map(|(i, row)| (row[r].clone(), format!("{letter}{i}"))))
        };
        let products: Vec<String> = (0..self.rank)
            .map(|r| format!("({}) * ({})", linear(a, "a", r), linear(b, "b", r)))
            .collect();
        let pairs = |map: &BTreeMap<[usize; 3], Integer>, k: usize, factor: &Integer| {
            let here = map.iter().filter(|(at, _)| at[2] == k);
            let terms = here.map(|([i, j, _], v)| (v * factor, format!("a{i} * b{j}")));
            terms.collect::<Vec<_>>()
        };
        let identity = |k: usize| {
            let left = (0..self.rank).map(|r| (c[k][r].clone(), products[r].clone()));
            let mut right = pairs(&self.target, k, &Integer::one());
            right.extend(pairs(&self.excess, k, &self.modulus));
            format!("    {}\n    = {}", sum(left), sum(right.into_iter()))
        };
        let identities: Vec<String> = (0..c.len()).map(identity).collect();
        let proof = match c.len() {
            1 => "by noncomm_ring".to_owned(),
            n => format!(
                "by\n  refine ⟨{}⟩ <;> noncomm_ring",
                vec!["?_"; n].join(", ")
            ),
        };
        format!(
            "theorem claim_{n} {{R : Type*}} [Ring R] ({} {} : R) :\n{} := {proof}\n",
            names("a", a.len()),
            names("b", b.len()),
            identities.join("\n    ∧\n")
        )
    }

    /// The Brent equations as tables of integers, for the kernel of Lean without any library.
    pub(super) fn table(&self, n: usize) -> Result<String, Error> {
        let shape = [0, 1, 2].map(|k| self.factors[k].len());
        let work = shape.iter().try_fold(self.rank, |w, n| w.checked_mul(*n));
        if work.is_none_or(|w| w > MAX_PRODUCTS) {
            return unfit("the scheme is too large for a table");
        }
        let list = |row: &Vec<Integer>| {
            let words: Vec<String> = row.iter().map(Integer::to_string).collect();
            format!("[{}]", words.join(", "))
        };
        let factor = |letter: &str, rows: &Vec<Vec<Integer>>| {
            let rows: Vec<String> = rows.iter().map(list).collect();
            format!(
                "  def {letter} : List (List Int) := [{}]\n",
                rows.join(",\n    ")
            )
        };
        let entry = |([i, j, k], v): (&[usize; 3], &Integer)| format!("({i}, {j}, {k}, {v})");
        let target: Vec<String> = self.target.iter().map(entry).collect();
        let test = match self.modulus.is_zero() {
            true => "d == 0".to_owned(),
            false => format!("d % {} == 0", self.modulus),
        };
        let [a, b, c] = &self.factors;
        let mut text = format!("namespace Claim{n}\n");
        text += &factor("A", a);
        text += &factor("B", b);
        text += &factor("C", c);
        text += &format!(
            "  def T : List (Nat × Nat × Nat × Int) := [{}]\n",
            target.join(", ")
        );
        text += "  def entry (i j k : Nat) : Int :=\n    T.foldl (fun s (p, q, r, v) => if p == i && q == j && r == k then s + v else s) 0\n";
        text += "  def dot : List Int → List Int → List Int → Int\n    | x :: xs, y :: ys, z :: zs => x * y * z + dot xs ys zs\n    | _, _, _ => 0\n";
        text += &format!(
            "  def holds : Bool := (A.zipIdx.all fun (x, i) => B.zipIdx.all fun (y, j) => C.zipIdx.all fun (z, k) =>\n    \
             let d := dot x y z - entry i j k\n    {test})\n  theorem ok : holds = true := by decide +kernel\nend Claim{n}\n"
        );
        Ok(text)
    }
}

/// `2 * x - y`; `0` without terms.
fn sum(terms: impl Iterator<Item = (Integer, String)>) -> String {
    let mut text = String::new();
    for (c, word) in terms.filter(|(c, _)| !c.is_zero()) {
        let minus = c < Integer::zero();
        text += match (text.is_empty(), minus) {
            (true, true) => "-",
            (true, false) => "",
            (false, true) => " - ",
            (false, false) => " + ",
        };
        let size = if minus { -c } else { c };
        if !size.is_one() {
            text += &format!("{size} * ");
        }
        text += &match word.contains(' ') {
            true => format!("({word})"),
            false => word,
        };
    }
    match text.is_empty() {
        true => "0".to_owned(),
        false => text,
    }
}

/// The nonzero entries of a target of this shape.
fn wanted(target: &Value, shape: [usize; 3]) -> Result<Vec<([usize; 3], Rational)>, Error> {
    let sizes = |list: &Value| -> Option<Vec<usize>> {
        let sizes = list.as_array()?.iter();
        sizes.map(|n| n.as_u64().map(|n| n as usize)).collect()
    };
    if let Some([n, m, p]) = sizes(&target["matmul"]).as_deref() {
        let (n, m, p) = (*n, *m, *p);
        let all =
            (0..n).flat_map(move |i| (0..m).flat_map(move |j| (0..p).map(move |k| (i, j, k))));
        let one = Rational::from(1);
        let at = |(i, j, k): (usize, usize, usize)| [i * m + j, j * p + k, i * p + k];
        return Ok(all.map(|ijk| (at(ijk), one.clone())).collect());
    }
    let entries = target["dense"]["entries"].as_array();
    let entries = entries.filter(|e| e.len() == shape.iter().product::<usize>());
    let Some(entries) = entries else {
        return unfit("the target is no tensor of the shape of the factors");
    };
    let mut found = Vec::new();
    for (flat, value) in entries.iter().enumerate() {
        let Some(value) = rational(value) else {
            return unfit("an entry of the target is no plain number");
        };
        if !value.is_zero() {
            let (i, j, k) = (
                flat / shape[2] / shape[1],
                flat / shape[2] % shape[1],
                flat % shape[2],
            );
            found.push(([i, j, k], value));
        }
    }
    Ok(found)
}
