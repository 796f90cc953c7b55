//! The constraints of one mode.

use crate::Error;
use crate::tensor::Factor;

/// Rows of a mode whose components may be smooth: the second differences are diagonalised once.
const MOST_SMOOTH: usize = 2048;

/// What the columns of one factor must be, or are drawn to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Constraint {
    /// No entry is negative.
    Nonnegative,
    /// No entry is negative, and every column rises to one peak and falls after it.
    Unimodal,
    /// Columns of length one, at right angles.
    Orthonormal,
    /// The squared second differences of components along the mode cost this much, for data of norm one; rows have an order.
    Smooth(f64),
    /// The sum of moduli along the mode costs this much, for data of norm one: entries become zero.
    Sparse(f64),
    /// The columns are known up to their lengths and are not fitted.
    Fixed(Factor),
}

impl Constraint {
    /// The word of the command line and of reports.
    ///
    /// # Example
    /// ```
    /// use wickring::decomp::Constraint;
    /// assert_eq!(Constraint::Sparse(0.1).word(), "l1");
    /// ```
    pub fn word(&self) -> &'static str {
        match self {
            Self::Nonnegative => "nonneg",
            Self::Unimodal => "unimodal",
            Self::Orthonormal => "orthonormal",
            Self::Smooth(_) => "smooth",
            Self::Sparse(_) => "l1",
            Self::Fixed(_) => "fixed",
        }
    }

    /// The cost, of a constraint that has one.
    pub fn cost(&self) -> Option<f64> {
        match self {
            Self::Smooth(cost) | Self::Sparse(cost) => Some(*cost),
            _ => None,
        }
    }
}

/// The set that a factor lies in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Set {
    Any,
    Nonnegative,
    Unimodal,
    Orthonormal,
    /// Unit columns.
    Fixed(Factor),
}

/// All constraints of one mode.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) set: Set,
    /// Cost of squared second differences, zero for none.
    pub(super) smooth: f64,
    /// Cost of moduli, zero for none.
    pub(super) sparse: f64,
}

impl Rule {
    /// The rule that `all` constraints of a mode with so many rows make together.
    pub(super) fn of(
        op: &'static str,
        mode: usize,
        (rows, rank): (usize, usize),
        all: &[&Constraint],
    ) -> Result<Self, Error> {
        let fault = |what: String| Error::invalid(op, format!("mode {mode}: {what}"));
        let refuse = |what: String| Err(fault(what));
        let mut rule = Self {
            set: Set::Any,
            smooth: 0.0,
            sparse: 0.0,
        };
        for constraint in all {
            if let Some(cost) = constraint.cost()
                && !(cost > 0.0 && cost.is_finite())
            {
                let word = constraint.word();
                return refuse(format!("{word} needs a positive finite cost, got {cost}"));
            }
            let taken = match constraint {
                Constraint::Smooth(cost) => std::mem::replace(&mut rule.smooth, *cost) > 0.0,
                Constraint::Sparse(cost) => std::mem::replace(&mut rule.sparse, *cost) > 0.0,
                _ => {
                    let set = set_of(constraint, (rows, rank)).map_err(fault)?;
                    // Unimodal columns are nonnegative: the one constraint says both.
                    match (&rule.set, &set) {
                        (Set::Unimodal, Set::Nonnegative) => false,
                        (Set::Nonnegative, Set::Unimodal) => {
                            rule.set = set;
                            false
                        }
                        _ => std::mem::replace(&mut rule.set, set) != Set::Any,
                    }
                }
            };
            if taken {
                let word = constraint.word();
                return refuse(format!(
                    "{word} stands beside a constraint that excludes or repeats it; name the modes of each"
                ));
            }
        }
        if rule.is_penalised() && matches!(rule.set, Set::Orthonormal | Set::Fixed(_)) {
            return refuse("smooth and l1 have no use for orthonormal or fixed columns".into());
        }
        if rule.smooth > 0.0 && rows > MOST_SMOOTH {
            return refuse(format!("smooth takes at most {MOST_SMOOTH} rows"));
        }
        Ok(rule)
    }

    /// Whether length may be moved to and from this mode.
    pub(super) fn scales(&self) -> bool {
        !matches!(self.set, Set::Orthonormal | Set::Fixed(_))
    }

    /// Whether columns may change their sign.
    pub(super) fn signed(&self) -> bool {
        matches!(self.set, Set::Any | Set::Orthonormal)
    }

    pub(super) fn is_penalised(&self) -> bool {
        self.smooth > 0.0 || self.sparse > 0.0
    }

    /// Whether there is anything to heed.
    pub(super) fn binds(&self) -> bool {
        self.set != Set::Any || self.is_penalised()
    }
}

/// The set that a constraint without a cost stands for.
fn set_of(constraint: &Constraint, (rows, rank): (usize, usize)) -> Result<Set, String> {
    match constraint {
        Constraint::Nonnegative => Ok(Set::Nonnegative),
        Constraint::Unimodal => Ok(Set::Unimodal),
        Constraint::Orthonormal if rank > rows => Err(format!(
            "{rank} orthonormal columns have no room in {rows} rows"
        )),
        Constraint::Orthonormal => Ok(Set::Orthonormal),
        Constraint::Fixed(f) => fixed(f, (rows, rank)).map(Set::Fixed),
        Constraint::Smooth(_) | Constraint::Sparse(_) => Ok(Set::Any),
    }
}

/// Known columns, brought to length one.
fn fixed(f: &Factor, (rows, rank): (usize, usize)) -> Result<Factor, String> {
    if (f.rows(), f.cols()) != (rows, rank) {
        let (n, r) = (f.rows(), f.cols());
        return Err(format!(
            "the fixed factor is {n} x {r}, expected {rows} x {rank}"
        ));
    }
    if let Some(at) = f.as_slice().iter().position(|x| !x.is_finite()) {
        let (i, r) = (at % rows, at / rows);
        return Err(format!(
            "entry ({i}, {r}) of the fixed factor is not finite"
        ));
    }
    let mut unit = f.clone();
    for r in 0..rank {
        let length = unit.column_norm(r);
        if !(length > 0.0) {
            return Err(format!("column {r} of the fixed factor is zero"));
        }
        // In two steps: the reciprocal of a subnormal length overflows.
        unit.scale_column(r, 1.0 / length.sqrt());
        unit.scale_column(r, 1.0 / length.sqrt());
    }
    Ok(unit)
}
