//! Tables as programs write them, conversion there and back, comparison, sums of parts, completions.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::outside::{Folder, Run};
use serde_json::Value;
use wickring::io::samples::Samples;

fn json(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{}", run.err);
    serde_json::from_str(&run.out).unwrap()
}

/// The rows of a table with its names.
fn table(at: &Folder, text: &str, columns: &[&str]) -> Result<(Vec<f64>, Vec<String>), String> {
    let path = at.path("t.csv");
    std::fs::write(&path, text).unwrap();
    let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
    let samples = Samples::open_columns(&[path], &columns).map_err(|e| e.to_string())?;
    let rows = samples.chunks(1).flat_map(|c| c.unwrap().data).collect();
    Ok((rows, samples.names().to_vec()))
}

#[test]
fn tables_are_read_as_the_world_writes_them() {
    let at = Folder::new("tables");
    let four = vec![1.5, 2.0, 3.0, 4.25];
    for (text, names) in [
        ("1.5,2\n3,4.25\n", ""),
        ("a,b\n1.5,2\n3,4.25\n", "a b"),
        // pandas: an index without a name; also under numbered columns.
        (",a,b\n0,1.5,2\n1,3,4.25\n", "a b"),
        (",0,1\n0,1.5,2\n1,3,4.25\n", "0 1"),
        // R: one name fewer than columns, everything quoted.
        ("\"a\",\"b\"\n\"1\",1.5,2\n\"2\",3,4.25\n", "a b"),
        // Byte-order mark, with and without a header.
        ("\u{feff}1.5,2\n3,4.25\n", ""),
        ("\u{feff}a,b\r\n1.5,2\r\n3,4.25\r\n", "a b"),
        // Decimal commas under semicolons and tabs.
        ("a;b\n1,5;2\n3,0;4,25\n", "a b"),
        ("1,5\t2\n3,0\t4,25\n", ""),
        // numpy.savetxt with a header, comments between and after.
        ("# a b\n1.5 2\n# half\n3 4.25\n", "a b"),
        ("1.5   2\n  3  4.25\n# the end\n", ""),
        ("\n\na,b\n1.5,2\n\n3,4.25\n\n", "a b"),
        ("\"name, long\",b\n1.5,2\n3,4.25\n", "name,_long b"),
    ] {
        let (rows, found) = table(&at, text, &[]).unwrap_or_else(|e| panic!("{text:?}: {e}"));
        assert_eq!(rows, four, "{text:?}");
        let shown: Vec<String> = found.iter().map(|n| n.replace(' ', "_")).collect();
        assert_eq!(shown.join(" "), names, "{text:?}");
    }
}

#[test]
fn columns_are_chosen_by_name_or_number_and_refusals_say_what_to_do() {
    let at = Folder::new("columns");
    let text = "id,height,weight\nx,1,2\ny,3,4\n";
    let (rows, names) = table(&at, text, &["weight", "height"]).unwrap();
    assert_eq!(
        (rows, names.join(" ")),
        (vec![2.0, 1.0, 4.0, 3.0], "weight height".to_owned())
    );
    assert_eq!(table(&at, "1,2\n3,4\n", &["1"]).unwrap().0, [2.0, 4.0]);
    for (text, columns, part) in [
        (text, &[][..], "--columns"),
        (text, &["age"][..], "it has id, height, weight"),
        ("1,2\n3,4\n", &["2"][..], "it has columns 0 to 1"),
        (
            "1,2\n3,4\nTotal: 5\n",
            &[][..],
            "line 3: has 1 entries, expected 2: 'Total: 5'",
        ),
        ("1,2\n3,NA\n", &[][..], "row 1, column 1: is NaN"),
        ("1,2\n3,n/a\n", &[][..], "row 1, column 1: is NaN"),
    ] {
        let message = table(&at, text, columns).unwrap_err();
        assert!(message.contains(part), "{text:?}: {message}");
    }
    at.array("z.npy", &[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let samples = Samples::open_columns(&[at.path("z.npy")], &["1".to_owned()]).unwrap();
    let rows: Vec<f64> = samples.chunks(9).flat_map(|c| c.unwrap().data).collect();
    assert_eq!(rows, [2.0, 4.0, 6.0]);
}

#[test]
fn conversion_there_and_back_changes_no_bit() {
    let at = Folder::new("convert");
    let data: Vec<f64> = (0..6).map(|k| 0.1 * f64::from(k * k) - 0.3).collect();
    at.array("a.npy", &[3, 2], &data);
    let mut last = "a.npy".to_owned();
    for next in ["b.npz", "c.mat", "d.csv", "e.tsv", "f.npy"] {
        json(&at.run(&["convert", &last, next, "--json"]));
        last = next.to_owned();
    }
    let read = |name: &str| wickring::io::npy::read(&at.path(name)).unwrap();
    assert_eq!(read("f.npy"), read("a.npy"));
    at.array(
        "cube.npy",
        &[2, 2, 2],
        &[1.0, 0.0, 2.0, 0.0, 0.0, 0.5, 0.0, 3.0],
    );
    for (from, to) in [("cube.npy", "cube.tns"), ("cube.tns", "back.npy")] {
        json(&at.run(&["convert", from, to, "--json"]));
    }
    assert_eq!(read("back.npy"), read("cube.npy"));
    let refused = |args: &[&str], part: &str| {
        let run = at.run(args);
        assert!(run.code == 2 && run.err.contains(part), "{}", run.err);
    };
    // A tensor as a table says its shape.
    for (from, to) in [("cube.npy", "cube.csv"), ("cube.csv", "again.npy")] {
        json(&at.run(&["convert", from, to, "--json"]));
    }
    assert_eq!(read("again.npy"), read("cube.npy"));
    refused(&["convert", "cube.npy", "cube.xyz"], "expected an ending");
    refused(&["convert", "cube.npy", "./cube.npy"], "--force");
}

#[test]
fn a_model_is_compared_with_itself_and_with_another() {
    let at = Folder::new("compare");
    let data: Vec<f64> = (0..24).map(|k| f64::from(k * k % 11) - 4.0).collect();
    at.array("t.npy", &[4, 3, 2], &data);
    for (rank, seed, out) in [("2", "1", "a.npz"), ("3", "2", "b.npz")] {
        at.run(&[
            "decompose",
            "cp",
            "t.npy",
            "--rank",
            rank,
            "--seed",
            seed,
            "--out",
            out,
        ]);
    }
    let same = json(&at.run(&["compare", "a.npz", "a.npz", "--json"]));
    assert!(same["match_score"].as_f64().unwrap() > 1.0 - 1e-12);
    assert!(same["distance"].as_f64().unwrap() < 1e-7);
    let other = json(&at.run(&["compare", "a.npz", "b.npz", "--json"]));
    assert_eq!(other["ranks"], serde_json::json!([2, 3]));
    assert_eq!(other["components"].as_array().unwrap().len(), 3);
    assert!(other["distance"].as_f64().unwrap() > 1e-3, "{other}");
    let run = at.run(&["compare", "a.npz", "t.npy"]);
    assert!(run.code == 2 && run.err.contains("t.npy"), "{}", run.err);
}

#[test]
fn moments_of_parts_merge_into_the_bytes_of_the_whole() {
    let at = Folder::new("moments");
    let rows: Vec<f64> = (0..9000).map(|k| f64::from(k * 37 % 101) / 7.0).collect();
    at.array("all.npy", &[3000, 3], &rows);
    at.array("one.npy", &[1000, 3], &rows[..3000]);
    at.array("two.npy", &[2000, 3], &rows[3000..]);
    for args in [
        &["moments", "add", "all.npy", "--out", "all.m"][..],
        &["moments", "add", "one.npy", "--out", "one.m"],
        &[
            "moments",
            "add",
            "two.npy",
            "--first-row",
            "1000",
            "--out",
            "two.m",
        ],
        &["moments", "merge", "two.m", "one.m", "--out", "both.m"],
    ] {
        let run = at.run(args);
        assert_eq!(run.code, 0, "{}", run.err);
    }
    let bytes = |name: &str| std::fs::read(at.path(name)).unwrap();
    assert_eq!(bytes("all.m"), bytes("both.m"));
    let shown = json(&at.run(&["moments", "show", "both.m", "--json"]));
    let mean = rows.iter().step_by(3).sum::<f64>() / 3000.0;
    assert!((shown["mean"][0].as_f64().unwrap() - mean).abs() < 1e-12);
    let run = at.run(&["moments", "merge", "one.m", "one.m", "--out", "x.m"]);
    assert!(
        run.code == 2 && run.err.contains("--first-row"),
        "{}",
        run.err
    );
}

#[test]
fn completions_know_every_command() {
    let at = Folder::new("completions");
    for shell in ["bash", "zsh", "fish"] {
        let run = at.run(&["completions", shell]);
        assert_eq!(run.code, 0, "{}", run.err);
        for word in ["decompose", "mixture", "groebner", "max-seconds"] {
            assert!(run.out.contains(word), "{shell}: {word}");
        }
    }
}
