//! The small independent checker: exact arithmetic, the definitions, nothing that a producer computed.
//! It shares no parser and no product with the rest of the crate, draws no random number, rounds nothing,
//! and trusts the big integers of `dashu`, `serde_json`, SHA-256 and the compiler.

pub(crate) mod moments;
pub(crate) mod replay;
pub(crate) mod tensors;
pub(crate) mod terms;
