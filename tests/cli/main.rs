//! The command line, from outside.

mod claims;
mod demo_page;
mod determinism;
mod doors;
mod faults;
mod golden;
mod limits;
mod mistakes;
mod mixtures;
mod models;
mod options;
mod outside;
mod poly;
mod quadratic;
mod schemes;
mod theorems;
mod theory;
mod verify;
mod writers;
