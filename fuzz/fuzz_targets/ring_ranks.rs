#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    wickring::laws::ring_fuzz::fuzz_ring_ranks(data);
});
