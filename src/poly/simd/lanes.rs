//! A few floats that are worked on together: eight, four, or as many as a loop takes.
//!
//! Every operation is one of IEEE 754, rounded once, so all of these types give the same bits.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256d, __m512d, _mm256_add_pd, _mm256_andnot_pd, _mm256_fmadd_pd, _mm256_fnmadd_pd,
    _mm256_loadu_pd, _mm256_max_pd, _mm256_min_pd, _mm256_mul_pd, _mm256_set1_pd, _mm256_storeu_pd,
    _mm256_sub_pd, _mm512_abs_pd, _mm512_add_pd, _mm512_fmadd_pd, _mm512_fnmadd_pd,
    _mm512_loadu_pd, _mm512_max_pd, _mm512_min_pd, _mm512_mul_pd, _mm512_set1_pd, _mm512_storeu_pd,
    _mm512_sub_pd,
};

/// Floats in lanes.
pub(super) trait Lanes: Copy {
    /// How many.
    const COUNT: usize;
    fn splat(x: f64) -> Self;
    /// The first lanes of a slice.
    ///
    /// # Panics
    /// When it is too short; so does [`Lanes::store`].
    fn load(from: &[f64]) -> Self;
    fn store(self, to: &mut [f64]);
    fn add(self, b: Self) -> Self;
    fn sub(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    /// `self * b + c`, rounded once.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `c - self * b`, rounded once.
    fn mul_sub_from(self, b: Self, c: Self) -> Self;
    /// `self` where it is less than `b`, else `b`, also where one is no number.
    fn min(self, b: Self) -> Self;
    /// `self` where it is greater than `b`, else `b`, also where one is no number.
    fn max(self, b: Self) -> Self;
    fn abs(self) -> Self;
}

/// Lanes without vector instructions.
#[derive(Clone, Copy)]
pub(super) struct Portable([f64; 4]);

impl Portable {
    #[inline(always)]
    fn zip(self, b: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Self(std::array::from_fn(|l| f(self.0[l], b.0[l])))
    }
}

impl Lanes for Portable {
    const COUNT: usize = 4;
    #[inline(always)]
    fn splat(x: f64) -> Self {
        Self([x; 4])
    }
    #[inline(always)]
    fn load(from: &[f64]) -> Self {
        Self(std::array::from_fn(|l| from[l]))
    }
    #[inline(always)]
    fn store(self, to: &mut [f64]) {
        to[..4].copy_from_slice(&self.0);
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        self.zip(b, |x, y| x + y)
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        self.zip(b, |x, y| x - y)
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        self.zip(b, |x, y| x * y)
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Self(std::array::from_fn(|l| self.0[l].mul_add(b.0[l], c.0[l])))
    }
    #[inline(always)]
    fn mul_sub_from(self, b: Self, c: Self) -> Self {
        let product = |l: usize| (-self.0[l]).mul_add(b.0[l], c.0[l]);
        Self(std::array::from_fn(product))
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        self.zip(b, |x, y| if x < y { x } else { y })
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        self.zip(b, |x, y| if x > y { x } else { y })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.map(f64::abs))
    }
}

/// Lanes of a vector type. Values of these types are made only in functions that are compiled for the
/// instructions, into which everything here is inlined.
macro_rules! vectors {
    ($name:ident($inner:ty), $count:literal, $set:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident
     $fma:ident $fnma:ident $min:ident $max:ident, |$x:ident| $abs:expr) => {
        #[cfg(target_arch = "x86_64")]
        #[derive(Clone, Copy)]
        pub(super) struct $name($inner);

        // SAFETY of every block: only functions compiled for the instructions, which run after these were
        // detected, use the type; loads and stores take whole slices of `COUNT` floats.
        #[cfg(target_arch = "x86_64")]
        impl Lanes for $name {
            const COUNT: usize = $count;
            #[inline(always)]
            fn splat(x: f64) -> Self {
                unsafe { Self($set(x)) }
            }
            #[inline(always)]
            fn load(from: &[f64]) -> Self {
                unsafe { Self($load(from[..$count].as_ptr())) }
            }
            #[inline(always)]
            fn store(self, to: &mut [f64]) {
                unsafe { $store(to[..$count].as_mut_ptr(), self.0) }
            }
            #[inline(always)]
            fn add(self, b: Self) -> Self {
                unsafe { Self($add(self.0, b.0)) }
            }
            #[inline(always)]
            fn sub(self, b: Self) -> Self {
                unsafe { Self($sub(self.0, b.0)) }
            }
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                unsafe { Self($mul(self.0, b.0)) }
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                unsafe { Self($fma(self.0, b.0, c.0)) }
            }
            #[inline(always)]
            fn mul_sub_from(self, b: Self, c: Self) -> Self {
                unsafe { Self($fnma(self.0, b.0, c.0)) }
            }
            #[inline(always)]
            fn min(self, b: Self) -> Self {
                unsafe { Self($min(self.0, b.0)) }
            }
            #[inline(always)]
            fn max(self, b: Self) -> Self {
                unsafe { Self($max(self.0, b.0)) }
            }
            #[inline(always)]
            fn abs(self) -> Self {
                let $x = self.0;
                unsafe { Self($abs) }
            }
        }
    };
}
vectors!(Eight(__m512d), 8, _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_add_pd _mm512_sub_pd _mm512_mul_pd
    _mm512_fmadd_pd _mm512_fnmadd_pd _mm512_min_pd _mm512_max_pd, |x| _mm512_abs_pd(x));
vectors!(Four(__m256d), 4, _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd
    _mm256_fmadd_pd _mm256_fnmadd_pd _mm256_min_pd _mm256_max_pd, |x| _mm256_andnot_pd(_mm256_set1_pd(-0.0), x));
