//! Short stable hashes for names.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The first `length` hex digits (at most 64) of the SHA-256 over the parts, each closed by a zero byte so that no two lists
/// of parts run together.
pub(crate) fn hex(length: usize, parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let mut digits = String::with_capacity(64);
    for byte in hasher.finalize() {
        let _ = write!(digits, "{byte:02x}");
    }
    digits.truncate(length);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(hex(12, &["ab", "c"]), hex(12, &["a", "bc"]));
        assert_eq!(hex(12, &["ab"]).len(), 12);
    }
}
