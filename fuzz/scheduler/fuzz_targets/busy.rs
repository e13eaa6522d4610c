//! Calendars of which only the busy times are taken.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| scheduler_fuzz::busy(bytes));
