//! Theorems about decompositions: claims that are more than identities, each replayed from its definition in
//! exact integers. `docs/FORMATS.md` holds the mathematics of each kind.

mod integers;
pub(crate) mod koszul;
pub(crate) mod krawczyk;
mod kruskal;
mod models;
mod replay;
pub(crate) mod slices;
pub(crate) mod sturm;

pub(in crate::certify) use integers::{Exact, Tensor};
pub(in crate::certify) use replay::{KINDS, theorem};
pub(in crate::certify) use slices::Slices;
