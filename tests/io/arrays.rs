//! Named arrays in every format that is written: the same numbers come back.
#![allow(clippy::unwrap_used, clippy::panic)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wickring::io::{StoredTensor, arrays};
use wickring::tensor::Tensor;

fn drawn(dims: &[usize], rng: &mut ChaCha8Rng) -> Tensor {
    let entry = |_: &[usize]| f64::from(rng.next_u32()) / 3e8 - 7.0;
    Tensor::from_fn(dims, entry).unwrap()
}

#[test]
fn what_was_written_is_read_back_bit_by_bit() {
    let folder = std::env::temp_dir().join(format!("wickring-arrays-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(71);
    let shapes: [&[(&str, &[usize])]; 4] = [
        &[
            ("weights", &[3]),
            ("factor_0", &[4, 3]),
            ("factor_1", &[2, 3]),
        ],
        &[("core_0", &[2, 3, 2]), ("core_1", &[2, 4, 2])],
        &[("core_0", &[1, 3, 2]), ("core_0_imag", &[1, 3, 2])],
        &[("core", &[2, 2, 3, 2]), ("factor_0", &[5, 2])],
    ];
    for (which, list) in shapes.iter().enumerate() {
        let one = |(name, dims): &(&str, &[usize])| ((*name).to_owned(), drawn(dims, &mut rng));
        let named: Vec<(String, Tensor)> = list.iter().map(one).collect();
        for ending in ["npz", "json", "mat"] {
            let path = folder.join(format!("m{which}.{ending}"));
            let files = arrays::write(&path, &named, &[]).unwrap();
            assert_eq!(files, std::slice::from_ref(&path));
            let back = arrays::read(&path).unwrap();
            for (name, t) in &named {
                let found = back.iter().find(|(n, _)| n == name);
                let (_, found) = found.unwrap_or_else(|| panic!("{ending}: {name}"));
                assert_eq!(found.as_slice(), t.as_slice(), "{ending}: {name}");
                // MATLAB knows no lists, only columns.
                let columns = [t.dims(), &[1]].concat();
                let list = ending == "mat" && t.dims().len() == 1;
                let dims = if list { &columns[..] } else { t.dims() };
                assert_eq!(found.dims(), dims, "{ending}: {name}");
            }
            assert_eq!(back.len(), named.len());
        }
        for ending in ["csv", "tsv"] {
            let path = folder.join(format!("m{which}.{ending}"));
            let files = arrays::write(&path, &named, &[]).unwrap();
            for (file, (name, t)) in files.iter().zip(&named) {
                let end = format!("m{which}_{name}.{ending}");
                assert_eq!(file.file_name().unwrap().to_str().unwrap(), end);
                let Ok(StoredTensor::Real(back)) = StoredTensor::read(file, None) else {
                    panic!("{}", file.display());
                };
                assert_eq!(back.as_slice(), t.as_slice(), "{name}");
            }
        }
        for ending in ["npy", "tns", "xyz", ""] {
            let path = folder.join(format!("m{which}.{ending}"));
            let message = arrays::write(&path, &named, &[]).unwrap_err().to_string();
            assert!(message.contains("expected an ending") || message.contains("one array"));
            assert!(!path.exists());
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn names_of_columns_become_a_header_that_is_read_back() {
    let path = std::env::temp_dir().join(format!("wickring-names-{}.csv", std::process::id()));
    let t = drawn(&[3, 2], &mut ChaCha8Rng::seed_from_u64(72));
    let names = ["height, in \"m\"".to_owned(), "# of legs".to_owned()];
    arrays::write(&path, &[("t".to_owned(), t.clone())], &names).unwrap();
    let samples = wickring::io::samples::Samples::open(&[&path]).unwrap();
    assert_eq!(samples.names(), names);
    assert_eq!((samples.rows(), samples.columns()), (3, 2));
    // Other numbers of names than columns are no header.
    arrays::write(&path, &[("t".to_owned(), t)], &names[..1]).unwrap();
    let samples = wickring::io::samples::Samples::open(&[&path]).unwrap();
    assert!(samples.names().is_empty());
    std::fs::remove_file(&path).unwrap();
}
