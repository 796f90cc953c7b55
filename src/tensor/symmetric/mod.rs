//! Symmetric tensors and the forms that they are.

pub(crate) mod form;
pub(crate) mod tensor;
