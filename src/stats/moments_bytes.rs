//! Moments as bytes, to send between workers or to keep.

use super::chunk_sums::ChunkSums;
use super::moments::Moments;
use super::moments::{LEAF, packed_lengths};
use crate::Error;

const OP: &str = "Moments::from_bytes";
const MAGIC: &[u8; 8] = b"WKMOM\x00\x00\x01";

impl Moments {
    /// The accumulator as bytes; [`Moments::from_bytes`] gives back an equal one.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let mut word = |x: u64| out.extend(x.to_le_bytes());
        word(self.columns as u64);
        word(u64::from(self.third_order));
        word(self.trees.len() as u64);
        for (&leaf, (level, sums)) in &self.trees {
            [leaf, u64::from(*level), sums.count]
                .into_iter()
                .for_each(&mut word);
            let parts = [&sums.mean, &sums.second, &sums.third];
            parts.into_iter().flatten().for_each(|x| word(x.to_bits()));
        }
        word(self.rows.values().map(|rows| rows.len() as u64).sum());
        for (&leaf, rows) in &self.rows {
            for (&i, row) in rows {
                word(leaf * LEAF + u64::from(i));
                row.iter().for_each(|x| word(x.to_bits()));
            }
        }
        out
    }

    /// The accumulator that the bytes stand for.
    ///
    /// # Errors
    /// `Parse` with the byte offset when they do not stand for one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.get(..8) != Some(MAGIC) {
            return Err(Error::parse(OP, 0, "moments of version 1"));
        }
        let mut r = Words { bytes, at: 8 };
        let columns = usize::try_from(r.word()?).unwrap_or(usize::MAX);
        let third_order = match r.word()? {
            0 => false,
            1 => true,
            _ => return Err(Error::parse(OP, 16, "0 or 1 for the third order")),
        };
        let mut moments = Self::new(columns, third_order)?;
        let (second, third) = packed_lengths(columns, third_order);
        for _ in 0..r.word()? {
            let at = r.at;
            let (leaf, level, count) = (r.word()?, r.word()?, r.word()?);
            let bad = || Error::parse(OP, at, "a complete subtree that overlaps no other");
            let fits = level < 40 && leaf < 1 << 50 && leaf.is_multiple_of(1 << level);
            if !fits || count != LEAF << level {
                return Err(bad());
            }
            let (mean, second, third) = (r.floats(columns)?, r.floats(second)?, r.floats(third)?);
            let free = moments.trees.range(..leaf + (1 << level)).next_back();
            if free.is_some_and(|(&l, (k, _))| l + (1 << k) > leaf) {
                return Err(bad());
            }
            moments.trees.insert(
                leaf,
                (
                    level as u32,
                    ChunkSums {
                        count,
                        mean,
                        second,
                        third,
                    },
                ),
            );
        }
        for _ in 0..r.word()? {
            let row = r.word()?;
            let entries = r.floats(columns)?;
            moments.add(row, &entries)?;
        }
        match r.at == bytes.len() {
            true => Ok(moments),
            false => Err(Error::parse(OP, r.at, "the end")),
        }
    }
}

struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Words<'_> {
    fn word(&mut self) -> Result<u64, Error> {
        let slice = self.bytes.get(self.at..self.at + 8);
        let array = slice.and_then(|s| <[u8; 8]>::try_from(s).ok());
        let array = array.ok_or_else(|| Error::parse(OP, self.at, "more bytes"))?;
        self.at += 8;
        Ok(u64::from_le_bytes(array))
    }

    fn floats(&mut self, n: usize) -> Result<Vec<f64>, Error> {
        if self.bytes.len() - self.at < n * 8 {
            return Err(Error::parse(OP, self.at, format!("{n} floats")));
        }
        let mut out = Vec::with_capacity(n);
        for _ in 0..n {
            let x = f64::from_bits(self.word()?);
            if !x.is_finite() {
                return Err(Error::parse(OP, self.at - 8, "a finite float"));
            }
            out.push(x);
        }
        Ok(out)
    }
}
