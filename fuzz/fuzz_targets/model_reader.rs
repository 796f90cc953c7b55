#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::learn::quadratic_fuzz::fuzz_model_reader(data), Ok(()));
});
