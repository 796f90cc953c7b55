//! Exact quotients: `a / b` when `b` divides `a`, and the certainty that it does not otherwise.
//!
//! | situation | algorithm |
//! |---|---|
//! | one variable, words, not long | the schoolbook's way on dense lists ([`by_list`]) |
//! | over the integers, dense enough for transforms | power series modulo word primes, checked by a product ([`by_series`]) |
//! | word coefficients, dense blocks | block by block from the top, as [`super::product`] builds products ([`by_slab`]) |
//! | otherwise over a domain | what is left of the dividend in a hash table ([`by_table`]) |
//! | zero divisors, or boxes that fit no word | an ordered map ([`by_map`]) |

pub(crate) mod by_list;
pub(crate) mod by_map;
pub(crate) mod by_series;
pub(crate) mod by_slab;
pub(crate) mod by_table;
pub(crate) mod keys;
pub(crate) mod numbers;
pub(crate) mod plan;
pub(crate) mod with_remainder;
