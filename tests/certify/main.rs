//! Certificates, schemes, file formats, and the replay of stored fuzz inputs.

mod certificates;
mod fuzz_regressions;
mod io_formats;
mod schemes;
