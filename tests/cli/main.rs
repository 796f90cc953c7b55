//! The command line, from outside.

mod claims;
mod demo_page;
mod doors;
mod golden;
mod mistakes;
mod mixture_choice;
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
