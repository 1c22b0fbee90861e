//! Work on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does `count` pieces of work, each known by its number, on so many threads. What they give is taken in one after the other, as it
/// comes.
pub fn each<T, Sum: Default + Send>(
    workers: usize,
    count: usize,
    work: impl Fn(usize) -> T + Sync,
    take: impl Fn(&mut Sum, T) + Sync,
) -> Sum {
    let next = AtomicUsize::new(0);
    let sum = Mutex::new(Sum::default());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let done = work(number);
                    take(&mut sum.lock().unwrap_or_else(PoisonError::into_inner), done);
                }
            });
        }
    });
    sum.into_inner().unwrap_or_else(PoisonError::into_inner)
}
