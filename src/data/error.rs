//! What is wrong with a data set, in the words of its files.
//!
//! A [`DataError`] says what, where (file and line, column, branch), why and what to do. The
//! first place found is the message; the next few stand below it and the rest are counted.

use std::fmt;

use crate::source::Span;

/// How many places one error names; the others are counted.
pub(super) const MAX_PLACES: usize = 5;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The kind of fault of a [`DataError`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum DataErrorKind {
            $($(#[$doc])* $variant,)*
        }

        impl DataErrorKind {
            /// The stable name, in words.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(DataErrorKind::$variant => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// The file cannot be opened or read, or changed while it was being read.
    File = "data-file",
    /// There is no header, or it names a column twice or not in UTF-8.
    Header = "data-header",
    /// A record has more or fewer fields than the header, or a quote is never closed.
    Record = "data-record",
    /// New data do not go with the fit that they are given to.
    OtherData = "other-data",
    /// There are no rows.
    NoRows = "no-rows",
    /// The model wants a column that is not there.
    MissingColumn = "missing-column",
    /// A column of a Parquet file holds what is not read, such as dates.
    ColumnType = "column-type",
    /// Columns given directly differ in length.
    ColumnLength = "column-length",
    /// A pattern matches more or fewer columns than the declaration has room for.
    ColumnCount = "column-count",
    /// A cell is empty, `NA` or `NaN`.
    MissingValue = "missing-value",
    /// A cell is not a finite number.
    NotANumber = "not-a-number",
    /// A cell of an `int` is not a whole number of at most 2^53.
    NotWhole = "not-whole",
    /// A value lies outside its declared bounds.
    OutOfRange = "out-of-range",
    /// A value declared once per branch differs between rows of a branch.
    VariesInBranch = "varies-in-branch",
    /// A branch does not have the declared number of rows.
    RowCount = "row-count",
    /// Two rows of a branch have the same place in the declared order.
    Tie = "tied-rows",
    /// A whole-data name is not set, or a name is set that must not be.
    Setting = "setting",
    /// A value does not have the declared shape.
    Shape = "data-shape",
    /// A size is negative, too large or not known.
    Size = "data-size",
    /// An index read from data is out of range.
    Index = "index",
    /// A column of numbered values holds one that is no level of its factor.
    UnknownLevel = "unknown-level",
    /// A value that is looked up in a table is not among its keys.
    UnknownKey = "unknown-key",
    /// Two rows of a table, or of the file of branches, have the same key.
    DuplicateKey = "duplicate-key",
    /// A table of the model has no file, or a file is given for none.
    TableFile = "table-file",
    /// A file of branches is given to a model whose branches have no key.
    BranchesFile = "branches-file",
    /// A branch has rows and is not listed in the file of branches.
    UnlistedBranch = "unlisted-branch",
    /// Both files have the column of a value per branch.
    TwoSources = "column-in-two-files",
    /// A datum with empty cells is read other than as an outcome.
    MissingRead = "missing-read",
    /// A column that is to be standardised has one value, or but one row.
    Constant = "constant-column",
    /// No rows can be held out as asked.
    HoldOut = "hold-out",
    /// There are more rows than this version counts.
    TooLarge = "too-large",
    /// Reading the data would take more memory than is allowed.
    Memory = "memory",
}

/// Why a data set does not fit a model, or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    kind: DataErrorKind,
    message: String,
    details: Vec<String>,
    n_more: usize,
    help: Option<String>,
    span: Option<Span>,
}

impl DataError {
    pub(crate) fn new(kind: DataErrorKind, message: impl Into<String>) -> DataError {
        let message = message.into();
        DataError { kind, message, details: Vec::new(), n_more: 0, help: None, span: None }
    }

    /// Says what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> DataError {
        self.help = Some(help.into());
        self
    }

    /// Says which declaration of the model it concerns.
    pub(crate) fn at(mut self, span: Span) -> DataError {
        self.span = Some(span);
        self
    }

    /// Adds a further fault to the details.
    pub(super) fn also(mut self, other: DataError) -> DataError {
        if self.details.len() + 1 < MAX_PLACES {
            self.details.push(other.message);
        } else {
            self.n_more += 1;
        }
        self
    }

    /// The kind of fault.
    pub fn kind(&self) -> DataErrorKind {
        self.kind
    }

    /// The stable name of the kind, in words.
    pub fn code(&self) -> &'static str {
        self.kind.as_str()
    }

    /// What is wrong and where: the first place found.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same at other places: a few of them.
    pub fn details(&self) -> &[String] {
        &self.details
    }

    /// How many more places have a fault, beyond the message and [`DataError::details`].
    pub fn n_more(&self) -> usize {
        self.n_more
    }

    /// What to do about it.
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The declaration in the model's text that it concerns.
    pub fn span(&self) -> Option<Span> {
        self.span
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for detail in &self.details {
            write!(f, "\n  also {detail}")?;
        }
        if self.n_more > 0 {
            write!(f, "\n  and {} more", self.n_more)?;
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DataError {}

/// The same kind of fault at many places: keeps the first few and counts the rest.
#[derive(Debug, Default)]
pub(super) struct Places {
    shown: Vec<String>,
    total: usize,
    first: Option<(DataErrorKind, Option<String>)>,
}

impl Places {
    /// The same; `help` is shown if this place is the first.
    pub(super) fn add_with_help(
        &mut self,
        kind: DataErrorKind,
        help: Option<String>,
        text: impl FnOnce() -> String,
    ) {
        if self.shown.len() < MAX_PLACES {
            self.shown.push(text());
        }
        self.first.get_or_insert((kind, help));
        self.total += 1;
    }

    /// Whether there are none yet.
    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The error that names them, if there are any.
    pub(super) fn into_error(self) -> Option<DataError> {
        let (kind, help) = self.first?;
        let n_more = self.total - self.shown.len();
        let mut shown = self.shown.into_iter();
        let message = shown.next()?;
        Some(DataError { kind, message, details: shown.collect(), n_more, help, span: None })
    }
}

/// A number as messages show it: short, and without hundreds of zeros.
pub(super) fn show_number(value: f64) -> String {
    let magnitude = value.abs();
    if value != 0.0 && !(1e-5..1e16).contains(&magnitude) && value.is_finite() {
        format!("{value:e}")
    } else {
        format!("{value}")
    }
}

/// The text of a cell as messages show it: on one line, and cut where it is long.
pub(super) fn show_text(bytes: &[u8]) -> String {
    const MAX_CHARS: usize = 40;
    let text = String::from_utf8_lossy(bytes);
    let mut shown: String = text.chars().take(MAX_CHARS).flat_map(visible).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// Control characters are escaped, so that a cell cannot steer the terminal.
fn visible(c: char) -> Vec<char> {
    if c.is_control() { c.escape_default().collect() } else { vec![c] }
}
