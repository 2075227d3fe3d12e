//! The stable names of diagnostics. `hbdc explain CODE` has a page for each.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The stable name of a kind of diagnostic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The name as printed.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)*
                }
            }
        }
    };
}

codes! {
    /// The text does not follow the grammar.
    Syntax = "syntax",
    /// Brackets nest deeper than the compiler follows.
    Nesting = "nesting",
    /// A construct of the language that this version does not have yet.
    NotYet = "not-yet",
    /// A block of Stan that is written otherwise here.
    StanBlock = "stan-block",
    /// The text is longer than the compiler reads.
    FileSize = "file-size",

    // Names.
    /// A name that nothing has.
    UnknownName = "unknown-name",
    /// One name for two things.
    DuplicateName = "duplicate-name",
    /// A name that is declared further down.
    UsedBeforeDeclared = "used-before-declared",
    /// The key of the branches used as if it were a datum.
    KeyNotDatum = "key-not-datum",
    /// An index for branches, which the language does not have.
    BranchIndex = "branch-index",
    /// A loop over branches.
    BranchLoop = "branch-loop",
    /// `global` mentions something that exists once per branch.
    BranchInGlobal = "branch-in-global",
    /// A branch that reads another, or a statement over all branches.
    AcrossBranches = "across-branches",
    /// Data of the whole set computed from data of a branch.
    BranchInWholeData = "branch-in-whole-data",
    /// Data computed from an unknown.
    UnknownInData = "unknown-in-data",
    /// Data that are computed from themselves.
    DataCycle = "data-cycle",
    /// No function of this name.
    UnknownFunction = "unknown-function",
    /// No distribution of this name.
    UnknownDistribution = "unknown-distribution",

    // The file's own functions.
    /// A function that reads or changes what it was not given.
    FunctionScope = "function-scope",
    /// A function that calls itself or one further down.
    FunctionOrder = "function-order",
    /// A function whose type does not go with the end of its name.
    FunctionType = "function-type",
    /// A function that does not return on every way, or a `return` where none can be.
    NoReturn = "no-return",
    /// A call that draws, where nothing is drawn.
    RandomCall = "random-call",

    // The blocks and the data.
    /// A block that every model has is not there.
    MissingBlock = "missing-block",
    /// `data` without a `branch` section.
    NoBranch = "no-branch",
    /// More than one `branch` section.
    SecondBranch = "second-branch",
    /// A `branch` section inside another.
    NestedBranch = "nested-branch",
    /// More than one `rows`, or one where it has no place.
    Rows = "rows",
    /// A datum whose values cannot be found from its declaration.
    DataSource = "data-source",
    /// A factor whose columns or levels make no sense, or `index` of what is none.
    Factor = "factor",
    /// Cells that cannot be empty, declared `missing`.
    Missing = "missing",
    /// `column` or `standardize` of what has no column.
    Column = "column",
    /// A per-row datum whose first size is not the number of rows.
    RowsFirst = "rows-first",
    /// A bound of a datum that is neither a number nor a datum.
    DataBound = "data-bound",

    // Types and sizes.
    /// A declaration whose type makes no sense.
    BadType = "bad-type",
    /// A size that is not made of whole data, rows and numbers.
    SizeExpression = "size-expression",
    /// Sizes that differ.
    SizeMismatch = "size-mismatch",
    /// A local unknown whose size depends on the rows of its branch.
    LocalSize = "local-size",
    /// A value of one type where another is wanted.
    TypeMismatch = "type-mismatch",
    /// One value per row where one number is wanted.
    PerRowValue = "per-row-value",
    /// Operands that an operator does not take.
    Operands = "operands",
    /// A subscript that is not a whole number, or too many of them.
    Index = "index",
    /// A subscript or loop bound that depends on an unknown.
    IndexUnknown = "index-unknown",
    /// A slice whose size is not known beforehand.
    SliceSize = "slice-size",
    /// A subscript out of range.
    IndexRange = "index-range",
    /// The quotient of two whole numbers.
    IntegerDivision = "integer-division",
    /// A constraint that cannot hold here.
    Constraint = "constraint",
    /// An unknown that is a whole number.
    DiscreteUnknown = "discrete-unknown",
    /// Bounds of a loop that say nothing of how often it runs.
    LoopBound = "loop-bound",
    /// Assignment to what cannot be assigned.
    Assignment = "assignment",

    // Functions and distributions.
    /// Arguments that a function does not take.
    ArgumentTypes = "argument-types",
    /// Too few or too many arguments.
    ArgumentCount = "argument-count",
    /// An argument outside the range that a distribution wants.
    ArgumentRange = "argument-range",
    /// An unknown as scale or probability that its declaration does not keep in range.
    ArgumentSupport = "argument-support",
    /// A bar where there is none, or none where there is one.
    DensityBar = "density-bar",
    /// `normal` for `normal_lpdf`, or the reverse.
    DensityName = "density-name",
    /// An outcome that a distribution is not over.
    OutcomeType = "outcome-type",
    /// An unknown declared wider than its distribution.
    OutcomeSupport = "outcome-support",

    // The density.
    /// The left side of `~` is neither an unknown nor a datum.
    SampleLeft = "sample-left",
    /// `local` gives a distribution to a global.
    GlobalInLocal = "global-in-local",
    /// `local` gives a distribution to whole data.
    WholeDataInLocal = "whole-data-in-local",
    /// A `target` term in `local` that reads nothing of the branch.
    TargetOfGlobals = "target-of-globals",
    /// A local unknown without a distribution.
    NoPrior = "no-prior",
    /// A global unknown without a distribution, on an unbounded support.
    FlatPrior = "flat-prior",
    /// Two distributions for one unknown.
    DoubledPrior = "doubled-prior",
    /// A name that is declared and never read.
    Unused = "unused",
    /// A nonlinear expression of an unknown left of `~`.
    NonlinearLeft = "nonlinear-left",
    /// A declared bound that cuts off a part of a distribution that depends on unknowns.
    TruncatedPrior = "truncated-prior",
    /// A uniform prior over a range that is a habit.
    WideUniform = "wide-uniform",
    /// A gamma prior with tiny shape and rate.
    VagueGamma = "vague-gamma",
    /// Rows treated unequally although nothing says in what order they are.
    RowOrder = "row-order",
    /// A term that jumps where an unknown moves.
    Discontinuous = "discontinuous",
    /// `// allow:` with a code that does not exist.
    UnknownAllow = "unknown-allow",
}

impl Code {
    /// The code of this name.
    pub fn from_name(name: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
