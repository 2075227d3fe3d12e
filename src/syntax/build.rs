//! From pest's pairs to the syntax tree: blocks, functions, declarations, types and statements.
//!
//! The grammar fixes which children a rule has and in what order, so a walk takes them as they
//! come. It recurses only where brackets, `for`, `if` and `else` nest, which `precheck` limits.

use pest::iterators::{Pair, Pairs};

use super::ast::{
    Ast, BaseType, BinaryOp, Block, Declaration, DistributionCall, ExprId, ExprKind,
    FunctionDefinition, FunctionParam, FunctionsBlock, Ident, Place, Statement, StatementKind,
    TypeExpr, UnsizedType,
};
use super::grammar::Rule;
use crate::diagnostic::{Code, Diagnostics};
use crate::source::Span;

/// Walks the pairs of one file.
pub(super) struct Builder<'a> {
    pub(super) ast: Ast,
    pub(super) diagnostics: &'a mut Diagnostics,
}

/// The bytes of a pair.
pub(super) fn span_of(pair: &Pair<'_, Rule>) -> Span {
    let span = pair.as_span();
    Span::new(span.start(), span.end())
}

pub(super) fn ident(pair: &Pair<'_, Rule>) -> Ident {
    Ident { name: pair.as_str().to_string(), span: span_of(pair) }
}

/// The names directly below a pair.
pub(super) fn idents(pair: Pair<'_, Rule>) -> Vec<Ident> {
    pair.into_inner().filter(|inner| inner.as_rule() == Rule::name).map(|n| ident(&n)).collect()
}

/// The next child, which the grammar promises.
pub(super) fn next<'i>(pairs: &mut Pairs<'i, Rule>) -> Pair<'i, Rule> {
    pairs.next().expect("the grammar requires another part here")
}

impl<'a> Builder<'a> {
    pub(super) fn new(diagnostics: &'a mut Diagnostics) -> Self {
        Builder { ast: Ast::default(), diagnostics }
    }

    /// The tree of a `file` pair.
    pub(super) fn file(mut self, file: Pair<'_, Rule>) -> Ast {
        for block in file.into_inner() {
            match block.as_rule() {
                Rule::functions_block => self.functions_block(block),
                Rule::data_block => self.data_block(block),
                Rule::global_block => self.ast.global = self.statement_block(block),
                Rule::local_block => self.ast.local = self.statement_block(block),
                _ => {}
            }
        }
        self.ast
    }

    fn functions_block(&mut self, block: Pair<'_, Rule>) {
        let mut parts = block.into_inner();
        let span = Some(span_of(&next(&mut parts)));
        let definitions = parts.filter(|part| part.as_rule() == Rule::function_definition);
        let mut functions = Vec::new();
        for definition in definitions {
            functions.push(self.function_definition(definition));
        }
        self.ast.functions = FunctionsBlock { span, functions };
    }

    fn function_definition(&mut self, definition: Pair<'_, Rule>) -> FunctionDefinition {
        let mut parts = definition.into_inner();
        let result = unsized_type(next(&mut parts));
        let name = ident(&next(&mut parts));
        let params = next(&mut parts).into_inner().filter(|part| part.as_rule() == Rule::parameter);
        let params = params.map(function_param).collect();
        let body = self.statements(next(&mut parts).into_inner());
        FunctionDefinition { result, name, params, body }
    }

    fn statement_block(&mut self, block: Pair<'_, Rule>) -> Block {
        let mut parts = block.into_inner();
        let span = Some(span_of(&next(&mut parts)));
        Block { span, statements: self.statements(parts) }
    }

    fn statements(&mut self, parts: Pairs<'_, Rule>) -> Vec<Statement> {
        let mut statements = Vec::new();
        for part in parts {
            self.statement(part, &mut statements);
        }
        statements
    }

    /// Adds what a statement stands for: one entry, or one for each name it declares.
    fn statement(&mut self, pair: Pair<'_, Rule>, statements: &mut Vec<Statement>) {
        let span = span_of(&pair);
        let kind = match pair.as_rule() {
            Rule::declaration => return self.declaration(pair, statements),
            Rule::relation => match self.relation(pair) {
                Some(kind) => kind,
                None => return,
            },
            Rule::target => {
                let value = pair.into_inner().find(|part| part.as_rule() == Rule::expr);
                StatementKind::Target(self.expr(value.expect("`target +=` has a right side")))
            }
            Rule::for_loop => match self.for_loop(pair) {
                Some(kind) => kind,
                None => return,
            },
            Rule::if_statement => match self.if_statement(pair) {
                Some(kind) => kind,
                None => return,
            },
            Rule::return_statement => {
                let value = pair.into_inner().find(|part| part.as_rule() == Rule::expr);
                StatementKind::Return(self.expr(value.expect("`return` has a value")))
            }
            Rule::block => StatementKind::Block(self.statements(pair.into_inner())),
            _ => return,
        };
        statements.push(Statement { kind, span });
    }

    /// `None` when the body was refused.
    fn for_loop(&mut self, pair: Pair<'_, Rule>) -> Option<StatementKind> {
        let mut name = None;
        let mut bounds = Vec::new();
        let mut body = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(ident(&part)),
                Rule::expr => bounds.push(self.expr(part)),
                _ => self.statement(part, &mut body),
            }
        }
        let (name, body) = (name?, Box::new(one_statement(body)?));
        match bounds[..] {
            [from, to] => Some(StatementKind::For { name, from, to, body }),
            [over] => Some(StatementKind::ForEach { name, over, body }),
            _ => None,
        }
    }

    /// `None` when one of the branches was refused.
    fn if_statement(&mut self, pair: Pair<'_, Rule>) -> Option<StatementKind> {
        let mut condition = None;
        let mut then = Vec::new();
        let mut otherwise = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => condition = Some(self.expr(part)),
                Rule::else_branch => {
                    let body = self.statements(part.into_inner());
                    otherwise = Some(Box::new(one_statement(body)?));
                }
                _ => self.statement(part, &mut then),
            }
        }
        let (condition, then) = (condition?, Box::new(one_statement(then)?));
        Some(StatementKind::If { condition, then, otherwise })
    }

    fn declaration(&mut self, pair: Pair<'_, Rule>, statements: &mut Vec<Statement>) {
        let span = span_of(&pair);
        let mut parts = pair.into_inner();
        let ty = self.type_expr(next(&mut parts));
        let mut names = Vec::new();
        let mut distribution = None;
        for part in parts {
            match part.as_rule() {
                Rule::declarator => names.push(self.declarator(part)),
                Rule::distribution => distribution = Some(self.distribution(part)),
                _ => {}
            }
        }
        if let (Some(distribution), Some((name, Some(_)))) = (&distribution, names.last()) {
            let message = format!("`{}` has both a value and a distribution", name.name);
            self.diagnostics
                .error(Code::Syntax, distribution.name.span, message)
                .label(name.span, "its value follows `=`")
                .help("write `=` for a quantity computed from others, `~` for an unknown");
        }
        for (name, value) in names {
            let distribution = distribution.clone().filter(|_| value.is_none());
            let declaration = Declaration { ty: ty.clone(), name, value, distribution };
            statements.push(Statement { kind: StatementKind::Declare(declaration), span });
        }
    }

    fn declarator(&mut self, pair: Pair<'_, Rule>) -> (Ident, Option<ExprId>) {
        let mut parts = pair.into_inner();
        let name = ident(&next(&mut parts));
        let value = parts.find(|part| part.as_rule() == Rule::expr);
        (name, value.map(|value| self.expr(value)))
    }

    /// `EXPR ~ DIST(…)` or an assignment; `None` when nothing can be assigned to the left side.
    fn relation(&mut self, pair: Pair<'_, Rule>) -> Option<StatementKind> {
        let mut parts = pair.into_inner();
        let lhs = self.expr(next(&mut parts));
        let sign = next(&mut parts);
        let right = next(&mut parts);
        if sign.as_rule() == Rule::tilde {
            let distribution = self.distribution(right);
            return Some(StatementKind::Sample { lhs, distribution });
        }
        let symbol = sign.as_str().trim_end_matches('=');
        let operator = BinaryOp::ALL.into_iter().find(|op| op.symbol() == symbol);
        let value = self.expr(right);
        match self.place(lhs) {
            Some(place) if place.name.name == "lp__" => {
                self.diagnostics
                    .error(Code::Syntax, place.span, "`lp__` is not a quantity of the language")
                    .help("add to the log density: `target += …;`");
                None
            }
            Some(place) => Some(StatementKind::Assign { place, operator, value }),
            None => {
                self.refuse_place(lhs, span_of(&sign));
                None
            }
        }
    }

    /// The left side of an assignment, where it is a name with subscripts.
    fn place(&self, lhs: ExprId) -> Option<Place> {
        let mut at = lhs;
        let mut groups = Vec::new();
        loop {
            let expr = &self.ast.exprs[at];
            match &expr.kind {
                ExprKind::Index { base, subscripts } => {
                    groups.push(subscripts.as_slice());
                    at = *base;
                }
                ExprKind::Name(name) => {
                    groups.reverse();
                    return Some(Place {
                        name: Ident { name: name.clone(), span: expr.span },
                        subscripts: groups.concat(),
                        span: self.ast.exprs[lhs].span,
                    });
                }
                _ => return None,
            }
        }
    }

    fn refuse_place(&mut self, lhs: ExprId, sign: Span) {
        let span = self.ast.exprs[lhs].span;
        self.diagnostics
            .error(Code::Syntax, span, "only a name or an element of one can be assigned to")
            .label(sign, "assigned here")
            .help("write `name = …;` or `name[i] = …;`, or `~` to give it a distribution");
    }

    fn distribution(&mut self, pair: Pair<'_, Rule>) -> DistributionCall {
        let mut parts = pair.into_inner();
        let name = ident(&next(&mut parts));
        DistributionCall { name, args: self.exprs(parts) }
    }

    /// The expressions among some pairs.
    pub(super) fn exprs(&mut self, parts: Pairs<'_, Rule>) -> Vec<ExprId> {
        let mut exprs = Vec::new();
        for part in parts.filter(|part| part.as_rule() == Rule::expr) {
            exprs.push(self.expr(part));
        }
        exprs
    }

    pub(super) fn type_expr(&mut self, pair: Pair<'_, Rule>) -> TypeExpr {
        let mut ty = TypeExpr {
            array: Vec::new(),
            base: BaseType::Real,
            lower: None,
            upper: None,
            index: None,
            sizes: Vec::new(),
            span: span_of(&pair),
        };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::array_of => ty.array = self.exprs(part.into_inner()),
                Rule::sizes => ty.sizes = self.exprs(part.into_inner()),
                Rule::base_type => ty.base = base_type(&part),
                Rule::index_type => {
                    ty.base = BaseType::Index;
                    ty.index = idents(part).pop();
                }
                _ => self.constraint(part, &mut ty),
            }
        }
        ty
    }

    fn constraint(&mut self, pair: Pair<'_, Rule>, ty: &mut TypeExpr) {
        for bound in pair.into_inner().filter(|part| part.as_rule() == Rule::bound) {
            let span = span_of(&bound);
            let mut parts = bound.into_inner();
            let word = next(&mut parts).as_str().to_string();
            let value = parts.find(|part| part.as_rule() == Rule::arithmetic);
            let value = self.expr(value.expect("a bound has a value"));
            let slot = if word == "lower" { &mut ty.lower } else { &mut ty.upper };
            if slot.replace(value).is_some() {
                self.diagnostics.error(Code::Syntax, span, format!("a second `{word}` bound"));
            }
        }
    }
}

/// The body of a loop or a branch. A bare `real a, b;` declares several names; they hold
/// together in a block.
fn one_statement(mut body: Vec<Statement>) -> Option<Statement> {
    match body.len() {
        0 | 1 => body.pop(),
        _ => Some(Statement { span: body[0].span, kind: StatementKind::Block(body) }),
    }
}

fn base_type(word: &Pair<'_, Rule>) -> BaseType {
    let mut all = BaseType::ALL.into_iter();
    let base = all.find(|base| base.word() == word.as_str());
    base.expect("the grammar knows the words of the tree")
}

fn unsized_type(pair: Pair<'_, Rule>) -> UnsizedType {
    let span = span_of(&pair);
    let (mut n_array, mut base) = (0, BaseType::Real);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::array_axes => {
                let commas = part.into_inner().filter(|part| part.as_rule() == Rule::axis_comma);
                n_array = 1 + commas.count();
            }
            _ => base = base_type(&part),
        }
    }
    UnsizedType { n_array, base, span }
}

fn function_param(pair: Pair<'_, Rule>) -> FunctionParam {
    let mut parts = pair.into_inner();
    FunctionParam { ty: unsized_type(next(&mut parts)), name: ident(&next(&mut parts)) }
}
