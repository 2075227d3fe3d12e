//! A model that means something: names resolved, types, levels and roles known.
//!
//! That a [`TypedModel`] exists means that the branch rules hold: its density is
//! p(θ) ∏ᵢ p(zᵢ|θ) p(yᵢ|θ,zᵢ,xᵢ). Lowering trusts it and cannot fail.

use crate::builtin::{Distribution, Function};
use crate::index::{Arena, Id};
use crate::schema::Schema;
use crate::source::Span;
pub use crate::syntax::ast::{BinaryOp, UnaryOp};
use crate::ty::{Level, Role, Size, Type};

/// Position of a symbol in [`TypedModel::symbols`].
pub type SymbolId = Id<Symbol>;
/// Position of an expression in [`TypedModel::exprs`].
pub type ExprId = Id<Expr>;

/// A checked model.
#[derive(Clone, Debug)]
pub struct TypedModel {
    /// What it reads.
    pub schema: Schema,
    /// Everything that has a name.
    pub symbols: Arena<Symbol>,
    /// Every expression, operands before users.
    pub exprs: Arena<Expr>,
    /// Derived data in an order in which each reads only earlier ones.
    pub derived_data: Vec<DerivedDatum>,
    /// Sizes that could not be proved equal: compared when data are bound.
    pub size_checks: Vec<SizeCheck>,
    /// Unknowns of `global`, in order of declaration.
    pub globals: Vec<SymbolId>,
    /// Unknowns of `local`, in order of declaration.
    pub locals: Vec<SymbolId>,
    /// The statements of `global`.
    pub global: Vec<Statement>,
    /// The statements of `local`.
    pub local: Vec<Statement>,
}

/// A datum declared with `=`.
#[derive(Clone, Debug)]
pub struct DerivedDatum {
    /// Its place in the schema.
    pub datum: usize,
    /// What it is.
    pub value: ExprId,
}

/// Two sizes that must be equal, and the expression that wants it.
#[derive(Clone, Debug)]
pub struct SizeCheck {
    /// One size.
    pub left: Size,
    /// The other.
    pub right: Size,
    /// Where.
    pub span: Span,
}

/// Something that has a name.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// The author's name.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// Its type. Data of a branch that have one value per row have the row count as their
    /// first dimension.
    pub ty: Type,
    /// Where its name is declared.
    pub span: Span,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum SymbolKind {
    /// The k-th datum of the schema.
    Datum(usize),
    /// The number of rows of the branch.
    RowCount,
    /// The k-th unknown of `global` or `local`.
    Unknown {
        /// `Role::Global` or `Role::Local`.
        role: Role,
        /// Its place in [`TypedModel::globals`] or [`TypedModel::locals`].
        position: usize,
        /// Its declared constraint.
        constraint: Constraint,
    },
    /// A top-level declaration with `=` in `global` or `local`; saved with the draws when
    /// `saved`.
    Derived {
        /// `Role::Global` or `Role::Local`: the block it stands in.
        block: Role,
        /// Whether it is reported (its size does not depend on rows).
        saved: bool,
    },
    /// Declared inside a block or loop.
    Temporary,
    /// The variable of a `for`.
    LoopVariable,
}

/// A declared constraint. Bounds are expressions of data and earlier unknowns.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// Any value.
    None,
    /// `<lower=a>`
    Lower(ExprId),
    /// `<upper=b>`
    Upper(ExprId),
    /// `<lower=a, upper=b>`
    LowerUpper(ExprId, ExprId),
    /// A Cholesky factor of a correlation matrix.
    CholeskyFactorCorr,
    /// Vectors of positive numbers whose sum is one.
    Simplex,
    /// Vectors whose elements increase.
    Ordered,
    /// Vectors of positive numbers that increase.
    PositiveOrdered,
    /// Covariance matrices.
    CovMatrix,
}

/// A typed expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Type,
    /// Of what it is one.
    pub level: Level,
    /// What it depends on.
    pub role: Role,
    /// Where it stands.
    pub span: Span,
}

/// What a typed expression is. Operands have the types that the operators of Stan want:
/// scalars combine with anything, containers with containers of equal size.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A whole number.
    Int(i64),
    /// A real number.
    Real(f64),
    /// A name.
    Symbol(SymbolId),
    /// One operand.
    Unary(UnaryOp, ExprId),
    /// Two operands. `Multiply` is the matrix product where both are vectors or matrices;
    /// `Divide` with a scalar or elementwise never solves systems.
    Binary(BinaryOp, ExprId, ExprId),
    /// `a'`
    Transpose(ExprId),
    /// A built-in function.
    Call(&'static Function, Vec<ExprId>),
    /// `normal_lpdf(x | …)`: the sum over the elements of a container; outcome first.
    LogDensity(&'static Distribution, Vec<ExprId>),
    /// `a[i, j]`: whole-number scalars counted from one, one for each of the first axes of the
    /// operand's [`Type::dims`]; `None` keeps an axis.
    Index(ExprId, Vec<Option<ExprId>>),
    /// `a[2:5]` along an axis: the number of the first element, counted from one, and how many
    /// there are.
    Slice(ExprId, usize, Size, Size),
    /// `a[numbers]` along an axis, by an `array[] int` of numbers counted from one.
    Gather(ExprId, usize, ExprId),
    /// `normal_lcdf(x | …)` or `normal_lccdf(x | …)`: the sum over the elements of a
    /// container; outcome first.
    Cumulative(&'static Distribution, Tail, Vec<ExprId>),
    /// `c ? a : b`, of which one alone is computed.
    Conditional(ExprId, ExprId, ExprId),
    /// A call of a user's function: statements on names of their own, then a value.
    Inline(Vec<Statement>, ExprId),
    /// `normal_rng(…)`, in what a user's distribution is drawn by: one outcome.
    Random(&'static Distribution, Vec<ExprId>),
    /// `column(x)`: all values of the k-th datum, first axis rows or branches.
    Column(usize),
    /// `[a, b]` of scalars: a row vector; of row vectors: a matrix.
    RowVector(Vec<ExprId>),
    /// `{a, b}`
    Array(Vec<ExprId>),
}

/// Which tail a cumulative probability is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// At most the outcome: `_lcdf`.
    Lower,
    /// More than the outcome: `_lccdf`.
    Upper,
}

/// Which part of the density a term belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// log p(θ)
    Global,
    /// log p(zᵢ | θ)
    Prior,
    /// log p(yᵢ | θ, zᵢ, xᵢ)
    Likelihood,
}

/// Which rows a likelihood term is of, so that held-out rows can be left out.
#[derive(Clone, Debug, PartialEq)]
pub enum RowsOf {
    /// Not of single rows.
    None,
    /// Its outcome has one element (or slice) per row, rows first.
    All,
    /// Of the row with this number, counted from one.
    One(ExprId),
    /// Its outcome has one element per row from this number on, so many.
    Slice(Size, Size),
    /// Its outcome has one element for each of these numbers of rows.
    Many(ExprId),
}

/// A checked statement.
#[derive(Clone, Debug)]
pub enum Statement {
    /// An unknown comes into being.
    Unknown(SymbolId),
    /// A derived quantity or temporary comes into being, filled with NaN without a value.
    Declare {
        /// It.
        symbol: SymbolId,
        /// Its value.
        value: Option<ExprId>,
    },
    /// `lhs ~ distribution(args)`
    Sample {
        /// The outcome.
        lhs: ExprId,
        /// The distribution.
        distribution: &'static Distribution,
        /// Its arguments.
        args: Vec<ExprId>,
        /// The part of the density.
        part: Part,
        /// The rows it is of.
        rows: RowsOf,
        /// Where cells of the outcome may be empty: 1 for each element that is there, else 0,
        /// of the outcome's type.
        observed: Option<ExprId>,
    },
    /// `target += value` (containers are summed).
    Target {
        /// The term.
        value: ExprId,
        /// The part of the density.
        part: Part,
        /// The rows it is of.
        rows: RowsOf,
        /// For `y ~ own(…)` of a user's distribution with an `_rng`: the outcome, and what
        /// draws it.
        drawn: Option<(ExprId, ExprId)>,
    },
    /// `symbol[subscripts] = value`; compound operators are already spelt out in `value`.
    Assign {
        /// What is changed.
        symbol: SymbolId,
        /// As in [`ExprKind::Index`]; empty: the whole.
        subscripts: Vec<Option<ExprId>>,
        /// The new value.
        value: ExprId,
    },
    /// `for (symbol in from:to) body`
    For {
        /// The loop variable.
        symbol: SymbolId,
        /// First value.
        from: ExprId,
        /// Last value.
        to: ExprId,
        /// An upper bound of the number of iterations.
        max_count: Size,
        /// What is repeated.
        body: Vec<Statement>,
    },
    /// `if (condition) then else otherwise`, of which one alone is run.
    If {
        /// The condition, a scalar.
        condition: ExprId,
        /// Where it is not zero.
        then: Vec<Statement>,
        /// Where it is zero.
        otherwise: Vec<Statement>,
    },
    /// `{ … }`
    Block(Vec<Statement>),
}
