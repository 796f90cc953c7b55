//! Reading and writing polynomials.

pub(crate) mod display;
pub(crate) mod lexer;
pub(crate) mod parse;
pub(crate) mod serial;
pub(crate) mod vars;
