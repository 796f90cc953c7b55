//! Lines of a table as they go to the splitter: one encoding, no byte-order mark, no comments.

use crate::Error;
use crate::io::source;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

/// The longest line that is looked at to find the layout, in bytes.
const MAX_LINE: u64 = 1 << 24;
/// Lines that a quoted entry of the header may run over.
const MAX_JOINED: usize = 256;

/// What spreadsheets write where a formula failed; no comments.
pub(super) const FAILED: [&str; 7] = [
    "#n/a", "#num!", "#div/0!", "#value!", "#ref!", "#name?", "#null!",
];

/// The lines of a file. Comments become empty lines, so that lines keep their numbers.
pub(super) struct Lines {
    inner: Box<dyn BufRead>,
    line: Vec<u8>,
    at: usize,
    first: bool,
    /// Whether a quoted entry goes on in the next line.
    quoted: bool,
    /// The comments so far.
    pub(super) comments: Vec<String>,
}

impl Lines {
    /// Opens a file, a compressed file or a stream; UTF-16, as spreadsheets write "Unicode text", becomes UTF-8.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |e: io::Error| Error::file(path, "", format!("cannot be read: {e}"));
        let mut start = [0; 2];
        let mut inner: Box<dyn BufRead> = match source::is_held(path) {
            true => {
                let bytes = source::bytes(path)?;
                start.copy_from_slice(bytes.get(..2).unwrap_or(&[0; 2]));
                Box::new(Cursor::new(bytes))
            }
            false => {
                let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
                let seen = file.fill_buf().map_err(unreadable)?;
                start.copy_from_slice(seen.get(..2).unwrap_or(&[0; 2]));
                Box::new(file)
            }
        };
        if start == [0xff, 0xfe] || start == [0xfe, 0xff] {
            let word = match start[0] {
                0xff => u16::from_le_bytes,
                _ => u16::from_be_bytes,
            };
            let bytes = source::bytes(path)?;
            let words = bytes[2..].chunks_exact(2).map(|b| word([b[0], b[1]]));
            let text: String = char::decode_utf16(words)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect();
            inner = Box::new(Cursor::new(text.into_bytes()));
        }
        Ok(Self {
            inner,
            line: Vec::new(),
            at: 0,
            first: true,
            quoted: false,
            comments: Vec::new(),
        })
    }

    /// The next line into `self.line`; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.at = 0;
        let n = (&mut self.inner)
            .take(MAX_LINE)
            .read_until(b'\n', &mut self.line)?;
        if n == 0 {
            return Ok(false);
        }
        if std::mem::take(&mut self.first) && self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3);
        }
        if !self.quoted && is_comment(&self.line) {
            if self.comments.len() < MAX_JOINED {
                let text = String::from_utf8_lossy(self.line.trim_ascii());
                self.comments.push(text.into_owned());
            }
            self.line.clear();
            self.line.push(b'\n');
        } else if self.line.contains(&b'"') {
            self.quoted = quoted_after(&self.line, self.quoted);
        }
        Ok(true)
    }

    /// The next record that is neither blank nor a comment, with the lines that its quoted entries run over.
    pub(super) fn record(&mut self) -> io::Result<Option<String>> {
        let mut record = Vec::new();
        let mut joined = 0;
        while joined < MAX_JOINED && record.len() as u64 <= MAX_LINE && self.advance()? {
            record.extend_from_slice(&self.line);
            if self.quoted {
                joined += 1;
                continue;
            }
            if !record.trim_ascii().is_empty() {
                break;
            }
            record.clear();
        }
        // Tabs at either end are empty entries.
        let ends = |b: &u8| matches!(b, b'\n' | b'\r');
        let kept = record.iter().rposition(|b| !ends(b)).map_or(0, |k| k + 1);
        let blank = record.trim_ascii().is_empty();
        Ok((!blank).then(|| String::from_utf8_lossy(&record[..kept]).into_owned()))
    }
}

impl Read for Lines {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() && !self.advance()? {
            return Ok(0);
        }
        let n = out.len().min(self.line.len() - self.at);
        out[..n].copy_from_slice(&self.line[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

fn is_comment(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let failed = |word: &str| {
        line.get(..word.len())
            .is_some_and(|l| l.eq_ignore_ascii_case(word.as_bytes()))
    };
    match line.first() {
        Some(b'%') => true,
        Some(b'#') => !FAILED.iter().any(|word| failed(word)),
        _ => false,
    }
}

/// Whether a quoted entry is open at the end of the line: quotes open at the beginning of an entry only, and doubled
/// ones stand for themselves.
fn quoted_after(line: &[u8], mut open: bool) -> bool {
    let mut before = b',';
    for &b in line {
        if b == b'"' {
            let opens = matches!(before, b',' | b';' | b'\t' | b'|' | b' ' | b'"');
            open = !open && opens;
        }
        before = b;
    }
    open
}
