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

/// Types of Stan that this version lacks.
const TYPES: [&str; 10] = [
    "corr_matrix",
    "cholesky_factor_cov",
    "unit_vector",
    "sum_to_zero_vector",
    "complex",
    "complex_vector",
    "complex_row_vector",
    "complex_matrix",
    "tuple",
    "void",
];

/// Reports a construct of a later version, if the text failed on one.
pub(super) fn report_not_yet(failure: &Failure<'_>, diagnostics: &mut Diagnostics) -> bool {
    let Some(planned) = statement_word(failure).or_else(|| word_at_failure(failure)) else {
        return false;
    };
    let (word, what) = (failure.text(planned.place), planned.what);
    // What is spelled with signs goes by its description.
    let has_own_word = word.len() > 1 && word.chars().all(|c| c.is_alphabetic() || c == '_');
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
    let (what, help) = match word {
        "while" => ("a loop without bounds", "loop over a range: `for (n in 1:N)`"),
        "print" if next == "(" => ("a trace statement", "remove it"),
        "reject" if next == "(" => ("a statement that refuses a point", "remove it"),
        "break" | "continue" if next == ";" => {
            ("a way out of a loop", "put what is done only sometimes under an `if`")
        }
        "increment_log_prob" if next == "(" => {
            ("an old form of Stan", "add to the log density: `target += …;`")
        }
        _ if TYPES.contains(&word) && is_declaration(failure, place) => type_advice(word),
        _ => return None,
    };
    Some(Planned { place, what, help })
}

/// Whether a type's word is used as one, and not as a name.
fn is_declaration(failure: &Failure<'_>, place: usize) -> bool {
    let fails_on_name = failure.kind(failure.found) == Some(TokenKind::Word);
    let has_parts = ["[", "<", "("].contains(&failure.text(place + 1));
    let is_type = has_parts || failure.found == place + 1;
    place == failure.found || (fails_on_name && is_type)
}

fn type_advice(word: &str) -> (&'static str, &'static str) {
    match word {
        "corr_matrix" => (
            "a constrained type",
            "`cholesky_factor_corr[K]` with `lkj_corr_cholesky` says the same of its factor",
        ),
        "cholesky_factor_cov" => (
            "a constrained type",
            "scale a correlation factor: `diag_pre_multiply(tau, L)` with \
             `cholesky_factor_corr[K] L`",
        ),
        "unit_vector" => (
            "a constrained type",
            "divide a vector by its length: `v / sqrt(dot_self(v))` with \
             `vector[K] v ~ std_normal();`",
        ),
        "sum_to_zero_vector" => (
            "a constrained type",
            "declare one element less and append the rest: `append_row(b, -sum(b))`",
        ),
        "tuple" => ("a value of several parts", "declare each part by a name of its own"),
        "void" => ("a function without a value", "write the type of the value that it returns"),
        _ => ("a type of complex numbers", "declare the real and the imaginary part"),
    }
}

/// A construct that shows at the very token where the text failed.
fn word_at_failure(failure: &Failure<'_>) -> Option<Planned> {
    let place = failure.found;
    let next = failure.text(place + 1);
    let ends_item = failure.expects(Rule::semicolon);
    let (what, help) = match failure.text(place) {
        word if TYPES.contains(&word) && failure.expects_type() => type_advice(word),
        "offset" | "multiplier" if failure.expects(Rule::bound_word) => (
            "an affine transform of an unknown",
            "leave it out; it changes how the model is fitted, not what it means",
        ),
        "T" if next == "[" && ends_item => (
            "truncation of a distribution, `T[,]`,",
            "leave it out where its limits and the arguments are constant; elsewhere write the \
             density less the mass that is kept, in place of `~`: \
             `target += normal_lpdf(z | mu, tau) - normal_lccdf(a | mu, tau);`",
        ),
        _ => return None,
    };
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
