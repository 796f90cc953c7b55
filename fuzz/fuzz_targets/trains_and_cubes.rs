#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    wickring::laws::ring::methods::fuzz_trains_and_cubes(data);
});
