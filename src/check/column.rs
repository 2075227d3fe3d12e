//! `column(x)` and `standardize(x)`: data over all rows or branches, computed when data are
//! loaded.

use std::collections::HashSet;

use super::flow::for_each_typed_operand;
use super::names::Place;
use super::typed::{DerivedDatum, ExprId, ExprKind, SymbolId, SymbolKind};
use super::{Checker, Facts};
use crate::diagnostic::Code;
use crate::schema::{Datum, Numbered, Origin};
use crate::source::Span;
use crate::syntax::ast::{self, Ident};
use crate::ty::{Element, Level, Role, Shape, Size, Type};

use super::reach::Reach;

impl Checker<'_> {
    /// Whether a call asks for data of the schema rather than for a function of its arguments:
    /// `column(x)`, `standardize(x)`, or `size(f)` of a factor or table.
    pub(super) fn is_data_call(&self, name: &Ident, args: &[ast::ExprId]) -> bool {
        match (name.name.as_str(), args) {
            ("column" | "standardize", _) => true,
            ("size", [arg]) => self.within.is_none() && self.levels_named(*arg).is_some(),
            _ => false,
        }
    }

    /// The value of such a call.
    pub(super) fn check_data_call(
        &mut self,
        name: &Ident,
        args: &[ast::ExprId],
        span: Span,
    ) -> Option<ExprId> {
        if name.name == "size" {
            let name = args.first().and_then(|arg| self.levels_named(*arg))?;
            let (size, counted) = (format!("size({name})"), self.numbered(name));
            self.numbering.extend(counted);
            let symbol = self.resolve(&size, span)?;
            return Some(self.symbol_expr(symbol, span));
        }
        let symbol = self.check_column_argument(name, args, span)?;
        match name.name.as_str() {
            "column" => self.check_column(symbol, span),
            _ => self.check_standardize(symbol, span),
        }
    }

    /// The factor or table that an argument names.
    fn levels_named(&self, arg: ast::ExprId) -> Option<&str> {
        let ast::ExprKind::Name(name) = &self.ast.exprs[arg].kind else { return None };
        let found: Option<Numbered> = self.numbered(name);
        found.map(|_| name.as_str())
    }

    /// The datum that `column` or `standardize` is of.
    fn check_column_argument(
        &mut self,
        function: &Ident,
        args: &[ast::ExprId],
        span: Span,
    ) -> Option<SymbolId> {
        let ast = self.ast;
        let name = match args {
            [arg] => match &ast.exprs[*arg].kind {
                ast::ExprKind::Name(name) => Some(name.clone()),
                ast::ExprKind::Member { table, column } => {
                    Some(format!("{}.{}", table.name, column.name))
                }
                _ => None,
            },
            _ => None,
        };
        let Some(name) = name else {
            args.iter().for_each(|arg| self.give_up_on(*arg));
            let message = format!("`{}` is of one datum, by name", function.name);
            let help = format!(
                "declare the datum first: `vector[N] u = …;`, and then `{}(u)`",
                function.name
            );
            self.diags.error(Code::Column, span, message).help(help);
            return None;
        };
        let of = ast.exprs[args[0]].span;
        let is_column = function.name == "column";
        let known = self.names.get(&name);
        // `column(x)` leads from one branch to all, so `x` need not be seen from here.
        let symbol = match known {
            Some(symbol) if is_column => {
                self.facts_mut(symbol).reads += 1;
                if self.facts(symbol).broken {
                    return None;
                }
                symbol
            }
            _ => self.resolve(&name, of)?,
        };
        let datum = match self.symbols[symbol].kind {
            SymbolKind::Datum(datum) => Some(datum),
            _ => None,
        };
        let Some(datum) = datum else {
            let what = self.describe(symbol);
            let message = format!("`{}` is of data, and `{name}` is {what}", function.name);
            let help = "it is computed when data are loaded, before anything is unknown";
            self.diags.error(Code::Column, of, message).help(help);
            return None;
        };
        if is_column && matches!(self.place, Place::Global | Place::Local) {
            let message = "`column(…)` is computed when data are loaded, not here";
            let help = format!(
                "declare what is computed of it in `data` and use that here: \
                 `real m = mean(column({name}));`"
            );
            self.diags.error(Code::Column, span, message).help(help);
            return None;
        }
        let entry = &self.schema.data[datum];
        if entry.level == Level::Whole && entry.table.is_none() {
            let message = format!("`{name}` is one for the whole data set and has no column");
            let help = format!("use `{name}` itself, without `{}`", function.name);
            self.diags.error(Code::Column, of, message).help(help);
            return None;
        }
        if entry.may_be_missing {
            self.schema.missing_reads.push((datum, of));
        }
        Some(symbol)
    }

    /// All values of a datum: with the number of all rows or branches as first size.
    fn check_column(&mut self, symbol: SymbolId, span: Span) -> Option<ExprId> {
        let SymbolKind::Datum(datum) = self.symbols[symbol].kind else { return None };
        let entry = &self.schema.data[datum];
        if entry.table.is_some() {
            return Some(self.symbol_expr(symbol, span));
        }
        let ty = self.symbols[symbol].ty.clone();
        let ty = if entry.per_row { of_all_rows(ty) } else { of_all_branches(ty) };
        Some(self.push(ExprKind::Column(datum), ty, &[], span))
    }

    /// The standardised form of a datum: a hidden datum of its own.
    fn check_standardize(&mut self, symbol: SymbolId, span: Span) -> Option<ExprId> {
        let SymbolKind::Datum(datum) = self.symbols[symbol].kind else { return None };
        let entry = &self.schema.data[datum];
        let name = format!("standardize({})", entry.name);
        let hidden = match self.names.get(&name) {
            Some(hidden) => hidden,
            None => {
                let entry = Datum {
                    name: name.clone(),
                    numbered: None,
                    may_be_missing: false,
                    element: Element::Real,
                    lower: None,
                    upper: None,
                    origin: Origin::Standardized(datum),
                    ..entry.clone()
                };
                let kind = SymbolKind::Datum(self.schema.data.len());
                self.schema.data.push(entry);
                let ty = of_reals(self.symbols[symbol].ty.clone());
                let facts = Facts { reads: 1, ..Facts::new(self.facts(symbol).reach) };
                let name = Ident { name, span: self.symbols[symbol].span };
                self.declare(&name, kind, ty, facts)
            }
        };
        Some(self.symbol_expr(hidden, span))
    }

    /// Parts of a datum of the branch that are made of columns are the same in every branch: each
    /// becomes a hidden datum of the whole set, so that it is computed once.
    pub(super) fn hoist_columns(&mut self, root: ExprId, derived: &mut Vec<DerivedDatum>) {
        let mut with_columns = HashSet::new();
        for id in self.parts(root) {
            let mut has_column = matches!(self.exprs[id].kind, ExprKind::Column(_));
            for_each_typed_operand(&self.exprs[id].kind, |operand| {
                has_column |= with_columns.contains(&operand);
            });
            if has_column {
                with_columns.insert(id);
            }
        }
        let mut rest = vec![root];
        while let Some(id) = rest.pop() {
            let expr = &self.exprs[id];
            let is_bare = matches!(expr.kind, ExprKind::Column(_));
            if !with_columns.contains(&id) || is_bare {
                continue;
            }
            if expr.level == Level::Whole {
                derived.push(self.hoist(id));
            } else {
                for_each_typed_operand(&expr.kind, |operand| rest.push(operand));
            }
        }
    }

    /// Puts a hidden datum in the place of an expression.
    fn hoist(&mut self, id: ExprId) -> DerivedDatum {
        let expr = self.exprs[id].clone();
        let datum = self.schema.data.len();
        let name = self.text(expr.span);
        self.schema.data.push(Datum {
            name: name.clone(),
            table: None,
            numbered: None,
            may_be_missing: false,
            level: Level::Whole,
            per_row: false,
            element: expr.ty.element,
            dims: expr.ty.dims(),
            lower: None,
            upper: None,
            origin: Origin::Derived,
            span: expr.span,
            type_text: expr.ty.to_string(),
        });
        let reach = Reach { level: Level::Whole, role: Role::Data, branch_data: false };
        let facts = Facts { reads: 1, ..Facts::new(reach) };
        let name = Ident { name, span: expr.span };
        let symbol = self.add_symbol(&name, SymbolKind::Datum(datum), expr.ty.clone(), facts);
        let value = self.push(expr.kind, expr.ty, &[], expr.span);
        self.exprs[id].kind = ExprKind::Symbol(symbol);
        DerivedDatum { datum, value }
    }
}

/// The type of a per-row datum over all rows.
fn of_all_rows(mut ty: Type) -> Type {
    let all = Size::all_rows();
    match (ty.array.first_mut(), &mut ty.shape) {
        (Some(rows), _) => *rows = all,
        (None, Shape::Vector(rows) | Shape::RowVector(rows) | Shape::Matrix(rows, _)) => {
            *rows = all;
        }
        (None, Shape::Scalar) => {}
    }
    ty
}

/// The type of a datum of the branch over all branches: numbers side by side.
fn of_all_branches(ty: Type) -> Type {
    let all = Size::branches();
    match (&ty.shape, ty.array.is_empty(), ty.element) {
        (Shape::Scalar, true, Element::Real) => Type::of_shape(Shape::Vector(all)),
        (Shape::Vector(k) | Shape::RowVector(k), true, _) => {
            Type::of_shape(Shape::Matrix(all, k.clone()))
        }
        _ => Type { array: std::iter::once(all).chain(ty.array).collect(), ..ty },
    }
}

/// The real form of a type: arrays of whole numbers become a vector or matrix.
fn of_reals(ty: Type) -> Type {
    match (ty.array.as_slice(), &ty.shape) {
        ([rows], Shape::Scalar) => Type::of_shape(Shape::Vector(rows.clone())),
        ([rows, columns], Shape::Scalar) => {
            Type::of_shape(Shape::Matrix(rows.clone(), columns.clone()))
        }
        _ => Type { element: Element::Real, ..ty },
    }
}
