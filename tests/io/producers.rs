//! Files made by the programs that users have them from: read as what they are, or refused with the way out.
//!
//! `tests/fixtures/producers/make.py` wrote them.
#![allow(clippy::unwrap_used, clippy::panic)]

use num_complex::Complex;
use std::path::{Path, PathBuf};
use wickring::io::StoredTensor;
use wickring::io::samples::{Samples, Selection};
use wickring::tensor::Tensor;

fn fixture(name: &str) -> PathBuf {
    Path::new("tests/fixtures/producers").join(name)
}

/// The matrix of most files, by rows.
const ROWS: [f64; 4] = [1.5, 2.0, 3.0, 4.25];

fn sample(file: &str, name: &str, columns: &[&str]) -> Result<(Vec<f64>, String), String> {
    let selection = Selection {
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        name: (!name.is_empty()).then(|| name.to_owned()),
        gaps: false,
    };
    let samples = Samples::open_selected(&[fixture(file)], &selection);
    let samples = samples.map_err(|e| e.to_string())?;
    let rows = samples.chunks(1).flat_map(|c| c.unwrap().data).collect();
    Ok((rows, samples.names().join("|")))
}

#[test]
fn tables_and_matrices_are_read_as_samples() {
    for (file, name, names) in [
        ("pandas_default.csv", "", "a|b"),
        ("pandas_twice.csv", "", "a|b"),
        ("pandas_no_index.csv", "", "a|b"),
        ("pandas.csv.gz", "", "a|b"),
        ("pandas_numbered.csv", "", "0|1"),
        ("pandas_lines.csv", "", "height, in m|the \"b\""),
        ("pandas_decimal.csv", "", "a|b"),
        ("pandas_bom.csv", "", "a|b"),
        ("pandas_utf16.txt", "", "a|b"),
        ("pandas_latin1.csv", "", "gr\u{fffd}\u{fffd}e|b"),
        ("savetxt_header.txt", "", "a|b"),
        ("savetxt.csv.gz", "", ""),
        ("float.npy", "", ""),
        ("fortran_big_endian.npy", "", ""),
        ("x_and_y.npz", "X", ""),
        ("x_and_y.npz", "", ""),
        ("struct.mat", "s.a.b", ""),
        ("struct.mat", "s.list{2}", ""),
    ] {
        let (rows, found) = sample(file, name, &[]).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!((&rows[..], &found[..]), (&ROWS[..], names), "{file}");
    }
    assert_eq!(sample("x_and_y.npz", "y", &[]).unwrap().0, [1.0, 2.0]);
    let truth = sample("pandas_truth.csv", "", &[]).unwrap().0;
    assert_eq!(truth, [1.0, 2.0, 0.0, 3.0]);
    let chosen = sample("pandas_dates.csv", "", &["b", "a"]).unwrap();
    assert_eq!(chosen, (vec![2.0, 1.5, 4.25, 3.0], "b|a".to_owned()));
}

fn tensor() -> Tensor {
    let entry = |i: &[usize]| (1 + i[0] + 10 * i[1] + 100 * i[2]) as f64;
    Tensor::from_fn(&[2, 3, 2], entry).unwrap()
}

fn stored(file: &str, name: &str) -> Result<StoredTensor, String> {
    let name = (!name.is_empty()).then_some(name);
    StoredTensor::read(&fixture(file), name).map_err(|e| e.to_string())
}

#[test]
fn tensors_are_read_from_archives_structures_and_cells() {
    for (file, name) in [
        ("beside.npz", ""),
        ("beside.npz", "T"),
        ("struct.mat", ""),
        ("struct.mat", "s.list{1}"),
        ("struct_plain.mat", "s.list{1}"),
        ("struct_plain.mat", "t"),
    ] {
        let found = stored(file, name);
        assert_eq!(found, Ok(StoredTensor::Real(tensor())), "{file} {name}");
    }
    let column = Tensor::from_vec(&[1, 1], vec![2.0]).unwrap();
    let found = stored("struct_array.mat", "r(2).x");
    assert_eq!(found, Ok(StoredTensor::Real(column)));
    let z = [(1.5, 1.0), (3.0, 1.0), (2.0, 1.0), (4.25, 1.0)];
    let z = z.map(|(re, im)| Complex::new(re, im)).to_vec();
    let z = StoredTensor::Complex(Tensor::from_vec(&[2, 2], z).unwrap());
    assert_eq!(stored("complex.npz", ""), Ok(z.clone()));
    assert_eq!(stored("complex.mat", "z"), Ok(z));
}

#[test]
fn sparse_matrices_stay_sparse() {
    for file in [
        "sparse_csr.npz",
        "sparse_csc.npz",
        "sparse_coo.npz",
        "sparse.mat",
    ] {
        let Ok(StoredTensor::Sparse(s)) = stored(file, "") else {
            panic!("{file}: {:?}", stored(file, ""));
        };
        let mut entries: Vec<_> = s.entries().map(|(i, x)| (i[0], i[1], *x)).collect();
        entries.sort_by_key(|e| (e.0, e.1));
        assert_eq!(entries, [(0, 1, 1.5), (1, 0, 4.0), (2, 3, -2.0)], "{file}");
        assert_eq!(s.dims(), [3, 4], "{file}");
    }
}

#[test]
fn what_is_not_read_is_named_with_the_way_out() {
    for (file, name, parts) in [
        (
            "pandas_missing.csv",
            "",
            "row 0, column 1 (b) + is NaN + 1 of 4 entries are missing",
        ),
        (
            "pandas_dates.csv",
            "",
            "line 2, column 2 (day) + '2024-01-01' + --columns",
        ),
        ("workbook.xlsx", "", "Excel + read_excel"),
        ("table.parquet", "", "Parquet + read_parquet"),
        ("table.feather", "", "Arrow + read_feather"),
        ("table.dta", "", "Stata + read_stata"),
        ("table.pkl", "", "pickle + np.save"),
        ("table.sqlite", "", "SQLite + csv"),
        ("object.npy", "", "pickled Python objects + np.asarray"),
        ("structured.npy", "", "structured"),
        ("beside.npz", "labels", "array labels + expected numbers"),
        ("beside.npz", "objects", "pickled"),
        ("beside.npz", "nosuch", "no array 'nosuch' + labels"),
        ("sparse_bsr.npz", "", "layout + tocsr"),
        ("struct_plain.mat", "s", "name a member + s.a.b"),
        ("struct_plain.mat", "s.a.note", "is text"),
        (
            "struct_plain.mat",
            "nosuch",
            "no variable 'nosuch' + s.list{1}",
        ),
        ("text.mat", "", "no numeric array + is text"),
        ("array.h5", "", "HDF5 + h5py"),
        ("v73.mat", "", "HDF5 + -v7"),
    ] {
        let message = match stored(file, name) {
            Err(message) => message,
            Ok(_) => sample(file, name, &[]).expect_err(file),
        };
        for part in parts.split(" + ").chain([file]) {
            assert!(message.contains(part), "{file}: {part}: {message}");
        }
        // As samples they are refused too, with the same way out where the format is foreign.
        assert!(sample(file, name, &[]).is_err(), "{file}");
    }
    let again = sample("workbook.xlsx", "", &[]).unwrap_err();
    assert!(again.contains("Excel"), "{again}");
}

#[test]
fn the_bytes_tell_the_format_whatever_the_name() {
    let folder = std::env::temp_dir().join(format!("wickring-foreign-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (file, word) in [
        ("workbook.xlsx", "Excel"),
        ("table.parquet", "Parquet"),
        ("table.feather", "Arrow"),
        ("table.dta", "Stata"),
        ("table.pkl", "pickle"),
        ("array.h5", "HDF5"),
        ("v73.mat", "HDF5"),
        ("pandas.csv.gz", "gzip"),
    ] {
        for ending in ["csv", "npy", "npz", "mat", "tns", "txt"] {
            let renamed = folder.join(format!("x.{ending}"));
            std::fs::copy(fixture(file), &renamed).unwrap();
            let as_tensor = StoredTensor::read(&renamed, None).unwrap_err().to_string();
            assert!(as_tensor.contains(word), "{file} as {ending}: {as_tensor}");
            if ending != "tns" {
                let as_sample = Samples::open(&[&renamed]).unwrap_err().to_string();
                assert!(as_sample.contains(word), "{file} as {ending}: {as_sample}");
            }
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn damaged_files_are_refused_and_never_more() {
    let folder = std::env::temp_dir().join(format!("wickring-damaged-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut state = 2026u64;
    let mut next = |n: usize| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (state >> 33) as usize % n
    };
    for file in [
        "struct_plain.mat",
        "struct.mat",
        "struct_array.mat",
        "sparse.mat",
        "sparse_csr.npz",
        "sparse_coo.npz",
        "pandas_utf16.txt",
        "pandas_lines.csv",
        "pandas.csv.gz",
    ] {
        let whole = std::fs::read(fixture(file)).unwrap();
        let (_, ending) = file.split_once('.').unwrap();
        let path = folder.join(format!("x.{ending}"));
        for round in 0..150 {
            let mut bytes = whole.clone();
            match round % 3 {
                0 => bytes.truncate(next(whole.len())),
                1 => bytes
                    .splice(next(whole.len()).., whole.iter().copied())
                    .for_each(drop),
                _ => (0..3).for_each(|_| {
                    let at = next(whole.len());
                    bytes[at] = next(256) as u8;
                }),
            }
            std::fs::write(&path, &bytes).unwrap();
            // Read or refused: what must not happen is a panic, a hang or much memory.
            let _ = StoredTensor::read(&path, None);
            let _ = StoredTensor::read(&path, Some("s.list{1}"));
            let _ = Samples::open(&[&path]);
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
