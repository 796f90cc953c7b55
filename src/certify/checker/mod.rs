//! The small independent checker: exact arithmetic, the definitions, nothing that a producer computed. It trusts what
//! reads for it (`json`, `numbers`, `rings`, `format` beside this folder), the integers of `dashu` and the compiler.
pub(crate) mod moments;
pub(crate) mod replay;
pub(crate) mod tensors;
pub(crate) mod terms;
pub(crate) mod theorems;
