//! Remainders modulo a prime that is known when the program runs.

/// Remainders modulo one number below 2^63, by multiplication.
pub(crate) struct Reducer {
    pub(crate) p: u64,
    /// `2^64 / p`, rounded down.
    inverse: u64,
    /// `2^64 mod p`.
    fold: u64,
    /// `2^64 fold / p`, rounded down.
    ratio: u64,
}

impl Reducer {
    pub(crate) fn new(p: u64) -> Self {
        let (wide, word) = (u128::from(p), 1u128 << 64);
        let fold = (word % wide) as u64;
        Self {
            p,
            // For p = 1 every remainder is zero; the quotient is then one too small, which `word` mends.
            inverse: (word / wide).min(word - 1) as u64,
            fold,
            ratio: ((u128::from(fold) << 64) / wide) as u64,
        }
    }

    /// `x mod p`. The estimate of the quotient is at most one too small.
    pub(crate) fn word(&self, x: u64) -> u64 {
        let quotient = (u128::from(x) * u128::from(self.inverse)) >> 64;
        self.once(x.wrapping_sub((quotient as u64).wrapping_mul(self.p)))
    }

    fn once(&self, x: u64) -> u64 {
        if x >= self.p { x - self.p } else { x }
    }

    /// `x mod p`: the upper word times `2^64 mod p`, whose quotient by `p` is prepared (Shoup), and the lower one.
    pub(crate) fn double(&self, x: u128) -> u64 {
        let (high, low) = (self.word((x >> 64) as u64), self.word(x as u64));
        let quotient = (u128::from(high) * u128::from(self.ratio)) >> 64;
        let product = high.wrapping_mul(self.fold);
        let rest = product.wrapping_sub((quotient as u64).wrapping_mul(self.p));
        self.once(self.once(rest) + low)
    }

    /// The least non-negative representative of a remainder with a sign.
    pub(crate) fn signed(&self, negative: bool, rest: u64) -> i64 {
        let value = if negative && rest > 0 {
            self.p - rest
        } else {
            rest
        };
        value as i64
    }
}

#[cfg(test)]
mod tests {
    use super::Reducer;

    #[test]
    fn remainders_by_multiplication_are_those_of_division() {
        let edges = [
            0,
            1,
            2,
            3,
            (1 << 31) - 1,
            1 << 31,
            (1 << 62) - 57,
            1 << 63,
            u64::MAX,
        ];
        for p in [
            1,
            2,
            3,
            32_003,
            (1 << 31) - 1,
            (1 << 62) - 57,
            i64::MAX as u64,
        ] {
            let by = Reducer::new(p);
            for x in edges
                .into_iter()
                .flat_map(|e| [e, e / p * p, e.wrapping_mul(p)])
            {
                assert_eq!(by.word(x), x % p, "{x} mod {p}");
                for y in edges {
                    let wide = u128::from(y) << 64 | u128::from(x);
                    assert_eq!(u128::from(by.double(wide)), wide % u128::from(p));
                }
            }
        }
    }
}
