//! Where variables lie in unconstrained vectors and in vectors of reported values.

use std::ops::Range;

/// The variables of one block, one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParamLayout {
    variables: Vec<Variable>,
    len: usize,
}

/// A variable of a [`ParamLayout`].
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// The author's name.
    pub name: String,
    /// Its dimensions on the constrained scale; none: a scalar.
    pub dims: Vec<usize>,
    /// Where its elements lie in the vector.
    pub range: Range<usize>,
    /// Whether it is a lower-triangular Cholesky factor.
    pub is_cholesky_factor: bool,
    /// Whether it is an unknown rather than derived.
    pub is_unknown: bool,
}

impl ParamLayout {
    /// Appends a variable of `length` elements.
    pub(crate) fn push(&mut self, variable: Variable) {
        self.len = variable.range.end;
        self.variables.push(variable);
    }

    /// Number of elements of all variables.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The variables, in order.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }
}

impl Variable {
    /// Names and positions of the elements that say something, as Stan writes them, row-major:
    /// `mu[2]`, `L[2,1]`. The upper triangle of a Cholesky factor is left out.
    pub fn elements(&self) -> Vec<(String, usize)> {
        let mut elements = Vec::new();
        for position in 0..self.range.len() {
            let mut index = Vec::with_capacity(self.dims.len());
            let mut rest = position;
            for dim in self.dims.iter().rev() {
                index.push(rest % dim + 1);
                rest /= dim;
            }
            index.reverse();
            if self.is_cholesky_factor && index[1] > index[0] {
                continue;
            }
            let index: Vec<String> = index.iter().map(usize::to_string).collect();
            let name = match index.is_empty() {
                true => self.name.clone(),
                false => format!("{}[{}]", self.name, index.join(",")),
            };
            elements.push((name, self.range.start + position));
        }
        elements
    }
}
