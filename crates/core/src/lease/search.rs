//! Breadth-first search through every state that can be reached.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Every state that can be reached from `first`. The error is a shortest way to one that the rules do not hold in, by the
/// names of the moves, and what they say of it.
pub(super) fn explore<S, M>(
    first: S,
    moves: impl Fn(&S) -> Vec<(M, S)>,
    rules: impl Fn(&S) -> Result<(), String>,
) -> Result<Vec<S>, String>
where
    S: Copy + Eq + Hash,
    M: Debug,
{
    rules(&first)?;
    let mut known = HashSet::<S, BuildHasherDefault<Folded>>::from_iter([first]);
    let mut states = vec![first];
    let mut ways: Vec<Option<(usize, M)>> = vec![None];
    let mut next = 0;
    while let Some(state) = states.get(next).copied() {
        for (name, reached) in moves(&state) {
            if !known.insert(reached) {
                continue;
            }
            let broken = rules(&reached);
            states.push(reached);
            ways.push(Some((next, name)));
            if let Err(rule) = broken {
                return Err(format!("{}: {rule}", way(&ways)));
            }
        }
        next += 1;
    }
    Ok(states)
}

/// The moves to the last state.
fn way<M: Debug>(ways: &[Option<(usize, M)>]) -> String {
    let mut names = Vec::new();
    let mut at = ways.len() - 1;
    while let Some((from, name)) = &ways[at] {
        names.push(format!("{name:?}"));
        at = *from;
    }
    names.reverse();
    names.join(", ")
}

/// Quick without optimisation, where the standard one takes most of the time.
#[derive(Default)]
struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value.cast_unsigned() as u64);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}
