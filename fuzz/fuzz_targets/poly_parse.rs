#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::poly::algebra::fuzz_poly_parse(data), Ok(()));
});
