#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::mixtures::fuzz_mixture(data), Ok(()));
});
