#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    wickring::laws::ring_methods::fuzz_ring_methods(data);
});
