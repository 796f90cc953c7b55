#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::learn::two_layer::fuzz_overcomplete(data), Ok(()));
});
