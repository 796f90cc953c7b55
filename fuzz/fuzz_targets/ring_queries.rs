#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    wickring::laws::ring::fuzz::fuzz_ring_queries(data);
});
