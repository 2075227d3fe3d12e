//! Declarations of a table: one row for each key, so that every column is whole data.

use super::Checker;
use super::data::DeclaredDatum;
use crate::diagnostic::Code;
use crate::schema::levels_size;
use crate::syntax::ast;
use crate::ty::{Element, Shape, Type};

impl Checker<'_> {
    /// The type over all keys of what is declared for one: `real` becomes a vector,
    /// `row_vector[K]` a matrix, everything else an array.
    pub(super) fn type_over_keys(&self, table: usize, ty: Type) -> Type {
        let size = levels_size(&self.schema.tables[table].name);
        if ty.array.is_empty() {
            match (&ty.shape, ty.element) {
                (Shape::Scalar, Element::Real) => return Type::of_shape(Shape::Vector(size)),
                (Shape::RowVector(columns), _) => {
                    return Type::of_shape(Shape::Matrix(size, columns.clone()));
                }
                _ => {}
            }
        }
        let array = std::iter::once(size).chain(ty.array).collect();
        Type { array, ..ty }
    }

    /// Reports a column of a table that is computed.
    pub(super) fn report_computed_column(&mut self, datum: &DeclaredDatum) {
        let name = &datum.declaration.name;
        let message = format!("`{}` is computed, and a table only reads columns", name.name);
        let table = datum.table.map(|table| self.schema.tables[table].name.clone());
        let table = table.unwrap_or_default();
        self.diags.error(Code::DataSource, name.span, message).help(format!(
            "compute it behind the table, for all keys at once: \
             `vector[size({table})] {0} = …;`, and index it as the table, `{0}[…]`",
            name.name
        ));
    }

    /// A bound in a table that names another column of the table: that one, row by row.
    pub(super) fn column_beside(&self, datum: &DeclaredDatum, bound: ast::ExprId) -> Option<usize> {
        let ast::ExprKind::Name(name) = &self.ast.exprs[bound].kind else { return None };
        let table = &self.schema.tables[datum.table?].name;
        let wanted = format!("{table}.{name}");
        self.schema.data.iter().position(|other| other.name == wanted)
    }
}
