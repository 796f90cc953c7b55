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
//! | [`foreign`] | formats that are not read, told by their first bytes, and the way out of each |
//! | [`StoredTensor`] | a tensor in any of the formats below |
//! | [`arrays`] | named arrays, written and read back in the format that the ending says |
//! | [`npy`] | one array, `.npy` (versions 1 to 3; C and Fortran order; integers, floats, complex) |
//! | [`npz`] | several named arrays, `.npz` |
//! | [`model`] | model files in JSON |
//! | [`mat`] | arrays and sparse matrices of a MATLAB version 5 file, members of structures and cells among them |
//! | [`tns`] | a sparse tensor as FROSTT text |
//! | [`samples`] | samples as rows of `.npy`, `.csv`, `.tsv` files or folders, streamed |

pub mod arrays;
pub(crate) mod atomic;
pub(crate) mod digest;
pub mod foreign;
pub mod mat;
pub mod model;
pub mod npy;
mod npy_blocks;
pub mod npz;
pub(crate) mod rows;
pub mod samples;
pub mod source;
pub(crate) mod stored;
pub(crate) mod text;
pub mod tns;

pub use atomic::{is_stream, write_together, write_whole};
pub use model::polynomial::POLYNOMIAL_MAP;
pub use stored::StoredTensor;
