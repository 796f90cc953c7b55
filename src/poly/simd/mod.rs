//! Vector instructions, chosen when the program runs.
//!
//! The only module of the crate with `unsafe` code. Every function here has a portable twin that gives
//! the same bits (integer sums are exact; floating-point work uses fused multiply-add in both), so results
//! never depend on the processor. `unsafe` is needed for two reasons only: to call a function compiled for
//! instructions that were just detected, and to load and store vectors at unaligned places whose bounds
//! are asserted before.
#![allow(unsafe_code)]

pub(crate) mod blocks;
pub(crate) mod drain;
pub(crate) mod floats;
pub(crate) mod lanes;
pub(crate) mod level;
pub(crate) mod numbers;
pub(crate) mod remainders;
pub(crate) mod rows;
pub(crate) mod short_floats;
pub(crate) mod transforms;

pub(crate) use drain::{
    drain_wide, drain_wide_portable, drain64, drain116, drain116_portable, whole,
};
pub(crate) use rows::{WIDTHS, counts, has_rows, rows64, rows116};
