//! Is a scheme what it claims to be, and under which convention?

use super::model::{Adjoined, Scheme, Target};
use super::residual::{MAX_STEPS, Residual};
use crate::Error;
use crate::certify::numbers::Budget;
use std::time::Instant;

/// Where to compute.
///
/// # Example
/// ```
/// use wickring::scheme::SchemeField;
/// assert_eq!(SchemeField::parse("F2")?, SchemeField::Modulo(2));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemeField {
    /// The smallest field that holds the entries; modulo 2 if the file says so.
    Auto,
    /// The integers: entries with denominators are wrong.
    Integers,
    /// The rationals.
    Rationals,
    /// `Q(i)`.
    Gauss,
    /// `Q[x, 1/x]`, where an error of positive order makes a border scheme.
    Laurent,
    /// The integers modulo a prime.
    Modulo(u32),
}

impl SchemeField {
    /// `auto`, `Z`, `Q`, `Qi`, `F2`, `Fp:P` or `laurent`.
    ///
    /// # Errors
    /// `InvalidInput` for anything else, or when `P` is not a prime below 2^31.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let prime = |p: &str| {
            let p: u32 = p.parse().ok().filter(|&p| (2..1 << 31).contains(&p))?;
            (2..)
                .take_while(|d| d * d <= u64::from(p))
                .all(|d| u64::from(p) % d != 0)
                .then_some(Self::Modulo(p))
        };
        let known = match text {
            "auto" => Some(Self::Auto),
            "Z" => Some(Self::Integers),
            "Q" => Some(Self::Rationals),
            "Qi" | "Q(i)" => Some(Self::Gauss),
            "laurent" => Some(Self::Laurent),
            "F2" => Some(Self::Modulo(2)),
            _ => text.strip_prefix("Fp:").and_then(prime),
        };
        let wrong = || {
            Error::invalid(
                "--field",
                format!("must be auto, Z, Q, Qi, F2, Fp:P with a prime P, or laurent, not {text}"),
            )
        };
        known.ok_or_else(wrong)
    }
}

/// The verdict on one scheme.
///
/// See [`examine`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Exactly the target.
    Exact,
    /// The target up to `O(x^order)`, `order >= 1`.
    Border {
        /// The order of the error.
        order: u32,
    },
    /// Not the target.
    Wrong,
}

/// What was found about a scheme.
///
/// See [`examine`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Examination {
    /// The verdict.
    pub verdict: Verdict,
    /// The field in which it holds (or fails): as [`Scheme::field`], or `mod p`.
    pub field: String,
    /// The target that it was held against.
    pub target: Target,
    /// The scheme, rewritten into the row-major convention of the target.
    pub scheme: Scheme,
    /// For each factor, whether the file stores it transposed.
    pub transposed: Vec<bool>,
    /// The difference over the rationals (or their extension), in the best convention.
    pub residual: Residual,
    /// Whether the same entries are exact modulo 2, in some convention.
    pub holds_modulo_two: bool,
    /// Whether neither the file nor the caller named the target: it was guessed from the sizes.
    pub target_guessed: bool,
}

/// Transposes the index of factor `k` of a matrix-multiplication scheme, stored `columns x rows`.
fn transpose(scheme: &mut Scheme, k: usize, rows: usize, columns: usize) {
    for column in &mut scheme.factors[k].columns {
        for (at, _) in column.iter_mut() {
            *at = (*at % rows) * columns + *at / rows;
        }
        column.sort_by_key(|(at, _)| *at);
    }
}

/// Every way of storing the three matrices, the common ones first: as they are, the last one transposed, ..
fn conventions(target: &Target) -> Vec<Vec<bool>> {
    match target {
        Target::Matmul(_) => {
            let order = [0b000, 0b100, 0b001, 0b010, 0b011, 0b101, 0b110, 0b111];
            order
                .iter()
                .map(|bits| (0..3).map(|k| bits >> k & 1 == 1).collect())
                .collect()
        }
        other => vec![vec![false; other.shape().len()]],
    }
}

/// Holds a scheme against its target in every convention and judges the best.
///
/// # Errors
/// `InvalidInput` when neither the file nor the caller names a target, or the entries do not lie in `field`;
/// `Shape` when the factors do not fit; `LimitExceeded`.
///
/// # Example
/// ```
/// use wickring::poly::Rational;
/// use wickring::scheme::{SchemeField, SchemeFormat, Verdict, examine, read_schemes};
/// let scheme = read_schemes("a11*b11*c11\na12*b21*c11", SchemeFormat::Products, "")?.remove(0);
/// assert_eq!(examine(&scheme, None, SchemeField::Auto)?.verdict, Verdict::Exact);
/// let doubled = scheme.changed(0, 0, 0, &Rational::from(1));
/// let found = examine(&doubled, None, SchemeField::Auto)?;
/// assert_eq!((found.verdict, found.residual.wrong_entries()), (Verdict::Wrong, 1));
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn examine(
    scheme: &Scheme,
    target: Option<&Target>,
    field: SchemeField,
) -> Result<Examination, Error> {
    examine_until(scheme, target, field, None)
}

/// The same until a deadline.
///
/// # Errors
/// As [`examine`], and `Stopped`.
pub fn examine_until(
    scheme: &Scheme,
    target: Option<&Target>,
    field: SchemeField,
    deadline: Option<Instant>,
) -> Result<Examination, Error> {
    let op = "examine";
    let mut budget = Budget::new(op, MAX_STEPS, deadline);
    let target_guessed = target.is_none() && scheme.target_guessed;
    let sizes: Vec<_> = scheme.factors.iter().map(|f| f.size()).collect();
    let unknown = || {
        Error::invalid(
            op,
            format!("factors of {sizes:?} rows fit no matrix product: say --tensor"),
        )
    };
    let target = target
        .or(scheme.target.as_ref())
        .ok_or_else(unknown)?
        .clone();
    let modulus = modulus(op, scheme, field)?;
    let mut best: Option<(usize, Residual, Scheme, Vec<bool>)> = None;
    let mut holds_modulo_two = false;
    for transposed in conventions(&target) {
        let turned = turned(scheme, &target, &transposed);
        let residual = Residual::within(&turned, &target, &mut budget)?;
        holds_modulo_two |=
            scheme.has_values_modulo(2) && residual.modulo(2).is_some_and(|r| r.is_zero());
        let wrong = match modulus {
            Some(p) => {
                let rest = residual.modulo(p).ok_or_else(|| {
                    Error::invalid(op, format!("an entry has no value modulo {p}"))
                })?;
                rest.wrong_entries()
            }
            // A border scheme in the right convention has fewer errors than any scheme in a wrong one.
            None => residual.wrong_entries(),
        };
        if best.as_ref().is_none_or(|b| wrong < b.0) {
            best = Some((wrong, residual, turned, transposed));
        }
        if wrong == 0 {
            break;
        }
    }
    let (wrong, residual, scheme, transposed) = best.ok_or_else(unknown)?;
    let (verdict, field) = judged(&scheme, &residual, modulus, wrong);
    Ok(Examination {
        verdict,
        field,
        target,
        scheme,
        transposed,
        residual,
        holds_modulo_two,
        target_guessed,
    })
}

/// The prime modulo which a scheme is to be examined, if any; refuses fields that do not hold its entries.
fn modulus(op: &'static str, scheme: &Scheme, field: SchemeField) -> Result<Option<u32>, Error> {
    let fits = match (field, scheme.adjoined) {
        (SchemeField::Auto, _) | (_, Adjoined::None) => true,
        (SchemeField::Gauss, a) => a == Adjoined::I,
        (SchemeField::Laurent, a) => a == Adjoined::X,
        _ => false,
    };
    if !fits || (field == SchemeField::Integers && !matches!(scheme.field(), "ZT" | "Z")) {
        return Err(Error::invalid(
            op,
            format!(
                "the entries lie in {}, not in the field asked for",
                scheme.field()
            ),
        ));
    }
    let modulus = match field {
        SchemeField::Modulo(p) => Some(p),
        SchemeField::Auto if scheme.modulo_two => Some(2),
        _ => None,
    };
    if let Some(p) = modulus.filter(|&p| !scheme.has_values_modulo(p)) {
        return Err(Error::invalid(
            op,
            format!("an entry has no value modulo {p}"),
        ));
    }
    Ok(modulus)
}

/// The scheme with the factors transposed that a convention says are stored so.
fn turned(scheme: &Scheme, target: &Target, transposed: &[bool]) -> Scheme {
    let mut turned = scheme.clone();
    if let Target::Matmul([n, m, p]) = *target {
        for (k, (rows, columns)) in [(n, m), (m, p), (n, p)].into_iter().enumerate() {
            // A vector has one way of being stored.
            if transposed[k] && (rows == 1 || columns == 1) {
                continue;
            }
            if transposed[k] {
                transpose(&mut turned, k, rows, columns);
            }
        }
    }
    turned
}

/// The verdict on the best convention, with `wrong` entries in it, and the field that it holds for.
fn judged(
    scheme: &Scheme,
    residual: &Residual,
    modulus: Option<u32>,
    wrong: usize,
) -> (Verdict, String) {
    let lowest = residual
        .lowest_power()
        .filter(|_| scheme.adjoined == Adjoined::X);
    match (modulus, wrong, lowest) {
        (Some(p), 0, _) => (Verdict::Exact, format!("mod {p}")),
        (Some(p), ..) => (Verdict::Wrong, format!("mod {p}")),
        (None, 0, _) => (Verdict::Exact, scheme.field().to_owned()),
        (None, _, Some(order @ 1..)) => {
            let order = u32::try_from(order).unwrap_or(u32::MAX);
            (Verdict::Border { order }, scheme.field().to_owned())
        }
        _ => (Verdict::Wrong, scheme.field().to_owned()),
    }
}

impl Examination {
    /// The convention in words; empty when it is the row-major one.
    pub fn convention(&self) -> String {
        let names = ["first", "second", "third"];
        let turned: Vec<&str> = self
            .transposed
            .iter()
            .zip(names)
            .filter(|(t, _)| **t)
            .map(|(_, n)| n)
            .collect();
        match turned.len() {
            0 => String::new(),
            _ => format!("{} factor stored transposed", turned.join(" and ")),
        }
    }
}
