//! Tables of text as they come, and what is said of them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use wickring::io::StoredTensor;
use wickring::io::samples::Samples;

/// A file of its own, removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("wickring-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn what_spreadsheets_and_statistics_programs_write() {
    let four = [1.5, 2.0, 3.0, 4.25];
    for (text, names) in [
        // A spreadsheet's own line for the delimiter; a delimiter at every end.
        ("sep=;\r\na;b\r\n1,5;2\r\n3;4,25\r\n", "a|b"),
        ("a,b,\n1.5,2,\n3,4.25,\n", "a|b"),
        // Names with the delimiter in them, and names that are numbers.
        ("\"a;b\",c\n1.5,2\n3,4.25\n", "a;b|c"),
        ("year,2019\n1.5,2\n3,4.25\n", "year|2019"),
        ("0,1\n1.5,2\n3,4.25\n", "0|1"),
        // R: write.csv, write.csv2, write.table; row names that are words.
        (
            "\"\",\"a\",\"b\"\n\"Mazda RX4\",1.5,2\n\"Fiat, 128\",3,4.25\n",
            "a|b",
        ),
        ("\"\";\"a\";\"b\"\n\"1\";1,5;2\n\"2\";3;4,25\n", "a|b"),
        ("\"a\" \"b\"\n\"1\" 1.5 2\n\"2\" 3 4.25\n", "a|b"),
        // Bars, comments with quotes in them, comments at the end, blanks between lines.
        ("a|b\n1.5|2\n3|4.25\n", "a|b"),
        (
            "# it is 5\" long\na,b\n1.5,2\n# \"half\n3,4.25\n# the end",
            "a|b",
        ),
        ("% a b\n1.5 2\n\n  \n3 4.25\n\n", "a|b"),
        // A header over three lines; Fortran's exponents.
        ("\"height\n in\n m\",b\n1.5,2\n3,4.25\n", "height in m|b"),
        ("0.15D+01 2\n.3d1 42.5d-1\n", ""),
    ] {
        let file = File::new("table.csv", text.as_bytes());
        let samples = Samples::open(&[&file.0]).unwrap_or_else(|e| panic!("{text:?}: {e}"));
        let rows: Vec<f64> = samples.chunks(9).flat_map(|c| c.unwrap().data).collect();
        assert_eq!(rows, four, "{text:?}");
        assert_eq!(samples.names().join("|"), names, "{text:?}");
    }
    // Whole numbers that count from 0 may be a first row: nothing but numbers follows.
    let file = File::new("counts.csv", b"0,1\n2,3\n");
    assert_eq!(Samples::open(&[&file.0]).unwrap().rows(), 2);
}

#[test]
fn missing_entries_are_counted_and_failed_formulas_are_among_them() {
    for (text, place, count) in [
        (
            "a,b\n1,NA\n,4\nnull,<NA>\n",
            "row 0, column 1 (b)",
            "4 of 6",
        ),
        ("1,2\n3,#DIV/0!\n#N/A,5\n", "row 1, column 1", "2 of 6"),
        ("1 2\n3 -1.#IND\n", "row 1, column 1", "1 of 4"),
        ("1,2\n3,inf\n", "row 1, column 1", "1 of 4"),
    ] {
        let file = File::new("missing.csv", text.as_bytes());
        let message = Samples::open(&[&file.0]).unwrap_err().to_string();
        let counted = format!("{count} entries are missing");
        assert!(
            message.contains(place) && message.contains(&counted),
            "{message}"
        );
        // As a tensor the entries are there to be masked.
        let Ok(StoredTensor::Real(t)) = StoredTensor::read(&file.0, None) else {
            panic!("{text:?}");
        };
        let missing = t.as_slice().iter().filter(|x| !x.is_finite()).count();
        assert_eq!(missing.to_string(), count.split(' ').next().unwrap());
    }
}

#[test]
fn transposed_samples_are_suspected() {
    let wide: String = (0..3)
        .map(|i| format!("{}\n", vec![i.to_string(); 40].join(",")))
        .collect();
    let file = File::new("wide.csv", wide.as_bytes());
    let samples = Samples::open(&[&file.0]).unwrap();
    assert!(samples.looks_transposed());
    let message = samples.mismatch(3, "the model has 3").to_string();
    assert!(
        message.contains("40 columns") && message.contains("transposed"),
        "{message}"
    );
    let message = samples.mismatch(5, "the model has 5").to_string();
    assert!(!message.contains("transposed"), "{message}");
    let tall = File::new("tall.csv", "1,2,3\n".repeat(40).as_bytes());
    assert!(!Samples::open(&[&tall.0]).unwrap().looks_transposed());
}

#[test]
fn a_table_of_a_tensor_must_have_its_shape() {
    let read = |text: &str| {
        let file = File::new("tensor.csv", text.as_bytes());
        StoredTensor::read(&file.0, None).map_err(|e| e.to_string())
    };
    let Ok(StoredTensor::Real(t)) =
        read("# shape: 2 3 2\n0,1,10,11,20,21\n100,101,110,111,120,121\n")
    else {
        panic!();
    };
    assert_eq!(t.dims(), [2, 3, 2]);
    assert_eq!(
        t.as_slice(),
        [
            0., 100., 10., 110., 20., 120., 1., 101., 11., 111., 21., 121.
        ]
    );
    let turned = "# shape: 2 3 2\n0,100\n1,101\n10,110\n11,111\n20,120\n21,121\n";
    let message = read(turned).unwrap_err();
    assert!(
        message.contains("6 rows of 2") && message.contains("transposed"),
        "{message}"
    );
    let message = read("no tensor").unwrap_err();
    assert!(message.contains("no row of numbers"), "{message}");
    let message = read("# shape: 2 2 2\n1,2,3\n4,5,6\n").unwrap_err();
    assert!(
        message.contains("shape 2 2 2") && !message.contains("transposed"),
        "{message}"
    );
}

#[test]
fn a_grid_between_two_scales_is_read_without_them() {
    let read = |text: &str| {
        let file = File::new("grid.csv", text.as_bytes());
        let t = StoredTensor::read(&file.0, None).unwrap();
        let StoredTensor::Real(t) = t else { panic!() };
        (t.dims().to_vec(), t.into_vec())
    };
    // pandas: DataFrame(x, index=emission, columns=excitation).to_csv, rising or falling.
    let grid = ",240.0,250.0,260.5\n300.0,1.0,2.0,3.0\n310.0,4.0,,6.0\n";
    let (dims, entries) = read(grid);
    assert_eq!(dims, [2, 3]);
    assert_eq!(entries[..3], [1.0, 4.0, 2.0]);
    assert!(entries[3].is_nan());
    assert_eq!(read(";3,5;2,5;1\n9;1;2;3\n8;4;5;6\n").0, [2, 3]);
    // A first entry that is missing over numbers in no order is an entry.
    assert_eq!(read(",2.0,1.0,3.0\n5.0,1.0,2.0,3.0\n").0, [2, 4]);
}
