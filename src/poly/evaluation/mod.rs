//! Polynomials compiled for evaluation at many points.
//!
//! A polynomial becomes a program of nested Horner steps: the terms that differ only in the last variable are
//! one step, a row of coefficients that is run through with the sum in registers. Points are taken in blocks
//! of columns, one vector lane a point. Every operation is one of IEEE 754 (sums of products are fused, rounded
//! once), in the vector paths and in the portable one alike: the results are the same bits on every processor
//! and for any number of threads.
//!
//! | item | use it for |
//! |---|---|
//! | [`Compiled`] | values, gradients and Hessians of one or many polynomials at many points |
//! | [`Coordinate`] | what a point consists of: `f64`, `Complex<f64>` or [`Interval`](super::coefficients::interval::Interval) |

pub(crate) mod batch;
pub(crate) mod compiled;
pub(crate) mod coordinate;
pub(crate) mod powers;
