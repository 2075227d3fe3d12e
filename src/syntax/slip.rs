//! What was probably meant, told from the token that does not fit and those around it.

use super::expect::TYPES;
use super::failure::Failure;
use super::grammar::Rule;
use super::token::TokenKind;

impl Failure<'_> {
    /// What was probably meant.
    pub(super) fn slip(&self) -> Option<&'static str> {
        let start = self.statement_start();
        let statement = || start..self.found;
        let found = self.text(self.found);
        let follows_number = self.kind(self.found) == Some(TokenKind::Word)
            && self.found > 0
            && matches!(self.kind(self.found - 1), Some(TokenKind::Integer | TokenKind::Real))
            && self.touches_next(self.found - 1);
        let begins_declaration =
            statement().any(|at| TYPES.contains(&self.text(at)) || self.text(at) == "index");
        match found {
            "<" if self.is_arrow(self.found) => Some("assign with `=`"),
            "==" if self.expects(Rule::equals) => Some("`=` gives a value, `==` compares"),
            "=" if self.expects(Rule::binary_op) => Some("`==` compares, `=` gives a value"),
            "=" | "~" if self.expects(Rule::plus_equals) => {
                Some("add to the log density: `target += …;`")
            }
            "," if self.text(start) == "factor" && self.expects(Rule::semicolon) => {
                Some("each factor is written on its own: `factor a; factor b;`")
            }
            _ if self.previous_text() == "[" && self.expects(Rule::axis_comma) => {
                Some("arguments have types without sizes and bounds: `vector x`, `array[] int k`")
            }
            "[" | "<" if self.is_argument() => {
                Some("arguments have types without sizes and bounds: `vector x`, `array[] int k`")
            }
            "[" if self.previous_text() == ")"
                && begins_declaration
                && self.expects(Rule::name) =>
            {
                Some("several such numbers are an array: `array[N] index(items) x`")
            }
            "[" if begins_declaration && self.expects(Rule::semicolon) => {
                Some("sizes stand in the type: `vector[N] x` or `array[N] real x`")
            }
            ";" if self.begins_statement() || self.begins_item() => Some("remove this `;`"),
            ";" if self.previous_text() == "return" => {
                Some("a function gives a value: `return …;`")
            }
            "else" => Some(
                "`else` belongs behind the one statement of an `if`; several stand in a block \
                 `{ … }`, without `;` behind it",
            ),
            "(" if self.previous_text() == "from" => Some(
                "`from cols(\"a\", \"b\")` gathers columns; `factor` numbers their combinations",
            ),
            "," if self.opener_is_bare() => {
                Some("brackets hold one value: `[a, b]` is a row vector, `{a, b}` an array")
            }
            "." if self.expects(Rule::binary_op) || self.expects(Rule::semicolon) => {
                Some("a point stands only between a table and its column: `movies.year`")
            }
            "data" if self.expects_type() => {
                Some("arguments are written without `data`: a function may be given anything")
            }
            "|" if self.expects(Rule::binary_op) => {
                Some("a bar stands only behind the first argument of a call; logical or is `||`")
            }
            _ if follows_number => Some("a product is written with `*`"),
            _ if self.begins_item() => {
                Some("`data` has declarations; distributions belong in `global` or `local`")
            }
            _ => None,
        }
    }

    /// Whether the text failed inside the arguments of a function's definition.
    fn is_argument(&self) -> bool {
        let Some(&[block, bracket]) = self.open.first_chunk::<2>() else {
            return false;
        };
        self.open.len() == 2
            && block.checked_sub(1).is_some_and(|at| self.text(at) == "functions")
            && self.text(bracket) == "("
    }

    /// Whether the innermost open bracket is round and belongs to no call.
    fn opener_is_bare(&self) -> bool {
        let opener = self.open.last().is_some_and(|&at| self.text(at) == "(");
        opener && !self.is_in_list() && !matches!(self.opener(), Some("for" | "if"))
    }
}
