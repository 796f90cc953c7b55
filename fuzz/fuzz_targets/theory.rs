#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::theory_fuzz::fuzz_theory(data), Ok(()));
});
