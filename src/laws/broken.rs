//! What a law answers when it does not hold.

use std::fmt;

/// A law that did not hold, with the numbers.
///
/// # Example
/// ```
/// use wickring::laws::within;
/// let broken = within("room::law", 2.0, 1.0);
/// assert!(broken.is_err_and(|b| (b.measured, b.allowed) == (2.0, 1.0)));
/// assert!(within("room::law", f64::NAN, 1.0).is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// The law, as `module::name`.
    pub law: &'static str,
    /// What was measured.
    pub measured: f64,
    /// The upper bound that the law allows.
    pub allowed: f64,
    /// The case, in words; may be empty.
    pub case: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (law, measured, allowed) = (self.law, self.measured, self.allowed);
        write!(f, "{law}: {measured:.3e} exceeds {allowed:.3e}")?;
        if self.case.is_empty() {
            return Ok(());
        }
        write!(f, " for {}", self.case)
    }
}

/// The law that `measured` does not exceed `allowed`; NaN breaks it.
///
/// # Errors
/// [`Broken`] with both numbers.
pub fn within(law: &'static str, measured: f64, allowed: f64) -> Result<(), Broken> {
    // `<=` is false for NaN, so NaN breaks the law.
    if measured <= allowed {
        return Ok(());
    }
    let case = String::new();
    Err(Broken {
        law,
        measured,
        allowed,
        case,
    })
}

/// The law that a statement is true; `case` is only formed when it is not.
///
/// # Errors
/// [`Broken`] with the case.
pub fn check(law: &'static str, holds: bool, case: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds {
        return Ok(());
    }
    let case = case();
    Err(Broken {
        law,
        measured: 1.0,
        allowed: 0.0,
        case,
    })
}
