#![no_main]

libfuzzer_sys::fuzz_target!(|data: &str| rvenv::cli::fuzzing::entry_points(data));
