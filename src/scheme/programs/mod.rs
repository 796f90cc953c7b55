//! Schemes as straight-line programs: printed, read, and verified by reading what was printed.

pub(crate) mod assignments;
mod lines;
mod model;
mod print;
mod surroundings;

pub use model::SchemeProgram;
pub use print::ProgramLanguage;
