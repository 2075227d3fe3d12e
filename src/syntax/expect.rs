//! Syntax errors in words: what was expected, what stands there, and what was probably meant.
//!
//! pest reports the furthest place it reached and the rules it tried there. Everything else is
//! read off the tokens around that place.

use super::failure::Failure;
use super::grammar::Rule;
use super::planned;
use super::token::TokenKind;
use crate::diagnostic::{Code, Diagnostics};

/// Words that begin a type and cannot be names.
pub(super) const TYPES: [&str; 11] = [
    "int",
    "real",
    "vector",
    "row_vector",
    "matrix",
    "cholesky_factor_corr",
    "simplex",
    "ordered",
    "positive_ordered",
    "cov_matrix",
    "array",
];

/// Other words that cannot be names.
const RESERVED: [&str; 9] =
    ["data", "global", "local", "for", "target", "if", "else", "while", "return"];

fn is_reserved(word: &str) -> bool {
    TYPES.contains(&word) || RESERVED.contains(&word)
}

/// The blocks of a model.
const BLOCKS: [&str; 4] = ["functions", "data", "global", "local"];

impl Failure<'_> {
    /// Reports the one error that the failure is.
    pub(super) fn report(&self, diagnostics: &mut Diagnostics) {
        if self.is_outside_blocks() {
            let _ = planned::report_stan_block(self, diagnostics)
                || planned::report_not_yet(self, diagnostics)
                || self.report_block_order(diagnostics);
            return;
        }
        let _ = planned::report_not_yet(self, diagnostics)
            || self.report_open_bracket(diagnostics)
            || self.report_missing_semicolon(diagnostics)
            || self.report_mistaken_assignment(diagnostics)
            || self.report_reserved(diagnostics)
            || self.report_expected(diagnostics);
    }

    fn is_outside_blocks(&self) -> bool {
        self.open.is_empty() && (self.expects(Rule::EOI) || self.expects(Rule::file))
    }

    /// A block repeated or out of order, or something that is no block.
    fn report_block_order(&self, diagnostics: &mut Diagnostics) -> bool {
        let word = self.text(self.found);
        let mut help = "a model has the blocks `data`, `global` and `local`, in this order";
        if word == "functions" {
            help =
                "a model has the blocks `functions`, `data`, `global` and `local`, in this order";
        }
        if !BLOCKS.contains(&word) {
            if TYPES.contains(&word) {
                help = "data are declared in `data { … }`, unknowns in `global { … }` or \
                        `local { … }`";
            }
            let message = format!("expected a block, found {}", self.found_text());
            diagnostics.error(Code::Syntax, self.span(), message).help(help);
            return true;
        }
        let first = (0..self.found).find(|&position| {
            self.text(position) == word
                && self.text(position + 1) == "{"
                && self.depth_at(position) == 0
        });
        let message = match first {
            Some(_) => format!("a second `{word}` block"),
            None => format!("the `{word}` block stands too late"),
        };
        let error = diagnostics.error(Code::Syntax, self.span(), message);
        error.help(help);
        if let Some(first) = first {
            error.label(self.tokens[first].span, "the first is here");
        }
        true
    }

    /// A closing bracket of another kind, or the end of the text inside brackets.
    fn report_open_bracket(&self, diagnostics: &mut Diagnostics) -> bool {
        let Some(&opener) = self.open.last() else {
            return false;
        };
        let bracket = self.text(opener).to_string();
        let closer = match bracket.as_str() {
            "(" => ")",
            "[" => "]",
            _ => "}",
        };
        let found = self.text(self.found);
        let at_end = self.found == self.tokens.len();
        let is_other_closer = [")", "]", "}"].contains(&found) && found != closer;
        // At the end of a statement inside `(` or `[` the bracket is what is missing.
        let ends_statement = found == ";" && bracket != "{";
        let wants_closer = [Rule::close_paren, Rule::close_bracket, Rule::close_brace]
            .iter()
            .any(|rule| self.expects(*rule));
        if !(at_end || ((is_other_closer || ends_statement) && wants_closer)) {
            return false;
        }
        let message = match at_end {
            true => format!("the text ends before this `{bracket}` is closed"),
            false => format!("expected `{closer}`, found `{found}`"),
        };
        let (place, other) = (self.span(), self.tokens[opener].span);
        let error = diagnostics.error(Code::Syntax, if at_end { other } else { place }, message);
        match at_end {
            true => error.help(format!("close it with `{closer}`")),
            false => error.label(other, format!("this `{bracket}` is not closed")),
        };
        true
    }

    fn report_missing_semicolon(&self, diagnostics: &mut Diagnostics) -> bool {
        let (end, start) = (self.end_of_previous().start, self.span().start);
        let on_next_line = self.source.text()[end as usize..start as usize].contains('\n');
        let ends_block = [None, Some(TokenKind::CloseBrace)].contains(&self.kind(self.found));
        if !self.expects(Rule::semicolon) || !(on_next_line || ends_block) {
            return false;
        }
        diagnostics
            .error(Code::Syntax, self.end_of_previous(), "expected `;` after this statement")
            .primary("`;` is missing here");
        true
    }

    /// `a <- b;` and `a == b;` read as comparisons until the statement ends without a relation.
    fn report_mistaken_assignment(&self, diagnostics: &mut Diagnostics) -> bool {
        let at_end = self.text(self.found) == ";" && self.expects(Rule::assign_op);
        let mut places = self.statement_start()..self.found;
        let Some(place) =
            places.find(|at| at_end && (self.is_arrow(*at) || self.text(*at) == "=="))
        else {
            return false;
        };
        let mut span = self.tokens[place].span;
        if self.is_arrow(place) {
            span = span.to(self.tokens[place + 1].span);
        }
        let found = self.source.slice(span);
        diagnostics
            .error(Code::Syntax, span, format!("expected `=` or `~`, found `{found}`"))
            .help("`=` assigns, `~` gives a distribution");
        true
    }

    fn report_reserved(&self, diagnostics: &mut Diagnostics) -> bool {
        let word = self.text(self.found);
        if self.begins_statement()
            || !is_reserved(word)
            || !(self.expects(Rule::name) || self.expects_expression())
            || self.expects_type()
        {
            return false;
        }
        let message = match word {
            "target" => "`target` can only be added to".to_string(),
            _ => format!("`{word}` is a word of the language and cannot be a name here"),
        };
        let error = diagnostics.error(Code::Syntax, self.span(), message);
        match word {
            "target" => error.help("write `target += …;` as a statement of its own"),
            _ => error.help(
                "choose another name; for a column called so write `NAME from \"…\"` in `data`",
            ),
        };
        true
    }

    fn report_expected(&self, diagnostics: &mut Diagnostics) -> bool {
        let found = self.found_text();
        let message = match self.expected_words() {
            words if words.is_empty() => format!("unexpected {found}"),
            words => format!("expected {words}, found {found}"),
        };
        let error = diagnostics.error(Code::Syntax, self.span(), message);
        if let Some(help) = self.slip() {
            error.help(help);
        }
        true
    }

    fn found_text(&self) -> String {
        match self.kind(self.found) {
            None => "the end of the text".to_string(),
            Some(TokenKind::Text) => "a string".to_string(),
            Some(_) => {
                let text = self.text(self.found);
                let short: String = text.chars().take(40).collect();
                format!("`{short}{}`", if short.len() < text.len() { "…" } else { "" })
            }
        }
    }

    pub(super) fn expects_type(&self) -> bool {
        [Rule::base_type, Rule::unsized_base, Rule::unsized_type, Rule::type_expr]
            .iter()
            .any(|rule| self.expects(*rule))
    }

    fn expects_expression(&self) -> bool {
        self.expects(Rule::expr) || self.expects(Rule::arithmetic) || self.expects(Rule::number)
    }

    /// The expected things as a list: "`;`, `,` or an expression".
    fn expected_words(&self) -> String {
        let mut words: Vec<&str> = Vec::new();
        let closers = [Rule::close_paren, Rule::close_bracket];
        let is_first = self.open.last().is_some_and(|opener| opener + 1 == self.found);
        if closers.iter().any(|rule| self.expects(*rule)) && self.is_in_list() && !is_first {
            words.push("`,`");
        }
        for rule in self.expected {
            let word = match rule {
                Rule::name if self.expects(Rule::number) => "an expression",
                Rule::name if self.previous_text() == "~" => "a distribution",
                // Where a declaration or a statement may begin, its kinds go without saying.
                _ if self.begins_statement() => match rule_words(*rule) {
                    "`}`" => "`}`",
                    _ => "a statement",
                },
                Rule::type_expr if self.begins_item() => "a declaration",
                rule => rule_words(*rule),
            };
            if !word.is_empty() && !words.contains(&word) {
                words.push(word);
            }
        }
        // These could always follow; they are worth a word only if nothing else could.
        words.retain(|word| *word != "`[`" || self.expected == [Rule::open_bracket]);
        let only_ends = words.iter().all(|word| *word == "`;`");
        if only_ends && self.expects(Rule::binary_op) {
            words.insert(0, "an operator");
        }
        match words.split_last() {
            None => String::new(),
            Some((last, [])) => last.to_string(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        }
    }

    pub(super) fn begins_statement(&self) -> bool {
        self.expects(Rule::target_word) || self.expects(Rule::relation)
    }

    pub(super) fn begins_item(&self) -> bool {
        self.expects(Rule::rows_item)
            || self.expects(Rule::rows_word)
            || self.expects(Rule::data_declaration)
    }
}

/// The name of a rule for a reader; empty for what merely could go on.
fn rule_words(rule: Rule) -> &'static str {
    match rule {
        Rule::expr | Rule::arithmetic | Rule::number | Rule::paren | Rule::row_vector => {
            "an expression"
        }
        Rule::array | Rule::unary_op | Rule::subscript => "an expression",
        Rule::name | Rule::declarator | Rule::data_name => "a name",
        Rule::names => "a column name",
        Rule::type_expr | Rule::base_type => "a type",
        Rule::index_type | Rule::index_word | Rule::array_of | Rule::array_word => "a type",
        Rule::unsized_type | Rule::unsized_base | Rule::array_axes => "a type",
        Rule::rows_item | Rule::data_declaration | Rule::rows_word => "a declaration",
        Rule::factor_item | Rule::factor_word => "a declaration",
        Rule::table_section | Rule::table_word => "a declaration",
        Rule::function_definition => "a function",
        Rule::parameter => "an argument",
        Rule::axis_comma => "`,`",
        Rule::branch_section | Rule::branch_word => "`branch`",
        Rule::distribution => "a distribution",
        Rule::text => "a string",
        Rule::columns | Rule::cols_word => "`cols(…)`",
        Rule::bound | Rule::bound_word => "`lower` or `upper`",
        Rule::from | Rule::from_word | Rule::factor_columns => "`from`",
        Rule::missing_word => "`missing`",
        Rule::levels | Rule::levels_word => "`levels(…)`",
        Rule::same_as => "`==`",
        Rule::by_word => "`by`",
        Rule::in_word => "`in`",
        Rule::semicolon => "`;`",
        Rule::tilde => "`~`",
        Rule::equals | Rule::assign_op => "`=`",
        Rule::plus_equals => "`+=`",
        Rule::colon => "`:`",
        Rule::open_brace | Rule::function_body => "`{`",
        Rule::close_brace => "`}`",
        Rule::open_paren | Rule::parameters => "`(`",
        Rule::close_paren => "`)`",
        Rule::open_bracket => "`[`",
        Rule::close_bracket => "`]`",
        Rule::close_angle => "`>`",
        _ => "",
    }
}
