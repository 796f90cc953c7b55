//! Tells the tests whether the published data that some of them read stand beside the repository (`cfg(data_beside)`); where
//! they do not, those tests are ignored with a reason.

#![allow(clippy::print_stdout)] // how a build script speaks

use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(data_beside)");
    println!("cargo::rerun-if-changed=build.rs");
    if Path::new("../shared/data").is_dir() {
        println!("cargo::rustc-cfg=data_beside");
        println!("cargo::rerun-if-changed=../shared/data");
    }
}
