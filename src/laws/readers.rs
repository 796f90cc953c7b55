//! Readers of files, fed with any bytes: an error, or numbers that survive being written and read again.

use super::broken::{Broken, check};
use crate::io::samples::Samples;
use crate::io::{mat, npy, npz, tns};
use crate::tensor::{Tensor, TensorView};
use std::path::{Path, PathBuf};

/// Entries beyond which a tensor is not written again.
const MAX_ENTRIES: usize = 1 << 16;

fn same(a: TensorView<'_>, b: TensorView<'_>) -> bool {
    let bits = |t: TensorView<'_>| t.as_slice().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    a.dims() == b.dims() && bits(a) == bits(b)
}

fn kept(t: &Tensor) -> bool {
    t.as_slice().len() <= MAX_ENTRIES
}

/// Bytes as a `.npy` file.
///
/// # Errors
/// [`Broken`] when an array that was read is not read back from what is written of it.
pub fn fuzz_npy(data: &[u8]) -> Result<(), Broken> {
    let path = Path::new("fuzz.npy");
    let Ok(t) = npy::decode(path, "", data) else {
        return Ok(());
    };
    if !kept(&t) {
        return Ok(());
    }
    let again = npy::decode(path, "", &npy::encode(t.dims(), true, t.as_slice()));
    let holds = again.is_ok_and(|u| same(t.view(), u.view()));
    check("readers::npy", holds, || format!("{:?}", t.dims()))
}

/// Bytes as an archive of arrays.
///
/// # Errors
/// [`Broken`] as in [`fuzz_npy`].
pub fn fuzz_npz(data: &[u8]) -> Result<(), Broken> {
    let path = Path::new("fuzz.npz");
    let Ok(arrays) = npz::decode(path, data, 1 << 20) else {
        return Ok(());
    };
    let mut names: Vec<&str> = arrays.iter().map(|a| a.0.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < arrays.len() || !arrays.iter().all(|a| kept(&a.1)) {
        return Ok(());
    }
    let views: Vec<_> = arrays.iter().map(|(n, t)| (n.as_str(), t.view())).collect();
    // A name may be one that no archive can be given.
    let Ok(bytes) = npz::encode(path, &views) else {
        return Ok(());
    };
    let again = npz::decode(path, &bytes, 1 << 24).unwrap_or_default();
    let pairs = arrays.iter().zip(&again);
    let holds =
        again.len() == arrays.len() && pairs.into_iter().all(|(a, b)| same(a.1.view(), b.1.view()));
    check("readers::npz", holds, || names.join(", "))
}

/// Bytes as a MATLAB version 5 file.
///
/// # Errors
/// [`Broken`] as in [`fuzz_npy`].
pub fn fuzz_mat(data: &[u8]) -> Result<(), Broken> {
    let path = Path::new("fuzz.mat");
    let Ok(arrays) = mat::decode(path, data) else {
        return Ok(());
    };
    let small = |a: &mat::MatArray| kept(&a.real) && a.real.dims().len() <= 64;
    let views: Vec<_> = arrays
        .iter()
        .filter(|a| small(a))
        .map(|a| (a.name.as_str(), a.real.view()))
        .collect();
    let Ok(bytes) = mat::encode(&views) else {
        return Ok(());
    };
    let again = mat::decode(path, &bytes).unwrap_or_default();
    let values = |t: TensorView<'_>| t.as_slice().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let holds = again.len() == views.len()
        && views
            .iter()
            .zip(&again)
            .all(|(v, a)| values(v.1) == values(a.real.view()));
    check("readers::mat", holds, || format!("{} arrays", views.len()))
}

/// Bytes as FROSTT text.
///
/// # Errors
/// [`Broken`] when an entry lies outside the shape, or a mode is longer than the budget allows.
pub fn fuzz_tns(data: &[u8]) -> Result<(), Broken> {
    let Ok(t) = tns::parse(Path::new("fuzz.tns"), data) else {
        return Ok(());
    };
    let inside = |i: &[usize]| i.iter().zip(t.dims()).all(|(i, n)| i < n);
    let holds = t.entries().all(|(i, _)| inside(i));
    let budget = (64 * data.len()).max(1 << 20);
    let bounded = t.dims().iter().all(|&n| n <= budget);
    check("readers::tns", holds && bounded, || {
        format!("{:?}", t.dims())
    })
}

/// Bytes as a table of numbers: the rows that were counted are the rows that are streamed, however they are cut.
///
/// # Errors
/// [`Broken`] when they are not.
pub fn fuzz_csv(data: &[u8]) -> Result<(), Broken> {
    let path = scratch();
    if std::fs::write(&path, data).is_err() {
        return Ok(());
    }
    let result = Samples::open(&[&path]).map_or(Ok(()), |samples| {
        let read = |rows| {
            let chunks = samples.chunks(rows);
            chunks
                .map(|c| c.map(|c| c.data))
                .collect::<Result<Vec<_>, _>>()
        };
        let (all, ones) = (read(1 << 20), read(1));
        let holds = match (&all, &ones) {
            (Ok(all), Ok(ones)) => {
                let (all, ones) = (all.concat(), ones.concat());
                let finite = all.iter().all(|x| x.is_finite());
                finite && all == ones && all.len() == samples.rows() * samples.columns()
            }
            _ => false,
        };
        check("readers::csv", holds, || format!("{} rows", samples.rows()))
    });
    let _ = std::fs::remove_file(&path);
    result
}

/// A name in the folder for temporary files that no other thread uses.
fn scratch() -> PathBuf {
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    let name = format!("wickring-fuzz-{}-{thread}.csv", std::process::id());
    std::env::temp_dir().join(name)
}
