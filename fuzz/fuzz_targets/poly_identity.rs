#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::poly::identities::fuzz_poly_identity(data), Ok(()));
});
