//! The command line, from outside.

mod demo_page;
mod golden;
mod poly;
mod quadratic;
mod theory;
mod verify;
