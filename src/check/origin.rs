//! Where the values of a datum come from: columns, settings, or other data.

use super::data::DeclaredDatum;
use super::names::Place;
use super::typed::SymbolKind;
use super::{Checker, Facts};
use crate::diagnostic::Code;
use crate::schema::{Datum, Numbered, Origin};
use crate::source::Span;
use crate::syntax::ast::{self, DataDeclaration, Ident};

impl Checker<'_> {
    pub(super) fn check_origin(&mut self, datum: &DeclaredDatum) {
        let DataDeclaration { name, from, value, .. } = datum.declaration;
        let is_whole = datum.place == Place::WholeData && datum.table.is_none();
        let origin = match from {
            _ if value.is_some() && self.schema.data[datum.datum].numbered.is_some() => {
                self.report_computed_index(datum);
                None
            }
            _ if value.is_some() && datum.table.is_some() => {
                self.report_computed_column(datum);
                None
            }
            None if value.is_some() => Some(Origin::Derived),
            Some(from) if value.is_some() && !is_whole => {
                let message = format!("`{}` has both a column and a value", name.name);
                self.report_source(from_span(from), message, "leave out `from …` or `= …`".into());
                None
            }
            None if is_whole && self.schema.data[datum.datum].numbered.is_some() => {
                let message = format!("`{}` stands outside `branch` and has no column", name.name);
                let help = "`index(…)` numbers the cells of a column: declare it in `branch`, or \
                            in a table";
                let span = self.type_span(&datum.declaration.ty);
                self.report_source(span, message, help.to_string());
                None
            }
            None if is_whole => Some(Origin::Set),
            Some(from) if is_whole => {
                self.report_source(
                    from_span(from),
                    format!("`{}` stands outside `branch` and has no column", name.name),
                    "data of the whole set come from `--set NAME=VALUE` or are computed with \
                     `=`; what is read from a column goes inside `branch`"
                        .to_string(),
                );
                None
            }
            from => self.column_origin(datum, from.as_ref()),
        };
        match origin {
            Some(origin) => self.schema.data[datum.datum].origin = origin,
            None => self.facts_mut(datum.symbol).give_up(),
        }
    }

    fn report_computed_index(&mut self, datum: &DeclaredDatum) {
        let word = if datum.declaration.ty.array.is_empty() { "int" } else { "array[…] int" };
        let message = "`index(…)` numbers the cells of a column, and this is computed";
        let help = format!("declare it as `{word} {} = …;`", datum.declaration.name.name);
        let span = self.type_span(&datum.declaration.ty);
        self.report_source(span, message.to_string(), help);
    }

    /// One column for each value of a row, branch or key, and `cols` where there are several.
    fn column_origin(&mut self, datum: &DeclaredDatum, from: Option<&ast::From>) -> Option<Origin> {
        let entry = &self.schema.data[datum.datum];
        let name = datum.declaration.name.name.clone();
        let is_outer = entry.per_row || datum.table.is_some();
        let own_rank = entry.dims.len() - usize::from(is_outer);
        let span = self.type_span(&datum.declaration.ty);
        if let Some(columns) = self.combination(datum) {
            return self.combination_origin(datum, columns, from, own_rank);
        }
        match (own_rank, from) {
            (0, None) => Some(Origin::Column(name)),
            (0, Some(ast::From::Column(column))) => Some(Origin::Column(column.text.clone())),
            (0, Some(ast::From::Equals { column, value })) => {
                self.equals_origin(datum, column, value)
            }
            (1, Some(ast::From::Columns(columns, _))) => {
                Some(Origin::Columns(columns.iter().map(|column| column.text.clone()).collect()))
            }
            (0, Some(ast::From::Columns(_, cols))) => {
                let help = "name one column, `from \"name\"`, or declare a size for them: \
                            `vector[K]` per branch, `matrix[N, K]` per row";
                let message = format!("`{name}` has one value here and `cols` gathers several");
                self.report_source(*cols, message, help.to_string());
                None
            }
            (1, _) => {
                let help = self.columns_help(&name);
                let message = format!("`{name}` has several values and one column");
                self.report_source(span, message, help);
                None
            }
            _ => {
                let help = "columns give one value or one list for each branch or row".to_string();
                self.report_source(span, format!("`{name}` has too many sizes"), help);
                None
            }
        }
    }

    /// The columns whose combinations a datum numbers, if it does.
    fn combination(&self, datum: &DeclaredDatum) -> Option<Vec<String>> {
        match self.schema.data[datum.datum].numbered? {
            Numbered::Factor(k) => {
                let columns = &self.schema.factors[k].columns;
                (columns.len() > 1).then(|| columns.clone())
            }
            Numbered::Table(_) => None,
        }
    }

    fn combination_origin(
        &mut self,
        datum: &DeclaredDatum,
        columns: Vec<String>,
        from: Option<&ast::From>,
        own_rank: usize,
    ) -> Option<Origin> {
        if from.is_none() && own_rank == 0 {
            return Some(Origin::Combination(columns));
        }
        let span = from.map_or(self.type_span(&datum.declaration.ty), from_span);
        let message = format!("the columns of this factor are {}", columns.join(", "));
        let help = "it numbers their combination, one for each row: leave out `from …` and \
                    further sizes";
        self.report_source(span, message, help.to_string());
        None
    }

    fn equals_origin(
        &mut self,
        datum: &DeclaredDatum,
        column: &ast::Text,
        value: &ast::Text,
    ) -> Option<Origin> {
        if self.schema.data[datum.datum].numbered.is_some() {
            let message = "a comparison is 0 or 1 and no number of a level".to_string();
            let help = "declare it as `int`, or `array[N] int`".to_string();
            self.report_source(column.span.to(value.span), message, help);
            return None;
        }
        Some(Origin::Equals { column: column.text.clone(), value: value.text.clone() })
    }

    fn columns_help(&self, name: &str) -> String {
        let gather = format!("gather its columns: `from cols(\"{name}_*\")`");
        match &self.schema.rows {
            Some(rows) => format!("{gather}; one value per row is `vector[{}]`", rows.name),
            None => format!("{gather}; for one value per row write `rows N;` and `vector[N]`"),
        }
    }

    fn report_source(&mut self, span: Span, message: String, help: String) {
        self.diags.error(Code::DataSource, span, message).help(help);
    }

    /// Rule 14: cells may be empty in a column of a branch; a hidden datum `observed(NAME)` then
    /// says which are there.
    pub(super) fn check_may_be_missing(&mut self, datum: &DeclaredDatum) {
        let Some(missing) = datum.declaration.missing else { return };
        let entry = &self.schema.data[datum.datum];
        let name = &datum.declaration.name;
        let (why, help) = match &entry.origin {
            _ if datum.table.is_some() => (
                "is a column of a table",
                "every cell of a table has a value: fill it in, or leave out `missing`",
            ),
            Origin::Derived | Origin::Set => (
                "has no column",
                "cells may be empty in a column of `branch`, such as `vector[N] y missing;`",
            ),
            Origin::Equals { .. } if missing != name.span => (
                "compares cells with a text",
                "an empty cell is neither: read the column as a factor, or leave out `missing`",
            ),
            _ => {
                self.declare_observed(datum);
                return;
            }
        };
        let message = format!("`{}` {why} and cannot be `missing`", name.name);
        self.diags.error(Code::Missing, missing, message).help(help);
        self.facts_mut(datum.symbol).give_up();
    }

    fn declare_observed(&mut self, datum: &DeclaredDatum) {
        let entry = &mut self.schema.data[datum.datum];
        entry.may_be_missing = true;
        let hidden = Datum {
            name: format!("observed({})", entry.name),
            numbered: None,
            may_be_missing: false,
            lower: None,
            upper: None,
            origin: Origin::Observed(datum.datum),
            ..entry.clone()
        };
        let name = Ident { name: hidden.name.clone(), span: hidden.span };
        let kind = SymbolKind::Datum(self.schema.data.len());
        self.schema.data.push(hidden);
        let ty = self.symbols[datum.symbol].ty.clone();
        let reach = self.facts(datum.symbol).reach;
        // Nobody declared it, so nobody is told that it is unused.
        self.declare(&name, kind, ty, Facts { reads: 1, ..Facts::new(reach) });
    }
}

fn from_span(from: &ast::From) -> Span {
    match from {
        ast::From::Column(column) => column.span,
        ast::From::Columns(_, span) => *span,
        ast::From::Equals { column, value } => column.span.to(value.span),
    }
}
