//! Where variables lie in unconstrained vectors and in vectors of reported values.

use std::ops::Range;

use crate::data::BoundData;

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
    /// For each dimension the factor or table along which it runs, if it is one of these.
    pub along: Vec<Option<String>>,
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

    /// The unknowns among the values of all variables.
    pub(crate) fn unknowns(&self, values: &[f64]) -> Vec<f64> {
        let own = self.variables.iter().filter(|variable| variable.is_unknown);
        own.flat_map(|variable| values[variable.range.clone()].iter().copied()).collect()
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
        let name = |(position, index): (usize, Vec<usize>)| {
            let index: Vec<String> = index.iter().map(|at| (at + 1).to_string()).collect();
            let name = match index.is_empty() {
                true => self.name.clone(),
                false => format!("{}[{}]", self.name, index.join(",")),
            };
            (name, self.range.start + position)
        };
        self.indices().map(name).collect()
    }

    /// The levels behind these elements: empty where no dimension runs along a factor or table,
    /// joined by a comma where several do.
    pub fn levels(&self, data: &BoundData) -> Vec<String> {
        let along: Vec<&[String]> = self
            .along
            .iter()
            .map(|name| name.as_ref().map_or(&[][..], |n| data.levels(n)))
            .collect();
        let level = |(_, index): (usize, Vec<usize>)| {
            let levels = index.iter().zip(&along).filter_map(|(&at, levels)| levels.get(at));
            levels.cloned().collect::<Vec<String>>().join(",")
        };
        self.indices().map(level).collect()
    }

    /// Position and indices, counted from zero, of the elements that say something.
    fn indices(&self) -> impl Iterator<Item = (usize, Vec<usize>)> + '_ {
        let all = (0..self.range.len()).map(|position| {
            let mut index = Vec::with_capacity(self.dims.len());
            let mut rest = position;
            for dim in self.dims.iter().rev() {
                index.push(rest % dim);
                rest /= dim;
            }
            index.reverse();
            (position, index)
        });
        all.filter(|(_, index)| match index.as_slice() {
            [.., row, column] if self.is_cholesky_factor => column <= row,
            _ => true,
        })
    }
}
