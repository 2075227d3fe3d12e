//! From the text of a cell to a number, or to the reason why it is none.

use super::error::DataErrorKind;

/// Whole numbers up to here are exact as `f64`.
pub(super) const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Why a cell is not the number that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Empty, `NA` or `NaN`.
    Missing,
    /// Text.
    Text,
    /// Digits with separators for reading: `1,000` or `1_000`.
    Separators,
    /// Infinite as written, or beyond the range of `f64`.
    Infinite,
    /// A fraction where a whole number is wanted.
    Fraction,
    /// A whole number beyond 2^53.
    TooLarge,
}

impl Fault {
    /// What is wrong with the cell, to follow its text.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Fault::Missing => "stands for a missing value",
            Fault::Text | Fault::Separators => "is not a number",
            Fault::Infinite => "is not finite",
            Fault::Fraction => "is not a whole number, and the model declares an `int`",
            Fault::TooLarge => "is beyond 2^53, where whole numbers are no longer exact",
        }
    }

    /// What to do about it.
    pub(super) fn help(self) -> &'static str {
        match self {
            Fault::Missing => {
                "fill it in, drop rows with missing values, `--na drop`, or allow them in an \
                 outcome, which then has no term there: `vector[N] y missing;`"
            }
            Fault::Text => {
                "numbers are written like `3`, `-0.5` or `1.2e-3`; words are numbered by a \
                 factor, `factor f from \"column\";` and `array[N] index(f) column;`, or compared: \
                 `from \"column\" == \"word\"`"
            }
            Fault::Separators => "write the digits without separators: `1000`",
            Fault::Infinite => "a value must be finite and below 1.8e308",
            Fault::Fraction => "declare it `real` or `vector`, or mend the cell",
            Fault::TooLarge => "a number this large is a name: use it as key, not as `int`",
        }
    }

    pub(super) fn kind(self) -> DataErrorKind {
        match self {
            Fault::Missing => DataErrorKind::MissingValue,
            Fault::Text | Fault::Separators | Fault::Infinite => DataErrorKind::NotANumber,
            Fault::Fraction | Fault::TooLarge => DataErrorKind::NotWhole,
        }
    }
}

/// `bytes` without surrounding spaces and tabs.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// The number that a cell holds. Spaces around it do not count; `TRUE` and `FALSE` in any
/// case are 1 and 0.
pub(super) fn parse(cell: &[u8]) -> Result<f64, Fault> {
    let cell = trim(cell);
    match short_whole(cell) {
        Some(value) => Ok(value),
        None => parse_slowly(cell),
    }
}

/// Up to 15 digits: exact, and by far the most common cell.
fn short_whole(cell: &[u8]) -> Option<f64> {
    let (negative, digits) = match cell {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    let mut magnitude = 0_u64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude * 10 + u64::from(digit);
    }
    let value = magnitude as f64;
    Some(if negative && magnitude > 0 { -value } else { value })
}

fn parse_slowly(cell: &[u8]) -> Result<f64, Fault> {
    // `parse` would also take `inf`, `infinity` and `nan`, which are told apart below.
    let numeric = |b: &u8| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    if cell.is_empty() || !cell.iter().all(numeric) {
        return word(cell);
    }
    let text = std::str::from_utf8(cell).map_err(|_| Fault::Text)?;
    let value: f64 = text.parse().map_err(|_| Fault::Text)?;
    // Adding zero turns -0 into 0, which readers of a CSV do not tell apart.
    if value.is_finite() { Ok(value + 0.0) } else { Err(Fault::Infinite) }
}

/// A cell that is not made of the characters of a number.
fn word(cell: &[u8]) -> Result<f64, Fault> {
    let is = |word: &str| cell.eq_ignore_ascii_case(word.as_bytes());
    let unsigned = cell.strip_prefix(b"-").or(cell.strip_prefix(b"+")).unwrap_or(cell);
    if is("true") {
        Ok(1.0)
    } else if is("false") {
        Ok(0.0)
    } else if cell.is_empty() || cell == b"NA" || is("nan") {
        Err(Fault::Missing)
    } else if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
        Err(Fault::Infinite)
    } else if has_separators(cell) {
        Err(Fault::Separators)
    } else {
        Err(Fault::Text)
    }
}

fn has_separators(cell: &[u8]) -> bool {
    let stripped: Vec<u8> =
        cell.iter().copied().filter(|b| !matches!(b, b',' | b'_' | b'\'' | b' ')).collect();
    let digits = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+');
    let has_digit = stripped.iter().any(u8::is_ascii_digit);
    stripped.len() < cell.len() && stripped.iter().all(digits) && has_digit
}

/// Whether `value` may stand in an `int`.
pub(super) fn check_whole(value: f64) -> Result<f64, Fault> {
    if value.abs() > MAX_WHOLE {
        Err(Fault::TooLarge)
    } else if value.fract() != 0.0 {
        Err(Fault::Fraction)
    } else {
        Ok(value)
    }
}

/// The same rules for a number that was never text.
pub(super) fn check_finite(value: f64) -> Result<f64, Fault> {
    if value.is_nan() {
        Err(Fault::Missing)
    } else if value.is_infinite() {
        Err(Fault::Infinite)
    } else {
        Ok(value + 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_are_numbers() {
        for (cell, expected) in [
            ("0", 0.0_f64),
            ("-0", 0.0),
            ("-0.0", 0.0),
            (" 12\t", 12.0),
            ("+3", 3.0),
            ("007", 7.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1E-3", 0.001),
            ("-2.5e+1", -25.0),
            ("123456789012345", 123_456_789_012_345.0),
            ("9007199254740993", 9_007_199_254_740_992.0),
            ("0.1", 0.1),
            ("1e-400", 0.0),
            ("TRUE", 1.0),
            ("false", 0.0),
            ("True", 1.0),
        ] {
            assert_eq!(parse(cell.as_bytes()).map(f64::to_bits), Ok(expected.to_bits()), "{cell}");
        }
    }

    #[test]
    fn cells_that_are_not() {
        for (cell, expected) in [
            ("", Fault::Missing),
            ("  ", Fault::Missing),
            ("NA", Fault::Missing),
            ("nan", Fault::Missing),
            ("NaN", Fault::Missing),
            ("inf", Fault::Infinite),
            ("-Infinity", Fault::Infinite),
            ("1e400", Fault::Infinite),
            ("1_000", Fault::Separators),
            ("1,000", Fault::Separators),
            ("0x10", Fault::Text),
            ("-", Fault::Text),
            ("e", Fault::Text),
            ("1e", Fault::Text),
            ("--1", Fault::Text),
            ("-NaN", Fault::Text),
            ("true ish", Fault::Text),
            ("１", Fault::Text),
            (",", Fault::Text),
        ] {
            assert_eq!(parse(cell.as_bytes()), Err(expected), "{cell}");
        }
        assert_eq!(parse(&[0xff, 0xfe]), Err(Fault::Text));
    }

    #[test]
    fn whole_numbers_end_at_two_to_the_53() {
        assert_eq!(check_whole(-MAX_WHOLE), Ok(-MAX_WHOLE));
        assert_eq!(check_whole(MAX_WHOLE + 2.0), Err(Fault::TooLarge));
        assert_eq!(check_whole(0.5), Err(Fault::Fraction));
    }

    #[test]
    fn the_short_way_agrees_with_the_long_one() {
        for n in (0..2_000_000_000_000_000_u64).step_by(7_919_000_000_023) {
            let text = format!("-{n}");
            let expected: f64 = text.parse().expect("digits");
            assert_eq!(parse(text.as_bytes()), Ok(expected + 0.0));
        }
    }
}
