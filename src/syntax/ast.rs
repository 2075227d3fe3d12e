//! The untyped tree of a model file: what was written, before names or types mean anything.
//!
//! Expressions live in an arena, so that no stage recurses over the depth of the input:
//! `1 + 1 + …` half a million long is a left-deep tree. Operands are pushed before their
//! users.

use crate::index::{Arena, Id};
use crate::source::Span;

/// A whole model file.
#[derive(Clone, Debug, Default)]
pub struct Ast {
    /// All expressions of the file.
    pub exprs: Arena<Expr>,
    /// `functions { … }`.
    pub functions: FunctionsBlock,
    /// `data { … }`.
    pub data: DataBlock,
    /// `global { … }`.
    pub global: Block,
    /// `local { … }`.
    pub local: Block,
    /// `// allow: CODE` comments: the code and the span of the word.
    pub allows: Vec<Allow>,
}

/// `// allow: CODE`, which silences a warning on its line, or in the file when it stands
/// before the first block.
#[derive(Clone, Debug)]
pub struct Allow {
    /// The code that is silenced.
    pub code: String,
    /// Where the code stands.
    pub span: Span,
    /// Whether it stands above the first block and so holds for the whole file.
    pub whole_file: bool,
}

/// A name as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// The `functions` block.
#[derive(Clone, Debug, Default)]
pub struct FunctionsBlock {
    /// The word `functions`, absent when the block was not written.
    pub span: Option<Span>,
    /// The definitions, in order.
    pub functions: Vec<FunctionDefinition>,
}

/// `TYPE NAME(TYPE a, TYPE b) { … }`.
#[derive(Clone, Debug)]
pub struct FunctionDefinition {
    /// The type of its value.
    pub result: UnsizedType,
    /// Its name.
    pub name: Ident,
    /// Its arguments.
    pub params: Vec<FunctionParam>,
    /// What it does; ends by `return` on every way.
    pub body: Vec<Statement>,
}

/// An argument of a user's function.
#[derive(Clone, Debug)]
pub struct FunctionParam {
    /// Its type.
    pub ty: UnsizedType,
    /// Its name.
    pub name: Ident,
}

/// `array[,] vector`: a type without sizes.
#[derive(Clone, Debug)]
pub struct UnsizedType {
    /// The number of array axes.
    pub n_array: usize,
    /// `int`, `real`, `vector`, `row_vector` or `matrix`.
    pub base: BaseType,
    /// The whole type.
    pub span: Span,
}

/// The `data` block.
#[derive(Clone, Debug, Default)]
pub struct DataBlock {
    /// The word `data`, absent when the block was not written.
    pub span: Option<Span>,
    /// Declarations outside `branch`.
    pub whole: Vec<DataItem>,
    /// The `branch` sections; the checker allows exactly one.
    pub branches: Vec<BranchSection>,
}

impl DataBlock {
    /// Lets cells of these data of branches be empty, as the word `missing` does.
    pub fn let_be_missing(&mut self, names: &[String]) {
        for item in self.branches.iter_mut().flat_map(|section| &mut section.items) {
            if let DataItem::Declare(declaration) = item
                && names.contains(&declaration.name.name)
            {
                declaration.missing.get_or_insert(declaration.name.span);
            }
        }
    }
}

/// `branch KEY { … }`.
#[derive(Clone, Debug)]
pub struct BranchSection {
    /// From the word `branch` to the end of the key.
    pub span: Span,
    /// Column names of the key: none means that every row is a branch.
    pub key: Vec<Ident>,
    /// The declarations inside.
    pub items: Vec<DataItem>,
    /// Branch sections written inside this one, which is an error.
    pub nested: Vec<Span>,
}

/// One line of `data` or of `branch`.
#[derive(Clone, Debug)]
pub enum DataItem {
    /// `rows N;` or `rows N = 4;` or `rows N by a;` or `rows N by (a, b);`.
    Rows {
        /// The name of the count.
        name: Ident,
        /// `= 4`: every branch must have that many.
        count: Option<ExprId>,
        /// `by` columns, in order of importance.
        by: Vec<Ident>,
        /// The whole item.
        span: Span,
    },
    /// A declaration.
    Declare(DataDeclaration),
    /// `factor items from "item" levels("a", "b");`, outside `branch`.
    Factor(FactorDeclaration),
    /// `table movies by movie_id { … }`, outside `branch`.
    Table(TableSection),
}

/// `factor NAME [from COLUMN | from (A, B)] [levels(…)];`
#[derive(Clone, Debug)]
pub struct FactorDeclaration {
    /// Its name.
    pub name: Ident,
    /// Its column, or several whose combinations are numbered; none: the column of its name.
    pub columns: Vec<Text>,
    /// The levels in order, where they are written.
    pub levels: Option<Vec<Text>>,
    /// The whole item.
    pub span: Span,
}

/// `table NAME by KEY { … }`
#[derive(Clone, Debug)]
pub struct TableSection {
    /// Its name.
    pub name: Ident,
    /// The column that names its rows.
    pub key: Ident,
    /// The declarations inside.
    pub items: Vec<DataItem>,
}

/// A datum: `TYPE NAME [from …] [= EXPR];`.
#[derive(Clone, Debug)]
pub struct DataDeclaration {
    /// What type it is given.
    pub ty: TypeExpr,
    /// Its name.
    pub name: Ident,
    /// `from …`.
    pub from: Option<From>,
    /// The word `missing`: cells may be empty.
    pub missing: Option<Span>,
    /// `= EXPR`: computed when the data are loaded.
    pub value: Option<ExprId>,
}

/// Where a datum's values are read.
#[derive(Clone, Debug)]
pub enum From {
    /// `from "odd name"`.
    Column(Text),
    /// `from cols("a", "b")` or `from cols("g_*")`.
    Columns(Vec<Text>, Span),
    /// `from "use" == "Y"`: 1 where the cell reads so, else 0.
    Equals {
        /// The column.
        column: Text,
        /// What its cells are compared with.
        value: Text,
    },
}

/// A string literal.
#[derive(Clone, Debug)]
pub struct Text {
    /// Without its quotes.
    pub text: String,
    /// With its quotes.
    pub span: Span,
}

/// `global` or `local`.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The word that opens it, absent when the block was not written.
    pub span: Option<Span>,
    /// Its statements.
    pub statements: Vec<Statement>,
}

/// A statement and where it stands.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// The whole statement with its semicolon.
    pub span: Span,
}

/// What a statement is.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// `TYPE a, b = EXPR, c ~ DIST(…);`, one declaration for each name in it.
    /// In `real a, b ~ normal(0, 1);` every name carries the distribution.
    Declare(Declaration),
    /// `EXPR ~ NAME(ARGS);`.
    Sample {
        /// What is left of `~`.
        lhs: ExprId,
        /// What is right of it.
        distribution: DistributionCall,
    },
    /// `target += EXPR;`.
    Target(ExprId),
    /// `PLACE = EXPR;` or `PLACE += EXPR;` and its friends.
    Assign {
        /// What is assigned to.
        place: Place,
        /// The operator of `+=` and its friends.
        operator: Option<BinaryOp>,
        /// The value.
        value: ExprId,
    },
    /// `for (NAME in FROM:TO) BODY`.
    For {
        /// The loop variable.
        name: Ident,
        /// First value.
        from: ExprId,
        /// Last value.
        to: ExprId,
        /// One statement, often a block.
        body: Box<Statement>,
    },
    /// `for (NAME in CONTAINER) BODY`
    ForEach {
        /// Each element in turn.
        name: Ident,
        /// What is gone through.
        over: ExprId,
        /// One statement, often a block.
        body: Box<Statement>,
    },
    /// `if (CONDITION) THEN else OTHERWISE`
    If {
        /// The condition.
        condition: ExprId,
        /// What is done where it holds.
        then: Box<Statement>,
        /// What is done where it does not.
        otherwise: Option<Box<Statement>>,
    },
    /// `return EXPR;`, in a user's function.
    Return(ExprId),
    /// `{ … }`.
    Block(Vec<Statement>),
}

/// A declaration in `global`, `local` or a block.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Its type.
    pub ty: TypeExpr,
    /// Its name.
    pub name: Ident,
    /// `= EXPR`, which makes it derived.
    pub value: Option<ExprId>,
    /// `~ DIST(…)`.
    pub distribution: Option<DistributionCall>,
}

/// The right side of `~`.
#[derive(Clone, Debug)]
pub struct DistributionCall {
    /// The distribution's name.
    pub name: Ident,
    /// Its arguments.
    pub args: Vec<ExprId>,
}

/// The left side of an assignment.
#[derive(Clone, Debug)]
pub struct Place {
    /// The variable.
    pub name: Ident,
    /// `[i]`, `[i, j]`, `[i][j]`: all subscripts in order.
    pub subscripts: Vec<Subscript>,
    /// The whole left side.
    pub span: Span,
}

/// A type as written.
#[derive(Clone, Debug)]
pub struct TypeExpr {
    /// `array[A, B]`: its sizes, empty without `array`.
    pub array: Vec<ExprId>,
    /// The word.
    pub base: BaseType,
    /// `<lower=…, upper=…>`.
    pub lower: Option<ExprId>,
    /// See `lower`.
    pub upper: Option<ExprId>,
    /// `index(NAME)`: what is numbered.
    pub index: Option<Ident>,
    /// `[A, B]` after the word.
    pub sizes: Vec<ExprId>,
    /// The whole type.
    pub span: Span,
}

/// The words that name a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BaseType {
    /// `int`
    Int,
    /// `real`
    Real,
    /// `vector`
    Vector,
    /// `row_vector`
    RowVector,
    /// `matrix`
    Matrix,
    /// `cholesky_factor_corr`
    CholeskyFactorCorr,
    /// `simplex`
    Simplex,
    /// `ordered`
    Ordered,
    /// `positive_ordered`
    PositiveOrdered,
    /// `cov_matrix`
    CovMatrix,
    /// `index(…)`
    Index,
}

impl BaseType {
    /// Every word.
    pub const ALL: [BaseType; 11] = [
        BaseType::Int,
        BaseType::Real,
        BaseType::Vector,
        BaseType::RowVector,
        BaseType::Matrix,
        BaseType::CholeskyFactorCorr,
        BaseType::Simplex,
        BaseType::Ordered,
        BaseType::PositiveOrdered,
        BaseType::CovMatrix,
        BaseType::Index,
    ];

    /// The word as written.
    pub fn word(self) -> &'static str {
        match self {
            BaseType::Int => "int",
            BaseType::Real => "real",
            BaseType::Vector => "vector",
            BaseType::RowVector => "row_vector",
            BaseType::Matrix => "matrix",
            BaseType::CholeskyFactorCorr => "cholesky_factor_corr",
            BaseType::Simplex => "simplex",
            BaseType::Ordered => "ordered",
            BaseType::PositiveOrdered => "positive_ordered",
            BaseType::CovMatrix => "cov_matrix",
            BaseType::Index => "index",
        }
    }
}

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The whole expression, without enclosing brackets.
    pub span: Span,
}

/// Position of an expression in [`Ast::exprs`].
pub type ExprId = Id<Expr>;

/// What an expression is.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A whole number.
    Int(i64),
    /// A number with a point or an exponent.
    Real(f64),
    /// A name.
    Name(String),
    /// `-a`, `+a`, `!a`.
    Unary(UnaryOp, ExprId),
    /// `a + b` and its friends.
    Binary(BinaryOp, ExprId, ExprId),
    /// `a'`.
    Transpose(ExprId),
    /// `c ? a : b`.
    Conditional(ExprId, ExprId, ExprId),
    /// `f(a, b)`, or `f(a | b)` where `bar` is set.
    Call {
        /// The function.
        name: Ident,
        /// Its arguments.
        args: Vec<ExprId>,
        /// Whether a bar follows the first argument.
        bar: bool,
    },
    /// `a[i, j]`.
    Index {
        /// What is indexed.
        base: ExprId,
        /// The subscripts of one pair of brackets.
        subscripts: Vec<Subscript>,
    },
    /// `[a, b]`: a row vector, or a matrix where its elements are row vectors.
    RowVector(Vec<ExprId>),
    /// `{a, b}`.
    Array(Vec<ExprId>),
    /// `movies.feature`: a column of a table.
    Member {
        /// The table.
        table: Ident,
        /// The column.
        column: Ident,
    },
}

/// One subscript.
#[derive(Clone, Copy, Debug)]
pub enum Subscript {
    /// `[i]`.
    At(ExprId),
    /// `[]`, `[:]`, `[a:]`, `[:b]`, `[a:b]`.
    Range(Option<ExprId>, Option<ExprId>),
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `+`
    Plus,
    /// `!`
    Not,
}

impl UnaryOp {
    /// Every operator.
    pub const ALL: [UnaryOp; 3] = [UnaryOp::Negate, UnaryOp::Plus, UnaryOp::Not];

    /// As written.
    pub fn symbol(self) -> &'static str {
        match self {
            UnaryOp::Negate => "-",
            UnaryOp::Plus => "+",
            UnaryOp::Not => "!",
        }
    }
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `.*`
    ElementMultiply,
    /// `./`
    ElementDivide,
    /// `%/%`
    IntegerDivide,
    /// `^`
    Power,
    /// `.^`
    ElementPower,
}

impl BinaryOp {
    /// Every operator.
    pub const ALL: [BinaryOp; 18] = [
        BinaryOp::Or,
        BinaryOp::And,
        BinaryOp::Equal,
        BinaryOp::NotEqual,
        BinaryOp::Less,
        BinaryOp::LessEqual,
        BinaryOp::Greater,
        BinaryOp::GreaterEqual,
        BinaryOp::Add,
        BinaryOp::Subtract,
        BinaryOp::Multiply,
        BinaryOp::Divide,
        BinaryOp::Modulo,
        BinaryOp::ElementMultiply,
        BinaryOp::ElementDivide,
        BinaryOp::IntegerDivide,
        BinaryOp::Power,
        BinaryOp::ElementPower,
    ];

    /// As written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::Less => "<",
            BinaryOp::LessEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterEqual => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Modulo => "%",
            BinaryOp::ElementMultiply => ".*",
            BinaryOp::ElementDivide => "./",
            BinaryOp::IntegerDivide => "%/%",
            BinaryOp::Power => "^",
            BinaryOp::ElementPower => ".^",
        }
    }

    /// How tightly it binds, as in Stan; more is tighter.
    pub fn precedence(self) -> u8 {
        match self {
            BinaryOp::Or => 1,
            BinaryOp::And => 2,
            BinaryOp::Equal | BinaryOp::NotEqual => 3,
            BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => 4,
            BinaryOp::Add | BinaryOp::Subtract => 5,
            BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Modulo
            | BinaryOp::ElementMultiply
            | BinaryOp::ElementDivide => 6,
            BinaryOp::IntegerDivide => 7,
            BinaryOp::Power | BinaryOp::ElementPower => 9,
        }
    }
}
