//! One measured quantity beside the bound that it was held against.

use std::borrow::Cow;

/// What the failure of a check means, and so what to try next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The model does not fit the input well enough: another method, more steps, another rank.
    Accuracy,
    /// The answer is not determined well: nearly dependent components, cancellation, an ill-posed rank.
    Conditioning,
    /// Other models fit as well: a smaller model, more outputs, or a model that is identified.
    Uniqueness,
    /// The search may have missed a better model: more starts.
    Search,
    /// Samples that were held out, or too few of them, do not support the model: more rows, another model.
    Sampling,
    /// The tests could not have seen a deviation that matters: more rows.
    Power,
    /// A figure that informs and bounds nothing.
    Reported,
}

impl Role {
    /// The word under which reports print the role.
    ///
    /// # Example
    /// ```
    /// assert_eq!(wickring::fit::Role::Accuracy.word(), "accuracy");
    /// ```
    pub fn word(self) -> &'static str {
        match self {
            Role::Accuracy => "accuracy",
            Role::Conditioning => "conditioning",
            Role::Uniqueness => "uniqueness",
            Role::Search => "search",
            Role::Sampling => "sampling",
            Role::Power => "power",
            Role::Reported => "reported",
        }
    }
}

/// One measured quantity beside the bound that it was held against.
///
/// Programs look at `key` and `role`; `label` is prose for people and may be improved at any time.
///
/// # Example
/// ```
/// use wickring::fit::{Check, Role};
/// let gradient = Check::accuracy("cp.gradient", "relative gradient norm", 1e-9, 1e-5);
/// assert!(gradient.holds() && gradient.role == Role::Accuracy);
/// assert!(!Check::accuracy("cp.gradient", "relative gradient norm", f64::NAN, 1e-5).holds());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Check {
    /// A stable name, `room.quantity`, for scripts and code.
    pub key: &'static str,
    /// What was measured, in words.
    pub label: Cow<'static, str>,
    /// What its failure means.
    pub role: Role,
    /// The measured value.
    pub measured: f64,
    /// The value that it must not exceed; infinite when the figure only informs.
    pub allowed: f64,
}

impl Check {
    /// A measurement that must not exceed `allowed`.
    pub fn new(
        role: Role,
        key: &'static str,
        label: impl Into<Cow<'static, str>>,
        measured: f64,
        allowed: f64,
    ) -> Self {
        let label = label.into();
        Self {
            key,
            label,
            role,
            measured,
            allowed,
        }
    }

    /// How well the model fits its input.
    pub fn accuracy(
        key: &'static str,
        label: impl Into<Cow<'static, str>>,
        measured: f64,
        allowed: f64,
    ) -> Self {
        Self::new(Role::Accuracy, key, label, measured, allowed)
    }

    /// How well the answer is determined.
    pub fn conditioning(
        key: &'static str,
        label: impl Into<Cow<'static, str>>,
        measured: f64,
        allowed: f64,
    ) -> Self {
        Self::new(Role::Conditioning, key, label, measured, allowed)
    }

    /// Whether other models fit as well.
    pub fn uniqueness(
        key: &'static str,
        label: impl Into<Cow<'static, str>>,
        measured: f64,
        allowed: f64,
    ) -> Self {
        Self::new(Role::Uniqueness, key, label, measured, allowed)
    }

    /// Whether the search saw enough.
    pub fn search(
        key: &'static str,
        label: impl Into<Cow<'static, str>>,
        measured: f64,
        allowed: f64,
    ) -> Self {
        Self::new(Role::Search, key, label, measured, allowed)
    }

    /// Whether samples support the model.
    pub fn sampling(
        key: &'static str,
        label: impl Into<Cow<'static, str>>,
        measured: f64,
        allowed: f64,
    ) -> Self {
        Self::new(Role::Sampling, key, label, measured, allowed)
    }

    /// The smallest deviation that the tests would have noticed, against the largest that may go unnoticed.
    pub fn power(
        key: &'static str,
        label: impl Into<Cow<'static, str>>,
        measured: f64,
        allowed: f64,
    ) -> Self {
        Self::new(Role::Power, key, label, measured, allowed)
    }

    /// A figure without a bound.
    pub fn reported(key: &'static str, label: impl Into<Cow<'static, str>>, measured: f64) -> Self {
        Self::new(Role::Reported, key, label, measured, f64::INFINITY)
    }

    /// Whether the bound is kept; false for NaN.
    pub fn holds(&self) -> bool {
        self.measured <= self.allowed
    }
}
