//! Subscripts: `a[i]`, `a[i, j]`, `a[i][j]`, `m[, j]`.

use super::Checker;
use super::expr::subscript_operands;
use super::flow::for_each_name;
use super::names::Place;
use super::typed::{ExprId, ExprKind, SymbolId, SymbolKind};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{self, Subscript};
use crate::ty::{Element, Level, Role, Shape, Size, Type};

/// What a subscript picks along its axis.
#[derive(Clone, Debug)]
pub(super) enum Picked {
    /// Everything.
    All,
    /// One element.
    At(ExprId),
    /// Elements from a number on, counted from one, and how many.
    Some { from: Size, count: Size },
    /// The elements with these numbers.
    Many(ExprId),
}

impl Checker<'_> {
    /// Reports `theta[school]`: the key of the branches as an index.
    pub(super) fn check_no_branch_index(
        &mut self,
        base: ast::ExprId,
        subscripts: &[Subscript],
    ) -> bool {
        for index in subscripts.iter().flat_map(subscript_operands) {
            let Some(key) = self.key_in(index) else { continue };
            self.give_up_on(base);
            let what = self.text(self.ast.exprs[base].span);
            let span = self.ast.exprs[index].span;
            match self.ast.exprs[index].kind {
                ast::ExprKind::Name(_) | ast::ExprKind::Index { .. } => {
                    self.report_branch_index(&what, span);
                }
                _ => self.report_neighbour(&what, &key, span),
            }
            return false;
        }
        true
    }

    /// The key of the branches, where an expression names it and it is not declared as data.
    fn key_in(&self, root: ast::ExprId) -> Option<String> {
        let mut found = None;
        for_each_name(self.ast, root, |name| {
            if self.names.is_key(name) && self.names.get(name).is_none() {
                found.get_or_insert_with(|| name.to_string());
            }
        });
        found
    }

    fn report_neighbour(&mut self, what: &str, key: &str, span: Span) {
        let message = format!("`{what}` of another branch is out of reach");
        self.diags.error(Code::AcrossBranches, span, message).help(format!(
            "branches depend on each other only through `global`, which is what lets them be \
             fitted one by one: give what neighbours share an unknown in `global`, indexed by a \
             factor, or take a larger group than `{key}` as branch, with `rows N by …;`"
        ));
    }

    fn report_branch_index(&mut self, what: &str, span: Span) {
        self.diags
            .error(
                Code::BranchIndex,
                span,
                format!("there is no index for branches: `{what}` needs none"),
            )
            .help(format!(
                "write `{what}` alone: `local` is about one branch, and `{what}` there is its own; \
                 the unknowns of a branch go in `local`, what all branches share in `global`"
            ));
    }

    /// `a[i, j]`, `a[2:5]`, `a[numbers]`, in any mixture.
    pub(super) fn check_index(
        &mut self,
        base: ExprId,
        subscripts: &[Subscript],
        span: Span,
    ) -> Option<ExprId> {
        let ty = self.exprs[base].ty.clone();
        if ty.is_scalar() {
            self.report_scalar_index(base, span);
            return None;
        }
        let picked = self.check_subscripts(&ty, subscripts, span)?;
        self.warn_row_order(base, &picked, span);
        self.pick(base, &picked, span)
    }

    /// An element or slice; `a[i][j]` becomes `a[i, j]`.
    pub(super) fn push_index(
        &mut self,
        base: ExprId,
        indices: Vec<Option<ExprId>>,
        span: Span,
    ) -> ExprId {
        let ty = indexed_type(&self.exprs[base].ty, &indices);
        let mut operands: Vec<ExprId> = indices.iter().copied().flatten().collect();
        operands.push(base);
        let kind = match &self.exprs[base].kind {
            ExprKind::Index(inner, first) if first.iter().all(Option::is_some) => {
                let all = first.iter().copied().chain(indices).collect();
                ExprKind::Index(*inner, all)
            }
            _ => ExprKind::Index(base, indices),
        };
        self.push(kind, ty, &operands, span)
    }

    fn report_scalar_index(&mut self, base: ExprId, span: Span) {
        let base_span = self.exprs[base].span;
        let text = self.text(base_span);
        let is_of_branch = self.named_symbol(base).is_some_and(|symbol| {
            self.facts(symbol).reach.level == Level::Branch
                && !matches!(self.symbols[symbol].kind, SymbolKind::LoopVariable)
        });
        if is_of_branch {
            let message =
                format!("`{text}` is one number in each branch: there is no index for branches");
            self.diags.error(Code::BranchIndex, span, message).help(format!(
                "in `local`, `{text}` is that of the branch at hand; declare it as \
                 `vector[K]` or with `[N]` if a branch has several"
            ));
        } else {
            let message = format!("`{text}` is one number and has no elements");
            self.diags.error(Code::Index, span, message).help("leave out the brackets");
        }
    }

    /// The subscripts of a value of type `ty`, each proved a whole number known from data.
    /// They have been typed already, except in assignments.
    pub(super) fn check_subscripts(
        &mut self,
        ty: &Type,
        subscripts: &[Subscript],
        span: Span,
    ) -> Option<Vec<Picked>> {
        let dims = ty.dims();
        if subscripts.len() > dims.len() {
            let message =
                format!("{} subscripts for {ty}, which takes {}", subscripts.len(), dims.len());
            self.diags.error(Code::Index, span, message).help("leave out the last ones");
            return None;
        }
        let mut picked = Vec::with_capacity(subscripts.len());
        for (subscript, size) in subscripts.iter().zip(&dims) {
            picked.push(self.check_subscript(*subscript, size, span)?);
        }
        Some(picked)
    }

    fn check_subscript(&mut self, subscript: Subscript, size: &Size, span: Span) -> Option<Picked> {
        match subscript {
            Subscript::At(index) => {
                let index = self.done(index)?;
                self.check_index_value(index, size)
            }
            Subscript::Range(None, None) => Some(Picked::All),
            Subscript::Range(from, to) => self.check_range_subscript(from, to, size, span),
        }
    }

    /// A whole number, or an array of these.
    pub(super) fn check_index_value(&mut self, index: ExprId, size: &Size) -> Option<Picked> {
        let expr = &self.exprs[index];
        let (span, ty, role) = (expr.span, expr.ty.clone(), expr.role);
        let is_many = ty.array.len() == 1 && ty.shape == Shape::Scalar;
        if !(ty.is_scalar() || is_many && ty.element == Element::Int) {
            let message = format!("a subscript is a whole number, and this is {ty}");
            let diagnostic = self.diags.error(Code::Index, span, message);
            diagnostic.help("several numbers are an `array[N] int`; a range is `a:b`");
            return None;
        }
        if ty.element != Element::Int {
            let text = self.text(span);
            let message = format!("a subscript is a whole number, and `{text}` is real");
            let diagnostic = self.diags.error(Code::Index, span, message);
            diagnostic.help("declare it as `int`");
            return None;
        }
        if role != Role::Data {
            let text = self.text(span);
            let message = format!("the subscript `{text}` depends on an unknown");
            let diagnostic = self.diags.error(Code::IndexUnknown, span, message);
            diagnostic.help("subscripts come from data: sum over the values it could have");
            return None;
        }
        if is_many {
            if let ExprKind::Array(numbers) = self.exprs[index].kind.clone() {
                for number in numbers {
                    self.check_range(number, size)?;
                }
            }
            return Some(Picked::Many(index));
        }
        self.check_range(index, size)?;
        Some(Picked::At(index))
    }

    /// Reports a subscript that is out of range whatever the data are.
    /// What stands behind a condition may be computed for other values alone.
    fn check_range(&mut self, index: ExprId, size: &Size) -> Option<()> {
        if self.guards > 0 {
            return Some(());
        }
        let (low, high) = self.exact_range(index);
        let low = low.and_then(|low| low.as_constant());
        let room = high.as_ref().and_then(|high| size.checked_sub(high)?.as_constant());
        let too_low = low.is_some_and(|low| low < 1);
        if !too_low && room.is_none_or(|room| room >= 0) {
            return Some(());
        }
        let span = self.exprs[index].span;
        let reached = if too_low { low.map(Size::constant) } else { high };
        let reached = reached.map_or(String::new(), |value| value.to_string());
        let message = match self.exprs[index].kind {
            ExprKind::Int(_) => {
                format!("there is no element {reached}: they count from 1 to {size}")
            }
            _ => format!("this subscript reaches {reached}, but elements count from 1 to {size}"),
        };
        self.diags.error(Code::IndexRange, span, message).help(if too_low {
            "subscripts count from one, as in Stan"
        } else {
            "declare a larger size, or stop earlier"
        });
        None
    }

    /// Warns of `y[n - 1]`, `y[1]` and `y[2:N]` where nothing says in what order rows are
    /// (rule 10).
    pub(super) fn warn_row_order(&mut self, base: ExprId, picked: &[Picked], span: Span) {
        let is_rows = self.place == Place::Local && self.is_per_row(&self.exprs[base].ty);
        let is_plain = match picked.first() {
            None | Some(Picked::All) => true,
            Some(Picked::At(index)) => {
                self.named_symbol(*index).is_some_and(|symbol| self.is_loop(symbol))
            }
            Some(Picked::Some { .. } | Picked::Many(_)) => false,
        };
        if is_rows && !is_plain && self.is_row_data(base) {
            let text = self.text(span);
            let what = match picked[0] {
                Picked::At(_) => "a row by its place",
                _ => "rows by their place",
            };
            self.warn_unequal_rows(span, format!("`{text}` picks {what}"));
        }
    }

    /// Warns that a statement treats rows unequally, unless `rows … by` says how they lie.
    pub(super) fn warn_unequal_rows(&mut self, span: Span, message: String) {
        let Some(rows) = &self.schema.rows else { return };
        if !rows.by.is_empty() {
            return;
        }
        let (declared, name) = (rows.span, rows.name.clone());
        self.diags
            .warning(Code::RowOrder, span, message)
            .label(declared, "rows are taken in the order of the file")
            .help(format!(
                "say by which column rows are ordered, as in `rows {name} by day;`, or allow \
                 the order of the file with `// allow: row-order`"
            ));
    }

    /// Whether an expression is made of data with one value per row.
    pub(super) fn is_row_data(&self, root: ExprId) -> bool {
        self.outcome_symbols(root).into_iter().any(|symbol| self.is_row_datum(symbol))
    }

    pub(super) fn is_row_datum(&self, symbol: SymbolId) -> bool {
        match self.symbols[symbol].kind {
            SymbolKind::Datum(datum) => self.schema.data[datum].per_row,
            _ => self.facts(symbol).row_data,
        }
    }

    pub(super) fn is_loop(&self, symbol: SymbolId) -> bool {
        matches!(self.symbols[symbol].kind, SymbolKind::LoopVariable)
    }
}

/// What is left of a type when the given axes are fixed.
pub(super) fn indexed_type(ty: &Type, indices: &[Option<ExprId>]) -> Type {
    let is_fixed = |axis: usize| indices.get(axis).is_some_and(Option::is_some);
    let kept = |(axis, size): (usize, &Size)| (!is_fixed(axis)).then(|| size.clone());
    let array: Vec<Size> = ty.array.iter().enumerate().filter_map(kept).collect();
    let inner = ty.array.len();
    let shape = match &ty.shape {
        Shape::Vector(_) | Shape::RowVector(_) if is_fixed(inner) => Shape::Scalar,
        Shape::Matrix(rows, columns) => match (is_fixed(inner), is_fixed(inner + 1)) {
            (true, true) => Shape::Scalar,
            (true, false) => Shape::RowVector(columns.clone()),
            (false, true) => Shape::Vector(rows.clone()),
            (false, false) => ty.shape.clone(),
        },
        shape => shape.clone(),
    };
    Type { array, shape, element: ty.element }
}
