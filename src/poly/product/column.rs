//! Where the coefficients of a product are written, block by block.

use super::slab::Output;
use crate::poly::coefficients::integers::{Integers, limbs_needed, read_limbs};
use crate::poly::coefficients::reducer::Reducer;
use crate::poly::coefficients::ring::Ring;
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::word::Word;
use crate::poly::parallel;
use dashu_int::Sign;

/// A list of finished coefficients that grows at its end.
pub(crate) trait Column: Default + Send + Sync {
    /// Makes room for so many more, and not for twice as many.
    fn reserve(&mut self, more: usize);
    /// Gives back what is not used.
    fn fit(&mut self);
    /// Forgets the values, not the memory.
    fn clear(&mut self);
    /// One list from many, which follow each other.
    fn joined(parts: Vec<Self>) -> Self;
    /// Moves the terms of `from` to the end of `to`, coefficients reduced, without those that vanish.
    fn reduce<W: Word>(by: &Reducer, from: &mut Output<W, Self>, to: &mut Output<W, Self>);
}

/// Copies the parts one after the other, by as many threads as there are parts.
pub(crate) fn flat<T: Clone + Send + Sync>(parts: &[&[T]], blank: T) -> Vec<T> {
    let mut all = vec![blank; parts.iter().map(|p| p.len()).sum()];
    let mut jobs = Vec::with_capacity(parts.len());
    let mut rest = all.as_mut_slice();
    for part in parts {
        let (own, more) = std::mem::take(&mut rest).split_at_mut(part.len());
        jobs.push((part, own));
        rest = more;
    }
    parallel::map(jobs, |(part, own): (&&[T], &mut [T])| {
        own.clone_from_slice(part)
    });
    all
}

impl<C: Ring> Column for Vec<C> {
    fn reserve(&mut self, more: usize) {
        self.reserve_exact(more);
    }
    fn fit(&mut self) {
        self.shrink_to_fit();
    }
    fn clear(&mut self) {
        self.clear();
    }
    fn joined(parts: Vec<Self>) -> Self {
        parts.into_iter().flatten().collect()
    }
    /// Only integers are reduced: all terms move as they are.
    fn reduce<W: Word>(_: &Reducer, from: &mut Output<W, Self>, to: &mut Output<W, Self>) {
        to.words.append(&mut from.words);
        to.values.append(&mut from.values);
    }
}

/// Sums of products of integers: as narrow as the widest so far, so that the values of a product that could be wide but
/// are not never touch wide memory.
impl Column for Integers {
    fn reserve(&mut self, more: usize) {
        match self {
            Self::I64(v) => v.reserve_exact(more),
            Self::I128(v) => v.reserve_exact(more),
            Self::Limbs { width, data } => data.reserve_exact(more.saturating_mul(*width)),
            Self::Big(v) => v.reserve_exact(more),
        }
    }

    fn fit(&mut self) {
        match self {
            Self::I64(v) => v.shrink_to_fit(),
            Self::I128(v) => v.shrink_to_fit(),
            Self::Limbs { data, .. } => data.shrink_to_fit(),
            Self::Big(v) => v.shrink_to_fit(),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::I64(v) => v.clear(),
            Self::I128(v) => v.clear(),
            Self::Limbs { data, .. } => data.clear(),
            Self::Big(v) => v.clear(),
        }
    }

    fn joined(mut parts: Vec<Self>) -> Self {
        let width = parts.iter().filter_map(Self::width).max().unwrap_or(1);
        parts.iter_mut().for_each(|p| p.widen(width));
        macro_rules! joined {
            ($($form:pat => $part:expr, $whole:expr);*) => {
                match width {
                    $($form => {
                        let parts: Vec<_> = parts.iter().filter_map($part).collect();
                        $whole(flat(&parts, 0))
                    })*
                }
            };
        }
        joined! {
            1 => |p| match p { Self::I64(v) => Some(v.as_slice()), _ => None }, Self::I64;
            2 => |p| match p { Self::I128(v) => Some(v.as_slice()), _ => None }, Self::I128;
            _ => |p| match p { Self::Limbs { data, .. } => Some(data.as_slice()), _ => None },
                |data| Self::Limbs { width, data }
        }
    }

    fn reduce<W: Word>(by: &Reducer, from: &mut Output<W, Self>, to: &mut Output<W, Self>) {
        let Self::I64(values) = &mut to.values else {
            return;
        };
        let mut kept = 0;
        values.reserve(from.words.len());
        let mut keep = |words: &mut [W], k: usize, value: i64| {
            words[kept] = words[k];
            if value != 0 {
                values.push(value);
            }
            kept += usize::from(value != 0);
        };
        match &mut from.values {
            Self::I64(sums) => {
                for (k, sum) in sums.drain(..).enumerate() {
                    let rest = by.signed(sum < 0, by.word(sum.unsigned_abs()));
                    keep(&mut from.words, k, rest);
                }
            }
            Self::I128(sums) => {
                for (k, sum) in sums.drain(..).enumerate() {
                    let rest = by.signed(sum < 0, by.double(sum.unsigned_abs()));
                    keep(&mut from.words, k, rest);
                }
            }
            // Sums of more than 128 bits are reduced where they are formed.
            Self::Limbs { .. } | Self::Big(_) => {}
        }
        to.words.extend_from_slice(&from.words[..kept]);
        from.words.clear();
        from.values = Self::default();
    }
}

impl Integers {
    /// The same values in a form of at least `width` limbs each, up to `MAX_LIMBS`.
    pub(crate) fn widen(&mut self, width: usize) {
        if self.width().is_none_or(|now| now >= width) {
            return;
        }
        *self = match (std::mem::take(self), width) {
            (Self::I64(v), 2) => Self::I128(v.into_iter().map(i128::from).collect()),
            (old, width) => {
                let mut data = vec![0; width * old.len()];
                for (i, out) in data.chunks_exact_mut(width).enumerate() {
                    old.write(i, out);
                }
                Self::Limbs { width, data }
            }
        };
    }

    /// Whether any value is negative.
    pub(crate) fn has_negative(&self) -> bool {
        match self {
            Self::I64(v) => v.iter().any(|&x| x < 0),
            Self::I128(v) => v.iter().any(|&x| x < 0),
            Self::Limbs { width, data } => {
                data.chunks_exact(*width).any(|v| v[width - 1] >> 63 == 1)
            }
            Self::Big(v) => v.iter().any(|x| x.sign() == Sign::Negative),
        }
    }

    /// Appends a value, widening all when it needs that.
    pub(crate) fn push128(&mut self, value: i128) {
        match (&mut *self, i64::try_from(value)) {
            (Self::I64(v), Ok(narrow)) => v.push(narrow),
            (Self::I128(v), _) => v.push(value),
            (Self::I64(_), Err(_)) => {
                self.widen(2);
                self.push128(value);
            }
            (Self::Limbs { .. } | Self::Big(_), _) => {
                self.push_limbs(&[value as u64, (value >> 64) as u64]);
            }
        }
    }

    /// Appends a two's complement value, widening all when it needs that.
    pub(crate) fn push_limbs(&mut self, value: &[u64]) {
        let needed = limbs_needed(value);
        match self {
            Self::I64(v) if needed == 1 => v.push(value[0] as i64),
            Self::I128(v) if needed <= 2 => {
                let fill = ((value[0] as i64) >> 63) as u64;
                let high = value.get(1).copied().unwrap_or(fill);
                v.push((u128::from(high) << 64 | u128::from(value[0])) as i128);
            }
            // Copies of a known length need no call.
            Self::Limbs { width: 3, data } if needed <= 3 && value.len() >= 3 => {
                data.extend_from_slice(&[value[0], value[1], value[2]]);
            }
            Self::Limbs { width: 4, data } if needed <= 4 && value.len() >= 4 => {
                data.extend_from_slice(&[value[0], value[1], value[2], value[3]]);
            }
            Self::Limbs { width, data } if needed <= *width => {
                let fill = ((value[value.len() - 1] as i64) >> 63) as u64;
                let own = value.len().min(*width);
                data.extend_from_slice(&value[..own]);
                data.resize(data.len() + *width - own, fill);
            }
            Self::Big(v) => v.push(read_limbs(value)),
            _ => {
                self.widen(needed);
                self.push_limbs(value);
            }
        }
    }
}
