//! Words of constructs that the language plans or that Stan has, met where this version stops.

use super::failure::Failure;
use super::grammar::Rule;
use super::token::TokenKind;
use crate::diagnostic::{Code, Diagnostics};
use crate::source::Span;

/// A construct that was recognised: its place, its word, what it is, what to do instead.
struct Planned {
    place: usize,
    what: &'static str,
    help: &'static str,
}

/// Types of the language that this version lacks.
const TYPES: [&str; 9] = [
    "simplex",
    "ordered",
    "positive_ordered",
    "cov_matrix",
    "corr_matrix",
    "cholesky_factor_cov",
    "unit_vector",
    "sum_to_zero_vector",
    "complex",
];

/// Reports a construct of a later version, if the text failed on one.
pub(super) fn report_not_yet(failure: &Failure<'_>, diagnostics: &mut Diagnostics) -> bool {
    let Some(planned) = statement_word(failure).or_else(|| word_at_failure(failure)) else {
        return false;
    };
    let (word, what) = (failure.text(planned.place), planned.what);
    // What is spelled with signs, or is a new use of a known word, goes by its description.
    let has_own_word =
        word.len() > 1 && word != "for" && word.chars().all(|c| c.is_alphabetic() || c == '_');
    let named = if has_own_word { format!("`{word}`, {what},") } else { what.to_string() };
    let message = format!("{named} is not in this version of the language");
    let error = diagnostics.error(Code::NotYet, failure.tokens[planned.place].span, message);
    if !planned.help.is_empty() {
        error.help(planned.help);
    }
    true
}

/// A word that opens the statement in which the text failed.
fn statement_word(failure: &Failure<'_>) -> Option<Planned> {
    let place = failure.statement_start();
    let word = failure.text(place);
    let next = failure.text(place + 1);
    let next_is_word = failure.kind(place + 1) == Some(TokenKind::Word);
    let (what, help) = match word {
        "if" | "else" => (
            "a conditional statement",
            "a comparison is 0 or 1: weigh what each case adds, as in \
             `target += (y > 0) * a + (y <= 0) * b;`",
        ),
        "while" => ("a loop without bounds", "loop over a range: `for (n in 1:N)`"),
        "functions" if next == "{" => ("the block of user functions", "write the expression out"),
        "print" if next == "(" => ("a trace statement", "remove it"),
        "reject" if next == "(" => ("a statement that refuses a point", "remove it"),
        "factor" if next_is_word => (
            "the numbering of a column's values",
            "number the column 1 to K in the data, and declare `int` K outside `branch`",
        ),
        "table" if next_is_word => {
            ("a second, keyed file", "join its columns to the rows in the data")
        }
        _ if TYPES.contains(&word) && is_declaration(failure, place) => type_advice(word),
        _ => return None,
    };
    Some(Planned { place, what, help })
}

/// Whether a type's word is used as one, and not as a name.
fn is_declaration(failure: &Failure<'_>, place: usize) -> bool {
    let fails_on_name = failure.kind(failure.found) == Some(TokenKind::Word);
    place == failure.found || (["[", "<"].contains(&failure.text(place + 1)) && fails_on_name)
}

fn type_advice(word: &str) -> (&'static str, &'static str) {
    match word {
        "corr_matrix" => (
            "a constrained type",
            "`cholesky_factor_corr[K]` with `lkj_corr_cholesky` says the same of its factor",
        ),
        "cov_matrix" | "cholesky_factor_cov" => (
            "a constrained type",
            "scale a correlation factor: `diag_pre_multiply(tau, L)` with \
             `cholesky_factor_corr[K] L`",
        ),
        _ => ("a constrained type", ""),
    }
}

/// A construct that shows at the very token where the text failed.
fn word_at_failure(failure: &Failure<'_>) -> Option<Planned> {
    let place = failure.found;
    let before = place.checked_sub(1).map_or("", |at| failure.text(at));
    let next = failure.text(place + 1);
    let ends_item = failure.expects(Rule::semicolon);
    let (what, help) = match failure.text(place) {
        word if TYPES.contains(&word) && failure.expects(Rule::base_type) => type_advice(word),
        "index" if next == "(" => (
            "the type of a factor's or a table's number",
            "declare `array[N] int<lower=1, upper=K>`",
        ),
        "missing" if ends_item => ("a column with empty cells", "drop the rows that lack it"),
        "levels" if next == "(" => ("the levels of a factor", ""),
        "offset" | "multiplier" if failure.expects(Rule::bound_word) => (
            "an affine transform of an unknown",
            "leave it out; it changes how the model is fitted, not what it means",
        ),
        "T" if next == "[" && ends_item => ("truncation of a distribution, `T[,]`,", ""),
        "==" if failure.kind(place.wrapping_sub(1)) == Some(TokenKind::Text) => (
            "a test for one value of a column, `from … == …`,",
            "make a column of zeros and ones in the data",
        ),
        "(" if before == "from" => ("a factor from several columns", ""),
        "." if failure.kind(place + 1) == Some(TokenKind::Word) => {
            ("a column of a table", "join its columns to the rows in the data")
        }
        ")" if failure.expects(Rule::colon) && failure.opener() == Some("for") => {
            ("a loop over a container", "loop over positions: `for (n in 1:N)`")
        }
        _ => return None,
    };
    // A loop over a container is best named by its first word.
    let place = if failure.text(place) == ")" { failure.statement_start() } else { place };
    Some(Planned { place, what, help })
}

/// Reports a block of Stan, if the text failed on the word of one.
pub(super) fn report_stan_block(failure: &Failure<'_>, diagnostics: &mut Diagnostics) -> bool {
    let at = failure.found;
    let mut span = failure.span();
    let (name, help) = match (failure.text(at), failure.text(at + 1)) {
        ("parameters", "{") => (
            "parameters",
            "declare unknowns of all branches in `global`, those of one branch in `local`",
        ),
        ("model", "{") => (
            "model",
            "distributions of unknowns of all branches belong in `global`, those of one branch \
             and its data in `local`",
        ),
        ("transformed", "parameters") => (
            "transformed parameters",
            "declare the quantity with `=` in `global`, or in `local` when it is one branch's",
        ),
        ("transformed", "data") => ("transformed data", "declare the quantity with `=` in `data`"),
        ("generated", "quantities") => (
            "generated quantities",
            "declare the quantity with `=` in `global`, or in `local` when it is one branch's",
        ),
        _ => return false,
    };
    if name.contains(' ') {
        span = Span { end: failure.tokens[at + 1].span.end, ..span };
    }
    diagnostics
        .error(Code::StanBlock, span, format!("there is no block `{name}`"))
        .primary("a block of Stan")
        .help(format!("a model has the blocks `data`, `global` and `local`: {help}"));
    true
}
