#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    wickring::laws::poly::algebra::fuzz_poly_algebra(data);
});
