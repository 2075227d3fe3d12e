//! The reference of functions and distributions, written from the registries for
//! `docs/language.md`.

use super::distribution::{self, Distribution, Outcome, Support, VectorSupport};
use super::function::{self, Function};
use crate::ty::Element;

/// Tables in Markdown: distributions by what they are over, then functions by group.
pub fn reference() -> String {
    let mut text = String::from("### Distributions\n");
    text.push_str(&distributions("Continuous", |found| is_over(found, Element::Real)));
    text.push_str(&distributions("Discrete", |found| is_over(found, Element::Int)));
    let is_univariate = |found: &Distribution| matches!(found.outcome, Outcome::Univariate(..));
    text.push_str(&distributions("Multivariate", |found| !is_univariate(found)));
    text.push_str("\n`_lcdf` and `_lccdf` exist for ");
    let with_cdfs = sorted(|found| found.cdfs.is_some()).into_iter();
    let names: Vec<String> = with_cdfs.map(|found| format!("`{}`", found.name)).collect();
    text.push_str(&names.join(", "));
    text.push_str(".\n\n### Functions\n");
    for (title, functions) in function::groups() {
        text.push_str(&group(title, functions));
    }
    text
}

fn is_over(distribution: &Distribution, wanted: Element) -> bool {
    matches!(distribution.outcome, Outcome::Univariate(element, _) if element == wanted)
}

fn sorted(is_wanted: impl Fn(&Distribution) -> bool) -> Vec<&'static Distribution> {
    let mut found: Vec<&'static Distribution> =
        distribution::ALL.iter().copied().filter(|found| is_wanted(found)).collect();
    found.sort_by_key(|found| found.name);
    found
}

fn distributions(title: &str, is_wanted: impl Fn(&Distribution) -> bool) -> String {
    let mut text = heading(title, ["distribution", "outcome x", "log density"]);
    for found in sorted(is_wanted) {
        let row = [&found.signature(), &support(found), found.formula].map(cell);
        text.push_str(&format!("| `{}` | {} | {} |\n", row[0], row[1], row[2]));
    }
    text
}

fn group(title: &str, functions: &'static [Function]) -> String {
    let mut text = heading(title, ["function", "value"]);
    let mut functions: Vec<&Function> = functions.iter().collect();
    functions.sort_by_key(|found| found.name.to_lowercase());
    for found in functions {
        let signatures: Vec<String> =
            found.signatures.iter().map(|signature| format!("`{}`", cell(signature))).collect();
        text.push_str(&format!("| {} | {} |\n", signatures.join("<br>"), cell(found.doc)));
    }
    text
}

/// A title and the head of a table.
fn heading<const N: usize>(title: &str, columns: [&str; N]) -> String {
    format!("\n#### {title}\n\n| {} |\n{}|\n", columns.join(" | "), "|---".repeat(N))
}

/// Bars end cells.
fn cell(text: impl AsRef<str>) -> String {
    text.as_ref().replace('|', "\\|")
}

fn support(distribution: &Distribution) -> String {
    let first = distribution.params.first().map_or("", |param| param.name);
    let second = distribution.params.get(1).map_or("", |param| param.name);
    let last = distribution.params.last().map_or("", |param| param.name);
    match distribution.outcome {
        Outcome::Vector(VectorSupport::Real) => "vector".to_string(),
        Outcome::Vector(VectorSupport::Simplex) => "simplex".to_string(),
        Outcome::CholeskyFactorCorr => "cholesky_factor_corr".to_string(),
        Outcome::Univariate(element, support) => match (element, support) {
            (_, Support::Real) => "real".to_string(),
            (Element::Int, Support::NonNegative) => "whole, ≥ 0".to_string(),
            (_, Support::NonNegative) => "≥ 0".to_string(),
            (_, Support::Positive) => "> 0".to_string(),
            (_, Support::UnitInterval) => "0 to 1".to_string(),
            (_, Support::Binary) => "0 or 1".to_string(),
            (_, Support::FromFirstArgument) => format!("≥ {first}"),
            (_, Support::BetweenArguments) => format!("{first} to {second}"),
            (_, Support::UpToFirstArgument) => format!("whole, 0 to {first}"),
            (_, Support::UpToLength) => format!("whole, 1 to the length of {last}"),
            (_, Support::UpToLengthPlusOne) => {
                format!("whole, 1 to one more than the length of {last}")
            }
        },
    }
}
