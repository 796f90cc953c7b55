//! Which samples are held out: a fixed property of the row number, so that nothing depends on the order of
//! work, and neighbours in time land on both sides.

/// Learners hold out row `i`, from zero, when the finaliser of SplitMix64 takes it to less than this.
pub fn held_out_threshold(share: f64) -> u64 {
    (share * u64::MAX as f64) as u64
}

/// A split of the rows into those for learning and those held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Split {
    threshold: u64,
    /// Whether learning and holding out have changed places.
    swapped: bool,
}

impl Split {
    /// Holds out about the given share of the rows.
    pub(crate) fn new(share: f64) -> Self {
        let threshold = held_out_threshold(share);
        let swapped = false;
        Self { threshold, swapped }
    }

    /// The same split with the two sides exchanged.
    pub(crate) fn other(self) -> Self {
        let swapped = !self.swapped;
        Self { swapped, ..self }
    }

    /// The share of the rows that is held out.
    pub(crate) fn share(self) -> f64 {
        let share = self.threshold as f64 / u64::MAX as f64;
        if self.swapped { 1.0 - share } else { share }
    }

    /// What a mixed row number must be less than to be held out; the split of [`Split::with_threshold`].
    pub(crate) fn threshold(self) -> u64 {
        self.threshold
    }

    /// The split whose threshold is given, learning and holding out in their places.
    pub(crate) fn with_threshold(threshold: u64) -> Self {
        let swapped = false;
        Self { threshold, swapped }
    }

    /// Rows for learning among `count` rows from `first` on.
    pub(crate) fn learning_rows(self, first: u64, count: u64) -> u64 {
        let rows = first..first.saturating_add(count);
        rows.filter(|row| !self.holds_out(*row)).count() as u64
    }

    /// Whether a row is held out.
    pub(crate) fn holds_out(self, row: u64) -> bool {
        (mix(row) < self.threshold) != self.swapped
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): one-to-one and well spread.
pub(crate) fn mix(row: u64) -> u64 {
    let mut z = row.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_held_out_is_what_was_asked() {
        for share in [0.05, 0.2, 0.5] {
            let split = Split::new(share);
            let n = 100_000u64;
            let held = (0..n).filter(|&row| split.holds_out(row)).count() as f64;
            // Five standard deviations of a binomial.
            let slack = 5.0 * (share * (1.0 - share) / n as f64).sqrt();
            assert!((held / n as f64 - share).abs() < slack);
        }
        assert!((0..1000).all(|row| !Split::new(0.0).holds_out(row)));
    }
}
