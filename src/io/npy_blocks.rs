//! A large `.npy` array block by block: nothing of its size is held but the tensor itself.

use super::npy::NpyHeader;
use crate::Error;
use crate::tensor::Tensor;
use std::io::Read;
use std::path::Path;

/// Bytes of a block.
const BLOCK: usize = 1 << 23;

/// The real entries that follow in `bytes`, as a tensor with the first index fastest.
///
/// In the other order a block is one row of the first index or several, written in runs of as many entries; a row that is
/// larger than a block is written entry by entry.
pub(super) fn read(path: &Path, header: &NpyHeader, mut bytes: impl Read) -> Result<Tensor, Error> {
    let total = header.len();
    let complex = || Error::file(path, "", "holds complex numbers, expected real ones");
    let size = header.dtype.size;
    let mut data = vec![0.0; total];
    let straight = header.fortran_order || header.shape.len() < 2;
    let rows = header.shape.first().copied().unwrap_or(1);
    let rest = total / rows.max(1);
    let most = (BLOCK / size).max(1);
    // Whole rows where at least one fits.
    let step = if straight || rest > most || rest == 0 {
        most
    } else {
        most / rest * rest
    };
    let mut block = vec![0u8; step.min(total) * size];
    for start in (0..total).step_by(step) {
        let count = step.min(total - start);
        let part = &mut block[..count * size];
        let short = |e| Error::file(path, "", format!("cannot be read: {e}"));
        bytes.read_exact(part).map_err(short)?;
        let numbers = header.dtype.decode(part).ok_or_else(complex)?;
        if straight {
            data[start..start + count].copy_from_slice(&numbers);
        } else if rest <= most {
            whole_rows(&header.shape, (start / rest, rest), &numbers, &mut data);
        } else {
            entries(&header.shape, start, &numbers, &mut data);
        }
    }
    Tensor::from_vec(&header.shape, data)
}

/// Rows from `first` on of an array with the last index fastest.
fn whole_rows(shape: &[usize], (first, rest): (usize, usize), numbers: &[f64], data: &mut [f64]) {
    let (rows, count) = (shape[0], numbers.len() / rest);
    let mut index = vec![0; shape.len() - 1];
    let mut from = 0;
    for to in data.chunks_exact_mut(rows) {
        let run = to[first..first + count].iter_mut();
        run.enumerate()
            .for_each(|(i, x)| *x = numbers[i * rest + from]);
        // The next index with the first one fastest, and where it stands with the last one fastest.
        let mut stride = rest;
        for (i, &n) in index.iter_mut().zip(&shape[1..]) {
            stride /= n;
            *i += 1;
            from += stride;
            if *i < n {
                break;
            }
            from -= stride * n;
            *i = 0;
        }
    }
}

/// Entries from `start` on of an array with the last index fastest.
fn entries(shape: &[usize], start: usize, numbers: &[f64], data: &mut [f64]) {
    let mut strides = vec![1; shape.len()];
    for m in 1..shape.len() {
        strides[m] = strides[m - 1] * shape[m - 1];
    }
    let mut index = vec![0; shape.len()];
    let mut left = start;
    for (i, &n) in index.iter_mut().zip(shape).rev() {
        *i = left % n;
        left /= n;
    }
    for &x in numbers {
        let at: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
        data[at] = x;
        for (i, &n) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < n {
                break;
            }
            *i = 0;
        }
    }
}

/// Entries in file order to a tensor with the first index fastest.
pub(super) fn in_order<T: Clone>(header: &NpyHeader, data: Vec<T>) -> Result<Tensor<T>, Error> {
    if header.fortran_order || header.shape.len() < 2 {
        return Tensor::from_vec(&header.shape, data);
    }
    // C order is the reversed shape with the first index fastest.
    let strides: Vec<usize> = (0..header.shape.len())
        .map(|m| header.shape[m + 1..].iter().product())
        .collect();
    Tensor::from_fn(&header.shape, |index| {
        let flat: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
        data[flat].clone()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::npy::{encode, read_header};
    use super::*;

    #[test]
    fn blocks_make_the_same_tensor_as_a_plain_copy() {
        // Rows that fit into a block many times, once, and not at all.
        let shapes: [&[usize]; 6] = [
            &[7, 3, 5, 2],
            &[3, 1 << 20],
            &[2, 3, 400_000],
            &[1, 1_500_000],
            &[5],
            &[0, 3],
        ];
        for shape in shapes {
            let total: usize = shape.iter().product();
            let values: Vec<f64> = (0..total).map(|k| k as f64).collect();
            for fortran in [false, true] {
                let bytes = encode(shape, fortran, &values);
                let path = Path::new("x.npy");
                let mut rest = &bytes[..];
                let header = read_header(path, &mut rest, bytes.len() as u64).unwrap();
                let t = read(path, &header, rest).unwrap();
                assert_eq!(t.dims(), shape);
                let stride = |k: usize| -> usize {
                    let faster = if fortran {
                        &shape[..k]
                    } else {
                        &shape[k + 1..]
                    };
                    faster.iter().product()
                };
                let strides: Vec<usize> = (0..shape.len()).map(stride).collect();
                for (at, x) in t.as_slice().iter().enumerate() {
                    let (mut left, mut expected) = (at, 0);
                    for (n, s) in shape.iter().zip(&strides) {
                        expected += left % n * s;
                        left /= n;
                    }
                    assert_eq!(*x, expected as f64, "{shape:?} {fortran} {at}");
                }
            }
        }
    }
}
