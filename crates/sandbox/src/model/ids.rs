//! Identifiers: deterministic, and shaped like those of AWS.

const LOWER: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A source of identifiers. The same seed and the same requests give the same identifiers.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    seed: u64,
    drawn: u64,
    placed: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: 0,
            placed: 0,
        }
    }

    /// From now on other identifiers; their order goes on.
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// A number that grows with every call, also for things that have no identifier of their own: their order of creation.
    pub(crate) fn place(&mut self) -> u64 {
        self.placed = self.drawn.max(self.placed + 1);
        self.placed
    }

    /// Lower-case letters and digits.
    pub(crate) fn lower(&mut self, length: usize) -> String {
        self.drawn += 1;
        let mut state = mix(self.seed ^ mix(self.drawn));
        let mut id = String::with_capacity(length);
        for _ in 0..length {
            let letter = usize::try_from(state % 36)
                .ok()
                .and_then(|index| LOWER.get(index));
            id.push(char::from(*letter.unwrap_or(&b'0')));
            state = mix(state);
        }
        id
    }

    /// Capital letters and digits, as in `AROA…`.
    pub(crate) fn upper(&mut self, length: usize) -> String {
        self.lower(length).to_ascii_uppercase()
    }

    /// The shape of a UUID.
    pub(crate) fn uuid(&mut self) -> String {
        self.drawn += 1;
        let high = mix(self.seed ^ mix(self.drawn));
        let low = mix(high);
        let digits = format!("{high:016x}{low:016x}");
        let mut uuid = String::with_capacity(36);
        for (index, digit) in digits.chars().enumerate() {
            if matches!(index, 8 | 12 | 16 | 20) {
                uuid.push('-');
            }
            uuid.push(digit);
        }
        uuid
    }
}

/// The finaliser of the generator `SplitMix64`: spreads every bit over all others.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let draw = |seed| {
            let mut ids = Ids::new(seed);
            (ids.lower(10), ids.upper(17), ids.uuid())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let (id, _, uuid) = draw(7);
        assert_eq!(id.len(), 10);
        assert_eq!(uuid.len(), 36);
    }
}
