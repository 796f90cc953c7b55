//! The parser of the command line: any words, one to a line of the input, are taken or refused in one line of text.
#![no_main]

macro_rules! program {
    ($($name:ident $path:literal),* $(,)?) => { $(
        #[allow(dead_code)]
        #[path = $path]
        mod $name;
    )* };
}
program! {
    args "../../src/bin/wickring/args.rs",
    commands "../../src/bin/wickring/commands/mod.rs",
    context "../../src/bin/wickring/context.rs",
    doors "../../src/bin/wickring/doors.rs",
    evidence "../../src/bin/wickring/evidence.rs",
    flags "../../src/bin/wickring/flags.rs",
    interrupt "../../src/bin/wickring/interrupt.rs",
    line "../../src/bin/wickring/line.rs",
    page "../../src/bin/wickring/page.rs",
    plot "../../src/bin/wickring/plot/mod.rs",
    progress "../../src/bin/wickring/progress.rs",
    report "../../src/bin/wickring/report.rs",
}

use libfuzzer_sys::fuzz_target;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

fuzz_target!(
    init: {
        // The record asks every program for its targets.
        if std::env::var("WICKRING_TARGET").is_ok_and(|t| t != "command_line") {
            println!("command_line");
            std::process::exit(2);
        }
    },
    |data: &[u8]| {
        line::holds(data.split(|b| *b == b'\n').map(|w| OsString::from_vec(w.to_vec())).collect());
    }
);
