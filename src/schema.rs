//! What a model wants of its data: the checker writes it, binding reads it.

use crate::source::Span;
use crate::ty::{Element, Level, Size};

/// Everything a model reads from files and settings.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Columns that name the branch: one, several for a compound key, none when every row is
    /// a branch of its own.
    pub key: Vec<String>,
    /// The name of the row count, if the model gives it one.
    pub rows: Option<Rows>,
    /// Columns whose values are numbered, in order of declaration.
    pub factors: Vec<Factor>,
    /// Keyed files, in order of declaration.
    pub tables: Vec<Table>,
    /// Every datum, derived and hidden ones included.
    pub data: Vec<Datum>,
    /// Data whose cells may be empty, where the model reads them other than as an outcome: an
    /// error once cells are empty indeed.
    pub missing_reads: Vec<(usize, Span)>,
    /// Of these, data that are to be drawn cell after cell: there it is no error where empty cells
    /// are the last of their branch.
    pub drawn_in_turn: Vec<usize>,
}

/// `rows N …`.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The author's name for the count.
    pub name: String,
    /// `rows N = 4`: each branch must have as many.
    pub count: Option<u64>,
    /// `by` columns: rows are sorted by these.
    pub by: Vec<String>,
    /// Where it is declared.
    pub span: Span,
}

/// `factor NAME …`: distinct values of a column, numbered from one.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// Its name. The number of its levels is the size [`levels_size`] of this name.
    pub name: String,
    /// Its column, or several whose combinations are numbered.
    pub columns: Vec<String>,
    /// The levels in order, where the model writes them.
    pub levels: Option<Vec<String>>,
    /// Where it is declared.
    pub span: Span,
}

/// `table NAME by KEY { … }`: a file of its own with one row for each key.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its name. The number of its rows is the size [`levels_size`] of this name.
    pub name: String,
    /// The column that names its rows.
    pub key: String,
    /// Where it is declared.
    pub span: Span,
}

/// What numbers of a datum stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbered {
    /// Levels of the k-th factor.
    Factor(usize),
    /// Rows of the k-th table.
    Table(usize),
}

/// The number of levels of a factor, or of rows of a table, by name: it shows as `size(item)`.
pub fn levels_size(name: &str) -> Size {
    Size::datum(&format!("size({name})"))
}

/// The text by which a level, a key of a table or a compared cell is known: numbers in plain
/// notation lose what does not change their value, so that `1` and `1.0` are one level, and any
/// other text stays as it is (`01` and `1e0` are no plain numbers).
pub(crate) fn level_text(text: &[u8]) -> &[u8] {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let point = digits.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&digits[..point], Some(&digits[point + 1..])),
        None => (digits, None),
    };
    let is_plain = match whole {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let is_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !is_plain || !fraction.is_none_or(is_digits) {
        return text;
    }
    let n_zeros = fraction.map_or(0, |part| part.iter().rev().take_while(|&&b| b == b'0').count());
    let has_bare_point = fraction.is_some_and(|part| part.len() == n_zeros);
    match &text[..text.len() - n_zeros - usize::from(has_bare_point)] {
        b"-0" => b"0",
        short => short,
    }
}

/// One name of the `data` block.
#[derive(Clone, Debug)]
pub struct Datum {
    /// Its name; `table.column` for a column of a table.
    pub name: String,
    /// The table it is a column of: then it is whole data whose first dimension is the number
    /// of the table's rows.
    pub table: Option<usize>,
    /// What its numbers stand for, where it is declared as `index(…)`: numbers from one.
    pub numbered: Option<Numbered>,
    /// Whether cells may be empty; a datum of origin [`Origin::Observed`] then tells which
    /// are not.
    pub may_be_missing: bool,
    /// One for the whole data set or one per branch (per row if `per_row`).
    pub level: Level,
    /// Whether its first dimension is the number of rows of the branch.
    pub per_row: bool,
    /// Whole numbers or reals.
    pub element: Element,
    /// All dimensions, the rows included.
    pub dims: Vec<Size>,
    /// Smallest value allowed, where declared.
    pub lower: Option<Bound>,
    /// Largest value allowed, where declared.
    pub upper: Option<Bound>,
    /// Where its values come from.
    pub origin: Origin,
    /// Where it is declared.
    pub span: Span,
    /// The declared type in the author's words, for `hbdc data` and messages.
    pub type_text: String,
}

/// A declared bound.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A number.
    Number(f64),
    /// The k-th datum of the schema: the same branch's or the same row's value.
    Datum(usize),
}

/// Where a datum's values come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// The column of this name.
    Column(String),
    /// Columns by name or by a pattern with one or more `*`.
    Columns(Vec<String>),
    /// 1 where the column's cell reads so, else 0.
    Equals {
        /// The column.
        column: String,
        /// What its cells are compared with.
        value: String,
    },
    /// The columns of the combination that its factor numbers.
    Combination(Vec<String>),
    /// 1 where the k-th datum, whose cells may be empty, has a value, else 0; of the same
    /// dimensions. The empty cells of that datum hold some value that is there.
    Observed(usize),
    /// The values of the k-th datum, less their mean and divided by their standard deviation
    /// (of n - 1) over all rows, branches or rows of the table, column by column; of the same
    /// dimensions.
    Standardized(usize),
    /// How many levels a factor, or rows a table has: an `int` named as [`levels_size`].
    Levels(Numbered),
    /// `--set NAME=VALUE`, or `Dataset::set`.
    Set,
    /// Computed from other data when these are loaded.
    Derived,
}

#[cfg(test)]
mod tests {
    use super::level_text;

    #[test]
    fn equal_numbers_have_one_text() {
        let known = |text: &'static str| level_text(text.as_bytes());
        for (text, shortest) in [("1.0", "1"), ("2.50", "2.5"), ("-0", "0"), ("-0.00", "0")] {
            assert_eq!(known(text), shortest.as_bytes(), "{text}");
        }
        for text in ["", "-", ".", "1.", ".5", "01", "01.0", "1e0", "+1.0", "1.0.0", "a.0", "-0.5"]
        {
            assert_eq!(known(text), text.as_bytes(), "{text}");
        }
    }
}
