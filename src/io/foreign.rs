//! Formats that are not read, told by their first bytes, with the way out of each.
//!
//! Decisions rest on the bytes of the file, never on its name: a workbook called `data.csv` is a workbook.

use super::source;
use crate::Error;
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes at the beginning of a file that are looked at: the names of the first members of an archive are among them.
const START: u64 = 4096;

/// Names of members that only a workbook has; long enough to be no accident in packed numbers.
const WORKBOOK_PARTS: [&[u8]; 5] = [
    b"[Content_Types].xml",
    b"xl/workbook.xml",
    b"xl/worksheets/",
    b"xl/theme/theme",
    b"xl/styles.xml",
];

/// What some bytes are, and what to do about it; `None` for bytes that no entry of the table knows.
///
/// The signatures are those that the formats' own specifications publish.
pub fn recognise(bytes: &[u8]) -> Option<&'static str> {
    let starts = |mark: &[u8]| bytes.starts_with(mark);
    let holds = |mark: &[u8]| bytes.windows(mark.len()).any(|w| w == mark);
    if starts(b"\x89HDF\r\n\x1a\n")
        || starts(b"MATLAB 7.3")
        || bytes.get(512..520) == Some(b"\x89HDF\r\n\x1a\n")
    {
        return Some(HDF5);
    }
    if starts(b"PK\x03\x04") {
        return match () {
            _ if WORKBOOK_PARTS.iter().any(|part| holds(part)) => Some(WORKBOOK),
            _ if holds(b"mimetypeapplication/vnd.oasis.opendocument") => Some(OPEN_DOCUMENT),
            _ if holds(b"/data.pkl") => Some(TORCH),
            _ => None,
        };
    }
    let table: [(&[u8], &str); 14] = [
        (b"PAR1\x15", PARQUET),
        (b"ARROW1\0\0", ARROW),
        (b"FEA1\0", ARROW),
        (b"\xff\xff\xff\xff", ARROW),
        (b"RDX2\nX\n", R_DATA),
        (b"RDX3\nX\n", R_DATA),
        (b"X\n\0\0\0", R_DATA),
        (b"$FL2@(#)", SPSS),
        (b"$FL3@(#)", SPSS),
        (b"<stata_dta>", STATA),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLD_WORKBOOK),
        (b"SQLite format 3\0", SQLITE),
        (b"CDF\x01", NETCDF),
        (b"CDF\x02", NETCDF),
    ];
    if let Some((_, remedy)) = table.iter().find(|(mark, _)| starts(mark)) {
        return Some(remedy);
    }
    // A pickle of protocol 2 to 5: the mark, the protocol, and from 4 on a frame.
    match bytes {
        [
            0x80,
            2..=3,
            b'}' | b']' | b'c' | b'(' | b'K' | b'G' | b'X',
            ..,
        ] => Some(PICKLE),
        [0x80, 4..=5, 0x95, ..] => Some(PICKLE),
        // Stata before its marked format: release, byte order, type.
        [108..=115, 1 | 2, 1, 0, ..] => Some(STATA),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(BZIP2),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(XZ),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(ZSTD),
        _ => None,
    }
}

const HDF5: &str = "is HDF5 (as MATLAB's version 7.3 is), which is not read; in MATLAB: save('f.mat', 'x', '-v7'); in Python: np.save('f.npy', h5py.File('f.h5')['x'][()]) (of a MATLAB file add .T)";
const WORKBOOK: &str = "is an Excel workbook (.xlsx), which is not read; save the sheet as CSV, or in Python: pandas.read_excel(f).to_csv('f.csv', index=False)";
const OLD_WORKBOOK: &str =
    "is a document of an older Office (such as .xls), which is not read; save the sheet as CSV";
const OPEN_DOCUMENT: &str =
    "is an OpenDocument file (.ods), which is not read; save the sheet as CSV";
const TORCH: &str =
    "is a PyTorch file, which is not read; in Python: np.save('f.npy', torch.load(f)['x'].numpy())";
const PARQUET: &str = "is Parquet, which is not read; in Python: pandas.read_parquet(f).to_csv('f.csv', index=False), or np.save('f.npy', pandas.read_parquet(f).to_numpy(float))";
const ARROW: &str = "is Arrow (Feather), which is not read; in Python: pandas.read_feather(f).to_csv('f.csv', index=False); of a stream pyarrow.ipc.open_stream(f).read_pandas()";
const R_DATA: &str = "is R data (.rds or .RData), which is not read; in R: write.csv(readRDS(f), 'f.csv', row.names = FALSE)";
const SPSS: &str = "is an SPSS file (.sav), which is not read; in Python: pandas.read_spss(f).to_csv('f.csv', index=False)";
const STATA: &str = "is a Stata file (.dta), which is not read; in Python: pandas.read_stata(f).to_csv('f.csv', index=False)";
const SQLITE: &str = "is an SQLite database, which is not read; sqlite3 -csv f 'select ..' > f.csv";
const NETCDF: &str = "is NetCDF, which is not read; in Python: np.save('f.npy', xarray.open_dataset(f)['x'].to_numpy())";
const PICKLE: &str = "is a Python pickle, which can run any program and is not read; in Python: np.save('f.npy', np.asarray(x, dtype=float))";
const BZIP2: &str = "is compressed by bzip2, which is not read; unpack it, or use gzip";
const XZ: &str = "is compressed by xz, which is not read; unpack it, or use gzip";
const ZSTD: &str = "is compressed by zstd, which is not read; unpack it, or use gzip";

/// Refuses a file whose first bytes tell a format that is not read. One that cannot be opened is left to its reader.
///
/// # Errors
/// `File` naming the path, the format, and how to convert it.
pub fn refuse(path: &Path) -> Result<(), Error> {
    let start = match source::is_held(path) {
        true => {
            let bytes = source::bytes(path)?;
            bytes[..bytes.len().min(START as usize)].to_vec()
        }
        false => {
            let mut start = Vec::new();
            let read = File::open(path).and_then(|f| f.take(START).read_to_end(&mut start));
            match read {
                Ok(_) => start,
                Err(_) => return Ok(()),
            }
        }
    };
    let mut problem = recognise(&start);
    if start.starts_with(&[0x1f, 0x8b]) {
        // R packs its files, whatever their name.
        let mut plain = Vec::new();
        let _ = GzDecoder::new(&start[..]).read_to_end(&mut plain);
        problem = recognise(&plain).or(Some("is compressed by gzip: let its name end in .gz"));
    }
    match problem {
        Some(problem) => Err(Error::file(path, "byte 0", problem)),
        None => Ok(()),
    }
}
