//! libFuzzer on the target that SHARDLIFT_FUZZ_TARGET names.

#![no_main]
#![expect(clippy::print_stderr, reason = "libFuzzer writes there, too")]

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{LazyLock, Mutex},
};

use libfuzzer_sys::fuzz_target;
use shardlift_fuzz::{TARGETS, Target};

/// What the latest panic said. Some readers catch the panics of a library, so a panic alone is no finding.
static PANIC: Mutex<String> = Mutex::new(String::new());

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    // libFuzzer's own hook ends the process at once.
    panic::set_hook(Box::new(|panic| {
        if let Ok(mut latest) = PANIC.lock() {
            *latest = panic.to_string();
        }
    }));
    let name = std::env::var("SHARDLIFT_FUZZ_TARGET").unwrap_or_default();
    *TARGETS
        .iter()
        .find(|target| target.name == name)
        .unwrap_or_else(|| panic!("SHARDLIFT_FUZZ_TARGET={name} names no target"))
});

fuzz_target!(|bytes: &[u8]| {
    let target = *TARGET;
    if panic::catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err() {
        eprintln!(
            "{}",
            PANIC
                .lock()
                .map(|latest| latest.clone())
                .unwrap_or_default()
        );
        std::process::abort();
    }
});
