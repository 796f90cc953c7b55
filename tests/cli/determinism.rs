//! The same seed gives the same bytes: for any number of threads, for a sample in one file or in several, and where
//! results are exact for any level of vector instructions.
#![allow(clippy::unwrap_used)]

use super::outside::Folder;
use super::writers::{WRITERS, contents, prepared, rows};
use serde_json::Value;

#[test]
fn every_command_writes_the_same_bytes_at_any_number_of_threads() {
    for writer in WRITERS {
        let run = |threads: &str| {
            let at = prepared("threads");
            let run = writer.run(&at, &["--threads", threads]);
            assert!(matches!(run.code, 0 | 3), "{}: {}", writer.line, run.err);
            (run.code, contents(&at))
        };
        let one = run("1");
        assert!(one.1.contains_key(writer.out.as_ref() as &std::path::Path) || one.0 == 3);
        for threads in ["2", "3", "8"] {
            assert!(
                run(threads) == one,
                "{} with {threads} threads",
                writer.line
            );
        }
    }
}

#[test]
fn vector_instructions_change_no_exact_result_and_no_verdict() {
    for writer in WRITERS {
        let run = |level: &str| {
            let at = prepared("levels");
            let args = writer.args(writer.out);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let mut command = at.command(&args);
            let run = command.env("WICKRING_SIMD", level).output().unwrap();
            (run.status.code(), contents(&at))
        };
        let (code, files) = run("scalar");
        for level in ["avx2", "avx512"] {
            let (other, found) = run(level);
            assert_eq!(other, code, "{} at {level}", writer.line);
            assert!(
                !writer.exact || found == files,
                "{} at {level}",
                writer.line
            );
        }
    }
}

/// A model file without the names of its inputs.
fn model(at: &Folder) -> Value {
    let text = std::fs::read(at.path("o.json")).unwrap();
    let mut value: Value = serde_json::from_slice(&text).unwrap();
    value.as_object_mut().unwrap().remove("inputs").unwrap();
    value
}

#[test]
fn a_sample_in_several_files_gives_the_model_of_one_file() {
    let lines = [
        "learn quadratic FILES --out o.json",
        "learn mixture FILES --components 2 --method em --out o.json",
        "learn mixture FILES --components 2 --method moments --out o.json",
    ];
    let all = rows(400);
    for line in lines {
        let run = |cuts: &[usize]| {
            let at = Folder::new("split");
            let mut names = Vec::new();
            for (k, pair) in cuts.windows(2).enumerate() {
                names.push(format!("part{k}.npy"));
                let rows = &all[3 * pair[0]..3 * pair[1]];
                at.array(&names[k], &[pair[1] - pair[0], 3], rows);
            }
            let line = line.replace("FILES", &names.join(" "));
            let args: Vec<&str> = line.split(' ').collect();
            let run = at.run(&args);
            assert!(matches!(run.code, 0 | 3), "{line}: {}", run.err);
            (run.code, model(&at))
        };
        let whole = run(&[0, 400]);
        assert_eq!(run(&[0, 1, 200, 400]), whole, "{line}");
        assert_eq!(run(&[0, 257, 400]), whole, "{line}");
    }
}
