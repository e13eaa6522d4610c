//! Answers to invitations.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scheduler_fuzz::response(bytes));
