//! The command line, from outside.

mod demo_page;
mod golden;
mod doors;
mod mistakes;
mod options;
mod outside;
mod poly;
mod quadratic;
mod theory;
mod verify;
