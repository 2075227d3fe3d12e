//! The operators of Stan: which types they take, and what they make of them.

use super::Checker;
use super::typed::{BinaryOp, ExprId, ExprKind};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::ty::{Element, Shape, Size, Type};

/// The type of `left op right` and the sizes that must agree, or what to write instead.
struct Combined {
    ty: Type,
    equal: Vec<(Size, Size)>,
}

/// What is wrong with a pair of operands, as help for the author.
type Misfit = &'static str;

impl Checker<'_> {
    pub(super) fn check_binary(
        &mut self,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
        span: Span,
    ) -> Option<ExprId> {
        let (left_ty, right_ty) = (&self.exprs[left].ty, &self.exprs[right].ty);
        let combined = match combine(op, left_ty, right_ty) {
            Ok(combined) => combined,
            Err(help) => {
                self.report_operands(op, left, right, span, help);
                return None;
            }
        };
        let help = if op == BinaryOp::Multiply {
            "the left factor must have as many columns as the right one has rows"
        } else {
            "both must have the same size; a single number goes with any size"
        };
        for (a, b) in &combined.equal {
            self.require_equal_or(a, b, [left, right], span, help)?;
        }
        if op == BinaryOp::Divide && self.is_int(left) && self.is_int(right) {
            self.warn_integer_division(left, right, span);
        }
        Some(self.push(ExprKind::Binary(op, left, right), combined.ty, &[left, right], span))
    }

    fn report_operands(
        &mut self,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
        span: Span,
        help: Misfit,
    ) {
        let (left_ty, right_ty) = (self.exprs[left].ty.clone(), self.exprs[right].ty.clone());
        let (left_span, right_span) = (self.exprs[left].span, self.exprs[right].span);
        let symbol = op.symbol();
        self.diags
            .error(
                Code::Operands,
                span,
                format!("`{symbol}` does not combine {left_ty} and {right_ty}"),
            )
            .label(left_span, format!("this is {left_ty}"))
            .label(right_span, format!("this is {right_ty}"))
            .help(help);
    }

    fn warn_integer_division(&mut self, left: ExprId, right: ExprId, span: Span) {
        let (left, right) = (self.text(self.exprs[left].span), self.text(self.exprs[right].span));
        self.diags
            .warning(
                Code::IntegerDivision,
                span,
                "the quotient of two whole numbers is cut to a whole number",
            )
            .help(format!(
                "write `{left} * 1.0 / {right}` for a real quotient, or `{left} %/% {right}` \
                 if a whole number is meant"
            ));
    }
}

const COMPARISON_HELP: &str = "a comparison takes single numbers and gives 1 or 0: write it in a loop of `local`, as in \
     `for (n in 1:N) y[n] ~ normal(a + b * (period[n] == 2), sigma);`";

fn combine(op: BinaryOp, left: &Type, right: &Type) -> Result<Combined, Misfit> {
    use BinaryOp as B;
    let is_comparison = matches!(
        op,
        B::Equal | B::NotEqual | B::Less | B::LessEqual | B::Greater | B::GreaterEqual
    );
    if is_comparison {
        return scalars(left, right, Element::Int, COMPARISON_HELP);
    }
    if !left.array.is_empty() || !right.array.is_empty() {
        return Err("arrays have no arithmetic: declare the data as `vector`, or loop over \
                    the elements");
    }
    match op {
        B::Add | B::Subtract => elementwise(left, right, |l, r| l.max(r)),
        B::Multiply => product(left, right),
        B::Divide if right.is_scalar() => elementwise(left, right, |l, r| l.max(r)),
        B::Divide if left.is_scalar() || left.shape == right.shape => {
            Err("`./` divides element by element")
        }
        B::Divide => Err("only a number divides a container; `./` divides element by element"),
        B::ElementMultiply | B::ElementDivide if left.is_scalar() && right.is_scalar() => {
            Err("numbers are combined by `*` and `/`")
        }
        B::ElementMultiply | B::ElementDivide | B::ElementPower => {
            elementwise(left, right, |_, _| Element::Real)
        }
        B::Power => scalars(left, right, Element::Real, "`.^` works element by element"),
        B::Modulo | B::IntegerDivide => whole_numbers(left, right),
        B::Equal | B::NotEqual | B::Less | B::LessEqual | B::Greater | B::GreaterEqual => {
            unreachable!("comparisons were met above")
        }
        B::And | B::Or => scalars(left, right, Element::Int, "`&&` and `||` take single numbers"),
    }
}

fn made(shape: Shape, equal: Vec<(Size, Size)>) -> Result<Combined, Misfit> {
    Ok(Combined { ty: Type::of_shape(shape), equal })
}

fn scalar(element: Element) -> Combined {
    Combined { ty: Type { element, ..Type::real() }, equal: Vec::new() }
}

fn scalars(left: &Type, right: &Type, element: Element, help: Misfit) -> Result<Combined, Misfit> {
    if left.is_scalar() && right.is_scalar() { Ok(scalar(element)) } else { Err(help) }
}

fn whole_numbers(left: &Type, right: &Type) -> Result<Combined, Misfit> {
    let is_int = |ty: &Type| ty.is_scalar() && ty.element == Element::Int;
    if is_int(left) && is_int(right) {
        return Ok(scalar(Element::Int));
    }
    Err("`%` and `%/%` take whole numbers")
}

/// A number with anything, or two containers of one shape.
fn elementwise(
    left: &Type,
    right: &Type,
    element: fn(Element, Element) -> Element,
) -> Result<Combined, Misfit> {
    match (&left.shape, &right.shape) {
        (Shape::Scalar, Shape::Scalar) => Ok(scalar(element(left.element, right.element))),
        (shape, Shape::Scalar) | (Shape::Scalar, shape) => made(shape.clone(), Vec::new()),
        (Shape::Vector(a), Shape::Vector(b)) | (Shape::RowVector(a), Shape::RowVector(b)) => {
            made(left.shape.clone(), vec![(a.clone(), b.clone())])
        }
        (Shape::Matrix(a, b), Shape::Matrix(c, d)) => {
            made(left.shape.clone(), vec![(a.clone(), c.clone()), (b.clone(), d.clone())])
        }
        (Shape::Vector(_), Shape::RowVector(_)) | (Shape::RowVector(_), Shape::Vector(_)) => {
            Err("one is a column and the other a row: transpose one of them with `'`")
        }
        _ => Err("both must have the same shape; a single number goes with any shape"),
    }
}

/// `*`: scaling, or the matrix product.
fn product(left: &Type, right: &Type) -> Result<Combined, Misfit> {
    use Shape::{Matrix, RowVector, Vector};
    match (&left.shape, &right.shape) {
        (Shape::Scalar, _) | (_, Shape::Scalar) => elementwise(left, right, |l, r| l.max(r)),
        (RowVector(a), Vector(b)) => {
            Ok(Combined { equal: vec![(a.clone(), b.clone())], ..scalar(Element::Real) })
        }
        (Vector(a), RowVector(b)) => made(Matrix(a.clone(), b.clone()), Vec::new()),
        (Matrix(a, b), Vector(c)) => made(Vector(a.clone()), vec![(b.clone(), c.clone())]),
        (RowVector(a), Matrix(b, c)) => made(RowVector(c.clone()), vec![(a.clone(), b.clone())]),
        (Matrix(a, b), Matrix(c, d)) => {
            made(Matrix(a.clone(), d.clone()), vec![(b.clone(), c.clone())])
        }
        (Vector(_), Vector(_)) | (RowVector(_), RowVector(_)) => {
            Err("`.*` multiplies element by element, `dot_product(a, b)` sums the products")
        }
        (Matrix(..), RowVector(_)) => Err("transpose the row vector: `m * r'`"),
        (Vector(_), Matrix(..)) => Err("transpose the vector: `v' * m`"),
    }
}
