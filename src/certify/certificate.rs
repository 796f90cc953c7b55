//! Writing certificates.

use super::expression::Expression;
use super::format::SCHEMAS;
use super::json::Json;
use crate::Error;
use crate::poly::Rational;
use crate::tensor::TensorView;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A list of claims with the data to check them, written as JSON of schema `wickring/certificate/2`.
///
/// The text ends with a seal, the SHA-256 of everything else whatever its layout, so that a file damaged on its
/// way is refused. The seal proves nothing; the claims are what [`check`](super::check) recomputes.
///
/// # Example
/// ```
/// use wickring::certify::{Certificate, Claim, Limits, check};
/// let text = Certificate::new()
///     .input("notes.txt", b"what it was made from")
///     .claim(Claim::identity("(x + y)*(x - y)", "x^2 - y^2")?.about("third binomial formula"))
///     .to_json();
/// let report = check(&text, Limits::default())?;
/// assert!(report.holds() && report.findings.len() == 1);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Certificate {
    inputs: Vec<Value>,
    claims: Vec<Value>,
    fit: Option<(String, String)>,
}

impl Certificate {
    /// Without claims; a certificate needs at least one to be accepted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a claim.
    #[must_use]
    pub fn claim(mut self, claim: Claim) -> Self {
        let Claim { kind, about, data } = claim;
        self.claims
            .push(json!({ "kind": kind, "about": about, "data": data }));
        self
    }

    /// Records a file that the claims were made from, by the digest of its bytes.
    #[must_use]
    pub fn input(mut self, path: &str, bytes: &[u8]) -> Self {
        self.inputs
            .push(json!({ "path": path, "sha256": sha256(bytes) }));
        self
    }

    /// States how the fit ended that the claims come from: its status, and the first check that it failed, in
    /// words; empty when it failed none. A claim may be true of a model that fits nothing.
    #[must_use]
    pub fn fit(mut self, status: &str, failed: &str) -> Self {
        self.fit = Some((status.to_owned(), failed.to_owned()));
        self
    }

    /// The claims and inputs of both; the status is that of `other`, if it states one.
    #[must_use]
    pub fn absorb(mut self, other: Self) -> Self {
        self.claims.extend(other.claims);
        self.inputs.extend(other.inputs);
        self.fit = other.fit.or(self.fit);
        self
    }

    /// Records a file whose digest is known already, as hexadecimal SHA-256.
    #[must_use]
    pub fn hashed_input(mut self, path: &str, digest: &str) -> Self {
        self.inputs.push(json!({ "path": path, "sha256": digest }));
        self
    }

    /// Whether there is no claim yet.
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    /// The text of the file.
    pub fn to_json(&self) -> String {
        let producer = concat!("wickring ", env!("CARGO_PKG_VERSION"));
        let fit = self.fit.as_ref();
        let fit = fit.map(|(status, failed)| json!({ "status": status, "failed": failed }));
        let whole = json!({
            "schema": SCHEMAS[1],
            "producer": producer,
            "inputs": self.inputs,
            "fit": fit,
            "claims": self.claims,
        });
        // The seal comes last, whatever the order in which the keys of an object are written.
        Self::seal_text(&whole.to_string()).unwrap_or_default()
    }

    /// Appends the seal to the text of a JSON object that has none; `None` when the text is no object.
    ///
    /// For programs that write certificates of their own, or change them.
    pub fn seal_text(object: &str) -> Option<String> {
        let open = object.trim_end().strip_suffix('}')?;
        let sealed = |seal: &str| format!("{open},\"seal\":\"{seal}\"}}\n");
        let json = Json::parse(object).ok();
        let schema = json
            .as_ref()
            .and_then(|json| json.field("schema")?.text().ok());
        let seal = match (&json, schema) {
            (Some(json), Some(schema)) if schema == SCHEMAS[1] => json.seal(),
            // Version 1: of the text itself, with zeros in the place of the seal.
            _ => sha256(sealed(&"0".repeat(64)).as_bytes()),
        };
        Some(sealed(&seal))
    }
}

/// The SHA-256 of bytes, as 64 lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// One claim with its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    kind: &'static str,
    about: String,
    data: Value,
}

/// An entry of an exact tensor: a rational, or a sum of powers of the adjoined `i` or `x`.
///
/// # Example
/// ```
/// use wickring::certify::Entry;
/// use wickring::poly::Rational;
/// let half = Rational::new(1, 2).unwrap_or_default();
/// assert_eq!(Entry::float(0.5)?, Entry::from(half));
/// assert!(Entry::float(f64::NAN).is_err());
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Entry(Vec<(i64, Rational)>);

impl Entry {
    /// `sum c_k x^k` from pairs `(k, c_k)`.
    pub fn powers(terms: impl IntoIterator<Item = (i64, Rational)>) -> Self {
        Self(terms.into_iter().collect())
    }

    /// The exact value of a binary float.
    ///
    /// # Errors
    /// `NonFinite`.
    pub fn float(x: f64) -> Result<Self, Error> {
        let (op, index) = ("Entry::float", 0);
        Rational::from_f64(x)
            .map(Self::from)
            .ok_or(Error::NonFinite { op, index })
    }

    fn json(&self) -> Value {
        match &self.0[..] {
            [(0, c)] => number(c),
            terms => terms.iter().map(|(k, c)| json!([k, number(c)])).collect(),
        }
    }
}

impl From<Rational> for Entry {
    fn from(value: Rational) -> Self {
        Self(vec![(0, value)])
    }
}

/// Small whole numbers stand for themselves, everything else is a text.
fn number(c: &Rational) -> Value {
    let text = c.to_string();
    match text.parse::<i32>() {
        Ok(n) => json!(n),
        Err(_) => json!(text),
    }
}

/// The tensor that a factorisation is claimed to be.
///
/// # Example
/// ```
/// use wickring::certify::{Certificate, Claim, ClaimedTensor, Entry, Limits, check};
/// use wickring::poly::Rational;
/// // Two numbers are multiplied by one product.
/// let one = vec![vec![Entry::from(Rational::from(1))]];
/// let claim = Claim::cp_exact("Z", &[one.clone(), one.clone(), one], &ClaimedTensor::Matmul([1, 1, 1]));
/// assert!(check(&Certificate::new().claim(claim).to_json(), Limits::default())?.holds());
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimedTensor {
    /// `<n,m,p>`: `T[i*m+j, j*p+k, i*p+k] = 1`.
    Matmul([u16; 3]),
    /// Exact entries, the last index fastest.
    Exact(Vec<usize>, Vec<Entry>),
    /// Binary floats, the last index fastest.
    Floats(Vec<usize>, Vec<f64>),
}

impl ClaimedTensor {
    /// The floats of a dense tensor.
    pub fn floats(t: TensorView<'_>) -> Self {
        let (dims, entries) = (t.dims(), t.as_slice());
        let mut flat = Vec::with_capacity(entries.len());
        let mut index = vec![0; dims.len()];
        for _ in 0..entries.len() {
            flat.push(t.get(&index).copied().unwrap_or(f64::NAN));
            for (i, &n) in index.iter_mut().zip(dims).rev() {
                *i += 1;
                if *i < n {
                    break;
                }
                *i = 0;
            }
        }
        Self::Floats(dims.to_vec(), flat)
    }

    /// The same with floats as the rationals that they are; a value that is not finite becomes zero.
    #[must_use]
    pub(super) fn rational(&self) -> Self {
        match self {
            Self::Floats(shape, entries) => {
                let exact = |x: &f64| Rational::from_f64(*x).unwrap_or_default().into();
                Self::Exact(shape.clone(), entries.iter().map(exact).collect())
            }
            other => other.clone(),
        }
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Self::Matmul(dims) => json!({ "matmul": dims }),
            Self::Exact(shape, entries) => {
                let entries: Vec<_> = entries.iter().map(Entry::json).collect();
                json!({ "dense": { "shape": shape, "entries": entries } })
            }
            Self::Floats(shape, entries) => {
                json!({ "dense": { "shape": shape, "entries": entries } })
            }
        }
    }
}

/// Factors by rows (`n x R`), or cores by slices (`R x n x R'`), of anything that becomes JSON.
type Rows<T> = Vec<Vec<T>>;

impl Claim {
    pub(super) fn new(kind: &'static str, data: Value) -> Self {
        Self {
            kind,
            about: String::new(),
            data,
        }
    }

    pub(super) fn data(&self) -> &Value {
        &self.data
    }

    /// The kind, as the table of [`certify`](crate::certify) has it.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Words for the reader; they are not checked.
    #[must_use]
    pub fn about(mut self, words: impl Into<String>) -> Self {
        self.about = words.into();
        self
    }

    /// `lhs = rhs` as polynomials (or Laurent polynomials) over Q.
    ///
    /// # Errors
    /// As [`Expression::parse`].
    pub fn identity(lhs: &str, rhs: &str) -> Result<Self, Error> {
        let about = format!("{lhs} = {rhs}");
        Ok(Self::equal(&Expression::parse(lhs)?, &Expression::parse(rhs)?).about(about))
    }

    /// `lhs = rhs`.
    pub fn equal(lhs: &Expression, rhs: &Expression) -> Self {
        let data = json!({ "left": lhs.tree(), "right": [[1, rhs.tree()]] });
        Self::new("polynomial-identity", data)
    }

    /// `polynomial = sum_i a_i * b_i`, given as pairs.
    pub fn sum_of_products(polynomial: &Expression, pairs: &[(Expression, Expression)]) -> Self {
        let mut claim = Self::ideal_membership(polynomial, pairs);
        claim.kind = "polynomial-identity";
        claim
    }

    /// `polynomial = sum_i generator_i * cofactor_i`, given as pairs.
    pub fn ideal_membership(polynomial: &Expression, pairs: &[(Expression, Expression)]) -> Self {
        let right: Vec<_> = pairs
            .iter()
            .map(|(g, h)| json!([g.tree(), h.tree()]))
            .collect();
        let data = json!({ "left": polynomial.tree(), "right": right });
        Self::new("ideal-membership", data)
    }

    /// `polynomial = sum_i weight_i * root_i^2` with weights that are not negative.
    pub fn sum_of_squares(polynomial: &Expression, squares: &[(Rational, Expression)]) -> Self {
        let pair = |(w, q): &(Rational, Expression)| json!([w.to_string(), q.tree()]);
        let right: Vec<_> = squares.iter().map(pair).collect();
        let data = json!({ "left": polynomial.tree(), "right": right });
        Self::new("sos", data)
    }

    /// Moments `E[z_a z_b ..]` and joint cumulants of polynomials `z` of independent standard Gaussians, none
    /// further than `tolerance` from the exact value.
    pub fn gaussian_moments(
        z: &[Expression],
        moments: &[(Vec<usize>, Rational)],
        cumulants: &[(Vec<usize>, Rational)],
        tolerance: &Rational,
    ) -> Self {
        let z: Vec<_> = z.iter().map(Expression::tree).collect();
        let named = |what: &'static str, list: &[(Vec<usize>, Rational)]| -> Vec<Value> {
            let item = |(index, v): &(Vec<usize>, Rational)| json!([what, index, v.to_string()]);
            list.iter().map(item).collect()
        };
        let values = [named("moment", moments), named("cumulant", cumulants)].concat();
        let tolerance = tolerance.to_string();
        let data = json!({ "polynomials": z, "values": values, "tolerance": tolerance });
        Self::new("gaussian-moments", data)
    }

    fn factorisation(
        kind: &'static str,
        model: &str,
        field: &str,
        cores: Value,
        target: &ClaimedTensor,
    ) -> Self {
        let target = target.json();
        let data = json!({
            "model": model, "field": field, "cores": cores, "target": target, "order": 0, "bound": 0,
        });
        Self::new(kind, data)
    }

    /// `T[i, j, ..] = sum_r A[i, r] B[j, r] ..` over a field: `ZT` (entries -1, 0, 1), `Z`, `Z[1/2]`, `Q`,
    /// `Q(i)`, `Q[x,1/x]`, or `mod p`.
    pub fn cp_exact(field: &str, factors: &[Rows<Entry>], target: &ClaimedTensor) -> Self {
        let cores = factors.iter().map(|f| json!([matrix(f)])).collect();
        Self::factorisation("cp-exact", "cp", field, cores, target)
    }

    /// `T[i, j, ..] = Tr(G_0[.., i, ..] G_1[.., j, ..] ..)`, cores as lists `R x n x R'`; fields as for
    /// [`Claim::cp_exact`].
    pub fn ring_exact(field: &str, cores: &[Vec<Rows<Entry>>], target: &ClaimedTensor) -> Self {
        let core = |c: &Vec<Rows<Entry>>| Value::Array(c.iter().map(matrix).collect());
        let cores = cores.iter().map(core).collect();
        Self::factorisation("ring-exact", "ring", field, cores, target)
    }

    /// A claim over `Q[x,1/x]` weakened to hold up to `O(x^order)`.
    #[must_use]
    pub fn up_to_order(mut self, order: u32) -> Self {
        self.data["order"] = json!(order);
        self
    }

    /// `||T - model|| <= bound ||T||` (Frobenius) for the CP model with these factors, `n x R` row by row. Binary
    /// floats and products of them are exact rationals: [`Entry::float`].
    pub fn cp_residual(factors: &[Rows<Entry>], target: &ClaimedTensor, bound: f64) -> Self {
        let cores = factors.iter().map(|f| json!([matrix(f)])).collect();
        Self::residual("cp", cores, target, bound)
    }

    /// `||T - model|| <= bound ||T||` (Frobenius) for the ring with these cores, `R x n x R'`.
    pub fn ring_residual(cores: &[Vec<Rows<Entry>>], target: &ClaimedTensor, bound: f64) -> Self {
        let core = |c: &Vec<Rows<Entry>>| Value::Array(c.iter().map(matrix).collect());
        Self::residual("ring", cores.iter().map(core).collect(), target, bound)
    }

    fn residual(model: &str, cores: Value, target: &ClaimedTensor, bound: f64) -> Self {
        let mut claim = Self::factorisation("numeric-residual", model, "binary64", cores, target);
        claim.data["bound"] = json!(bound);
        claim
    }
}

fn matrix(rows: &Rows<Entry>) -> Value {
    let row = |r: &Vec<Entry>| Value::Array(r.iter().map(Entry::json).collect());
    Value::Array(rows.iter().map(row).collect())
}
