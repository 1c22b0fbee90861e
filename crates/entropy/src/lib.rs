//! Everything that a run draws by chance, decided by one seed.
//!
//! Hash maps of the standard library take their keys from the system once per thread, and kube's scheduler walks such maps:
//! with more than one object the order would differ from run to run. The standard library finds `getrandom` by name at link
//! time, so a program that brings its own decides what it draws. Whoever links this crate has no randomness that is fit for
//! secrets: it is for simulations, and a test holds it out of the operator.

use std::cell::Cell;

thread_local! {
    static STATE: Cell<u64> = const { Cell::new(0) };
}

/// Runs something in a thread of its own whose every draw is decided by `seed`.
///
/// # Errors
/// What the run panicked with.
pub fn seeded<T: Send>(seed: u64, run: impl FnOnce() -> T + Send) -> std::thread::Result<T> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            STATE.set(seed);
            fastrand::seed(seed);
            run()
        });
        thread.join()
    })
}

/// The next number of splitmix64 (Steele, Lea, Flood, 2014).
fn next() -> u64 {
    let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Fills a buffer as the system's function of this name would, from the thread's seed. It never fails.
///
/// # Safety
/// `buffer` must be valid for writes of `length` bytes.
#[expect(unsafe_code, reason = "the signature that the standard library links against")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut u8, length: usize, _flags: u32) -> isize {
    let mut bytes = std::iter::repeat_with(|| next().to_le_bytes()).flatten();
    for offset in 0..length {
        let byte = bytes.next().unwrap_or_default();
        // SAFETY: the caller owns `length` bytes from `buffer` on, and `offset` is below `length`.
        unsafe { buffer.add(offset).write(byte) };
    }
    length.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::seeded;
    use std::collections::HashSet;

    /// The order in which a hash set of this thread gives its items.
    fn order() -> Vec<u32> {
        let set: HashSet<u32> = (0..100).collect();
        set.into_iter().collect()
    }

    #[test]
    fn a_seed_decides_every_draw() {
        let draw = || (order(), fastrand::u64(..));
        let once = seeded(7, draw).unwrap();
        assert_eq!(once, seeded(7, draw).unwrap());
        assert_ne!(once, seeded(8, draw).unwrap());
    }
}
