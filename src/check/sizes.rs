//! Symbolic sizes: what an expression means as a size, and whether two sizes are equal.

use std::collections::HashMap;

use super::Checker;
use super::flow::reads_size_only;
use super::names::Place;
use super::typed::{BinaryOp, ExprId, ExprKind, SizeCheck, SymbolId, SymbolKind, UnaryOp};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast;
use crate::ty::{Element, Level, Role, Size, SizeAtom};

/// Products of sizes with more factors than this are refused, so that they stay readable and
/// cannot grow without limit.
const MAX_ATOMS: usize = 64;

/// A size written as a number is at most this, so that products of sizes do not overflow.
const MAX_CONSTANT: i64 = i32::MAX as i64;

impl Checker<'_> {
    /// The number of rows of a branch, a number where the model fixes it.
    pub(super) fn row_count(&self) -> Option<Size> {
        let rows = self.schema.rows.as_ref()?;
        Some(match rows.count {
            Some(count) => Size::constant(i64::try_from(count).ok()?),
            None => Size::rows(&rows.name),
        })
    }

    /// The size that an expression stands for, or an error that says what a size may be.
    pub(super) fn check_size(&mut self, root: ast::ExprId) -> Option<Size> {
        let typed = self.check_expr(root)?;
        self.check_size_value(typed)
    }

    /// The same for an expression that is typed already.
    pub(super) fn check_size_value(&mut self, typed: ExprId) -> Option<Size> {
        let span = self.exprs[typed].span;
        if !self.is_int(typed) {
            let ty = &self.exprs[typed].ty;
            let message = format!("a size is a whole number, and this is {ty}");
            let help = "sizes are made of whole numbers declared in `data` outside `branch`, \
                        the row count and literals: `int K;`";
            self.diags.error(Code::SizeExpression, span, message).help(help);
            return None;
        }
        let Some(size) = self.size_value(typed) else {
            self.report_size_expression(typed);
            return None;
        };
        let constant = size.as_constant().unwrap_or(0);
        let wrong = if constant < 0 { "negative" } else { "as large as this" };
        if !(0..=MAX_CONSTANT).contains(&constant) {
            let message = format!("a size cannot be {wrong}: {size}");
            self.diags.error(Code::SizeExpression, span, message);
            return None;
        }
        Some(size)
    }

    fn report_size_expression(&mut self, typed: ExprId) {
        let span = self.exprs[typed].span;
        let text = self.text(span);
        let (why, help) = match self.exprs[typed].role {
            Role::Data if self.exprs[typed].level == Level::Branch => (
                format!("`{text}` is a value of one branch, not a size that all can share"),
                "sizes are made of whole numbers declared outside `branch`, the row count and \
                 literals, with `+`, `-` and `*`",
            ),
            Role::Data => (
                format!("`{text}` cannot serve as a size"),
                "sizes are made of whole numbers declared in `data` outside `branch`, the row \
                 count and literals, with `+`, `-` and `*`; declare anything else as data: \
                 `int K = …;`",
            ),
            _ => (
                format!("the size `{text}` depends on an unknown"),
                "sizes are fixed when data are loaded: use whole data, the row count or numbers",
            ),
        };
        self.diags.error(Code::SizeExpression, span, why).help(help);
    }

    /// The size that a typed expression stands for, if it is one.
    pub(super) fn size_value(&self, root: ExprId) -> Option<Size> {
        let mut values: HashMap<ExprId, Size> = HashMap::new();
        for id in self.parts_of_size(root)? {
            let value = self.size_step(id, &mut values)?;
            values.insert(id, value);
        }
        values.remove(&root)
    }

    /// Operands before users, without looking inside calls.
    fn parts_of_size(&self, root: ExprId) -> Option<Vec<ExprId>> {
        let mut found = Vec::new();
        let mut rest = vec![root];
        while let Some(id) = rest.pop() {
            found.push(id);
            match &self.exprs[id].kind {
                ExprKind::Unary(_, operand) => rest.push(*operand),
                ExprKind::Binary(_, left, right) => rest.extend([*left, *right]),
                ExprKind::Int(_) | ExprKind::Symbol(_) | ExprKind::Call(..) => {}
                _ => return None,
            }
        }
        found.reverse();
        Some(found)
    }

    fn size_step(&self, id: ExprId, values: &mut HashMap<ExprId, Size>) -> Option<Size> {
        match &self.exprs[id].kind {
            ExprKind::Int(value) => Some(Size::constant(*value)),
            ExprKind::Symbol(symbol) => self.size_of_symbol(*symbol),
            ExprKind::Call(function, args) if reads_size_only(function.name) => {
                self.size_call(function.name, args)
            }
            ExprKind::Unary(UnaryOp::Plus, operand) => values.remove(operand),
            ExprKind::Unary(UnaryOp::Negate, operand) => {
                Size::default().checked_sub(&values.remove(operand)?)
            }
            ExprKind::Binary(op, left, right) => {
                let (left, right) = (values.remove(left)?, values.remove(right)?);
                combine_sizes(*op, &left, &right)
            }
            _ => None,
        }
    }

    /// A whole-data `int` or the row count as a size.
    pub(super) fn size_of_symbol(&self, symbol: SymbolId) -> Option<Size> {
        if let Some(linear) = &self.facts(symbol).linear {
            return linear.as_size().cloned();
        }
        let Ok(datum) = self.datum_of(symbol) else {
            return match self.symbols[symbol].kind {
                SymbolKind::RowCount => self.row_count(),
                _ => None,
            };
        };
        let datum = &self.schema.data[datum];
        let is_size = datum.level == Level::Whole
            && self.symbols[symbol].ty.is_scalar()
            && datum.element == Element::Int;
        is_size.then(|| Size::datum(&datum.name))
    }

    fn datum_of(&self, symbol: SymbolId) -> Result<usize, ()> {
        match self.symbols[symbol].kind {
            SymbolKind::Datum(datum) => Ok(datum),
            _ => Err(()),
        }
    }

    fn size_call(&self, function: &str, args: &[ExprId]) -> Option<Size> {
        let dims = self.exprs[*args.first()?].ty.dims();
        match function {
            "cols" => dims.last().cloned(),
            "num_elements" => {
                dims.iter().try_fold(Size::constant(1), |product, size| product.checked_mul(size))
            }
            _ => dims.first().cloned(),
        }
    }

    /// Demands that two sizes be equal: reports an error where they differ for certain, and
    /// leaves the comparison to the time when data are bound where they may.
    pub(super) fn require_equal(
        &mut self,
        left: &Size,
        right: &Size,
        left_expr: ExprId,
        right_expr: ExprId,
        span: Span,
    ) -> Option<()> {
        let help = "both must have the same size; a single number goes with any size";
        self.require_equal_or(left, right, [left_expr, right_expr], span, help)
    }

    /// The same, with help of its own.
    pub(super) fn require_equal_or(
        &mut self,
        left: &Size,
        right: &Size,
        [left_expr, right_expr]: [ExprId; 2],
        span: Span,
        help: &str,
    ) -> Option<()> {
        let difference = left.checked_sub(right).and_then(|difference| difference.as_constant());
        match difference {
            Some(0) => return Some(()),
            None => {
                let (left, right) = (left.clone(), right.clone());
                self.size_checks.push(SizeCheck { left, right, span });
                return Some(());
            }
            Some(_) => {}
        }
        let (left_ty, right_ty) =
            (self.exprs[left_expr].ty.clone(), self.exprs[right_expr].ty.clone());
        let (left_span, right_span) = (self.exprs[left_expr].span, self.exprs[right_expr].span);
        self.diags
            .error(
                Code::SizeMismatch,
                span,
                format!("sizes differ: {left} on one side and {right} on the other"),
            )
            .label(left_span, format!("this is {left_ty}"))
            .label(right_span, format!("this is {right_ty}"))
            .help(help);
        None
    }

    /// Whether the size of an unknown is the same for every branch; reports where it is not.
    pub(super) fn check_unknown_size(&mut self, size: &Size, span: Span, name: &str) -> bool {
        if !size.depends_on_rows() {
            return true;
        }
        let rows = size
            .atoms()
            .find(|atom| matches!(atom, SizeAtom::Rows(_)))
            .map_or(String::new(), |atom| atom.to_string());
        let declared = self.schema.rows.as_ref().map(|rows| rows.span);
        let message = format!(
            "the size of `{name}` depends on `{rows}`, which differs from branch to branch"
        );
        let diagnostic = self.diags.error(Code::LocalSize, span, message);
        if let Some(declared) = declared {
            diagnostic.label(declared, "the number of rows is declared here");
        }
        diagnostic.help(format!(
            "the unknowns of a branch must have one size for all branches: use whole data or a \
             number, or demand a fixed number of rows with `rows {rows} = 4;`"
        ));
        debug_assert!(self.place != Place::Global, "rows are not seen in `global`");
        false
    }
}

/// The sum, difference, product or quotient of two sizes, if it is a size.
pub(super) fn combine_sizes(op: BinaryOp, left: &Size, right: &Size) -> Option<Size> {
    match op {
        BinaryOp::Add => left.checked_add(right),
        BinaryOp::Subtract => left.checked_sub(right),
        BinaryOp::Multiply if left.atoms().count() + right.atoms().count() <= MAX_ATOMS => {
            left.checked_mul(right)
        }
        BinaryOp::IntegerDivide => match (left.as_constant(), right.as_constant()?) {
            (Some(left), right) => left.checked_div(right).map(Size::constant),
            (None, right) => left.checked_exact_div(right),
        },
        _ => None,
    }
}
