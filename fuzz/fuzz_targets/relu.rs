#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    wickring::laws::relu::fuzz_relu(data);
});
