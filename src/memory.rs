//! How much memory a job will hold, part by part, before it holds it; and sizes as people write
//! them.

use std::fmt;

/// Bytes that a job will hold at its peak, by what they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryNeed {
    parts: Vec<MemoryPart>,
}

/// What some of the bytes are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPart {
    /// In words.
    pub what: String,
    /// How many.
    pub bytes: u64,
    /// What makes them fewer; empty where nothing does.
    pub remedy: &'static str,
}

impl MemoryNeed {
    /// Adds `count` things of `bytes_each`, if these are any.
    pub(crate) fn add(
        &mut self,
        what: impl Into<String>,
        count: usize,
        bytes_each: usize,
        remedy: &'static str,
    ) {
        let bytes = (count as u64).saturating_mul(bytes_each as u64);
        if bytes > 0 {
            self.parts.push(MemoryPart { what: what.into(), bytes, remedy });
        }
    }

    /// The parts, the largest first.
    pub fn parts(&self) -> Vec<&MemoryPart> {
        let mut parts: Vec<&MemoryPart> = self.parts.iter().collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
        parts
    }

    /// All together.
    pub fn total(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.bytes))
    }

    /// What to do about the largest part that anything can be done about.
    pub(crate) fn remedy(&self) -> &'static str {
        let remedies = self.parts().into_iter().map(|part| part.remedy);
        remedies.into_iter().find(|remedy| !remedy.is_empty()).unwrap_or("allow more")
    }

    /// One line for each part that is worth one.
    pub(crate) fn lines(&self) -> Vec<String> {
        let is_worth = |part: &&&MemoryPart| part.bytes * 100 >= self.total();
        let shown = self.parts();
        let line = |part: &&MemoryPart| format!("{} {}", show_size(part.bytes), part.what);
        shown.iter().filter(is_worth).map(line).collect()
    }
}

impl fmt::Display for MemoryNeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", show_size(self.total()), self.lines().join("; "))
    }
}

/// Units by their names, without the `B` or `iB` that may follow: decimal and binary factor.
const UNITS: [(&str, u64, u64); 5] = [
    ("", 1, 1),
    ("K", 1_000, 1 << 10),
    ("M", 1_000_000, 1 << 20),
    ("G", 1_000_000_000, 1 << 30),
    ("T", 1_000_000_000_000, 1 << 40),
];

/// The bytes of a size such as `800MB`, `1.5GiB` or `2G`: `iB` is binary, all else decimal.
///
/// # Errors
/// When it is none.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wanted = || "a size is wanted, such as 800MB or 1.5GiB".to_string();
    let text = text.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let number: f64 = text[..digits].parse().map_err(|_| wanted())?;
    let unit = text[digits..].trim_start().to_ascii_uppercase();
    let (unit, is_binary) = match unit.strip_suffix("IB") {
        Some(unit) => (unit, true),
        None => (unit.strip_suffix('B').unwrap_or(&unit), false),
    };
    let known = UNITS.iter().find(|(name, ..)| *name == unit && !(is_binary && unit.is_empty()));
    let &(_, decimal, binary) = known.ok_or_else(wanted)?;
    let bytes = number * if is_binary { binary } else { decimal } as f64;
    match bytes >= 1.0 && bytes < u64::MAX as f64 {
        true => Ok(bytes as u64),
        false => Err(wanted()),
    }
}

/// A number of bytes to about three digits.
pub fn show_size(bytes: u64) -> String {
    let binary = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let fitting = binary.iter().find(|(_, power)| bytes >= 1 << power);
    fitting.map_or_else(
        || format!("{bytes} B"),
        |(unit, power)| {
            let scaled = bytes as f64 / (1_u64 << power) as f64;
            let decimals = if scaled < 10.0 { 2 } else { usize::from(scaled < 100.0) };
            format!("{scaled:.decimals$} {unit}")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for (text, bytes) in [
            ("1", 1),
            ("4096B", 4096),
            ("800MB", 800_000_000),
            ("800 mb", 800_000_000),
            ("2G", 2_000_000_000),
            ("1.5GiB", 3 << 29),
            ("0.5kib", 512),
            ("3TiB", 3 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "GB", "-1MB", "1.2.3GB", "1XB", "1iB", "0", "0MB", "1e3", "99999999999TiB"]
        {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_to_three_digits() {
        for (bytes, text) in [
            (999, "999 B"),
            (1536, "1.50 KiB"),
            (11 << 20, "11.0 MiB"),
            (512 << 20, "512 MiB"),
            (3 << 29, "1.50 GiB"),
        ] {
            assert_eq!(show_size(bytes), text);
        }
    }

    #[test]
    fn parts_come_largest_first_and_small_ones_go_unsaid() {
        let mut need = MemoryNeed::default();
        need.add("crumbs", 1, 1, "sweep");
        need.add("draws", 1 << 10, 8, "draw less");
        need.add("rows", 1 << 20, 8, "read less");
        need.add("walls", 9 << 20, 1, "");
        need.add("nothing", 0, 8, "");
        assert_eq!(need.total(), (17 << 20) + (8 << 10) + 1);
        assert_eq!(need.to_string(), "17.0 MiB: 9.00 MiB walls; 8.00 MiB rows");
        assert_eq!((need.remedy(), need.parts().len()), ("read less", 4));
    }
}
