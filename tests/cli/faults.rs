//! Faults around every command that writes: one line, the right exit code, old files intact, no temporary file left.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::outside::{Folder, Run, ended, shell};
use super::writers::{WRITERS, Writer, contents, prepared};
use std::process::Command;

/// A command that was told why it could not write: code 2, one line that names the output.
fn refused(run: &Run, writer: &Writer, fault: &str) {
    let told = format!("{fault}: {}: {} {}", writer.line, run.code, run.err);
    assert_eq!(run.code, 2, "{told}");
    assert_eq!(run.err.trim_end().lines().count(), 1, "{told}");
    assert!(run.err.starts_with("wickring: "), "{told}");
}

/// A writer as a line for a shell, after `before`.
fn through_a_shell(at: &Folder, writer: &Writer, before: &str, out: &str) -> Run {
    let args = writer.args(out);
    let quoted: Vec<String> = args.iter().map(|a| format!("'{a}'")).collect();
    shell(at, &format!("{before} exec $W {}", quoted.join(" ")))
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_every_file_as_it_was() {
    for writer in WRITERS {
        let at = prepared("full");
        std::fs::write(at.path(writer.out), "old").unwrap();
        let before = contents(&at);
        // No file may grow; the signal is ignored, so that writes fail.
        let run = through_a_shell(&at, writer, "trap '' XFSZ; ulimit -f 0;", writer.out);
        refused(&run, writer, "full");
        assert_eq!(contents(&at), before, "{}", writer.line);
    }
}

#[test]
fn an_output_that_is_a_folder_or_has_none_is_refused() {
    for writer in WRITERS {
        let at = prepared("folder");
        let before = contents(&at);
        let run = through_a_shell(&at, writer, "", &format!("no such folder/{}", writer.out));
        refused(&run, writer, "no folder");
        std::fs::create_dir(at.path(writer.out)).unwrap();
        refused(&writer.run(&at, &[]), writer, "a folder");
        assert_eq!(contents(&at), before, "{}", writer.line);
    }
}

#[cfg(unix)]
#[test]
fn links_and_modes_of_outputs_are_kept() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    for writer in WRITERS {
        let at = prepared("kept");
        let plain = writer.run(&at, &[]);
        let whole = std::fs::read(at.path(writer.out)).ok();
        let at = prepared("kept");
        std::fs::write(at.path("real"), "old").unwrap();
        std::fs::set_permissions(at.path("real"), PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::hard_link(at.path("real"), at.path("twin")).unwrap();
        symlink("real", at.path(writer.out)).unwrap();
        let run = writer.run(&at, &[]);
        assert_eq!(run.code, plain.code, "{}: {}", writer.line, run.err);
        let meta = std::fs::metadata(at.path("real")).unwrap();
        assert_eq!((meta.mode() & 0o777, meta.nlink()), (0o600, 2));
        let link = std::fs::symlink_metadata(at.path(writer.out)).unwrap();
        assert!(link.is_symlink(), "{}", writer.line);
        let expected = whole.unwrap_or_else(|| b"old".to_vec());
        assert_eq!(std::fs::read(at.path("twin")).unwrap(), expected);
        assert!(at.left_over().is_empty());
    }
}

#[cfg(unix)]
#[test]
fn odd_names_an_empty_environment_and_no_locale_change_nothing() {
    use std::os::unix::ffi::OsStrExt;
    for writer in WRITERS {
        let at = prepared("odd");
        let plain = writer.run(&at, &[]);
        let whole = std::fs::read(at.path(writer.out)).ok();
        let (_, ending) = writer.out.split_once('.').unwrap();
        for name in [&b"two words\nand \xd1\x84 "[..], b"\xff\xfe not text "] {
            let at = prepared("odd");
            let mut out = name.to_vec();
            out.extend(format!(".{ending}").bytes());
            let out = std::ffi::OsStr::from_bytes(&out);
            let mut command = Command::new(env!("CARGO_BIN_EXE_wickring"));
            command.env_clear().current_dir(at.path(""));
            for word in writer.args("OUT") {
                match word.as_str() {
                    "OUT" => command.arg(out),
                    word => command.arg(word),
                };
            }
            let run = ended(command);
            assert_eq!(run.code, plain.code, "{}: {}", writer.line, run.err);
            let found = std::fs::read(at.path("").join(out)).ok();
            assert_eq!(found.is_some(), whole.is_some(), "{}", writer.line);
            assert!(at.left_over().is_empty());
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_working_folder_that_is_gone_is_told() {
    for writer in WRITERS {
        let at = prepared("gone");
        let before = contents(&at);
        let gone = "mkdir gone; cd gone; rmdir ../gone;";
        refused(
            &through_a_shell(&at, writer, gone, writer.out),
            writer,
            "gone",
        );
        assert_eq!(contents(&at), before, "{}", writer.line);
    }
}

#[test]
fn two_writers_of_one_file_leave_one_whole_file() {
    for writer in WRITERS.iter().step_by(3) {
        let at = prepared("two");
        let plain = writer.run(&at, &[]);
        let whole = contents(&at);
        let at = prepared("two");
        let args = writer.args(writer.out);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut other = at.command(&args).spawn().unwrap();
        let run = at.run(&args);
        let code = other.wait().unwrap().code();
        assert_eq!(
            (run.code, code),
            (plain.code, Some(plain.code)),
            "{}",
            run.err
        );
        assert_eq!(contents(&at), whole, "{}", writer.line);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_wish_to_terminate_keeps_the_best_so_far() {
    let lines = [
        "decompose cp noise.npy --rank 9 --starts 5000 --out o.npz",
        "decompose exact noise.npy --rank 20 --starts 100000 --out o.npz",
        "scheme search --tensor matmul:4,4,4 --rank 30 --flips 100000000000 --out o.json",
    ];
    for line in lines {
        for signal in ["TERM", "INT"] {
            let at = Folder::new("signals");
            let rng = &mut super::outside::rng(4);
            let noise: Vec<f64> = (0..12 * 13 * 14)
                .map(|_| wickring::laws::planted::gaussian(rng))
                .collect();
            at.array("noise.npy", &[12, 13, 14], &noise);
            let script = format!("$W {line} --json & sleep 4; kill -{signal} $!; wait $!");
            let run = shell(&at, &script);
            assert_eq!(run.code, 3, "{line} {signal}: {}", run.err);
            let value: serde_json::Value = serde_json::from_str(&run.out).unwrap();
            let status = value.get("status").unwrap_or(&value["error"]["kind"]);
            assert_eq!(status, "stopped", "{line} {signal}: {}", run.out);
            assert!(at.left_over().is_empty());
        }
    }
}

/// A run that is killed at any moment goes on from its checkpoint and ends with the bytes of one that was not.
#[cfg(target_os = "linux")]
#[test]
fn a_killed_search_goes_on_where_it_was() {
    let matrices = "decompose exact mm.npy --rank 7 --starts 40 --seed 6 --quiet --out";
    let at = Folder::new("resume");
    let product = |i: &[usize]| {
        let pair = |k: usize| (k % 2, k / 2);
        let ((a, b), (c, d), (e, f)) = (pair(i[0]), pair(i[1]), pair(i[2]));
        f64::from(u8::from(b == c && d == e && f == a))
    };
    let t = wickring::tensor::Tensor::from_fn(&[4, 4, 4], product).unwrap();
    wickring::io::npy::write(&at.path("mm.npy"), t.view()).unwrap();
    let whole = shell(&at, &format!("$W {matrices} whole.json"));
    let expected = std::fs::read(at.path("whole.json")).ok();
    let mut last = whole.code;
    for pause in ["0.3", "0.7", "1.4"] {
        let script = format!(
            "$W {matrices} o.json --resume state & sleep {pause}; kill -KILL $! 2>/dev/null; wait $!; $W {matrices} o.json --resume state"
        );
        last = shell(&at, &script).code;
    }
    assert_eq!(last, whole.code);
    assert_eq!(std::fs::read(at.path("o.json")).ok(), expected);
    let state = std::fs::read_to_string(at.path("state")).unwrap();
    assert!(state.lines().filter(|l| l.starts_with("unit ")).count() >= 1);
    // What is finished is not done again, and other work and damage are refused.
    std::fs::remove_file(at.path("o.json")).unwrap();
    let again = shell(&at, &format!("$W {matrices} o.json --resume state"));
    assert_eq!(
        (again.code, std::fs::read(at.path("o.json")).ok()),
        (whole.code, expected)
    );
    let other = matrices.replace("--seed 6", "--seed 7");
    let run = shell(&at, &format!("$W {other} o.json --resume state"));
    assert!(run.code == 2 && run.err.contains("another"), "{}", run.err);
    let other = matrices.replace("--rank 7", "--rank 8");
    let run = shell(&at, &format!("$W {other} o.json --resume state"));
    assert!(
        run.code == 2 && run.err.contains("same work"),
        "{}",
        run.err
    );
    std::fs::write(at.path("state"), &state[..state.len() / 2]).unwrap();
    let run = shell(&at, &format!("$W {matrices} o.json --resume state"));
    assert!(run.code == 2 && run.err.contains("--resume"), "{}", run.err);
}
