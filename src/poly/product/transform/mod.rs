//! Products in quasi-linear time: number-theoretic transforms modulo word primes.
//!
//! A product of dense polynomials, in one variable or in several seen as one (Kronecker's substitution `x_v -> t^(s_v)`), is a
//! product of values at roots of unity modulo as many primes below `2^62` as the coefficients need; the Chinese remainder
//! theorem puts these together. Where the processor multiplies and adds at once, primes below `2^50` and floating-point residues
//! serve instead: vectors of these are several times faster. [`convolution`] does that for lists of coefficients, [`kronecker`] for polynomials, where it also
//! counts what the transforms cost and refuses products that other algorithms form faster.

pub(crate) mod convolution;
pub(crate) mod digits;
pub(crate) mod float_primes;
pub(crate) mod float_roots;
pub(crate) mod kronecker;
pub(crate) mod mixed_radix;
pub(crate) mod points;
pub(crate) mod primes;
pub(crate) mod recombine;
pub(crate) mod roots;
pub(crate) mod series;
