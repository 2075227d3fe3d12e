//! Subscripts: `a[i]`, `a[i, j]`, `a[i][j]`, `m[, j]`.

use super::Checker;
use super::names::Place;
use super::typed::{ExprId, ExprKind, SymbolId, SymbolKind};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{self, Subscript};
use crate::ty::{Element, Level, Role, Shape, Size, Type};

impl Checker<'_> {
    /// Reports `theta[school]`: the key of the branches as an index.
    pub(super) fn check_no_branch_index(
        &mut self,
        base: ast::ExprId,
        subscripts: &[Subscript],
    ) -> bool {
        let ast = self.ast;
        for subscript in subscripts {
            let Subscript::At(index) = subscript else { continue };
            let ast::ExprKind::Name(name) = &ast.exprs[*index].kind else { continue };
            if self.names.is_key(name) && self.names.get(name).is_none() {
                self.give_up_on(base);
                let what = self.text(ast.exprs[base].span);
                self.report_branch_index(&what, ast.exprs[*index].span);
                return false;
            }
        }
        true
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
        if let [Subscript::Range(from, to)] = subscripts
            && (from.is_some() || to.is_some())
        {
            return self.check_slice(base, *from, *to, span);
        }
        let indices = self.check_subscripts(&ty, subscripts, span)?;
        self.warn_row_order(base, &indices, span);
        Some(self.push_index(base, indices, span))
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

    /// `x[a:b]` of a vector whose size does not depend on rows.
    fn check_slice(
        &mut self,
        base: ExprId,
        from: Option<ast::ExprId>,
        to: Option<ast::ExprId>,
        span: Span,
    ) -> Option<ExprId> {
        let ty = self.exprs[base].ty.clone();
        let dims = ty.dims();
        let size = &dims[0];
        if dims.len() > 1 || size.depends_on_rows() {
            self.report_slice(span);
            return None;
        }
        let first = self.slice_end(from, size, Size::constant(1), span)?;
        let last = self.slice_end(to, size, size.clone(), span)?;
        let one = Size::constant(1);
        let length = last.checked_sub(&first).and_then(|range| range.checked_add(&one));
        let Some(length) = length.filter(|n| n.as_constant().is_none_or(|n| n >= 1)) else {
            self.diags
                .error(Code::Index, span, "this slice has no elements")
                .help("the first number of `a:b` is at most the second");
            return None;
        };
        let sliced = match &ty.shape {
            Shape::RowVector(_) => Type::of_shape(Shape::RowVector(length.clone())),
            Shape::Vector(_) => Type::of_shape(Shape::Vector(length.clone())),
            _ => Type { array: vec![length.clone()], ..ty },
        };
        Some(self.push(ExprKind::Slice(base, 0, first, length), sliced, &[base], span))
    }

    /// One end of a slice: a size, in range where that can be seen.
    fn slice_end(
        &mut self,
        end: Option<ast::ExprId>,
        size: &Size,
        otherwise: Size,
        span: Span,
    ) -> Option<Size> {
        let Some(end) = end else { return Some(otherwise) };
        let end = self.done(end)?;
        self.check_index_value(end, size)?;
        let value = self.size_value(end).filter(|value| !value.depends_on_rows());
        if value.is_none() {
            self.report_slice(span);
        }
        value
    }

    fn report_slice(&mut self, span: Span) {
        self.not_yet(
            span,
            "slices other than `x[a:b]` of a vector whose size does not depend on rows",
            "loop over the elements: `for (n in a:b)`",
        );
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
    ) -> Option<Vec<Option<ExprId>>> {
        let dims = ty.dims();
        if subscripts.len() > dims.len() {
            let message =
                format!("{} subscripts for {ty}, which takes {}", subscripts.len(), dims.len());
            self.diags.error(Code::Index, span, message);
            return None;
        }
        let mut indices = Vec::with_capacity(subscripts.len());
        for (subscript, size) in subscripts.iter().zip(&dims) {
            indices.push(self.check_subscript(*subscript, size, span)?);
        }
        Some(indices)
    }

    fn check_subscript(
        &mut self,
        subscript: Subscript,
        size: &Size,
        span: Span,
    ) -> Option<Option<ExprId>> {
        match subscript {
            Subscript::At(index) => {
                let index = self.done(index)?;
                self.check_index_value(index, size)?;
                Some(Some(index))
            }
            Subscript::Range(None, None) => Some(None),
            Subscript::Range(..) => {
                self.report_slice(span);
                None
            }
        }
    }

    pub(super) fn check_index_value(&mut self, index: ExprId, size: &Size) -> Option<()> {
        let expr = &self.exprs[index];
        let (span, ty, role) = (expr.span, expr.ty.clone(), expr.role);
        if !ty.is_scalar() {
            if ty.element == Element::Int {
                let help = "loop over it: `for (n in 1:N) … a[item[n]] …`";
                self.not_yet(span, "an array of indices as a subscript", help);
            } else {
                let message = format!("a subscript is a whole number, and this is {ty}");
                self.diags.error(Code::Index, span, message);
            }
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
        self.check_range(index, size)
    }

    /// Reports a subscript that is out of range whatever the data are.
    fn check_range(&mut self, index: ExprId, size: &Size) -> Option<()> {
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

    /// Warns of `y[n - 1]` and `y[1]` where nothing says in what order rows are (rule 10).
    fn warn_row_order(&mut self, base: ExprId, indices: &[Option<ExprId>], span: Span) {
        let is_rows = self.place == Place::Local && self.is_per_row(&self.exprs[base].ty);
        let Some(Some(index)) = indices.first() else { return };
        let is_plain = self.named_symbol(*index).is_some_and(|symbol| self.is_loop(symbol));
        if is_rows && !is_plain && self.is_row_data(base) {
            let text = self.text(span);
            self.warn_unequal_rows(span, format!("`{text}` picks a row by its place"));
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
            _ => false,
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
