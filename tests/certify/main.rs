//! Certificates, schemes, file formats, and the replay of stored fuzz inputs.

mod catalogues;
mod certificates;
mod false_claims;
mod fuzz_regressions;
mod io_formats;
mod schemes;
mod second_opinion;
