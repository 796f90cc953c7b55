#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::theory::fuzz::fuzz_theory(data), Ok(()));
});
