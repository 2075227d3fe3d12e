//! Column names: the nearest one to a name that is missing, and patterns with `*`.

use super::error::{DataError, DataErrorKind, show_text};

/// Files with more columns than this are not listed in messages.
const MAX_LISTED: usize = 12;

/// The name among `names` that a reader is likely to have meant, if any is near.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wanted.chars().count() + 1) / 3;
    names
        .filter(|name| !name.is_empty())
        .map(|name| (distance(&wanted.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein's edit distance in characters.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

/// Whether `name` matches `pattern`, where each `*` stands for any run of characters.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let Some((prefix, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(prefix) else {
        return false;
    };
    let (middle, suffix) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match name.find(part) {
            Some(at) => name = &name[at + part.len()..],
            None => return false,
        }
    }
    name.len() >= suffix.len() && name.ends_with(suffix)
}

/// The error for a column that is not there. `role` says what the model wants it for, as a
/// relative clause.
pub(super) fn missing_column(
    wanted: &str,
    role: &str,
    source: &str,
    header: &[String],
) -> DataError {
    let what = if wanted.contains('*') { "no column that matches" } else { "no column" };
    let message = format!("{source} has {what} `{wanted}`, {role}");
    DataError::new(DataErrorKind::MissingColumn, message).help(advice(wanted, source, header))
}

fn advice(wanted: &str, source: &str, header: &[String]) -> String {
    if let [only] = header
        && let Some(separator) = [';', '\t', '|'].into_iter().find(|s| only.contains(*s))
    {
        let separator = separator.escape_default();
        return format!("its columns seem to be separated by `{separator}`; write commas");
    }
    let listed = || header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let stem: String = wanted.split('*').collect();
    let near = nearest(&stem, header.iter().map(String::as_str))
        .or_else(|| header.iter().map(String::as_str).find(|name| shares_stem(&stem, name)));
    match near {
        Some(name) if header.len() > MAX_LISTED => format!("did you mean `{name}`?"),
        Some(name) => format!("did you mean `{name}`? The columns are {}", listed()),
        None if header.len() > MAX_LISTED => {
            let first = show_text(header[0].as_bytes());
            format!("{source} has {} columns, the first is `{first}`", header.len())
        }
        None => format!("the columns are {}", listed()),
    }
}

/// For patterns: a name that begins as the pattern without its `*` does.
fn shares_stem(stem: &str, name: &str) -> bool {
    let shorter: String = stem.trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    !shorter.is_empty() && name.to_lowercase().starts_with(&shorter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_the_textbook() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("flaw", "lawn"), 2);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        let names = ["school", "y", "sigma"];
        assert_eq!(nearest("sgima", names.into_iter()), Some("sigma"));
        assert_eq!(nearest("Y", names.into_iter()), Some("y"));
        assert_eq!(nearest("x", names.into_iter()), None, "one letter is not near another");
        assert_eq!(nearest("sigm", names.into_iter()), Some("sigma"));
        assert_eq!(nearest("Sigma", names.into_iter()), Some("sigma"));
        assert_eq!(nearest("treatment", names.into_iter()), None);
    }

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, name, expected) in [
            ("g_*", "g_1", true),
            ("g_*", "g_", true),
            ("g_*", "h_1", false),
            ("*_x", "a_x", true),
            ("*", "", true),
            ("a*b", "ab", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*bc*c", "abc", false),
            ("**", "é", true),
            ("plain", "plain", true),
            ("plain", "plainer", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
