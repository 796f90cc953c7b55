//! Certificates, schemes, file formats, and the replay of stored fuzz inputs.

mod catalogues;
mod certificates;
mod complex_schemes;
mod corruption;
mod false_claims;
mod fuzz_regressions;
mod held_out;
mod io_formats;
mod proofs;
mod provers;
mod reductions;
mod rounded;
mod schemes;
mod second_opinion;
mod theorems;
mod workshop;
