#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rvenv::cli::fuzzing::shims(data));
