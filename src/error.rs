//! The two ways to say no: [`Error`], there is no answer, and [`Status`], there is one but read this.

use std::fmt;
use std::path::PathBuf;

/// How far to trust a model that exists. Every fit carries one.
///
/// # Example
/// ```
/// use wickring::Status;
/// assert_eq!(Status::from_name(Status::Stalled.name()), Some(Status::Stalled));
/// assert_eq!(Status::from_name("perfect"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// Every test that the algorithm promises was run and passed.
    Converged,
    /// The iteration budget ran out first. Raise the budget, or start closer.
    IterationLimit,
    /// No further progress was possible and the tests did not pass. Try other starts or another rank.
    Stalled,
    /// The answer was reached, but its conditioning voids the accuracy promise. Ask for less (a lower
    /// rank, fewer outputs) or bring better data.
    IllConditioned,
    /// Nothing speaks against the model, but these data could not have shown much: the report says how large a
    /// deviation would have been noticed. Bring more rows.
    Undecided,
    /// The caller asked to stop (a signal or a time limit); the best model so far is returned.
    Stopped,
}

impl Status {
    /// The word written into model files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::IterationLimit => "iteration-limit",
            Self::Stalled => "stalled",
            Self::IllConditioned => "ill-conditioned",
            Self::Undecided => "undecided",
            Self::Stopped => "stopped",
        }
    }

    /// The status of that name, as read back from a model file.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Converged,
            Self::IterationLimit,
            Self::Stalled,
            Self::IllConditioned,
            Self::Undecided,
            Self::Stopped,
        ]
        .into_iter()
        .find(|s| s.name() == name)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a call returned no usable value.
///
/// Variants are divided by what the caller can do about them, and each carries the numbers that
/// triggered it. `op` names the public function that failed.
///
/// # Example
/// ```
/// use wickring::Error;
/// use wickring::poly::{Poly, Rational, Vars};
/// let found = Poly::<Rational>::parse("x + *y", &mut Vars::new());
/// assert!(matches!(found, Err(Error::Parse { at: 4, .. })));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// Fix the call: an option or an argument is outside the documented domain.
    InvalidInput {
        /// Failing function.
        op: &'static str,
        /// What is required, with the offending numbers.
        requirement: String,
    },
    /// Fix the call: the sizes of two arguments do not go together.
    Shape {
        /// Failing function.
        op: &'static str,
        /// What was expected, in words and numbers.
        expected: String,
        /// What came.
        found: String,
    },
    /// Fix the text: it does not parse.
    Parse {
        /// Failing function.
        op: &'static str,
        /// Byte offset into the text.
        at: usize,
        /// What was expected there, and what stood there.
        expected: String,
    },
    /// Fix the file: it cannot be read or written, or does not hold what it should.
    File {
        /// The file.
        path: PathBuf,
        /// Where in the file: `row 17, column 3`, `byte 128`, `header`; empty when the whole file is meant.
        place: String,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// Fix the data: an entry is NaN or infinite.
    NonFinite {
        /// Failing function.
        op: &'static str,
        /// First offending flat index.
        index: usize,
    },
    /// Change the model: the data violate a hypothesis of the theorem behind the algorithm.
    Degenerate {
        /// Failing function.
        op: &'static str,
        /// The hypothesis, with the quantity that decides it.
        hypothesis: &'static str,
        /// The measured value of that quantity.
        measured: f64,
    },
    /// Exact arithmetic would leave its representation (an exponent, an index, a shape).
    Overflow {
        /// Failing function.
        op: &'static str,
        /// The quantity that overflowed.
        what: &'static str,
    },
    /// A budget would be exceeded; raise it if the machine allows.
    LimitExceeded {
        /// Failing function.
        op: &'static str,
        /// The quantity: `terms`, `bits`, `nesting`, `bytes`, `milliseconds`.
        what: &'static str,
        /// The limit in force.
        limit: u64,
    },
    /// The caller asked to stop before there was an answer.
    Stopped {
        /// Interrupted function.
        op: &'static str,
    },
    /// Retry or report: every route through the linear-algebra backend failed.
    Backend {
        /// Failing function.
        op: &'static str,
        /// Backend routine.
        routine: &'static str,
    },
    /// Only from `Fit::converged`: a model exists but did not pass its tests.
    NotConverged {
        /// Why the algorithm stopped.
        status: Status,
        /// Recomputed relative residual of the rejected model.
        rel_residual: f64,
    },
}

impl Error {
    /// An argument outside its domain.
    pub fn invalid(op: &'static str, requirement: impl Into<String>) -> Self {
        let requirement = shortened(requirement);
        Self::InvalidInput { op, requirement }
    }

    /// Sizes that do not go together.
    pub fn shape(op: &'static str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        let (expected, found) = (shortened(expected), shortened(found));
        Self::Shape {
            op,
            expected,
            found,
        }
    }

    /// Text that does not parse, at a byte offset.
    pub fn parse(op: &'static str, at: usize, expected: impl Into<String>) -> Self {
        let expected = shortened(expected);
        Self::Parse { op, at, expected }
    }

    /// A file that does not hold what it should.
    pub fn file(
        path: impl Into<PathBuf>,
        place: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        let (path, place, problem) = (path.into(), shortened(place), shortened(problem));
        Self::File {
            path,
            place,
            problem,
        }
    }

    /// A violated hypothesis with the quantity measured.
    pub fn degenerate(op: &'static str, hypothesis: &'static str, measured: f64) -> Self {
        Self::Degenerate {
            op,
            hypothesis,
            measured,
        }
    }

    /// The same error, said of the public function that was called instead of one inside it.
    #[must_use]
    pub(crate) fn said_by(mut self, name: &'static str) -> Self {
        match &mut self {
            Self::InvalidInput { op, .. }
            | Self::Shape { op, .. }
            | Self::Parse { op, .. }
            | Self::NonFinite { op, .. }
            | Self::Degenerate { op, .. }
            | Self::Overflow { op, .. }
            | Self::LimitExceeded { op, .. }
            | Self::Stopped { op }
            | Self::Backend { op, .. } => *op = name,
            Self::File { .. } | Self::NotConverged { .. } => {}
        }
        self
    }

    /// A budget that ran out.
    pub fn limit(op: &'static str, what: &'static str, limit: u64) -> Self {
        Self::LimitExceeded { op, what, limit }
    }
}

/// Letters of a message that are kept at its start and at its end.
const KEPT: (usize, usize) = (600, 200);

/// A message of readable length: what a file holds may stand in it however long it is, and the rest is to be seen beside it.
///
/// # Example
/// ```
/// use wickring::error::shortened;
/// assert_eq!(shortened("line 1: expected a number"), "line 1: expected a number");
/// assert!(shortened("9".repeat(100_000)).len() < 1000);
/// ```
pub fn shortened(text: impl Into<String>) -> String {
    let text = text.into();
    let count = text.chars().count();
    if count <= KEPT.0 + KEPT.1 {
        return text;
    }
    let start: String = text.chars().take(KEPT.0).collect();
    let end: String = text.chars().skip(count - KEPT.1).collect();
    format!("{start} [...] {end}")
}

/// Shortens text quoted from a hostile input so that a message stays one readable line.
pub fn quoted(text: &str) -> String {
    let mut out: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        out.push_str("...");
    }
    format!("'{out}'")
}

impl Error {
    /// The public function that failed; none where a file or a model is meant.
    pub fn op(&self) -> Option<&'static str> {
        match self {
            Self::InvalidInput { op, .. }
            | Self::Shape { op, .. }
            | Self::Parse { op, .. }
            | Self::NonFinite { op, .. }
            | Self::Degenerate { op, .. }
            | Self::Overflow { op, .. }
            | Self::LimitExceeded { op, .. }
            | Self::Stopped { op }
            | Self::Backend { op, .. } => Some(op),
            Self::File { .. } | Self::NotConverged { .. } => None,
        }
    }

    /// What is wrong, without the name of the function: for people who gave a command or a file instead of calling one.
    pub fn problem(&self) -> String {
        match self {
            Self::InvalidInput { requirement, .. } => requirement.clone(),
            Self::Shape {
                expected, found, ..
            } => format!("expected {expected}, found {found}"),
            Self::Parse { at, expected, .. } => format!("at byte {at}: expected {expected}"),
            Self::File {
                path,
                place,
                problem,
            } if place.is_empty() => format!("{}: {problem}", path.display()),
            Self::File {
                path,
                place,
                problem,
            } => format!("{}: {place}: {problem}", path.display()),
            Self::NonFinite { index, .. } => format!("input entry {index} is not finite"),
            Self::Degenerate {
                hypothesis,
                measured,
                ..
            } => format!("needs {hypothesis}, measured {measured:.3e}"),
            Self::Overflow { what, .. } => format!("{what} overflows"),
            Self::LimitExceeded { what, limit, .. } => {
                format!("needs more than the budget of {limit} {what}")
            }
            Self::Stopped { .. } => "stopped before there was an answer".to_owned(),
            Self::Backend { routine, .. } => format!("{routine} failed on every route"),
            Self::NotConverged {
                status,
                rel_residual,
            } => format!("{status} at relative residual {rel_residual:.3e}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.op() {
            Some(op) => write!(f, "{op}: {}", self.problem()),
            None => f.write_str(&self.problem()),
        }
    }
}

impl std::error::Error for Error {}
