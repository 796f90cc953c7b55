//! File formats: round trips, both storage orders, and what must be refused.
#![allow(clippy::unwrap_used, clippy::panic)] // helper functions of tests may fail loudly

use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::{npy, npz, write_whole};
use wickring::tensor::Tensor;

/// A folder of its own for each test, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wickring-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn counting(dims: &[usize]) -> Tensor {
    let mut next = 0.0;
    Tensor::from_fn(dims, |_| {
        next += 1.0;
        next
    })
    .unwrap()
}

fn problem(path: &Path) -> String {
    match npy::read(path) {
        Err(e @ Error::File { .. }) => e.to_string(),
        other => panic!("expected a file error, got {other:?}"),
    }
}

#[test]
fn arrays_round_trip_in_both_orders() {
    let folder = Folder::new("npy-round-trip");
    for dims in [&[][..], &[5], &[2, 3], &[2, 3, 4], &[3, 0]] {
        let t = counting(dims);
        let path = folder.0.join("a.npy");
        npy::write(&path, t.view()).unwrap();
        assert_eq!(npy::read(&path).unwrap(), t);
        // The same entries in C order.
        let mut c = Vec::new();
        let reversed: Vec<usize> = dims.iter().rev().copied().collect();
        let _ = Tensor::from_fn(&reversed, |index| {
            let forward: Vec<usize> = index.iter().rev().copied().collect();
            c.push(*t.view().get(&forward).unwrap());
        });
        let path = folder.file("c.npy", &npy::encode(dims, false, &c));
        assert_eq!(npy::read(&path).unwrap(), t);
    }
}

#[test]
fn archives_round_trip_and_are_reproducible() {
    let folder = Folder::new("npz");
    let (a, b) = (counting(&[2, 3]), counting(&[4]));
    let paths = [folder.0.join("x.npz"), folder.0.join("y.npz")];
    for path in &paths {
        npz::write(path, &[("a", a.view()), ("b", b.view())]).unwrap();
    }
    let back = npz::read(&paths[0]).unwrap();
    assert_eq!(back, vec![("a".to_owned(), a), ("b".to_owned(), b.clone())]);
    assert_eq!(npz::read_one(&paths[0], "b").unwrap(), b);
    assert!(
        npz::read_one(&paths[0], "c")
            .unwrap_err()
            .to_string()
            .contains("a, b")
    );
    let bytes = |p: &PathBuf| std::fs::read(p).unwrap();
    assert_eq!(bytes(&paths[0]), bytes(&paths[1]));
}

#[test]
fn every_entry_type_is_read() {
    let folder = Folder::new("dtypes");
    let file = |descr: &str, body: &[u8]| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(body);
        folder.file("d.npy", &bytes)
    };
    let read = |p: PathBuf| npy::read(&p).unwrap().into_vec();
    assert_eq!(read(file("<i2", &[1, 0, 255, 255])), [1.0, -1.0]);
    assert_eq!(read(file(">i2", &[0, 1, 255, 255])), [1.0, -1.0]);
    assert_eq!(read(file("|u1", &[7, 255])), [7.0, 255.0]);
    assert_eq!(read(file("|b1", &[0, 1])), [0.0, 1.0]);
    assert_eq!(read(file("<f2", &[0, 0x3c, 0, 0xc0])), [1.0, -2.0]);
    let singles = [1.5f32.to_le_bytes(), (-0.25f32).to_le_bytes()].concat();
    assert_eq!(read(file("<f4", &singles)), [1.5, -0.25]);
    let complex = [1.0f64, 2.0, 3.0, 4.0].map(f64::to_le_bytes).concat();
    let path = file("<c16", &complex);
    assert!(problem(&path).contains("complex"));
    assert_eq!(npy::read_complex(&path).unwrap().as_slice()[1].im, 4.0);
    assert!(problem(&file("|O", &[0; 16])).contains("pickled"));
    assert!(problem(&file("<U4", &[0; 32])).contains("expected numbers"));
}

#[test]
fn what_is_not_an_array_is_refused_with_file_and_place() {
    let folder = Folder::new("npy-bad");
    let good = npy::encode(&[4, 3], false, &[1.0; 12]);
    assert!(problem(&folder.file("empty.npy", b"")).contains("is empty"));
    assert!(problem(&folder.file("text.npy", b"1,2,3\n4,5,6\n")).contains("not a .npy"));
    let cut = folder.file("cut.npy", &good[..good.len() - 8]);
    assert!(problem(&cut).contains("truncated"), "{}", problem(&cut));
    assert!(problem(&folder.file("head.npy", &good[..40])).contains("header"));
    let mut longer = good.clone();
    longer.push(0);
    assert!(problem(&folder.file("longer.npy", &longer)).contains("other data"));
    // A header that claims 2^59 entries costs nothing.
    let huge = npy::encode(&[1 << 39, 1 << 20], false, &[]);
    assert!(problem(&folder.file("huge.npy", &huge)).contains("truncated"));
    let beyond = npy::encode(&[usize::MAX, usize::MAX], false, &[]);
    assert!(problem(&folder.file("beyond.npy", &beyond)).contains("too large"));
    assert!(problem(&folder.0).contains("folder"));
    assert!(problem(&folder.0.join("absent.npy")).contains("cannot be read"));
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let folder = Folder::new("atomic");
    let missing = folder.0.join("no-such-folder").join("x.npy");
    assert!(write_whole(&missing, b"x").is_err());
    let path = folder.0.join("x");
    write_whole(&path, b"first").unwrap();
    write_whole(&path, b"second").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"second");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1);
}
