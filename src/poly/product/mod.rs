//! Products of sparse polynomials.
//!
//! `sum_i a_i x^(e_i) * sum_j b_j x^(f_j)`: exact, in canonical form, whatever the algorithm. The plan is
//! made from cheap statistics, the degrees, the lengths and a bound for the result's coefficients:
//!
//! | situation | algorithm |
//! |---|---|
//! | small factors with 64-bit coefficients | one box of cells or one hash table, in memory that is kept ([`small`]) |
//! | few products otherwise | sort them ([`sparse`]) |
//! | the result is dense in its last variables | slabs: accumulate one block of the result at a time ([`slab`]) |
//! | the result is sparse everywhere | ranges of monomials, sorted in buckets or gathered in a hash table ([`sparse`]) |
//! | dense, long enough, in one variable or several | transforms modulo word primes ([`transform`]) |
//! | a few long coefficients among short ones | a sum of products by size of coefficients ([`multiword::classes`]) |
//! | coefficients of several words | digits or remainders modulo primes, by vector rows ([`positional`], [`remainders`]); else limbs ([`limbs`]) |
//! | exponents too wide for a word | an ordered map ([`wide`]) |
//!
//! Integer coefficients accumulate in 64 bits, 128 bits or a fixed number of limbs, chosen from the bound
//! `min(|a|_1 |b|_inf, |a|_inf |b|_1)`, so that no kernel ever checks for overflow.

pub(crate) mod budget;
pub(crate) mod cells;
pub(crate) mod column;
pub(crate) mod exponent_map;
pub(crate) mod grid;
pub(crate) mod multiword;
pub(crate) mod plan;
pub(crate) mod rows;
pub(crate) mod slab;
pub(crate) mod small;
pub(crate) mod sorted;
pub(crate) mod transform;
