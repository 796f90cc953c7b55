#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    wickring::laws::gaussian::cases::fuzz_gaussian(data);
});
