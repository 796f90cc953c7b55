#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::learn::polynomial_maps::fuzz_polynomial_map(data), Ok(()));
});
