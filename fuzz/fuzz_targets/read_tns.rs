#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::readers::fuzz_tns(data), Ok(()));
});
