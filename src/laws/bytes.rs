//! From bytes to small values, valid and nasty: one generator for property tests and fuzzing alike.

/// A source of choices read from bytes; past the end every choice is zero, so any input is a value.
///
/// # Example
/// ```
/// use wickring::laws::bytes::Bytes;
/// let mut choices = Bytes::new(&[7]);
/// assert_eq!((choices.byte(), choices.byte()), (7, 0)); // zeros after the end
/// ```
#[derive(Clone, Debug)]
pub struct Bytes<'a> {
    data: &'a [u8],
}

impl<'a> Bytes<'a> {
    /// A source over `data`.
    pub fn new(data: &'a [u8]) -> Self {
        Self { data }
    }

    /// Whether every byte has been used.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// What has not been used.
    pub fn rest(&self) -> &'a [u8] {
        self.data
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        match self.data.split_first() {
            Some((&b, rest)) => {
                self.data = rest;
                b
            }
            None => 0,
        }
    }

    /// A number in `0..n` (0 for `n = 0`).
    pub fn below(&mut self, n: usize) -> usize {
        let wide = usize::from(self.byte()) << 8 | usize::from(self.byte());
        if n == 0 { 0 } else { wide % n }
    }

    /// A small integer in `-8..=8`, biased to 0 and 1 by the input being mostly zeros.
    pub fn small(&mut self) -> i64 {
        i64::from(self.byte() % 17) - i64::from(self.byte() % 2) * 8
    }

    /// A float: usually moderate, sometimes zero, tiny, huge, subnormal; never NaN or infinite.
    pub fn finite(&mut self) -> f64 {
        let kind = self.byte();
        let x = f64::from(i16::from_le_bytes([self.byte(), self.byte()])) / 4096.0;
        match kind {
            0..=9 => 0.0,
            10..=13 => x * 1e-150,
            14..=17 => x * 1e150,
            18 => x * f64::MIN_POSITIVE,
            19..=30 => x.round(),
            _ => x,
        }
    }

    /// A float that may also be NaN or infinite.
    pub fn any_float(&mut self) -> f64 {
        match self.byte() {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => f64::NEG_INFINITY,
            _ => self.finite(),
        }
    }
}
