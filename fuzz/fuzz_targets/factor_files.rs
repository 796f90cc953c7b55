#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::schemes::fuzz_factor_files(data), Ok(()));
});
