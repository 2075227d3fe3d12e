//! The intermediate representation: typed array values, in order of evaluation.
//!
//! A [`Function`] is a list of values, each an [`Op`] on earlier ones. Every value is an
//! array of `f64` with symbolic dimensions, row-major; `Int` values hold whole numbers.
//! Nothing broadcasts by itself: [`Op::Broadcast`] says which axis is which. Programs are
//! pure; [`Op::Loop`] is the one sequential construct and owns its body as a function.
//! The set of ops is closed under forward and reverse differentiation.

use crate::index::{Arena, Id};
use crate::source::Span;
use crate::ty::{Element, Size};

/// Position of a value in its function.
pub type ValueId = Id<Value>;

/// Element type and dimensions, outermost first. No dimension: a scalar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ValueType {
    /// Whole numbers or reals.
    pub element: Element,
    /// Dimensions, outermost first; row-major.
    pub dims: Vec<Size>,
}

impl ValueType {
    /// A real scalar.
    pub fn real() -> Self {
        ValueType { element: Element::Real, dims: Vec::new() }
    }

    /// An `Int` scalar.
    pub fn int() -> Self {
        ValueType { element: Element::Int, dims: Vec::new() }
    }

    /// A real array.
    pub fn reals(dims: Vec<Size>) -> Self {
        ValueType { element: Element::Real, dims }
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.dims.len()
    }
}

/// One value of a function.
#[derive(Clone, Debug)]
pub struct Value {
    /// How it is computed.
    pub op: Op,
    /// What it is.
    pub ty: ValueType,
    /// The model text it came from.
    pub span: Option<Span>,
}

/// A pure function from its inputs to its outputs.
#[derive(Clone, Debug)]
pub struct Function {
    /// Shown in dumps.
    pub name: String,
    /// What [`Op::Input`] refers to.
    pub inputs: Vec<Input>,
    /// Operands before users.
    pub values: Arena<Value>,
    /// Results, with the names they are shown under.
    pub outputs: Vec<Output>,
}

/// One input.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The author's name for it where there is one.
    pub name: String,
    /// Who supplies it.
    pub kind: InputKind,
    /// What it is.
    pub ty: ValueType,
}

/// One result.
#[derive(Clone, Debug)]
pub struct Output {
    /// Shown in dumps; the author's name where there is one.
    pub name: String,
    /// The value.
    pub value: ValueId,
}

/// Who supplies an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InputKind {
    /// The unconstrained vector of the k-th global unknown.
    Global(usize),
    /// The unconstrained vector of the k-th local unknown.
    Local(usize),
    /// The k-th output of the `shared` function: constrained globals and what depends on
    /// them alone.
    Shared(usize),
    /// The k-th datum of the schema: of the whole data set, of the branch, or the rows of the
    /// branch.
    Datum(usize),
    /// All values of the k-th datum, of every row or every branch, as whole data.
    Column(usize),
    /// The k-th statistic of the branch: numbers that were computed of its data when these were
    /// bound.
    Statistic(usize),
    /// One weight per row: 1 where the row counts, 0 where it is held out.
    RowMask,
    /// The adjoint of the k-th output, in a vector-Jacobian product.
    Cotangent(usize),
    /// In a loop body: the iteration, an `Int` scalar counted from zero.
    LoopIndex,
    /// In a loop body: the k-th carried value.
    Carried(usize),
    /// In a loop body: the k-th captured value.
    Captured(usize),
}

/// Elementwise functions of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-x`
    Neg,
    /// `|x|`
    Abs,
    /// `1`, `0` or `-1` by the sign of x
    Sign,
    /// `eˣ`
    Exp,
    /// `eˣ - 1`
    Expm1,
    /// `ln x`
    Log,
    /// `ln(1 + x)`
    Log1p,
    /// `√x`
    Sqrt,
    /// `x²`
    Square,
    /// `1 / x`
    Recip,
    /// `sin x`
    Sin,
    /// `cos x`
    Cos,
    /// `atan x`
    Atan,
    /// `tanh x`
    Tanh,
    /// `1 / (1 + e⁻ˣ)`
    InvLogit,
    /// `ln(1 + eˣ)`, without overflow
    Log1pExp,
    /// `ln cosh x`, without overflow
    LogCosh,
    /// `ln Γ(x)`
    Lgamma,
    /// The n-th derivative of `digamma`: `Polygamma(0)` is `digamma`
    Polygamma(u8),
    /// The standard normal distribution function
    Phi,
    /// The quantile function of the standard normal distribution
    InvPhi,
    /// The error function
    Erf,
    /// `1 - erf x`
    Erfc,
    /// `ln(1 - eˣ)` for `x < 0`
    Log1mExp,
    /// The logarithm to base 2
    Log2,
    /// The logarithm to base 10
    Log10,
    /// The cube root
    Cbrt,
    /// `asin x`
    Asin,
    /// `acos x`
    Acos,
    /// `sinh x`
    Sinh,
    /// `cosh x`
    Cosh,
    /// `asinh x`
    Asinh,
    /// `acosh x`
    Acosh,
    /// `atanh x`
    Atanh,
    /// The n-th derivative of `ln Φ(x)`: `LogPhi(0)` is `ln Φ(x)` itself
    LogPhi(u8),
    /// Towards minus infinity
    Floor,
    /// Towards plus infinity
    Ceil,
    /// To the nearest, halves away from zero
    Round,
    /// Towards zero
    Trunc,
    /// `1` where x is zero, else `0`
    Not,
}

impl UnaryOp {
    /// Every op, with the polygammas that first and second derivatives reach.
    pub const ALL: [UnaryOp; 44] = [
        UnaryOp::Neg,
        UnaryOp::Abs,
        UnaryOp::Sign,
        UnaryOp::Exp,
        UnaryOp::Expm1,
        UnaryOp::Log,
        UnaryOp::Log1p,
        UnaryOp::Sqrt,
        UnaryOp::Square,
        UnaryOp::Recip,
        UnaryOp::Sin,
        UnaryOp::Cos,
        UnaryOp::Atan,
        UnaryOp::Tanh,
        UnaryOp::InvLogit,
        UnaryOp::Log1pExp,
        UnaryOp::LogCosh,
        UnaryOp::Lgamma,
        UnaryOp::Polygamma(0),
        UnaryOp::Polygamma(1),
        UnaryOp::Polygamma(2),
        UnaryOp::Phi,
        UnaryOp::InvPhi,
        UnaryOp::Erf,
        UnaryOp::Erfc,
        UnaryOp::Log1mExp,
        UnaryOp::Log2,
        UnaryOp::Log10,
        UnaryOp::Cbrt,
        UnaryOp::Asin,
        UnaryOp::Acos,
        UnaryOp::Sinh,
        UnaryOp::Cosh,
        UnaryOp::Asinh,
        UnaryOp::Acosh,
        UnaryOp::Atanh,
        UnaryOp::LogPhi(0),
        UnaryOp::LogPhi(1),
        UnaryOp::LogPhi(2),
        UnaryOp::Floor,
        UnaryOp::Ceil,
        UnaryOp::Round,
        UnaryOp::Trunc,
        UnaryOp::Not,
    ];
}

/// Elementwise functions of two operands of equal dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `x + y`
    Add,
    /// `x - y`
    Sub,
    /// `x · y`
    Mul,
    /// `x / y`
    Div,
    /// `xʸ`
    Pow,
    /// The smaller; NaN where one is
    Min,
    /// The larger; NaN where one is
    Max,
    /// `x / y` towards zero, of whole numbers
    IntDiv,
    /// The remainder of `IntDiv`, with the sign of x
    Rem,
    /// `1` where equal, else `0`
    Equal,
    /// `1` where unequal, else `0`
    NotEqual,
    /// `1` where `x < y`, else `0`
    Less,
    /// `1` where `x <= y`, else `0`
    LessEqual,
    /// The angle of the point `(y, x)`, written `atan2(x, y)` with the ordinate first
    Atan2,
    /// `√(x² + y²)`, without overflow
    Hypot,
    /// `ln B(x, y)`, the logarithm of the beta function
    LogBeta,
    /// The partial derivative of a function of two arguments, of these orders in `x` and `y`
    Partial(Bivariate, u8, u8),
}

/// Functions of two arguments whose partial derivatives are ops; they are numbered as in
/// `math::partial`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bivariate {
    /// `ln P(x, y)`, the lower regularised incomplete gamma function of shape x
    LogGammaP = 0,
    /// `ln Q(x, y)`, the upper one
    LogGammaQ = 1,
    /// `ln P(T <= y)`, Student's distribution with x degrees of freedom
    LogStudentT = 2,
}

impl BinaryOp {
    /// Every op.
    #[cfg(test)]
    pub const ALL: [BinaryOp; 20] = [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Pow,
        BinaryOp::Min,
        BinaryOp::Max,
        BinaryOp::IntDiv,
        BinaryOp::Rem,
        BinaryOp::Equal,
        BinaryOp::NotEqual,
        BinaryOp::Less,
        BinaryOp::LessEqual,
        BinaryOp::Atan2,
        BinaryOp::Hypot,
        BinaryOp::LogBeta,
        BinaryOp::Partial(Bivariate::LogGammaP, 0, 0),
        BinaryOp::Partial(Bivariate::LogGammaQ, 0, 0),
        BinaryOp::Partial(Bivariate::LogStudentT, 0, 0),
        BinaryOp::Partial(Bivariate::LogStudentT, 1, 1),
    ];
}

/// How a value is computed.
#[derive(Clone, Debug)]
pub enum Op {
    /// The function's k-th input.
    Input(usize),
    /// A real scalar.
    Real(f64),
    /// A whole scalar.
    Int(i64),
    /// The number a symbolic size comes to, an `Int` scalar.
    SizeOf(Size),
    /// An array of the value's dimensions, every element the same.
    Fill(f64),
    /// `0, 1, 2, …`, an `Int` vector.
    Iota,
    /// A matrix with ones where `column == row + offset`, zeros elsewhere.
    Eye {
        /// Column of the first row's one.
        offset: Size,
    },
    /// Elementwise.
    Unary(UnaryOp, ValueId),
    /// Elementwise, on equal dimensions.
    Binary(BinaryOp, ValueId, ValueId),
    /// Elementwise `if c ≠ 0 then a else b`, on equal dimensions.
    Select(ValueId, ValueId, ValueId),
    /// More axes or another order: axis `j` of the operand is axis `axes[j]` of the result
    /// (all different); the operand is repeated along the others.
    Broadcast(ValueId, Vec<u8>),
    /// The sum over the axes that are not in `keep`; axis `j` of the result is axis `keep[j]`
    /// of the operand (all different, any order).
    Sum(ValueId, Vec<u8>),
    /// The largest element over the axes that are not in `keep`, which are as in `Sum`: NaN
    /// where one is, minus infinity where there is none. Derivatives take it for a constant:
    /// it is a scale to divide by, or tells which elements are the largest.
    Largest(ValueId, Vec<u8>),
    /// The same elements in the same order with other dimensions; their products agree once
    /// sizes are known. Neither is a scalar.
    Reshape(ValueId),
    /// The sum of products of two operands: every axis of either has a label; equal labels
    /// run together; labels below the result's rank are the result's axes, each present in at
    /// least one operand; the others are summed over. No operand has a label twice.
    Contract {
        /// First operand.
        a: ValueId,
        /// Labels of its axes.
        a_axes: Vec<u8>,
        /// Second operand.
        b: ValueId,
        /// Labels of its axes.
        b_axes: Vec<u8>,
    },
    /// `a` at whole-number scalars, counted from zero, along its axes in order; `None` keeps
    /// an axis. Indices are proved in range before the function runs.
    Index(ValueId, Vec<Option<ValueId>>),
    /// `base` with the part that [`Op::Index`] would read replaced by `value`.
    Set {
        /// What is changed.
        base: ValueId,
        /// As in `Index`.
        at: Vec<Option<ValueId>>,
        /// The new part.
        value: ValueId,
    },
    /// `base` with `value` added to the part that [`Op::Index`] would read.
    AddAt {
        /// What is changed.
        base: ValueId,
        /// As in `Index`.
        at: Vec<Option<ValueId>>,
        /// What is added.
        value: ValueId,
    },
    /// `base` at each of the whole numbers in the vector `indices`, counted from zero, along
    /// `axis`, whose size becomes the number of indices. They are proved in range before the
    /// function runs.
    Gather {
        /// What is read.
        base: ValueId,
        /// Where along the axis.
        indices: ValueId,
        /// Which axis.
        axis: u8,
    },
    /// `base` with `value` added to the parts that [`Op::Gather`] would read; what goes to the
    /// same index adds up.
    ScatterAdd {
        /// What is changed.
        base: ValueId,
        /// As in `Gather`.
        indices: ValueId,
        /// As in `Gather`.
        axis: u8,
        /// What is added, of the dimensions that `Gather` would have.
        value: ValueId,
    },
    /// Values of equal type, stacked along a new first axis.
    Stack(Vec<ValueId>),
    /// The diagonal of the first two (equal) axes, which become one; further axes stay.
    Diagonal(ValueId),
    /// The reverse: the first axis becomes the diagonal of two, zeros elsewhere.
    DiagonalMatrix(ValueId),
    /// The lower triangle of the first two (equal) axes, diagonal included; zeros above.
    LowerTriangle(ValueId),
    /// A matrix whose strict lower triangle is the vector's elements row by row, zeros
    /// elsewhere; further axes stay. The first two dimensions of the value are equal, `n`,
    /// and the operand's first is `n (n - 1) / 2` (not written symbolically).
    UnpackStrictLower(ValueId),
    /// The reverse: the strict lower triangle of the first two axes, row by row.
    PackStrictLower(ValueId),
    /// Running sums along an axis: element `k` is the sum of those before it (`exclusive`) or
    /// up to it; from the end where `reverse`.
    CumulativeSum {
        /// The operand.
        value: ValueId,
        /// Along which axis.
        axis: u8,
        /// Without the element itself.
        exclusive: bool,
        /// From the end.
        reverse: bool,
    },
    /// `x` with `L x = b` (or `Lᵀ x = b`), the lower triangle of `L` alone being read; `b` has
    /// the system's axis first and any others after it.
    SolveLower {
        /// The square matrix.
        matrix: ValueId,
        /// The right-hand side.
        rhs: ValueId,
        /// Solve with the transpose.
        transpose: bool,
    },
    /// A sequential loop; its results are read by [`Op::Result`].
    Loop(Box<Loop>),
    /// The k-th result of a loop: the final carried values, then the stacked outputs, whose
    /// new first axis is the iteration (zeros for iterations that did not run).
    Result(ValueId, usize),
}

/// A loop that runs `count` times, passing carried values on.
#[derive(Clone, Debug)]
pub struct Loop {
    /// How often; an `Int` scalar, none when negative.
    pub count: ValueId,
    /// An upper bound of `count`, the first dimension of stacked outputs.
    pub max_count: Size,
    /// Run the iterations from the last to the first.
    pub reverse: bool,
    /// Inputs: [`InputKind::LoopIndex`], each `Carried`, each `Captured`, in this order.
    /// Outputs: the carried values of the next iteration, then the stacked outputs.
    pub body: Function,
    /// First carried values.
    pub carried: Vec<ValueId>,
    /// Values of the enclosing function that the body reads.
    pub captured: Vec<ValueId>,
}

impl Op {
    /// The values this op reads, in order, with repeats.
    pub fn operands(&self) -> Vec<ValueId> {
        match self {
            Op::Input(_)
            | Op::Real(_)
            | Op::Int(_)
            | Op::SizeOf(_)
            | Op::Fill(_)
            | Op::Iota
            | Op::Eye { .. } => Vec::new(),
            Op::Unary(_, a)
            | Op::Broadcast(a, _)
            | Op::Sum(a, _)
            | Op::Largest(a, _)
            | Op::Reshape(a)
            | Op::Diagonal(a)
            | Op::DiagonalMatrix(a)
            | Op::LowerTriangle(a)
            | Op::UnpackStrictLower(a)
            | Op::PackStrictLower(a)
            | Op::CumulativeSum { value: a, .. }
            | Op::Result(a, _) => vec![*a],
            Op::Binary(_, a, b)
            | Op::Contract { a, b, .. }
            | Op::SolveLower { matrix: a, rhs: b, .. } => vec![*a, *b],
            Op::Select(c, a, b) => vec![*c, *a, *b],
            Op::Gather { base, indices, .. } => vec![*base, *indices],
            Op::ScatterAdd { base, indices, value, .. } => vec![*base, *indices, *value],
            Op::Index(a, at) => {
                let mut all = vec![*a];
                all.extend(at.iter().flatten());
                all
            }
            Op::Set { base, at, value } | Op::AddAt { base, at, value } => {
                let mut all = vec![*base];
                all.extend(at.iter().flatten());
                all.push(*value);
                all
            }
            Op::Stack(items) => items.clone(),
            Op::Loop(l) => {
                let mut all = vec![l.count];
                all.extend(&l.carried);
                all.extend(&l.captured);
                all
            }
        }
    }
}
