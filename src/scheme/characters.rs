//! The characters of a line or an entry, one after the other: what the readers of sums and products have in common.

use crate::Error;
use crate::error::quoted;

const OP: &str = "read_schemes";

/// Where a reader stands in its text.
pub(crate) struct Characters<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Characters<'a> {
    /// At the beginning of a text.
    pub(crate) fn of(text: &'a str) -> Self {
        let text = text.as_bytes();
        Self { text, at: 0 }
    }

    /// The next character that is no blank.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// The characters that are kept, up to the first that is not.
    pub(crate) fn take(&mut self, keep: impl Fn(u8) -> bool) -> String {
        let rest = self.text[self.at..].iter().take_while(|&&b| keep(b));
        let found: String = rest.map(|&b| char::from(b)).collect();
        self.at += found.len();
        found
    }

    /// Passes over signs: whether there is an odd number of minus signs.
    pub(crate) fn minus(&mut self) -> bool {
        let mut minus = false;
        while let Some(b @ (b'+' | b'-')) = self.peek() {
            minus ^= b == b'-';
            self.at += 1;
        }
        minus
    }

    /// What was expected here, and what stands here.
    pub(crate) fn expected(&self, what: &str) -> Error {
        let rest = String::from_utf8_lossy(&self.text[self.at.min(self.text.len())..]);
        let found = match rest.is_empty() {
            true => "the end".to_owned(),
            false => quoted(&rest.chars().take(20).collect::<String>()),
        };
        Error::parse(OP, self.at, format!("{what}, found {found}"))
    }
}
