//! The command line, from outside.

mod claims;
mod cookbook;
mod demo_page;
mod determinism;
mod doors;
mod effects;
mod faults;
mod golden;
mod limits;
mod masks;
mod mistakes;
mod mixture_choice;
mod mixtures;
mod models;
mod options;
mod outputs;
mod outside;
mod poly;
mod quadratic;
mod schema;
mod schemes;
mod theorems;
mod theory;
mod verify;
mod writers;
