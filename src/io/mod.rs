//! Bytes in, typed values or a clear error out.
//!
//! Every error names the file and the place. Readers check the size that a header claims against the size of
//! the file before anything is allocated, so a hostile header costs nothing. Output files are written whole or
//! not at all.
//!
//! | item | what it reads and writes |
//! |---|---|
//! | [`write_whole`], [`write_together`] | any files, through temporary ones and renames |
//! | [`source`] | files, `.gz`, standard input and pipes as bytes |
//! | [`npy`] | one array, `.npy` (versions 1 to 3; C and Fortran order; integers, floats, complex) |
//! | [`npz`] | several named arrays, `.npz` |
//! | [`model`] | model files in JSON |
//! | [`mat`] | the numeric arrays of a MATLAB version 5 file |
//! | [`tns`] | a sparse tensor as FROSTT text |
//! | [`samples`] | samples as rows of `.npy`, `.csv`, `.tsv` files or folders, streamed |

pub(crate) mod atomic;
pub mod mat;
pub mod model;
pub mod npy;
pub mod npz;
pub(crate) mod rows;
pub mod samples;
pub mod source;
pub(crate) mod text;
pub mod tns;

pub use atomic::{is_stream, write_together, write_whole};
pub use model::polynomial::POLYNOMIAL_MAP;
