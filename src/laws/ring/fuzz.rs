//! One fuzz body for each ring method: the first byte chooses the scalars, the others a tensor and options.

use super::methods::{RingMethod, method_is_honest};
use crate::laws::bytes::Bytes;
use num_complex::Complex;

fn run(method: RingMethod, data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let result = if bytes.byte().is_multiple_of(2) {
        method_is_honest::<f64>(method, &mut bytes)
    } else {
        method_is_honest::<Complex<f64>>(method, &mut bytes)
    };
    assert_eq!(result, Ok(()), "{method:?}");
}

macro_rules! bodies {
    ($($name:ident $method:ident),* $(,)?) => {
        $(
            /// The fuzz body of the method of that name.
            ///
            /// # Panics
            /// If a law is broken; that is how a fuzzer is told.
            pub fn $name(data: &[u8]) {
                run(RingMethod::$method, data);
            }
        )*

        /// Every body with the name of its target.
        pub const BODIES: [(&str, fn(&[u8])); 9] = [$((stringify!($name), $name)),*];
    };
}

bodies! {
    fuzz_ring_algebraic Algebraic,
    fuzz_ring_als Als,
    fuzz_ring_svd Svd,
    fuzz_ring_engine Engine,
    fuzz_ring_ranks Ranks,
    fuzz_ring_completion Completion,
    fuzz_ring_nls Nls,
    fuzz_ring_sampled Sampled,
    fuzz_ring_queries Queries,
}
