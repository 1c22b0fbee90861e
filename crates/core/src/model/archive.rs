//! A zip archive of one file, uncompressed and without a time: the same bytes for the same source, always.
//!
//! Libraries for archives link a source of randomness for their encryption, which has no place in this crate. Of the format
//! (APPNOTE.TXT 6.3) this is the smallest part: a local header, the file, the central directory with one entry, its end.

/// What is needed to read it: version 2.0.
const VERSION: u16 = 20;
/// Made on Unix, so that the permissions below count.
const MADE_BY: u16 = 3 << 8 | VERSION;
/// A regular file that everybody may read: Lambda runs as nobody in particular.
const PERMISSIONS: u32 = 0o100_644 << 16;
/// The first day of 1980, the earliest that the format knows.
const DATE: u16 = 1 << 5 | 1;
const LOCAL: u32 = 0x0403_4b50;
const ENTRY: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;

/// Packs a file.
///
/// # Errors
/// When it, or its name, is longer than the format can say.
pub(super) fn pack(name: &str, content: &[u8]) -> Result<Vec<u8>, std::num::TryFromIntError> {
    let size = u32::try_from(content.len())?;
    let length = u16::try_from(name.len())?;
    let checksum = crc32fast::hash(content);

    let mut archive = Archive(Vec::with_capacity(content.len() + 2 * name.len() + 98));
    archive.long(LOCAL);
    archive.common(checksum, size, length);
    archive.bytes(name.as_bytes());
    archive.bytes(content);

    let directory = u32::try_from(archive.0.len())?;
    archive.long(ENTRY);
    archive.short(MADE_BY);
    archive.common(checksum, size, length);
    // No comment, first disk, no internal attributes.
    archive.shorts(&[0, 0, 0]);
    archive.long(PERMISSIONS);
    // Where the local header is.
    archive.long(0);
    archive.bytes(name.as_bytes());

    let end = u32::try_from(archive.0.len())?;
    archive.long(END);
    // One disk, and one entry on it.
    archive.shorts(&[0, 0, 1, 1]);
    archive.long(end - directory);
    archive.long(directory);
    archive.short(0);
    Ok(archive.0)
}

struct Archive(Vec<u8>);

impl Archive {
    fn short(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    fn shorts(&mut self, values: &[u16]) {
        for value in values {
            self.short(*value);
        }
    }

    fn long(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// What the local header and the entry share.
    fn common(&mut self, checksum: u32, size: u32, name: u16) {
        self.short(VERSION);
        // No flags, stored, midnight.
        self.shorts(&[0, 0, 0]);
        self.short(DATE);
        self.long(checksum);
        // Compressed and not.
        self.long(size);
        self.long(size);
        self.short(name);
        // No extra field.
        self.short(0);
    }
}
