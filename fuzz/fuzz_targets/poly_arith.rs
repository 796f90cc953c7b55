#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    wickring::laws::poly::ring::fuzz_poly_arith(data);
});
