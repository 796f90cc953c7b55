#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    wickring::laws::ring::models::fuzz_ring_models(data);
});
