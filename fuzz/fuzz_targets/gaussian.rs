#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    wickring::laws::gaussian_cases::fuzz_gaussian(data);
});
