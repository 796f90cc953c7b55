//! Narrow one-hidden-layer relu networks, learnt from samples.
//!
//! ```text
//! y = c + <w, x> + sum_i b_i |<a_i, x>| + noise,      x Gaussian
//! ```
//!
//! Every sum of relus has this form (`relu(z) = (|z| + z) / 2`), and it is the one in which things are
//! computed; [`ReluNetwork::to_relu`] gives the other. What is exact: nothing but the identities; what is
//! recovered to rounding: the function, when there is no noise and every pair of neurons is sampled.
//!
//! * [`ReluLearner`] learns; its [`ReluReport`] says how far to trust the result.
//! * [`crate::planted::relu::Story`] plants networks from easy to hard for methods that correlate labels with polynomials.
//! * [`contraction`] and [`relu_coefficient`] are the Hermite moments of the theory.
//!
//! Out of scope: inputs far from Gaussian are accepted with a warning (the search relies on it, the descent
//! and the report do not); deep networks; other activations.

pub(crate) mod checks;
pub(crate) mod directions;
pub(crate) mod fit;
pub(crate) mod inputs;
pub(crate) mod learner;
pub(crate) mod model_file;
pub(crate) mod network;
pub(crate) mod rounding;
pub(crate) mod sample;
pub(crate) mod structure;

pub use checks::{ClosePair, HeldOut, ReluReport};
pub use directions::hermite::{contraction, hermite, relu_coefficient};
pub use fit::iteration::Strategy;
pub use inputs::InputCheck;
pub use learner::{Learned, MAX_NEURONS, ReluLearner};
pub use network::{Neuron, Rectifier, ReluNetwork};

/// The public function that errors name.
const OP: &str = "ReluLearner::learn";
