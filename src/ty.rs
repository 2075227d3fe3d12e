//! Types, symbolic sizes, levels and roles: plain data that every stage shares.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What a size depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SizeAtom {
    /// The number of rows of a branch, by the name the model gives it.
    Rows(Arc<str>),
    /// A whole-data `int`, by name; the number of levels of a factor by `size(NAME)`.
    Datum(Arc<str>),
    /// The number of rows of all branches together: of columns as whole data.
    AllRows,
    /// The number of branches: of columns as whole data.
    Branches,
    /// `n (n - 1) / 2`, the number of elements of a strict lower triangle.
    StrictTriangle(Box<Size>),
}

impl fmt::Display for SizeAtom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SizeAtom::Rows(name) | SizeAtom::Datum(name) => f.write_str(name),
            SizeAtom::AllRows => f.write_str("number of rows"),
            SizeAtom::Branches => f.write_str("number of branches"),
            SizeAtom::StrictTriangle(n) => write!(f, "({n}) choose 2"),
        }
    }
}

/// A symbolic size: a polynomial with whole coefficients in [`SizeAtom`]s.
///
/// Two sizes are equal as values whenever their polynomials are; others are compared once
/// the data are known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Size {
    /// Coefficient of each product of atoms; the empty product is the constant. No zeros.
    terms: BTreeMap<Vec<SizeAtom>, i64>,
}

impl Size {
    /// A number.
    pub fn constant(value: i64) -> Size {
        Size::term(Vec::new(), value)
    }

    /// The number of rows of the branch.
    pub fn rows(name: &str) -> Size {
        Size::term(vec![SizeAtom::Rows(name.into())], 1)
    }

    /// A whole-data `int`.
    pub fn datum(name: &str) -> Size {
        Size::term(vec![SizeAtom::Datum(name.into())], 1)
    }

    /// The number of rows of all branches together.
    pub fn all_rows() -> Size {
        Size::term(vec![SizeAtom::AllRows], 1)
    }

    /// The number of branches.
    pub fn branches() -> Size {
        Size::term(vec![SizeAtom::Branches], 1)
    }

    /// `n (n - 1) / 2`.
    pub fn strict_triangle(n: &Size) -> Size {
        match n.as_constant() {
            Some(n) => Size::constant(n * (n - 1) / 2),
            None => Size::term(vec![SizeAtom::StrictTriangle(Box::new(n.clone()))], 1),
        }
    }

    fn term(atoms: Vec<SizeAtom>, coefficient: i64) -> Size {
        let mut terms = BTreeMap::new();
        if coefficient != 0 {
            terms.insert(atoms, coefficient);
        }
        Size { terms }
    }

    /// The number, if it depends on nothing.
    pub fn as_constant(&self) -> Option<i64> {
        match self.terms.len() {
            0 => Some(0),
            1 => self.terms.get(&Vec::new()).copied(),
            _ => None,
        }
    }

    /// Whether the number of rows of a branch is part of it.
    pub fn depends_on_rows(&self) -> bool {
        self.atoms().any(|atom| match atom {
            SizeAtom::Rows(_) => true,
            SizeAtom::Datum(_) | SizeAtom::AllRows | SizeAtom::Branches => false,
            SizeAtom::StrictTriangle(n) => n.depends_on_rows(),
        })
    }

    /// Every atom, with repeats.
    pub fn atoms(&self) -> impl Iterator<Item = &SizeAtom> {
        self.terms.keys().flatten()
    }

    /// The products of atoms with their coefficients, none of them zero.
    pub fn terms(&self) -> impl Iterator<Item = (&[SizeAtom], i64)> {
        self.terms.iter().map(|(atoms, coefficient)| (atoms.as_slice(), *coefficient))
    }

    /// `self + other`; `None` when a coefficient overflows.
    pub fn checked_add(&self, other: &Size) -> Option<Size> {
        let mut sum = self.clone();
        for (atoms, coefficient) in &other.terms {
            let entry = sum.terms.entry(atoms.clone()).or_insert(0);
            *entry = entry.checked_add(*coefficient)?;
        }
        sum.terms.retain(|_, coefficient| *coefficient != 0);
        Some(sum)
    }

    /// `self - other`; `None` when a coefficient overflows.
    pub fn checked_sub(&self, other: &Size) -> Option<Size> {
        self.checked_add(&other.checked_mul(&Size::constant(-1))?)
    }

    /// `self * other`; `None` when a coefficient overflows.
    pub fn checked_mul(&self, other: &Size) -> Option<Size> {
        let mut product = Size::default();
        for (left, a) in &self.terms {
            for (right, b) in &other.terms {
                let mut atoms = [left.as_slice(), right.as_slice()].concat();
                atoms.sort();
                product = product.checked_add(&Size::term(atoms, a.checked_mul(*b)?))?;
            }
        }
        Some(product)
    }

    /// `self / divisor` where that is certain to leave no remainder, as in `(D * (D + 1)) / 2`.
    pub fn checked_exact_div(&self, divisor: i64) -> Option<Size> {
        if divisor <= 0 {
            return None;
        }
        if self.terms.values().all(|coefficient| coefficient % divisor == 0) {
            let divided = self.terms.iter().map(|(atoms, c)| (atoms.clone(), c / divisor));
            return Some(Size { terms: divided.collect() });
        }
        if divisor != 2 { None } else { self.as_twice_a_triangle() }
    }

    /// `m (m - 1) / 2` where this is `m (m - 1)` for some `m = atom + k`.
    fn as_twice_a_triangle(&self) -> Option<Size> {
        let atom = self.terms.keys().find_map(|atoms| match atoms.as_slice() {
            [a, b] if a == b => Some(a.clone()),
            _ => None,
        })?;
        let linear = self.terms.get([atom.clone()].as_slice()).copied().unwrap_or(0);
        let shift = linear.checked_add(1)?.checked_div(2)?;
        let m = Size::term(vec![atom], 1).checked_add(&Size::constant(shift))?;
        let twice = m.checked_mul(&m.checked_sub(&Size::constant(1))?)?;
        (twice == *self).then(|| Size::strict_triangle(&m))
    }

    /// Its value where `value_of` gives the atoms'; `None` on overflow.
    pub fn evaluate(&self, value_of: &mut dyn FnMut(&SizeAtom) -> i64) -> Option<i64> {
        let mut sum = 0_i64;
        for (atoms, coefficient) in &self.terms {
            let mut product = *coefficient;
            for atom in atoms {
                let value = match atom {
                    SizeAtom::StrictTriangle(n) => {
                        let n = n.evaluate(value_of)?;
                        n.checked_mul(n.checked_sub(1)?)? / 2
                    }
                    other => value_of(other),
                };
                product = product.checked_mul(value)?;
            }
            sum = sum.checked_add(product)?;
        }
        Some(sum)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.terms.is_empty() {
            return f.write_str("0");
        }
        // The constant comes first in the map and reads best last.
        let symbolic = self.terms.iter().filter(|(atoms, _)| !atoms.is_empty());
        let constant = self.terms.iter().filter(|(atoms, _)| atoms.is_empty());
        for (position, (atoms, coefficient)) in symbolic.chain(constant).enumerate() {
            let magnitude = coefficient.unsigned_abs();
            match (position, *coefficient < 0) {
                (0, true) => f.write_str("-")?,
                (0, false) => {}
                (_, true) => f.write_str(" - ")?,
                (_, false) => f.write_str(" + ")?,
            }
            let names: Vec<String> = atoms.iter().map(SizeAtom::to_string).collect();
            match (magnitude, names.is_empty()) {
                (_, true) => write!(f, "{magnitude}")?,
                (1, false) => f.write_str(&names.join(" * "))?,
                (_, false) => write!(f, "{magnitude} * {}", names.join(" * "))?,
            }
        }
        Ok(())
    }
}

/// Whole numbers or reals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Element {
    /// Whole numbers.
    Int,
    /// Real numbers.
    Real,
}

/// The innermost part of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `int` or `real`.
    Scalar,
    /// `vector[n]`.
    Vector(Size),
    /// `row_vector[n]`.
    RowVector(Size),
    /// `matrix[rows, columns]`.
    Matrix(Size, Size),
}

/// The type of an expression or a declared name, without its constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// Sizes of the enclosing arrays, outermost first.
    pub array: Vec<Size>,
    /// What each array element is.
    pub shape: Shape,
    /// `Int` only with [`Shape::Scalar`].
    pub element: Element,
}

impl Type {
    /// `real`.
    pub fn real() -> Type {
        Type { array: Vec::new(), shape: Shape::Scalar, element: Element::Real }
    }

    /// `int`.
    pub fn int() -> Type {
        Type { array: Vec::new(), shape: Shape::Scalar, element: Element::Int }
    }

    /// A `real` container.
    pub fn of_shape(shape: Shape) -> Type {
        Type { array: Vec::new(), shape, element: Element::Real }
    }

    /// Whether it is one number.
    pub fn is_scalar(&self) -> bool {
        self.array.is_empty() && self.shape == Shape::Scalar
    }

    /// All sizes, outermost first: those of the arrays, then those of the shape.
    pub fn dims(&self) -> Vec<Size> {
        let mut dims = self.array.clone();
        match &self.shape {
            Shape::Scalar => {}
            Shape::Vector(n) | Shape::RowVector(n) => dims.push(n.clone()),
            Shape::Matrix(rows, columns) => dims.extend([rows.clone(), columns.clone()]),
        }
        dims
    }

    /// The same type without sizes: `matrix`, `array[] int`.
    pub fn unsized_name(&self) -> String {
        let base = match (&self.shape, self.element) {
            (Shape::Scalar, Element::Int) => "int",
            (Shape::Scalar, Element::Real) => "real",
            (Shape::Vector(_), _) => "vector",
            (Shape::RowVector(_), _) => "row_vector",
            (Shape::Matrix(..), _) => "matrix",
        };
        match self.array.len() {
            0 => base.to_string(),
            n => format!("array[{}] {base}", ",".repeat(n - 1)),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.array.is_empty() {
            let sizes: Vec<String> = self.array.iter().map(Size::to_string).collect();
            write!(f, "array[{}] ", sizes.join(", "))?;
        }
        match (&self.shape, self.element) {
            (Shape::Scalar, Element::Int) => f.write_str("int"),
            (Shape::Scalar, Element::Real) => f.write_str("real"),
            (Shape::Vector(n), _) => write!(f, "vector[{n}]"),
            (Shape::RowVector(n), _) => write!(f, "row_vector[{n}]"),
            (Shape::Matrix(rows, columns), _) => write!(f, "matrix[{rows}, {columns}]"),
        }
    }
}

/// Of what a value is one: the whole data set, or a branch.
/// One value per row is a matter of size, not of level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// One for the whole data set.
    Whole,
    /// One for each branch.
    Branch,
}

/// What a value depends on, and so when it can be computed: when data are loaded, once per
/// draw of the globals, or per branch. Roles join with `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Data alone.
    Data,
    /// Global unknowns too.
    Global,
    /// Local unknowns too.
    Local,
}
