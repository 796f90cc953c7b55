//! The command line, from outside.

mod claims;
mod demo_page;
mod doors;
mod effects;
mod golden;
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
