//! JSON as certificates need it: numbers stay the texts that they are, and a repeated field is refused at any
//! depth. Together with [`format`](super::format) this is what the checker reads with; strings with escapes are
//! left to `serde_json`.

use crate::Error;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

const OP: &str = "certify::check";
const MAX_DEPTH: usize = 128;

/// A value; the fields of an object in the order of their names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// As written, by the grammar of JSON.
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// The text is not a certificate, whatever it claims.
pub(crate) fn malformed<T>(what: impl Into<String>) -> Result<T, Error> {
    let short = what.into().chars().take(300).collect::<String>();
    Err(Error::invalid(OP, short))
}

impl<'a> Json<'a> {
    /// Reads a whole text.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Error> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        match reader.peek() {
            None => Ok(value),
            Some(_) => reader.fault("the end of the text"),
        }
    }

    /// Reads a whole text for another reader, `op` in messages.
    pub(crate) fn read(text: &'a str, op: &'static str) -> Result<Self, Error> {
        Self::parse(text).map_err(|e| match e {
            Error::InvalidInput { requirement, .. } => Error::invalid(op, requirement),
            other => other,
        })
    }

    /// A number as it was written, whether as a number or as a text.
    pub(crate) fn number_text(&self) -> Option<&str> {
        match self {
            Self::Number(text) => Some(text),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The values of exactly these fields, in this order.
    pub(crate) fn fields<const N: usize>(&self, names: [&str; N]) -> Result<[&Self; N], Error> {
        static NONE: Json<'_> = Json::Null;
        let Self::Object(fields) = self else {
            return malformed(format!(
                "{} is no object with fields {names:?}",
                self.short()
            ));
        };
        let mut found = [&NONE; N];
        for (slot, name) in found.iter_mut().zip(names) {
            let value = self.field(name);
            *slot = value.map_or_else(|| malformed(format!("there is no field {name:?}")), Ok)?;
        }
        match fields.iter().find(|f| !names.contains(&f.0.as_ref())) {
            Some((name, _)) => malformed(format!("there must be no field {name:.60?}")),
            None => Ok(found),
        }
    }

    /// A field of an object, if it is there.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else {
            return None;
        };
        let at = fields.binary_search_by(|f| f.0.as_ref().cmp(name)).ok()?;
        Some(&fields[at].1)
    }

    pub(crate) fn list(&self) -> Result<&[Self], Error> {
        match self {
            Self::List(items) => Ok(items),
            _ => malformed(format!("{} is no list", self.short())),
        }
    }

    pub(crate) fn text(&self) -> Result<&str, Error> {
        match self {
            Self::Text(text) => Ok(text),
            _ => malformed(format!("{} is no text", self.short())),
        }
    }

    /// A few words that show the value in messages.
    pub(crate) fn short(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(b) => b.to_string(),
            Self::Number(n) => format!("{n:.60}"),
            Self::Text(t) => format!("{t:.60?}"),
            Self::List(items) => format!("a list of {}", items.len()),
            Self::Object(_) => "an object".into(),
        }
    }

    /// Feeds the value to a digest, in one way however it was laid out: `n`, `t`, `f`, `iDIGITS;` for whole
    /// numbers, `d` and the 16 hexadecimal digits of the nearest binary64 for others (`iDIGITS;` where that is
    /// whole), `sLENGTH:BYTES` for texts, `[..]`, and `{..}` with names and values by turns, names in order.
    fn feed(&self, digest: &mut Sha256) {
        match self {
            Self::Null => digest.update("n"),
            Self::Bool(b) => digest.update(if *b { "t" } else { "f" }),
            Self::Number(n) => digest.update(canonical_number(n)),
            Self::Text(t) => feed_text(t, digest),
            Self::List(items) => {
                digest.update("[");
                items.iter().for_each(|item| item.feed(digest));
                digest.update("]");
            }
            Self::Object(fields) => feed_fields(fields.iter(), digest),
        }
    }

    /// The canonical SHA-256 of an object without its field `seal`, in hexadecimal.
    pub(crate) fn seal(&self) -> String {
        let mut digest = Sha256::new();
        match self {
            Self::Object(fields) => {
                feed_fields(fields.iter().filter(|f| f.0 != "seal"), &mut digest);
            }
            other => other.feed(&mut digest),
        }
        digest
            .finalize()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect()
    }
}

fn feed_fields<'a, 'b: 'a>(
    fields: impl Iterator<Item = &'a (Cow<'b, str>, Json<'b>)>,
    digest: &mut Sha256,
) {
    digest.update("{");
    for (name, value) in fields {
        feed_text(name, digest);
        value.feed(digest);
    }
    digest.update("}");
}

fn feed_text(text: &str, digest: &mut Sha256) {
    digest.update(format!("s{}:", text.len()));
    digest.update(text);
}

/// `1.0`, `1e0` and `1` are one number, and so are `1e16` and `1e+16`.
fn canonical_number(text: &str) -> String {
    let whole = if is_whole(text) {
        text.to_owned()
    } else {
        match text.parse::<f64>() {
            Ok(x) if x.fract() == 0.0 => format!("{x:.0}"),
            Ok(x) => return format!("d{:016x}", x.to_bits()),
            Err(_) => return text.to_owned(),
        }
    };
    format!("i{};", if whole == "-0" { "0" } else { &whole })
}

/// Whether a number was written without a point and without an exponent.
pub(crate) fn is_whole(number: &str) -> bool {
    !number.contains(['.', 'e', 'E'])
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn peek(&mut self) -> Option<u8> {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.byte()
    }

    fn fault<T>(&self, expected: &str) -> Result<T, Error> {
        malformed(format!("expected {expected} at byte {}", self.at))
    }

    /// Takes the byte if it comes next.
    fn next_is(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Error> {
        if depth > MAX_DEPTH {
            return Err(Error::limit(OP, "levels of nesting", MAX_DEPTH as u64));
        }
        match self.peek() {
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.object(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let words = [
                    ("null", Json::Null),
                    ("true", Json::Bool(true)),
                    ("false", Json::Bool(false)),
                ];
                for (word, value) in words {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                self.fault("a value")
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json<'a>, Error> {
        self.at += 1;
        let mut items = Vec::new();
        if self.next_is(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.fault("',' or ']'"),
            }
        }
        self.at += 1;
        items.shrink_to_fit();
        Ok(Json::List(items))
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, Error> {
        self.at += 1;
        let mut fields = Vec::new();
        if self.next_is(b'}') {
            return Ok(Json::Object(fields));
        }
        loop {
            if self.peek() != Some(b'"') {
                return self.fault("the name of a field");
            }
            let name = self.string()?;
            if !self.next_is(b':') {
                return self.fault("':'");
            }
            fields.push((name, self.value(depth + 1)?));
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return self.fault("',' or '}'"),
            }
        }
        self.at += 1;
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        fields.shrink_to_fit();
        match fields.windows(2).find(|w| w[0].0 == w[1].0) {
            Some(twice) => malformed(format!("the field {:.60?} is repeated", twice[0].0)),
            None => Ok(Json::Object(fields)),
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        let start = self.at;
        let mut plain = true;
        loop {
            self.at += 1;
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    plain = false;
                    self.at += 1;
                }
                Some(0x20..) => (),
                _ => return self.fault("a string that ends"),
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        if plain {
            return Ok(Cow::Borrowed(&quoted[1..quoted.len() - 1]));
        }
        serde_json::from_str(quoted)
            .map_or_else(|e| malformed(e.to_string()), |s| Ok(Cow::Owned(s)))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Json<'a>, Error> {
        let start = self.at;
        self.at += usize::from(self.byte() == Some(b'-'));
        let zero = self.byte() == Some(b'0');
        let mut good = match self.digits() {
            0 => false,
            n => n == 1 || !zero,
        };
        if self.byte() == Some(b'.') {
            self.at += 1;
            good &= self.digits() > 0;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            good &= self.digits() > 0;
        }
        match good {
            true => Ok(Json::Number(&self.text[start..self.at])),
            false => self.fault("a number"),
        }
    }
}

impl From<&Json<'_>> for Value {
    /// For the writers of other systems: numbers that JSON libraries would round become texts.
    fn from(json: &Json<'_>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => match n.parse::<i64>() {
                Ok(n) => n.into(),
                Err(_) => (*n).into(),
            },
            Json::Text(t) => t.as_ref().into(),
            Json::List(items) => items.iter().map(Self::from).collect(),
            Json::Object(fields) => {
                let field = |(name, value): &(Cow<'_, str>, Json<'_>)| {
                    (name.to_string(), Self::from(value))
                };
                Self::Object(fields.iter().map(field).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    fn seal(text: &str) -> Option<String> {
        Json::parse(text).ok().map(|j| j.seal())
    }

    #[test]
    fn layout_does_not_change_the_digest() {
        let compact = r#"{"a":[1,2.0,1e16,-0.0,0.1,"x\ny"],"b":{"d":null,"c":true}}"#;
        let pretty = "{ \"b\" : {\"c\": true,\r\n\"d\": null},\n \"seal\": 3,\t\"a\": [ 1.0, 2, \
                      1e+16, 0, 1.0e-1, \"\\u0078\\ny\" ] }";
        assert!(seal(compact).is_some());
        assert_eq!(seal(compact), seal(pretty));
        for other in [
            "1",
            "[[1],2]",
            "[1,[2]]",
            "[12]",
            "[1,2]",
            "[\"1\"]",
            "[-1]",
            "[0.1]",
            "[9007199254740993]",
            "[9007199254740992]",
        ] {
            let others = [
                "[1,2,3]", "[\"12\"]", "null", "[0.2]", "[1e300]", "[\"\"]", "[[]]",
            ];
            assert!(others.iter().all(|o| seal(other) != seal(o)), "{other}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "NaN",
            "Infinity",
            "[1,]",
            "[1 2]",
            "{\"a\":1,}",
            "{\"a\":1,\"a\":1}",
            "[{\"b\":{\"a\":1,\"\\u0061\":1}}]",
            "\"\\ud800\"",
            "\"a",
            "\"\\",
            "\"\u{1}\"",
            "nul",
            "[",
            "{\"a\"",
            "1 1",
            "'a'",
        ] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
        assert!(Json::parse(&"[".repeat(200_000)).is_err());
        assert!(Json::parse(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_ok());
        assert!(Json::parse("\"a\\é\"").is_err());
    }
}
