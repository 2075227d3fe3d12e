//! From the tree to a [`TypedModel`]: names, types and sizes, levels and roles.
//!
//! [`check`] proves that a file means p(θ) ∏ᵢ p(zᵢ|θ) p(yᵢ|θ,zᵢ,xᵢ), or says where it does
//! not. It keeps going after an error; an expression that failed is silent from then on, and
//! so is a name whose declaration failed. No function recurses over the depth of an
//! expression; statements nest no deeper than the parser lets them.

mod allow;
mod argument;
mod assign;
mod blocks;
mod call;
mod column;
mod condition;
mod data;
mod data_graph;
mod density;
mod density_call;
mod doubled;
mod expr;
mod factor;
mod finish;
mod flow;
mod foreach;
mod function;
mod habit;
mod inline;
mod linear;
mod literal;
mod loops;
mod missing;
mod names;
mod operators;
mod origin;
mod outcome;
mod own_density;
mod promote;
mod reach;
mod remark;
mod returns;
mod sizes;
mod slice;
mod stan;
mod statement;
mod subscript;
mod support;
mod table;
mod truncation;
pub mod typed;
mod unknown;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostics};
use crate::index::Arena;
use crate::schema::{Numbered, Schema};
use crate::source::{Source, Span};
use crate::syntax::ast::{self, Ast};
use crate::ty::{Size, Type};
use doubled::Given;
pub(crate) use flow::for_each_typed_operand;
use function::Functions;
use inline::{Inlined, Within};
use linear::Linear;
use names::{Names, Place};
use reach::{Assigned, Reach};
use typed::{ExprId, SizeCheck, Symbol, SymbolId, SymbolKind, TypedModel};

/// The meaning of a model, or `None` when it has none; `diags` then says why.
pub fn check(ast: &Ast, source: &Source, diags: &mut Diagnostics) -> Option<TypedModel> {
    let mut found = Diagnostics::default();
    let mut checker = Checker::new(ast, source, &mut found);
    checker.check_blocks();
    checker.check_functions();
    let derived_data = checker.check_data();
    let global = checker.check_block(Place::Global);
    let local = checker.check_block(Place::Local);
    checker.check_completeness();
    checker.schema.missing_reads.append(&mut checker.missing_reads);
    let model = TypedModel {
        schema: checker.schema,
        symbols: checker.symbols,
        exprs: checker.exprs,
        derived_data,
        size_checks: checker.size_checks,
        globals: checker.globals,
        locals: checker.locals,
        global,
        local,
    };
    let failed = found.has_errors();
    if failed {
        // What an error leaves out of the model looks unused, which nobody can mend first.
        found.retain(|diagnostic| diagnostic.code != Code::Unused);
    }
    allow::report(ast, source, found, diags);
    (!failed).then_some(model)
}

/// What is known so far.
struct Checker<'a> {
    ast: &'a Ast,
    source: &'a Source,
    diags: &'a mut Diagnostics,

    schema: Schema,
    symbols: Arena<Symbol>,
    exprs: Arena<typed::Expr>,
    size_checks: Vec<SizeCheck>,
    globals: Vec<SymbolId>,
    locals: Vec<SymbolId>,

    /// What is known of each symbol beside its type.
    facts: Vec<Facts>,
    names: Names,
    /// Where the expression at hand stands.
    place: Place,
    /// The typed form of each expression of the tree; `None`: not typed, or failed.
    typed: Vec<Option<ExprId>>,
    /// The loops around the statement at hand, outermost first.
    loops: Vec<SymbolId>,
    /// The conditions of `if` that the statement at hand stands under, outermost first.
    conditions: Vec<ExprId>,
    /// How many conditions decide whether the expression at hand is computed at all.
    guards: usize,
    /// For each typed expression, how deep conditions nest in it.
    depth: Vec<u16>,
    /// The functions of the file.
    functions: Functions<'a>,
    /// The function whose body is at hand.
    within: Option<Within>,
    /// What is known of calls of the file's functions beside their type.
    inlined: HashMap<ExprId, Inlined>,
    /// How deep the statement at hand is nested.
    statement_depth: usize,
    /// How many expressions calls have been expanded to.
    n_expanded: usize,
    /// Which distributions unknowns were given, in order.
    given: Vec<Given>,
    /// Where data with empty cells are read, other than as outcomes: place in the schema.
    missing_reads: Vec<(usize, Span)>,
    /// Level and role of what the block at hand assigns.
    assigned: Assigned,
    /// Factors and tables whose levels or keys something is numbered by.
    numbering: Vec<Numbered>,
}

/// What is known of a symbol beside its type.
#[derive(Clone, Debug)]
struct Facts {
    /// Its declaration failed: expressions with it are silently given up.
    broken: bool,
    /// What it depends on.
    reach: Reach,
    /// How often it is read, other than as the outcome of a distribution.
    reads: u32,
    /// Where it stands left of `~` or before a bar.
    density: Option<Span>,
    /// Where it stands, whole, left of `~`.
    whole_prior: Option<Span>,
    /// A derived quantity or temporary that is not linear in the unknowns.
    nonlinear: bool,
    /// A derived quantity or temporary that jumps where an unknown moves.
    discontinuous: bool,
    /// Declared inside a block or loop.
    nested: bool,
    /// Smallest and largest value of a loop variable or a branch's whole number.
    range: (Option<Size>, Option<Size>),
    /// A loop variable that takes every value of its range, whatever the other loops do.
    exact_range: bool,
    /// A whole number that is never assigned again, as a sum of sizes and variables.
    linear: Option<Linear>,
    /// An argument of a user's function.
    is_argument: bool,
    /// An argument or element that holds data with one value per row.
    row_data: bool,
    /// The element that a `for` over a container means by its name.
    alias: Option<ExprId>,
}

impl Facts {
    fn new(reach: Reach) -> Facts {
        Facts {
            broken: false,
            reach,
            reads: 0,
            density: None,
            whole_prior: None,
            nonlinear: false,
            discontinuous: false,
            nested: false,
            range: (None, None),
            exact_range: false,
            linear: None,
            is_argument: false,
            row_data: false,
            alias: None,
        }
    }

    /// Nothing more is to be said of it.
    fn give_up(&mut self) {
        self.broken = true;
        self.reads += 1;
    }
}

impl<'a> Checker<'a> {
    fn new(ast: &'a Ast, source: &'a Source, diags: &'a mut Diagnostics) -> Self {
        Checker {
            ast,
            source,
            diags,
            schema: Schema::default(),
            symbols: Arena::default(),
            exprs: Arena::default(),
            size_checks: Vec::new(),
            globals: Vec::new(),
            locals: Vec::new(),
            facts: Vec::new(),
            names: Names::new(ast),
            place: Place::WholeData,
            typed: vec![None; ast.exprs.len()],
            loops: Vec::new(),
            conditions: Vec::new(),
            guards: 0,
            depth: Vec::new(),
            functions: Functions::default(),
            within: None,
            inlined: HashMap::new(),
            statement_depth: 0,
            n_expanded: 0,
            given: Vec::new(),
            missing_reads: Vec::new(),
            assigned: Assigned::default(),
            numbering: Vec::new(),
        }
    }

    fn add_symbol(
        &mut self,
        name: &ast::Ident,
        kind: SymbolKind,
        ty: Type,
        facts: Facts,
    ) -> SymbolId {
        let symbol = Symbol { name: name.name.clone(), kind, ty, span: name.span };
        self.facts.push(facts);
        self.symbols.push(symbol)
    }

    fn facts(&self, symbol: SymbolId) -> &Facts {
        &self.facts[symbol.index()]
    }

    fn facts_mut(&mut self, symbol: SymbolId) -> &mut Facts {
        &mut self.facts[symbol.index()]
    }

    fn not_yet(&mut self, span: Span, what: &str, instead: &str) {
        self.diags
            .error(Code::NotYet, span, format!("this version does not have {what}"))
            .help(instead);
    }

    /// The text at `span`, cut to a length that fits a message.
    fn text(&self, span: Span) -> String {
        let text = self.source.slice(span);
        let words: Vec<&str> = text.split_whitespace().take(40).collect();
        let line = words.join(" ");
        match line.char_indices().nth(60) {
            Some((end, _)) => format!("{} …", &line[..end]),
            None => line,
        }
    }
}
