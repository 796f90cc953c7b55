//! Readers and writers, on the floor that they stand on.

mod arrays;
mod producers;
mod tables;
