//! A bounded part of a sample that is too large to be looked at twice, or lies in several places.

use super::split::{Split, mix};
use crate::Error;
use crate::io::samples::Samples;
use std::collections::BTreeMap;

/// Numbers of rows before they are mixed, so that the choice has nothing to do with which rows are held out.
const APART: u64 = 0xd1b5_4a32_d192_ed03;
const MAGIC: &[u8; 8] = b"WKPAN\x00\x00\x01";

/// Rows chosen by their numbers, with the number of all rows and the greatest size of each column.
///
/// Of the rows that it has seen a panel keeps those whose numbers a fixed mixing function takes lowest: a random part as far as
/// any pattern in the data goes, and the same one whatever the split into blocks, the order and the number of workers.
///
/// # Example
/// ```
/// use wickring::stats::Panel;
/// let (mut left, mut right) = (Panel::new(1, 2)?, Panel::new(1, 2)?);
/// left.add(0, &[1.0, -7.0])?;
/// right.add(2, &[3.0, 4.0, 5.0])?;
/// left.merge(&right)?;
/// assert_eq!((left.count(), left.kept(), left.max_abs()), (5, 2, &[7.0][..]));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    most: usize,
    count: u64,
    max_abs: Vec<f64>,
    /// By mixed and then by own number.
    rows: BTreeMap<(u64, u64), Vec<f64>>,
}

impl Panel {
    /// An empty panel for rows of `columns` entries that keeps at most `most` of them.
    ///
    /// # Errors
    /// `InvalidInput` when one of them is 0, or `columns` above 65536.
    pub fn new(columns: usize, most: usize) -> Result<Self, Error> {
        if columns == 0 || columns > 1 << 16 || most == 0 {
            let text = format!("1 to 65536 columns and a row to keep, got {columns} and {most}");
            return Err(Error::invalid("Panel::new", text));
        }
        Ok(Self {
            most,
            count: 0,
            max_abs: vec![0.0; columns],
            rows: BTreeMap::new(),
        })
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.max_abs.len()
    }

    /// Number of rows seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Number of rows kept.
    pub fn kept(&self) -> usize {
        self.rows.len()
    }

    /// The greatest absolute value in each column, over all rows seen.
    pub fn max_abs(&self) -> &[f64] {
        &self.max_abs
    }

    /// Adds consecutive rows, the first of which has the number `first_row` in the whole sample.
    ///
    /// # Errors
    /// `Shape` when the length is not a multiple of the columns, `NonFinite`, `Overflow`; `InvalidInput` when a row that is kept
    /// has been added before.
    ///
    /// # Complexity
    /// A few operations an entry, and `O(log k)` for a row that enters the `k` kept ones.
    pub fn add(&mut self, first_row: u64, rows: &[f64]) -> Result<(), Error> {
        let op = "Panel::add";
        let d = self.columns();
        if !rows.len().is_multiple_of(d) {
            let expected = format!("a multiple of {d} entries");
            return Err(Error::shape(op, expected, rows.len().to_string()));
        }
        if let Some(index) = rows.iter().position(|x| !x.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        let number = (rows.len() / d) as u64;
        let what = "row number";
        let last = first_row.checked_add(number);
        let last = last.ok_or(Error::Overflow { op, what })?;
        let count = self.count.checked_add(number);
        self.count = count.ok_or(Error::Overflow { op, what })?;
        for (row, at) in rows.chunks_exact(d).zip(first_row..last) {
            row.iter()
                .zip(&mut self.max_abs)
                .for_each(|(x, m)| *m = m.max(x.abs()));
            self.offer(op, (mix(at ^ APART), at), row)?;
        }
        Ok(())
    }

    /// Adds everything that `other` has seen.
    ///
    /// # Errors
    /// `Shape` when columns or room differ, `InvalidInput` when both keep the same row, `Overflow`.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let op = "Panel::merge";
        if (self.columns(), self.most) != (other.columns(), other.most) {
            let show = |p: &Self| format!("{} columns, {} rows kept", p.columns(), p.most);
            return Err(Error::shape(op, show(self), show(other)));
        }
        let what = "row number";
        let count = self.count.checked_add(other.count);
        self.count = count.ok_or(Error::Overflow { op, what })?;
        let sizes = self.max_abs.iter_mut().zip(&other.max_abs);
        sizes.for_each(|(a, b)| *a = a.max(*b));
        for (key, row) in &other.rows {
            self.offer(op, *key, row)?;
        }
        Ok(())
    }

    /// Keeps a row if it is among the lowest.
    fn offer(&mut self, op: &'static str, key: (u64, u64), row: &[f64]) -> Result<(), Error> {
        if self.rows.len() >= self.most {
            match self.rows.last_key_value() {
                Some((last, _)) if key < *last => {}
                _ => return Ok(()),
            }
        }
        if self.rows.insert(key, row.to_vec()).is_some() {
            let text = format!("row {} has been added before", key.1);
            return Err(Error::invalid(op, text));
        }
        if self.rows.len() > self.most {
            self.rows.pop_last();
        }
        Ok(())
    }

    /// Whether every row seen is kept.
    pub(crate) fn is_whole(&self) -> bool {
        self.count == self.rows.len() as u64
    }

    /// The kept rows as a sample: all of them in their order where none is missing; elsewhere numbered anew so that `split`
    /// holds out the same rows under their new numbers as under their own.
    pub(crate) fn samples(&self, split: Split) -> Result<Samples, Error> {
        let mut own: Vec<(u64, &Vec<f64>)> = self.rows.iter().map(|(k, row)| (k.1, row)).collect();
        own.sort_unstable_by_key(|(at, _)| *at);
        let flat: Vec<f64> = match self.is_whole() {
            true => own
                .iter()
                .flat_map(|(_, row)| row.iter().copied())
                .collect(),
            false => {
                let (held, learned): (Vec<_>, Vec<_>) =
                    own.into_iter().partition(|(at, _)| split.holds_out(*at));
                let (mut held, mut learned) = (held.into_iter(), learned.into_iter());
                let next = |new: u64| match split.holds_out(new) {
                    true => held.next(),
                    false => learned.next(),
                };
                let rows = (0u64..).map_while(next);
                rows.flat_map(|(_, row)| row.iter().copied()).collect()
            }
        };
        Ok(Samples::from_rows(self.columns(), flat)?.with_max_abs(self.max_abs.clone()))
    }

    /// The panel as bytes; [`Panel::from_bytes`] gives back an equal one.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let mut word = |x: u64| out.extend(x.to_le_bytes());
        let sizes = [self.columns() as u64, self.most as u64, self.count];
        sizes.into_iter().for_each(&mut word);
        self.max_abs.iter().for_each(|x| word(x.to_bits()));
        for ((_, at), row) in &self.rows {
            word(*at);
            row.iter().for_each(|x| word(x.to_bits()));
        }
        out
    }

    /// Whether bytes begin as those of a panel do.
    pub(crate) fn is_known(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// The panel that the bytes stand for.
    ///
    /// # Errors
    /// `Parse` when they do not stand for one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let op = "Panel::from_bytes";
        let bad = |at: usize, what: &str| Error::parse(op, at, what);
        if bytes.get(..8) != Some(MAGIC) || !bytes.len().is_multiple_of(8) {
            return Err(bad(0, "a panel of version 1"));
        }
        let words = bytes[8..].as_chunks::<8>().0;
        let words: Vec<u64> = words.iter().map(|w| u64::from_le_bytes(*w)).collect();
        let size = |k: usize| words.get(k).and_then(|w| usize::try_from(*w).ok());
        let (Some(columns), Some(most), Some(count)) = (size(0), size(1), words.get(2)) else {
            return Err(bad(8, "three sizes"));
        };
        let mut panel = Self::new(columns, most)?;
        let (Some(tops), Some(rows)) = (words.get(3..3 + columns), words.get(3 + columns..)) else {
            return Err(bad(32, "the greatest value of every column"));
        };
        panel.max_abs = tops.iter().map(|w| f64::from_bits(*w)).collect();
        let inside = |x: f64, top: f64| x.abs() <= top && top.is_finite();
        if !panel.max_abs.iter().all(|t| inside(0.0, *t)) || !rows.len().is_multiple_of(columns + 1)
        {
            return Err(bad(32, "finite sizes, and whole rows"));
        }
        for row in rows.chunks_exact(columns + 1) {
            let (at, row) = (row[0], &row[1..]);
            let row: Vec<f64> = row.iter().map(|w| f64::from_bits(*w)).collect();
            if !row
                .iter()
                .zip(&panel.max_abs)
                .all(|(x, top)| inside(*x, *top))
            {
                return Err(bad(32, "entries within the size of their column"));
            }
            panel.rows.insert((mix(at ^ APART), at), row);
        }
        let kept = panel.rows.len();
        let room = most.min(usize::try_from(*count).unwrap_or(usize::MAX));
        if kept != room || kept * (columns + 1) != rows.len() {
            return Err(bad(24, "as many different rows as there is room for"));
        }
        panel.count = *count;
        Ok(panel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize) -> Vec<f64> {
        (0..2 * n)
            .map(|k| (k as f64 * 0.37).sin() * k as f64)
            .collect()
    }

    fn of(n: usize, block: usize, most: usize) -> Panel {
        let mut parts: Vec<Panel> = Vec::new();
        for (k, part) in rows(n).chunks(2 * block).enumerate() {
            let mut panel = Panel::new(2, most).unwrap();
            panel.add((k * block) as u64, part).unwrap();
            parts.push(panel);
        }
        // From the back, so that order is seen not to matter.
        let mut all = parts.pop().unwrap();
        parts.iter().rev().for_each(|p| all.merge(p).unwrap());
        all
    }

    #[test]
    fn every_split_and_order_keeps_the_same_rows() {
        let one = of(1000, 1000, 64);
        assert_eq!((one.count(), one.kept()), (1000, 64));
        for block in [1, 7, 333] {
            assert_eq!(of(1000, block, 64), one);
        }
        assert_eq!(Panel::from_bytes(&one.to_bytes()), Ok(one));
    }

    #[test]
    fn a_whole_panel_is_the_sample_and_a_part_keeps_its_sides() {
        let split = Split::new(0.2);
        let whole = of(100, 30, 100).samples(split).unwrap();
        let chunk = whole.chunks(100).next().unwrap().unwrap();
        assert_eq!(chunk.data, rows(100));
        let data = rows(5000);
        let part = of(5000, 5000, 600).samples(split).unwrap();
        assert!(part.rows() > 500, "{}", part.rows());
        for chunk in part.chunks(1) {
            let chunk = chunk.unwrap();
            let own = data
                .chunks(2)
                .position(|row| row == &chunk.data[..])
                .unwrap();
            let new = chunk.first_row as u64;
            assert_eq!(split.holds_out(own as u64), split.holds_out(new));
        }
    }

    #[test]
    fn rows_seen_twice_and_damaged_bytes_are_refused() {
        let mut panel = of(10, 10, 20);
        assert!(panel.add(3, &[1.0, 2.0]).is_err());
        let good = of(50, 50, 8).to_bytes();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            // What is read back is either refused or another panel, never the same.
            assert_ne!(Panel::from_bytes(&bad).ok(), Panel::from_bytes(&good).ok());
            assert!(Panel::from_bytes(&good[..at]).is_err());
        }
    }
}
