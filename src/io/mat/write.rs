//! Writing `.mat` files.

use crate::Error;
use crate::tensor::TensorView;

/// The bytes of a version 5 file with arrays of doubles, not compressed.
///
/// # Errors
/// `LimitExceeded` for an array of 4 GiB or more: the format has no room for its size.
pub fn encode(arrays: &[(&str, TensorView<'_>)]) -> Result<Vec<u8>, Error> {
    let mut bytes = format!("{:<124}", "MATLAB 5.0 MAT-file, written by wickring").into_bytes();
    bytes.extend([0x00, 0x01, b'I', b'M']);
    for (name, tensor) in arrays {
        let mut dims: Vec<i32> = Vec::new();
        for &n in tensor.dims() {
            let n = i32::try_from(n);
            dims.push(n.map_err(|_| Error::limit("mat::encode", "rows", i32::MAX as u64))?);
        }
        // Every array of MATLAB has rows and columns.
        dims.resize(dims.len().max(2), 1);
        let mut body = Vec::new();
        element(&mut body, 6, &[6, 0, 0, 0, 0, 0, 0, 0])?;
        let sizes: Vec<u8> = dims.iter().flat_map(|n| n.to_le_bytes()).collect();
        element(&mut body, 5, &sizes)?;
        element(&mut body, 1, name.as_bytes())?;
        let entries = tensor.as_slice().iter().flat_map(|x| x.to_le_bytes());
        element(&mut body, 9, &entries.collect::<Vec<u8>>())?;
        element(&mut bytes, 14, &body)?;
    }
    Ok(bytes)
}

/// Type, size, content, and zeros up to a multiple of eight bytes.
fn element(out: &mut Vec<u8>, kind: u32, content: &[u8]) -> Result<(), Error> {
    let most = u64::from(u32::MAX);
    let size = u32::try_from(content.len());
    let size = size.map_err(|_| Error::limit("mat::encode", "bytes per array", most))?;
    out.extend(kind.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(content);
    out.resize(out.len().next_multiple_of(8), 0);
    Ok(())
}
