//! How long the arrays of a call must be, and where those of one branch after another lie.

use std::ops::Range;

use super::CodegenError;
use super::sizes::{RowPolynomial, SizeTable};
use crate::ir::op::{Function, ValueType};

/// The lengths a call must have.
pub(super) struct Shape {
    pub inputs: Vec<Length>,
    pub outputs: Vec<Length>,
    pub max_rows: usize,
    pub scratch: usize,
}

/// The number of elements of an array.
pub(super) enum Length {
    Fixed(usize),
    /// The product of dimensions, each a polynomial in the number of rows.
    OfRows(Vec<RowPolynomial>),
}

/// Where an input lies for one branch after another.
#[derive(Clone, Copy)]
pub struct BranchInput<'a> {
    /// What all branches read.
    pub values: &'a [f64],
    /// Where the input of the first branch of all begins.
    pub start: usize,
    /// How it goes on.
    pub reach: Reach,
}

/// Where an input lies, from branch to branch.
#[derive(Clone, Copy)]
pub enum Reach {
    /// In the same place.
    Same,
    /// So many elements further.
    Branches(usize),
    /// From the first row of the branch on, each row having so many elements.
    Rows(usize),
}

impl Shape {
    pub fn new(
        function: &Function,
        sizes: &SizeTable,
        scratch: usize,
    ) -> Result<Shape, CodegenError> {
        let output_type = |id| &function.values[id].ty;
        let inputs = function.inputs.iter().map(|input| Length::new(&input.ty, sizes));
        let outputs =
            function.outputs.iter().map(|output| Length::new(output_type(output.value), sizes));
        Ok(Shape {
            inputs: inputs.collect::<Result<_, _>>()?,
            outputs: outputs.collect::<Result<_, _>>()?,
            max_rows: sizes.max_rows(),
            scratch,
        })
    }
}

impl Length {
    fn new(ty: &ValueType, sizes: &SizeTable) -> Result<Length, CodegenError> {
        let dims = ty.dims.iter().map(|size| sizes.resolve(size));
        let length = Length::OfRows(dims.collect::<Result<_, _>>()?);
        let Length::OfRows(dims) = &length else { return Ok(length) };
        if dims.iter().all(|dim| dim.as_constant().is_some()) {
            return length.at(0).map(Length::Fixed).ok_or(CodegenError::TooLarge);
        }
        Ok(length)
    }

    /// Whether it is that of rows of so many elements.
    fn is_rows_of(&self, inner: usize) -> bool {
        let Length::OfRows(dims) = self else { return inner == 0 && self.at(0) == Some(0) };
        let [rows, rest @ ..] = &dims[..] else { return false };
        let mut rest = rest.iter().map(RowPolynomial::as_constant);
        let product = rest.try_fold(1_i64, |product, dim| product.checked_mul(dim?));
        rows.is_rows() && product == i64::try_from(inner).ok()
    }

    pub fn at(&self, n_rows: usize) -> Option<usize> {
        match self {
            Length::Fixed(length) => Some(*length),
            Length::OfRows(dims) => dims.iter().try_fold(1_usize, |length, dim| {
                length.checked_mul(usize::try_from(dim.at(n_rows)?.max(0)).ok()?)
            }),
        }
    }
}

impl BranchInput<'_> {
    /// That the input has the length of its type up to the last branch; of rows, that it has for
    /// any number of them that [`BranchInput::of`] finds there.
    pub(super) fn check(&self, length: &Length, last: usize) {
        let step = match (self.reach, length) {
            (Reach::Same, Length::Fixed(_)) => 0,
            (Reach::Branches(step), Length::Fixed(_)) => step,
            // That there are as many rows as a fixed length says is seen branch by branch.
            (Reach::Rows(_), Length::Fixed(_)) => return,
            (Reach::Rows(inner), length) => {
                return assert!(length.is_rows_of(inner), "{LENGTH_OF_TYPE}");
            }
            _ => panic!("{LENGTH_OF_TYPE}"),
        };
        let Length::Fixed(length) = length else { unreachable!("lengths of rows were looked at") };
        let end = step.checked_mul(last).and_then(|end| end.checked_add(self.start + length));
        assert!(end.is_some_and(|end| end <= self.values.len()), "inputs reach to their end");
    }

    pub(super) fn of(
        &self,
        length: &Length,
        branch: usize,
        rows: &Range<usize>,
        spare: *mut f64,
    ) -> *const f64 {
        let place = match self.reach {
            Reach::Same => self.start,
            Reach::Branches(step) => self.start + branch * step,
            Reach::Rows(inner) => {
                assert!(rows.end * inner <= self.values.len(), "there are as many rows");
                if let Length::Fixed(length) = length {
                    assert_eq!(rows.len() * inner, *length, "{LENGTH_OF_TYPE}");
                }
                rows.start * inner
            }
        };
        // An empty slice may have no address at all, so empty arrays lie at some valid one.
        match self.values.get(place) {
            Some(first) => std::ptr::from_ref(first),
            None => spare.cast_const(),
        }
    }
}

pub(super) const LENGTH_OF_TYPE: &str = "a slice has the length of its type";

pub(super) fn check_lengths(
    expected: &[Length],
    actual: impl ExactSizeIterator<Item = usize>,
    n_rows: usize,
) {
    assert_eq!(actual.len(), expected.len(), "one slice for each array");
    for (expected, actual) in expected.iter().zip(actual) {
        assert_eq!(Some(actual), expected.at(n_rows), "{LENGTH_OF_TYPE}");
    }
}
