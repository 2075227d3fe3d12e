//! Branches by their keys, as one types them.

use super::SavedError;
use crate::data::{BoundData, nearest};

/// The branch of a key: `a=1,b=2`, or the plain value where the key is one column.
pub(super) fn find(data: &BoundData, typed: &str) -> Result<usize, SavedError> {
    let columns = data.key_columns();
    let wanted = match (columns, parts(typed, columns)) {
        (_, Some(wanted)) => wanted,
        ([_], None) => vec![typed.trim()],
        (columns, None) => {
            let example: Vec<String> = columns.iter().map(|name| format!("{name}=…")).collect();
            return Err(SavedError::refused(
                format!("`{typed}` is no key of a branch: it has {} parts", columns.len()),
                format!("write `--branch {}`", example.join(",")),
            ));
        }
    };
    let found = (0..data.n_branches()).find(|&branch| data.key(branch) == wanted);
    found.ok_or_else(|| unknown(data, &wanted))
}

/// The values of `a=1,b=2` in the order of the columns, if it names each once.
fn parts<'a>(typed: &'a str, columns: &[String]) -> Option<Vec<&'a str>> {
    let pairs: Option<Vec<(&str, &str)>> =
        typed.split(',').map(|part| part.split_once('=')).collect();
    let pairs = pairs.filter(|pairs| pairs.len() == columns.len())?;
    let value = |name: &String| {
        pairs.iter().find(|(own, _)| own.trim() == name).map(|(_, value)| value.trim())
    };
    columns.iter().map(value).collect()
}

fn unknown(data: &BoundData, wanted: &[&str]) -> SavedError {
    let pairs = data.key_columns().iter().zip(wanted);
    let label: Vec<String> = pairs.map(|(name, value)| format!("{name} = {value}")).collect();
    let label = label.join(", ");
    let known: Vec<String> = (0..data.n_branches()).map(|k| data.branch_label(k)).collect();
    let help = match nearest(&label, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => {
            let (first, last) = (known.first(), known.last());
            let ends = first.zip(last).map_or(String::new(), |(a, b)| format!(", {a} to {b}"));
            format!("there are {}{ends}", known.len())
        }
    };
    let help = format!("{help}; branches that the fit did not see are for `hbdc predict`");
    SavedError::refused(format!("the fit has no branch {label}"), help)
}
