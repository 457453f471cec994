#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portal_core::fuzzing::template(bytes));
