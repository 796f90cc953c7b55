//! Theorems about decompositions: claims that are more than identities, each replayed from its definition in
//! exact integers. `docs/FORMATS.md` holds the mathematics of each kind.

mod claims;
mod integers;
pub(crate) mod koszul;
pub(crate) mod krawczyk;
mod kruskal;
mod models;
pub(crate) mod slices;
pub(crate) mod sturm;

pub(in crate::certify) use claims::{KINDS, theorem};
pub(in crate::certify) use integers::{Exact, Tensor};
pub(in crate::certify) use slices::Slices;
