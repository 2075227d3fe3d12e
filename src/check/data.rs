//! The `data` block: the schema, and a symbol for every name in it.

use super::names::{Place, data_items};
use super::reach::Reach;
use super::typed::{DerivedDatum, ExprId, ExprKind, SymbolId, SymbolKind, UnaryOp};
use super::{Checker, Facts, data_graph};
use crate::diagnostic::Code;
use crate::schema::{Bound, Datum, Origin, Rows};
use crate::source::Span;
use crate::syntax::ast::{self, BaseType, DataDeclaration, DataItem, Ident};
use crate::ty::{Element, Level, Role, Shape, Size, Type};

/// A declaration of the data block, by its place in the schema.
pub(super) struct DeclaredDatum<'a> {
    pub(super) declaration: &'a DataDeclaration,
    /// The table it is a column of.
    pub(super) table: Option<usize>,
    pub(super) symbol: SymbolId,
    pub(super) datum: usize,
    pub(super) place: Place,
}

impl<'a> Checker<'a> {
    /// Fills the schema. Returns derived data in an order in which each reads earlier ones.
    pub(super) fn check_data(&mut self) -> Vec<DerivedDatum> {
        let ast = self.ast;
        if let Some(branch) = ast.data.branches.first() {
            self.schema.key = branch.key.iter().map(|column| column.name.clone()).collect();
        }
        for (level, item) in data_items(ast) {
            if let DataItem::Rows { name, count, by, span } = item {
                self.check_rows(level, name, *count, by, *span);
            }
        }
        self.declare_numbered();
        let declared = self.declare_data();
        for datum in &declared {
            self.place = datum.place;
            self.check_datum_type(datum);
        }
        for datum in &declared {
            self.place = datum.place;
            self.check_datum_bounds(datum);
        }
        self.check_derived_data(&declared)
    }

    fn check_rows(
        &mut self,
        level: Level,
        name: &Ident,
        count: Option<ast::ExprId>,
        by: &[Ident],
        span: Span,
    ) {
        if level == Level::Whole {
            let help = "write it inside `branch`: it names the number of rows of a branch";
            self.diags.error(Code::Rows, span, "`rows` stands outside `branch`").help(help);
            return;
        }
        if let Some(first) = &self.schema.rows {
            let first = first.span;
            self.diags
                .error(Code::Rows, span, "the number of rows is named twice")
                .label(first, "first named here");
            return;
        }
        let count = count.and_then(|count| self.check_row_count(count));
        let by = by.iter().map(|column| column.name.clone()).collect();
        self.schema.rows = Some(Rows { name: name.name.clone(), count, by, span });
        let reach = Reach { level, role: Role::Data, branch_data: true };
        let facts = Facts::new(reach);
        self.declare(name, SymbolKind::RowCount, Type::int(), facts);
    }

    fn check_row_count(&mut self, count: ast::ExprId) -> Option<u64> {
        let expr = &self.ast.exprs[count];
        if let ast::ExprKind::Int(value) = expr.kind {
            return u64::try_from(value).ok();
        }
        self.diags
            .error(Code::Rows, expr.span, "the fixed number of rows is written as a number")
            .help("as in `rows N = 4;`");
        None
    }

    /// Gives every datum its name; sizes of containers are filled in later.
    fn declare_data(&mut self) -> Vec<DeclaredDatum<'a>> {
        let ast = self.ast;
        let mut declared = Vec::new();
        for (level, item) in data_items(ast) {
            match item {
                DataItem::Declare(declaration) => {
                    declared.push(self.declare_datum(level, declaration, None));
                }
                DataItem::Table(section) => {
                    let named = |table: &crate::schema::Table| table.span == section.name.span;
                    let Some(table) = self.schema.tables.iter().position(named) else { continue };
                    for item in &section.items {
                        if let DataItem::Declare(declaration) = item {
                            declared.push(self.declare_datum(level, declaration, Some(table)));
                        }
                    }
                }
                DataItem::Rows { .. } | DataItem::Factor(_) => {}
            }
        }
        declared
    }

    fn declare_datum(
        &mut self,
        level: Level,
        declaration: &'a DataDeclaration,
        table: Option<usize>,
    ) -> DeclaredDatum<'a> {
        let datum = self.schema.data.len();
        let is_int = matches!(declaration.ty.base, BaseType::Int | BaseType::Index);
        let element = if is_int { Element::Int } else { Element::Real };
        let name = match table {
            Some(table) => {
                format!("{}.{}", self.schema.tables[table].name, declaration.name.name)
            }
            None => declaration.name.name.clone(),
        };
        self.schema.data.push(Datum {
            name: name.clone(),
            table,
            numbered: None,
            may_be_missing: false,
            level,
            per_row: false,
            element,
            dims: Vec::new(),
            lower: None,
            upper: None,
            origin: Origin::Derived,
            span: declaration.name.span,
            type_text: self.text(declaration.ty.span),
        });
        let is_container =
            table.is_some() || !declaration.ty.array.is_empty() || !declaration.ty.sizes.is_empty();
        let array = if is_container { vec![Size::default()] } else { Vec::new() };
        let ty = Type { array, element, ..Type::real() };
        let branch_data = level == Level::Branch;
        let facts = Facts::new(Reach { level, role: Role::Data, branch_data });
        let kind = SymbolKind::Datum(datum);
        let name = Ident { name, span: declaration.name.span };
        let symbol = self.declare(&name, kind, ty, facts);
        let place = match level {
            Level::Whole => Place::WholeData,
            Level::Branch => Place::BranchData,
        };
        DeclaredDatum { declaration, table, symbol, datum, place }
    }

    fn check_datum_type(&mut self, datum: &DeclaredDatum) {
        let DataDeclaration { ty, name, .. } = datum.declaration;
        if let Some(instead) = type_of_unknowns(ty.base) {
            let span = self.type_span(ty);
            let word = ty.base.word();
            self.diags
                .error(Code::BadType, span, format!("only an unknown is a `{word}`"))
                .help(format!("declare data by shape: `{instead} {}`", name.name));
            self.facts_mut(datum.symbol).give_up();
            return;
        }
        let numbered = self.check_numbered(ty);
        let is_wrong = ty.base == BaseType::Index && numbered.is_none();
        let Some(checked) = self.check_type(ty).filter(|_| !is_wrong) else {
            self.facts_mut(datum.symbol).give_up();
            return;
        };
        let checked = match datum.table {
            Some(table) => self.type_over_keys(table, checked),
            None => checked,
        };
        let per_row = self.starts_with_rows(ty);
        let dims = checked.dims();
        self.symbols[datum.symbol].ty = checked;
        let entry = &mut self.schema.data[datum.datum];
        entry.per_row = per_row;
        entry.dims = dims.clone();
        entry.numbered = numbered;
        if self.check_rows_first(datum, per_row, &dims) {
            self.check_origin(datum);
        }
        if !self.facts(datum.symbol).broken {
            self.check_may_be_missing(datum);
        }
    }

    /// Whether the first size is the name of the row count.
    fn starts_with_rows(&self, ty: &ast::TypeExpr) -> bool {
        let Some(first) = ty.array.iter().chain(&ty.sizes).next() else { return false };
        match &self.ast.exprs[*first].kind {
            ast::ExprKind::Name(name) => {
                self.schema.rows.as_ref().is_some_and(|rows| rows.name == *name)
            }
            _ => false,
        }
    }

    fn check_rows_first(&mut self, datum: &DeclaredDatum, per_row: bool, dims: &[Size]) -> bool {
        let late = dims.iter().skip(usize::from(per_row)).any(Size::depends_on_rows);
        if !late || datum.declaration.value.is_some() {
            return true;
        }
        let rows = self.schema.rows.as_ref().map_or("N", |rows| rows.name.as_str());
        let message = format!("the number of rows `{rows}` is not the first size");
        let help = format!(
            "data with one value per row have `{rows}` alone as their first size: \
             `vector[{rows}]`, `matrix[{rows}, K]`, `array[{rows}] int`"
        );
        let span = self.type_span(&datum.declaration.ty);
        self.diags.error(Code::RowsFirst, span, message).help(help);
        self.facts_mut(datum.symbol).give_up();
        false
    }

    fn check_datum_bounds(&mut self, datum: &DeclaredDatum) {
        let ty = &datum.declaration.ty;
        if self.facts(datum.symbol).broken {
            for bound in [ty.lower, ty.upper].into_iter().flatten() {
                self.give_up_on(bound);
            }
            return;
        }
        let mut lower = ty.lower.and_then(|bound| self.check_datum_bound(datum, bound));
        let mut upper = ty.upper.and_then(|bound| self.check_datum_bound(datum, bound));
        if let Some(number) = self.schema.data[datum.datum].numbered {
            let (first, last) = self.bounds_of_numbered(number);
            (lower, upper) = (lower.or(Some(first)), upper.or(last));
        }
        if let (Some(Bound::Number(low)), Some(Bound::Number(high))) = (&lower, &upper)
            && low > high
        {
            let message = format!("no value lies between {low} and {high}");
            let span = self.type_span(ty);
            self.diags.error(Code::Constraint, span, message);
        }
        let entry = &mut self.schema.data[datum.datum];
        entry.lower = lower;
        entry.upper = upper;
        if entry.dims.is_empty() {
            self.facts_mut(datum.symbol).range = self.range_of_datum(datum.datum);
        }
    }

    fn check_datum_bound(&mut self, datum: &DeclaredDatum, bound: ast::ExprId) -> Option<Bound> {
        if let Some(other) = self.column_beside(datum, bound) {
            return Some(Bound::Datum(other));
        }
        let typed = self.check_expr(bound)?;
        if let Some(number) = self.constant_value(typed) {
            return Some(Bound::Number(number));
        }
        let span = self.exprs[typed].span;
        let other = self.named_symbol(typed).and_then(|symbol| match self.symbols[symbol].kind {
            SymbolKind::Datum(other) => Some(other),
            _ => None,
        });
        let Some(other) = other else {
            let text = self.text(span);
            let message = format!("the bound `{text}` is neither a number nor a datum");
            let help = "declare it as a datum of its own and name that: `int top = …;`";
            self.diags.error(Code::DataBound, span, message).help(help);
            return None;
        };
        let (ours, theirs) = (&self.schema.data[datum.datum], &self.schema.data[other]);
        if !theirs.dims.is_empty() && theirs.dims != ours.dims {
            let message = format!(
                "`{}` is {} and cannot bound `{}`, value by value",
                theirs.name, theirs.type_text, ours.name
            );
            let help = "a bound is one number, or a datum of the same sizes";
            self.diags.error(Code::DataBound, span, message).help(help);
            return None;
        }
        Some(Bound::Datum(other))
    }

    fn check_derived_data(&mut self, declared: &[DeclaredDatum]) -> Vec<DerivedDatum> {
        let order = match data_graph::order(self.ast, declared) {
            Ok(order) => order,
            Err(cycle) => {
                self.report_cycle(declared, &cycle);
                (0..declared.len()).collect()
            }
        };
        let mut derived = Vec::new();
        for datum in order.into_iter().map(|position| &declared[position]) {
            let Some(value) = datum.declaration.value else { continue };
            self.place = datum.place;
            let Some(value) = self.check_expr(value) else { continue };
            if self.facts(datum.symbol).broken {
                continue;
            }
            if datum.place == Place::BranchData {
                self.hoist_columns(value, &mut derived);
            }
            if self.require_assignable(datum.symbol, &[], value).is_some() {
                derived.push(DerivedDatum { datum: datum.datum, value });
            }
        }
        derived
    }

    fn report_cycle(&mut self, declared: &[DeclaredDatum], cycle: &[usize]) {
        let names: Vec<String> = cycle
            .iter()
            .chain(cycle.first())
            .map(|position| format!("`{}`", declared[*position].declaration.name.name))
            .collect();
        for position in cycle {
            self.facts_mut(declared[*position].symbol).give_up();
        }
        let name = &declared[cycle[0]].declaration.name;
        let diagnostic = self.diags.error(
            Code::DataCycle,
            name.span,
            format!("`{}` is computed from itself: {}", name.name, names.join(" from ")),
        );
        for position in &cycle[1..] {
            let other = &declared[*position].declaration.name;
            diagnostic.label(other.span, "by way of this");
        }
        diagnostic.help("order does not matter here, but one of them must come from elsewhere");
    }

    /// The number that an expression of literals stands for.
    pub(super) fn constant_value(&self, root: ExprId) -> Option<f64> {
        let mut sign = 1.0;
        let mut at = root;
        loop {
            match self.exprs[at].kind {
                ExprKind::Int(value) => return Some(sign * value as f64),
                ExprKind::Real(value) => return Some(sign * value),
                ExprKind::Unary(UnaryOp::Negate, operand) => (sign, at) = (-sign, operand),
                ExprKind::Unary(UnaryOp::Plus, operand) => at = operand,
                _ => return None,
            }
        }
    }

    /// Where a type stands, without the space after it.
    pub(super) fn type_span(&self, ty: &ast::TypeExpr) -> Span {
        let text = self.source.slice(ty.span).trim_end();
        let start = ty.span.start as usize;
        Span::new(start, start + text.len())
    }

    /// A type as written, its sizes as symbols.
    pub(super) fn check_type(&mut self, ty: &ast::TypeExpr) -> Option<Type> {
        let wanted = match ty.base {
            BaseType::Int | BaseType::Real | BaseType::Index => 0,
            BaseType::Vector
            | BaseType::RowVector
            | BaseType::CholeskyFactorCorr
            | BaseType::Simplex
            | BaseType::Ordered
            | BaseType::PositiveOrdered
            | BaseType::CovMatrix => 1,
            BaseType::Matrix => 2,
        };
        if ty.sizes.len() != wanted {
            let word = ty.base.word();
            let help = match wanted {
                0 => format!("several of them are `array[K] {word}`, or a `vector[K]`"),
                1 => format!("as in `{word}[K]`"),
                _ => format!("as in `{word}[K, L]`"),
            };
            let plural = if wanted == 1 { "" } else { "s" };
            let message = format!("`{word}` takes {wanted} size{plural}, not {}", ty.sizes.len());
            let span = self.type_span(ty);
            self.diags.error(Code::BadType, span, message).help(help);
            return None;
        }
        let all: Vec<ast::ExprId> = ty.array.iter().chain(&ty.sizes).copied().collect();
        let sizes: Vec<Option<Size>> = all.iter().map(|size| self.check_size(*size)).collect();
        let mut sizes: Vec<Size> = sizes.into_iter().collect::<Option<_>>()?;
        let own = sizes.split_off(ty.array.len());
        let is_int = matches!(ty.base, BaseType::Int | BaseType::Index);
        let element = if is_int { Element::Int } else { Element::Real };
        Some(Type { array: sizes, shape: shape_of(ty.base, own), element })
    }
}

/// What data are declared as instead of a type that only unknowns have.
fn type_of_unknowns(base: BaseType) -> Option<&'static str> {
    match base {
        BaseType::CholeskyFactorCorr | BaseType::CovMatrix => Some("matrix[K, K]"),
        BaseType::Simplex | BaseType::Ordered | BaseType::PositiveOrdered => Some("vector[K]"),
        _ => None,
    }
}

fn shape_of(base: BaseType, sizes: Vec<Size>) -> Shape {
    match (base, sizes.as_slice()) {
        (
            BaseType::Vector | BaseType::Simplex | BaseType::Ordered | BaseType::PositiveOrdered,
            [n],
        ) => Shape::Vector(n.clone()),
        (BaseType::RowVector, [n]) => Shape::RowVector(n.clone()),
        (BaseType::Matrix, [rows, columns]) => Shape::Matrix(rows.clone(), columns.clone()),
        (BaseType::CholeskyFactorCorr | BaseType::CovMatrix, [n]) => {
            Shape::Matrix(n.clone(), n.clone())
        }
        _ => Shape::Scalar,
    }
}
