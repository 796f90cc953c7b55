//! The rings in which entries of factorisations lie.

use super::json::{Json, malformed};
use super::numbers::{Budget, limited, whole};
use crate::Error;
use dashu_int::{UBig, ops::Gcd, ops::PowerOfTwo};
use dashu_ratio::RBig;
use std::collections::BTreeMap;

pub(crate) const MAX_EXPONENT: i64 = 1 << 16;

/// Where the entries lie; over `Q[x,1/x]` an error may be `O(x^order)`.
pub(crate) enum Ring {
    Signs,
    Integers,
    Halves,
    Rationals,
    Floats,
    Gauss,
    Laurent { order: i64 },
    Modulo(UBig),
}

impl Ring {
    /// By the name that certificates use.
    pub(crate) fn named(name: &str, order: i64) -> Option<Self> {
        let ring = match name {
            "ZT" => Self::Signs,
            "Z" => Self::Integers,
            "Z[1/2]" => Self::Halves,
            "Q" => Self::Rationals,
            "binary64" => Self::Floats,
            "Q(i)" => Self::Gauss,
            "Q[x,1/x]" => Self::Laurent { order },
            _ => {
                let n: UBig = name.strip_prefix("mod ")?.parse().ok()?;
                (n > UBig::ONE && format!("mod {n}") == name).then_some(Self::Modulo(n))?
            }
        };
        Some(ring).filter(|ring| order == 0 || matches!(ring, Self::Laurent { .. }))
    }

    /// Whether the ring has a value, which for the last two rings is a coefficient.
    fn has(&self, c: &RBig) -> bool {
        match self {
            Self::Signs => c.is_int() && (RBig::NEG_ONE..=RBig::ONE).contains(c),
            Self::Integers => c.is_int(),
            Self::Halves => c.denominator().is_power_of_two(),
            Self::Modulo(n) => c.denominator().gcd(n).is_one(),
            _ => true,
        }
    }

    /// What `c x^power` is in the ring: `i^2 = -1`, multiples of the modulus vanish, `O(x^order)` is allowed for.
    pub(crate) fn rest(&self, power: i64, c: &RBig) -> Option<(i64, RBig)> {
        match self {
            Self::Gauss if power.rem_euclid(4) < 2 => Some((power.rem_euclid(2), c.clone())),
            Self::Gauss => Some((power.rem_euclid(2), -c)),
            Self::Laurent { order } if *order > 0 && power >= *order => None,
            Self::Modulo(n) if (c.numerator() % n).is_zero() => None,
            _ => Some((power, c.clone())),
        }
    }

    /// An entry: a number, or pairs `[exponent, number]` of the adjoined `i` or `x`, which are summed before the
    /// value is held against the ring. Powers and their coefficients.
    pub(crate) fn entry(
        &self,
        json: &Json<'_>,
        budget: &mut Budget,
    ) -> Result<BTreeMap<i64, RBig>, Error> {
        let floats = matches!(self, Self::Floats);
        let most = match self {
            Self::Gauss | Self::Laurent { .. } => MAX_EXPONENT,
            _ => 0,
        };
        let mut sum = BTreeMap::new();
        match json {
            Json::List(pairs) => {
                for pair in pairs {
                    let [power, c] = pair.list()? else {
                        return malformed("an entry is a number or a list of pairs");
                    };
                    budget.spend(64)?;
                    let c = budget.rational(c, floats)?;
                    let power = match most {
                        0 => whole(power, 0, 0)?,
                        _ => limited(power, -most, most, "power")?,
                    };
                    let old = sum.entry(power).or_insert(RBig::ZERO);
                    *old = budget.sum(old, &c)?;
                }
            }
            number => {
                sum.insert(0, budget.rational(number, floats)?);
            }
        }
        match sum.values().find(|c| !self.has(c)) {
            Some(c) => malformed(format!("{:.60} does not lie in the ring", c.to_string())),
            None => Ok(sum),
        }
    }
}
