//! A tree as canonical text: two spaces of indent, one statement a line, the fewest brackets.
//!
//! Parsing the text gives the tree again, but for branch sections inside others, of which the
//! tree keeps the place alone. Comments are not part of the tree; the formatter puts
//! them back from the tokens. Expressions are printed by a loop, however long their chains are.

use std::fmt::Write;

use super::ast::{
    Ast, BinaryOp, Block, Declaration, DistributionCall, ExprId, ExprKind, FunctionDefinition,
    FunctionsBlock, Ident, Place, Statement, StatementKind, Subscript, TypeExpr, UnsizedType,
};
use super::build_expr::{PREFIX_PRECEDENCE, is_right_associative};

/// Precedence of a place that takes any expression.
const LOOSEST: u8 = 0;
/// Precedence of a place that takes no `? :`.
const OPERATION: u8 = 1;
/// Precedence of a bound, in which a bare `>` would close the constraint.
const ARITHMETIC: u8 = 5;
/// Precedence of what a suffix can follow.
const SUFFIXED: u8 = 10;

/// The canonical text of a tree.
pub fn print(ast: &Ast) -> String {
    let mut printer = Printer { ast, out: String::new(), indent: 0 };
    printer.functions(&ast.functions);
    if ast.data.span.is_some() {
        printer.data();
    }
    printer.block("global", &ast.global);
    printer.block("local", &ast.local);
    printer.out
}

pub(super) struct Printer<'a> {
    pub(super) ast: &'a Ast,
    pub(super) out: String,
    indent: usize,
}

/// What is still to be written of an expression.
enum Work {
    Expr(ExprId, u8),
    Text(&'static str),
}

impl Printer<'_> {
    pub(super) fn line_start(&mut self) {
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
    }

    /// Writes `{`, what `body` writes one step deeper, and `}`.
    pub(super) fn braces(&mut self, body: impl FnOnce(&mut Self)) {
        self.out.push_str("{\n");
        self.indent += 1;
        body(self);
        self.indent -= 1;
        self.line_start();
        self.out.push_str("}\n");
    }

    fn functions(&mut self, block: &FunctionsBlock) {
        if block.span.is_some() {
            self.out.push_str("functions ");
            self.braces(|printer| {
                for function in &block.functions {
                    printer.function(function);
                }
            });
        }
    }

    fn function(&mut self, function: &FunctionDefinition) {
        self.line_start();
        self.unsized_type(&function.result);
        let _ = write!(self.out, " {}(", function.name.name);
        for (position, param) in function.params.iter().enumerate() {
            self.out.push_str(if position == 0 { "" } else { ", " });
            self.unsized_type(&param.ty);
            let _ = write!(self.out, " {}", param.name.name);
        }
        self.out.push_str(") ");
        self.braces(|printer| printer.statements(&function.body));
    }

    fn unsized_type(&mut self, ty: &UnsizedType) {
        if ty.n_array > 0 {
            let _ = write!(self.out, "array[{}] ", ",".repeat(ty.n_array - 1));
        }
        self.out.push_str(ty.base.word());
    }

    /// One name bare, several in brackets.
    pub(super) fn names(&mut self, names: &[Ident]) {
        let joined = names.iter().map(|name| name.name.as_str()).collect::<Vec<_>>().join(", ");
        self.out.push_str(&if names.len() == 1 { joined } else { format!("({joined})") });
    }

    pub(super) fn value(&mut self, value: Option<ExprId>) {
        if let Some(value) = value {
            self.out.push_str(" = ");
            self.expr(value, LOOSEST);
        }
    }

    fn block(&mut self, word: &str, block: &Block) {
        if block.span.is_some() {
            self.out.push_str(word);
            self.out.push(' ');
            self.braces(|printer| printer.statements(&block.statements));
        }
    }

    fn statements(&mut self, statements: &[Statement]) {
        let mut rest = statements;
        while let [first, ..] = rest {
            self.line_start();
            let taken = self.statement(first, rest);
            rest = &rest[taken..];
        }
    }

    /// Writes the first statement of `all`, and with a declaration those after it that were
    /// written as one with it; gives the number written.
    fn statement(&mut self, first: &Statement, all: &[Statement]) -> usize {
        match &first.kind {
            StatementKind::Declare(declaration) => return self.declarations(declaration, all),
            StatementKind::Sample { lhs, distribution } => {
                self.expr(*lhs, LOOSEST);
                self.distribution(distribution);
            }
            StatementKind::Return(value) => {
                self.out.push_str("return ");
                self.expr(*value, LOOSEST);
            }
            StatementKind::Target(value) => {
                self.out.push_str("target += ");
                self.expr(*value, LOOSEST);
            }
            StatementKind::Assign { place, operator, value } => {
                self.place(place);
                let _ = write!(self.out, " {}= ", operator.map_or("", BinaryOp::symbol));
                self.expr(*value, LOOSEST);
            }
            StatementKind::For { name, from, to, body } => {
                let _ = write!(self.out, "for ({} in ", name.name);
                self.expr(*from, LOOSEST);
                self.out.push(':');
                self.expr(*to, LOOSEST);
                self.out.push_str(") ");
                return self.body(body);
            }
            StatementKind::ForEach { name, over, body } => {
                let _ = write!(self.out, "for ({} in ", name.name);
                self.expr(*over, LOOSEST);
                self.out.push_str(") ");
                return self.body(body);
            }
            StatementKind::If { condition, then, otherwise } => {
                self.out.push_str("if (");
                self.expr(*condition, LOOSEST);
                self.out.push_str(") ");
                self.body(then);
                if let Some(otherwise) = otherwise {
                    self.before_else(then);
                    self.out.push_str("else ");
                    self.body(otherwise);
                }
                return 1;
            }
            StatementKind::Block(statements) => {
                self.braces(|printer| printer.statements(statements));
                return 1;
            }
        }
        self.out.push_str(";\n");
        1
    }

    fn body(&mut self, body: &Statement) -> usize {
        self.statement(body, std::slice::from_ref(body))
    }

    /// `else` stands behind the bracket of a block, otherwise on a line of its own.
    fn before_else(&mut self, then: &Statement) {
        if matches!(then.kind, StatementKind::Block(_)) {
            self.out.pop();
            self.out.push(' ');
        } else {
            self.line_start();
        }
    }

    /// Names that one declaration gave share its span; those without a value come under its
    /// distribution, which must then end the line.
    fn declarations(&mut self, first: &Declaration, all: &[Statement]) -> usize {
        let together: Vec<&Declaration> = all
            .iter()
            .take_while(|statement| statement.span == all[0].span)
            .map_while(|statement| match &statement.kind {
                StatementKind::Declare(declaration) => Some(declaration),
                _ => None,
            })
            .collect();
        self.type_expr(&first.ty);
        for (position, declaration) in together.iter().enumerate() {
            self.out.push_str(if position == 0 { " " } else { ", " });
            self.out.push_str(&declaration.name.name);
            self.value(declaration.value);
        }
        if let Some(distribution) = together.iter().find_map(|d| d.distribution.as_ref()) {
            self.distribution(distribution);
        }
        self.out.push_str(";\n");
        together.len()
    }

    fn distribution(&mut self, distribution: &DistributionCall) {
        let _ = write!(self.out, " ~ {}(", distribution.name.name);
        self.list(&distribution.args, LOOSEST);
        self.out.push(')');
    }

    fn place(&mut self, place: &Place) {
        self.out.push_str(&place.name.name);
        if !place.subscripts.is_empty() {
            let mut work = Vec::new();
            push_subscripts(&mut work, &place.subscripts);
            self.work(work);
        }
    }

    pub(super) fn type_expr(&mut self, ty: &TypeExpr) {
        if !ty.array.is_empty() {
            self.out.push_str("array[");
            self.list(&ty.array, LOOSEST);
            self.out.push_str("] ");
        }
        self.out.push_str(ty.base.word());
        if let Some(index) = &ty.index {
            let _ = write!(self.out, "({})", index.name);
        }
        let mut before = "<";
        for (word, bound) in [("lower", ty.lower), ("upper", ty.upper)] {
            if let Some(bound) = bound {
                let _ = write!(self.out, "{before}{word}=");
                self.expr(bound, ARITHMETIC);
                before = ", ";
            }
        }
        if before == ", " {
            self.out.push('>');
        }
        if !ty.sizes.is_empty() {
            self.out.push('[');
            self.list(&ty.sizes, LOOSEST);
            self.out.push(']');
        }
    }

    fn list(&mut self, exprs: &[ExprId], precedence: u8) {
        for (position, expr) in exprs.iter().enumerate() {
            if position > 0 {
                self.out.push_str(", ");
            }
            self.expr(*expr, precedence);
        }
    }

    /// An expression where only operators as tight as `precedence` may stand bare.
    fn expr(&mut self, expr: ExprId, precedence: u8) {
        self.work(vec![Work::Expr(expr, precedence)]);
    }

    /// Writes what is on the stack, the last first.
    fn work(&mut self, mut work: Vec<Work>) {
        while let Some(item) = work.pop() {
            match item {
                Work::Text(text) => self.out.push_str(text),
                Work::Expr(expr, precedence) => {
                    let kind = &self.ast.exprs[expr].kind;
                    let in_brackets = kind_precedence(kind) < precedence;
                    if in_brackets {
                        self.out.push('(');
                        work.push(Work::Text(")"));
                    }
                    self.expand(kind, &mut work);
                }
            }
        }
    }

    /// Writes how an expression begins and leaves its parts on the stack.
    fn expand(&mut self, kind: &ExprKind, work: &mut Vec<Work>) {
        match kind {
            ExprKind::Member { table, column } => {
                let _ = write!(self.out, "{}.{}", table.name, column.name);
            }
            ExprKind::Int(value) => {
                let _ = write!(self.out, "{value}");
            }
            // The shortest digits that read back as the same number, with a point or exponent.
            ExprKind::Real(value) => {
                let _ = write!(self.out, "{value:?}");
            }
            ExprKind::Name(name) => self.out.push_str(name),
            ExprKind::Unary(op, inner) => {
                self.out.push_str(op.symbol());
                work.push(Work::Expr(*inner, PREFIX_PRECEDENCE));
            }
            ExprKind::Binary(op, left, right) => push_binary(work, *op, *left, *right),
            ExprKind::Transpose(inner) => {
                work.extend([Work::Text("'"), Work::Expr(*inner, SUFFIXED)]);
            }
            ExprKind::Conditional(test, then, otherwise) => work.extend([
                Work::Expr(*otherwise, LOOSEST),
                Work::Text(" : "),
                Work::Expr(*then, LOOSEST),
                Work::Text(" ? "),
                Work::Expr(*test, OPERATION),
            ]),
            ExprKind::Call { name, args, bar } => {
                self.out.push_str(&name.name);
                push_list(work, "(", args, if *bar { " | " } else { ", " }, ")");
                // `f(a |)` has a bar and nothing behind it.
                if *bar && args.len() == 1 {
                    let close = work.len() - 2 - args.len();
                    work[close] = Work::Text(" |)");
                }
            }
            ExprKind::Index { base, subscripts } => {
                push_subscripts(work, subscripts);
                work.push(Work::Expr(*base, SUFFIXED));
            }
            ExprKind::RowVector(elements) => push_list(work, "[", elements, ", ", "]"),
            ExprKind::Array(elements) => push_list(work, "{", elements, ", ", "}"),
        }
    }
}

/// How tightly an expression holds together.
fn kind_precedence(kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::Conditional(..) => LOOSEST,
        ExprKind::Binary(op, ..) => op.precedence(),
        ExprKind::Unary(..) => PREFIX_PRECEDENCE,
        _ => SUFFIXED,
    }
}

/// `left op right`; the side away from which the operator associates binds one step tighter.
fn push_binary(work: &mut Vec<Work>, op: BinaryOp, left: ExprId, right: ExprId) {
    let own = op.precedence();
    let (on_left, on_right) =
        if is_right_associative(op) { (own + 1, own) } else { (own, own + 1) };
    work.extend([
        Work::Expr(right, on_right),
        Work::Text(" "),
        Work::Text(op.symbol()),
        Work::Text(" "),
        Work::Expr(left, on_left),
    ]);
}

/// `open a FIRST b, c close`, where `first` stands between the first two.
fn push_list(
    work: &mut Vec<Work>,
    open: &'static str,
    exprs: &[ExprId],
    first: &'static str,
    close: &'static str,
) {
    work.push(Work::Text(close));
    for (position, expr) in exprs.iter().enumerate().rev() {
        work.push(Work::Expr(*expr, LOOSEST));
        match position {
            0 => {}
            1 => work.push(Work::Text(first)),
            _ => work.push(Work::Text(", ")),
        }
    }
    work.push(Work::Text(open));
}

fn push_subscripts(work: &mut Vec<Work>, subscripts: &[Subscript]) {
    work.push(Work::Text("]"));
    for (position, subscript) in subscripts.iter().enumerate().rev() {
        match subscript {
            Subscript::At(at) => work.push(Work::Expr(*at, LOOSEST)),
            Subscript::Range(None, None) if subscripts.len() == 1 => {}
            Subscript::Range(from, to) => {
                work.extend(to.map(|to| Work::Expr(to, LOOSEST)));
                work.push(Work::Text(":"));
                work.extend(from.map(|from| Work::Expr(from, LOOSEST)));
            }
        }
        if position > 0 {
            work.push(Work::Text(", "));
        }
    }
    work.push(Work::Text("["));
}
