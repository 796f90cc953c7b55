#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert_eq!(wickring::laws::schemes::fuzz_certificate(data), Ok(()));
    let verdicts = wickring::laws::certificates::verdicts_follow_from_definitions;
    assert_eq!(verdicts(data), Ok(()));
});
