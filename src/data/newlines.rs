//! Bytes of a file with every line end as `\n`, the last line included.
//!
//! The CSV reader counts lines by `\n` and may stop between `\r` and `\n`; with one kind of
//! line end its counts are exact.

use std::io::{self, Read};

/// Reads from `inner`; `\r\n` and lone `\r` become `\n`.
pub(super) struct Newlines<R> {
    inner: R,
    /// The last byte was `\r`, so a `\n` that follows is part of it.
    after_return: bool,
    /// The last byte given out.
    last: Option<u8>,
    /// The last byte given out that ends no line.
    last_in_line: Option<u8>,
}

impl<R: Read> Newlines<R> {
    pub(super) fn new(inner: R) -> Newlines<R> {
        Newlines { inner, after_return: false, last: None, last_in_line: None }
    }

    /// The last byte so far, line ends apart.
    pub(super) fn last_in_line(&self) -> Option<u8> {
        self.last_in_line
    }

    /// Rewrites the line ends of `chunk` in place; returns how long it is then.
    fn normalize(&mut self, chunk: &mut [u8]) -> usize {
        if !self.after_return && !chunk.contains(&b'\r') {
            return chunk.len();
        }
        let mut kept = 0;
        for at in 0..chunk.len() {
            let byte = chunk[at];
            if !(byte == b'\n' && self.after_return) {
                chunk[kept] = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
            self.after_return = byte == b'\r';
        }
        kept
    }
}

impl<R: Read> Read for Newlines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let n_read = self.inner.read(buffer)?;
            if n_read == 0 {
                let unfinished = self.last.is_some_and(|byte| byte != b'\n');
                self.last = None;
                buffer[0] = b'\n';
                return Ok(usize::from(unfinished));
            }
            let n_kept = self.normalize(&mut buffer[..n_read]);
            if n_kept > 0 {
                self.last = Some(buffer[n_kept - 1]);
                let in_line = buffer[..n_kept].iter().rev().find(|byte| **byte != b'\n');
                self.last_in_line = in_line.copied().or(self.last_in_line);
                return Ok(n_kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, so that every boundary is met.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.0.len().min(1);
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn every_line_end_becomes_one() {
        for (text, expected) in [
            ("", ""),
            ("a", "a\n"),
            ("a\r\nb\r\n", "a\nb\n"),
            ("a\rb", "a\nb\n"),
            ("a\n\r\n\r\rb\r", "a\n\n\n\nb\n"),
            ("\r\n", "\n"),
        ] {
            let mut whole = String::new();
            Newlines::new(text.as_bytes()).read_to_string(&mut whole).expect("memory");
            let mut bytewise = String::new();
            Newlines::new(Trickle(text.as_bytes())).read_to_string(&mut bytewise).expect("memory");
            assert_eq!((whole.as_str(), bytewise.as_str()), (expected, expected), "{text:?}");
        }
    }
}
