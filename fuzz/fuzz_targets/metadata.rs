#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| rvenv::cli::fuzzing::metadata(data));
