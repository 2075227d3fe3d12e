//! Files that must be whole or refused: a header, then a body, under one checksum.
//!
//! ```text
//! magic 8 | kind 8 | version 8 | model hash 8 | data hash 8 | step 8 | length 8 | checksum 8 | body
//! ```
//!
//! Numbers are little-endian. The checksum is CRC-64 (ECMA-182, reflected) of all bytes but its
//! own, so that any change of up to eight neighbouring bytes is found for certain, and the
//! length finds what was cut off or added. A file is written beside its place, synced, and
//! renamed, so that the one that was there stays whole until the new one is. What a body means
//! is known to those who write it; it is data and holds no code.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"hbdc\r\n\x1a\0";
const HEADER_BYTES: usize = 64;
const CHECKSUM_AT: usize = 56;

/// What stands before the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the body is; padded with spaces.
    pub kind: [u8; 8],
    /// The layout of the body.
    pub version: u64,
    /// The fingerprint of the model's text.
    pub model_hash: u64,
    /// The fingerprint of the bound data.
    pub data_hash: u64,
    /// How far the fit was.
    pub step: u64,
}

/// Why a file is not what it should be.
#[derive(Debug)]
pub enum FrameError {
    /// It cannot be read or written.
    Io(io::Error),
    /// It does not begin as such files do.
    NotOurs,
    /// It holds something else.
    OtherKind(String),
    /// It was written by another version: found, and known here.
    Version(u64, u64),
    /// It has another length than it says: bytes found, and expected.
    Length(u64, u64),
    /// Its checksum is wrong.
    Checksum,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Io(fault) => fault.fmt(f),
            FrameError::NotOurs => f.write_str("it is not a file that hbdc wrote"),
            FrameError::OtherKind(kind) => write!(f, "it holds something else (`{kind}`)"),
            FrameError::Version(found, known) => {
                write!(f, "its layout is version {found}, and this program reads version {known}")
            }
            FrameError::Length(found, expected) => {
                write!(f, "it is damaged: it has {found} bytes and should have {expected}")
            }
            FrameError::Checksum => f.write_str("it is damaged: its checksum is wrong"),
        }
    }
}

impl std::error::Error for FrameError {}

/// Header and body as one piece.
pub fn encode(header: &Header, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&header.kind);
    let length = body.len() as u64;
    for word in [header.version, header.model_hash, header.data_hash, header.step, length, 0] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend_from_slice(body);
    let checksum = checksum(&bytes);
    bytes[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// The header and body of a piece of this kind and version.
///
/// # Errors
/// When it is anything but what [`encode`] made.
pub fn decode(bytes: &[u8], kind: [u8; 8], version: u64) -> Result<(Header, &[u8]), FrameError> {
    let n_bytes = bytes.len() as u64;
    let Some((head, body)) = bytes.split_at_checked(HEADER_BYTES) else {
        return Err(match bytes.starts_with(MAGIC) {
            true => FrameError::Length(n_bytes, HEADER_BYTES as u64),
            false => FrameError::NotOurs,
        });
    };
    if !head.starts_with(MAGIC) {
        return Err(FrameError::NotOurs);
    }
    let found_kind: [u8; 8] = head[8..16].try_into().expect("eight bytes");
    if found_kind != kind {
        let shown = String::from_utf8_lossy(&found_kind).trim_end().escape_default().to_string();
        return Err(FrameError::OtherKind(shown));
    }
    let word = |k: usize| {
        u64::from_le_bytes(head[16 + 8 * k..24 + 8 * k].try_into().expect("eight bytes"))
    };
    if word(0) != version {
        return Err(FrameError::Version(word(0), version));
    }
    if body.len() as u64 != word(4) {
        return Err(FrameError::Length(n_bytes, word(4).saturating_add(HEADER_BYTES as u64)));
    }
    if checksum(bytes) != word(5) {
        return Err(FrameError::Checksum);
    }
    let header = Header { kind, version, model_hash: word(1), data_hash: word(2), step: word(3) };
    Ok((header, body))
}

/// Writes a file at `path`, which is the old one or none until the new one is whole and on the
/// disk.
///
/// # Errors
/// When it cannot be written; the old file, if any, is then as it was.
pub fn write(path: &Path, header: &Header, body: &[u8]) -> io::Result<()> {
    replace(path, &encode(header, body), |path| File::create(path), File::sync_all)
}

/// The same for bytes, with what opens and syncs the unfinished file.
fn replace<W: Write>(
    path: &Path,
    bytes: &[u8],
    create: impl FnOnce(&Path) -> io::Result<W>,
    sync: impl FnOnce(&W) -> io::Result<()>,
) -> io::Result<()> {
    let unfinished = beside(path);
    let written = create(&unfinished)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| sync(&file)))
        .and_then(|()| fs::rename(&unfinished, path))
        .and_then(|()| sync_folder(path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// Reads the file at `path`, which must be of this kind and version.
///
/// # Errors
/// When it cannot be read, or is anything but what [`write()`] wrote.
pub fn read(path: &Path, kind: [u8; 8], version: u64) -> Result<(Header, Vec<u8>), FrameError> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(FrameError::Io)?;
    let (header, _) = decode(&bytes, kind, version)?;
    bytes.drain(..HEADER_BYTES);
    Ok((header, bytes))
}

/// A path in the same folder, so that moving is renaming.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    path.with_file_name(format!(".{}.{}", name.unwrap_or_default(), std::process::id()))
}

/// Makes a renaming last; a folder can be opened for that on Unix alone.
fn sync_folder(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// CRC-64 of all bytes but those of the checksum itself.
fn checksum(bytes: &[u8]) -> u64 {
    let (head, body) = bytes.split_at(HEADER_BYTES);
    !crc(crc(!0, &head[..CHECKSUM_AT]), body)
}

fn crc(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |crc, &byte| CRC_TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

/// For each byte, what it becomes as it is shifted out: division by the polynomial of ECMA-182,
/// bits reflected.
static CRC_TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xC96C_5795_D787_0F42 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: [u8; 8] = *b"test    ";

    fn header() -> Header {
        Header { kind: KIND, version: 3, model_hash: 0xfeed, data_hash: 1 << 63, step: 7 }
    }

    /// The check value of CRC-64/XZ in the catalogue of parametrised CRC algorithms.
    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(!crc(!0, b"123456789"), 0x995D_C9BB_DF19_39FA);
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved");
        for body in [&b"first"[..], b"", &[0; 10_000]] {
            write(&path, &header(), body).unwrap();
            assert_eq!(read(&path, KIND, 3).unwrap(), (header(), body.to_vec()));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
    }

    #[test]
    fn any_other_byte_is_an_error() {
        let bytes = encode(&header(), b"a body of some bytes");
        for at in 0..bytes.len() {
            for flip in 1..=255_u8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                assert!(decode(&damaged, KIND, 3).is_err(), "byte {at} xor {flip}");
            }
        }
    }

    #[test]
    fn any_other_length_is_an_error() {
        let mut bytes = encode(&header(), b"a body of some bytes");
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length], KIND, 3).is_err(), "{length} bytes");
        }
        bytes.push(0);
        assert!(decode(&bytes, KIND, 3).is_err());
    }

    #[test]
    fn errors_say_what_is_there() {
        let bytes = encode(&header(), b"body");
        let says = |kind, version| decode(&bytes, kind, version).unwrap_err().to_string();
        assert_eq!(says(*b"other   ", 3), "it holds something else (`test`)");
        assert_eq!(says(KIND, 4), "its layout is version 3, and this program reads version 4");
        let other = decode(b"PK\x03\x04", KIND, 3).unwrap_err();
        assert_eq!(other.to_string(), "it is not a file that hbdc wrote");
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved");
        write(&path, &header(), b"old").unwrap();
        // The place for the unfinished file is taken by a folder.
        fs::create_dir(beside(&path)).unwrap();
        assert!(write(&path, &header(), b"new").is_err());
        assert_eq!(read(&path, KIND, 3).unwrap().1, b"old");
    }
    /// A disk that is full after so many bytes.
    struct Full {
        file: File,
        left: usize,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.left);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.left -= taken;
            self.file.write(&bytes[..taken])
        }

        fn flush(&mut self) -> io::Result<()> {
            self.file.flush()
        }
    }

    #[test]
    fn a_disk_that_fills_up_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved");
        write(&path, &header(), b"old").unwrap();
        let bytes = encode(&header(), b"new, and longer than the old one");
        let is_old = || {
            assert_eq!(read(&path, KIND, 3).unwrap().1, b"old");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
        };
        let full = |left: usize| move |path: &Path| Ok(Full { file: File::create(path)?, left });
        for left in 0..bytes.len() {
            assert!(replace(&path, &bytes, full(left), |_| Ok(())).is_err(), "{left} bytes");
            is_old();
        }
        let unsynced = |_: &Full| Err(io::ErrorKind::StorageFull.into());
        assert!(replace(&path, &bytes, full(bytes.len()), unsynced).is_err());
        is_old();
        replace(&path, &bytes, full(bytes.len()), |_| Ok(())).unwrap();
        assert_eq!(read(&path, KIND, 3).unwrap().1, b"new, and longer than the old one");
    }
}
