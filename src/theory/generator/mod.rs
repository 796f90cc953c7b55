//! Generators of inputs, and the law of what they generate.

pub(crate) mod layer_law;
pub(crate) mod layers;
pub(crate) mod neuron;
pub(crate) mod source;
