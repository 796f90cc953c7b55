#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::poly::batch::fuzz_poly_batch(data), Ok(()));
});
