//! Factors and tables: what is numbered, and how many levels or rows there are.

use super::typed::SymbolKind;
use super::{Checker, Facts};
use crate::diagnostic::Code;
use crate::schema::{Bound, Datum, Factor, Numbered, Origin, Table, level_text};
use crate::source::Span;
use crate::syntax::ast::{self, BaseType, DataItem, FactorDeclaration, Ident, TableSection, Text};
use crate::ty::{Element, Level, Role, Type};

use super::names::{distance, is_near};
use super::reach::Reach;

impl Checker<'_> {
    /// Every factor and table, with the number of its levels or rows as a hidden datum
    /// `size(NAME)`.
    pub(super) fn declare_numbered(&mut self) {
        let ast = self.ast;
        for item in &ast.data.whole {
            match item {
                DataItem::Factor(factor) => self.declare_factor(factor),
                DataItem::Table(table) => self.declare_table(table),
                DataItem::Rows { .. } | DataItem::Declare(_) => {}
            }
        }
    }

    fn declare_factor(&mut self, factor: &FactorDeclaration) {
        if !self.is_new_numbered(&factor.name) {
            return;
        }
        let columns = match factor.columns.as_slice() {
            [] => vec![factor.name.name.clone()],
            columns => columns.iter().map(|column| column.text.clone()).collect(),
        };
        self.check_combination(factor);
        let levels = factor.levels.as_ref().map(|levels| self.check_levels(factor, levels));
        let number = Numbered::Factor(self.schema.factors.len());
        let (name, span) = (factor.name.name.clone(), factor.name.span);
        self.schema.factors.push(Factor { name, columns, levels, span });
        self.declare_size(number, &factor.name);
    }

    fn declare_table(&mut self, table: &TableSection) {
        if !self.is_new_numbered(&table.name) {
            return;
        }
        let number = Numbered::Table(self.schema.tables.len());
        let (name, key) = (table.name.name.clone(), table.key.name.clone());
        self.schema.tables.push(Table { name, key, span: table.name.span });
        self.declare_size(number, &table.name);
    }

    fn is_new_numbered(&mut self, name: &Ident) -> bool {
        let Some(known) = self.numbered(&name.name) else { return true };
        let first = match known {
            Numbered::Factor(k) => self.schema.factors[k].span,
            Numbered::Table(k) => self.schema.tables[k].span,
        };
        self.diags
            .error(Code::DuplicateName, name.span, format!("`{}` is declared twice", name.name))
            .primary("declared again here")
            .label(first, "first declared here")
            .help("a factor may share its name with a column, not with another factor or table");
        false
    }

    /// A combination names each of its columns once, and its levels are not written.
    fn check_combination(&mut self, factor: &FactorDeclaration) {
        let columns = &factor.columns;
        let twice = (1..columns.len())
            .find(|&k| columns[..k].iter().any(|column| column.text == columns[k].text));
        if let Some(k) = twice {
            let message = format!("`{}` is named twice", columns[k].text);
            let help = "a combination names each of its columns once";
            self.diags.error(Code::Factor, columns[k].span, message).help(help);
        }
        if columns.len() > 1 && factor.levels.is_some() {
            let message = "the levels of a combination are not written";
            let help = "leave out `levels(…)`: combinations are ordered column by column, as \
                        each column would be";
            self.diags.error(Code::Factor, factor.span, message).help(help);
        }
    }

    /// Written levels: at least one, each once.
    fn check_levels(&mut self, factor: &FactorDeclaration, levels: &[Text]) -> Vec<String> {
        if levels.is_empty() {
            let message = format!("the factor `{}` has no levels", factor.name.name);
            let help = "write them in their order, `levels(\"no\", \"yes\")`, or leave out \
                        `levels` to number the values of the column";
            self.diags.error(Code::Factor, factor.span, message).help(help);
        }
        for (k, level) in levels.iter().enumerate() {
            let is_same = |other: &&Text| {
                level_text(other.text.as_bytes()) == level_text(level.text.as_bytes())
            };
            let Some(first) = levels[..k].iter().find(is_same) else { continue };
            let message = format!("the level `{}` is written twice", level.text);
            self.diags
                .error(Code::Factor, level.span, message)
                .label(first.span, "first written here")
                .help("each level has one number: leave one of them out");
        }
        levels.iter().map(|level| level.text.clone()).collect()
    }

    /// The number of levels or rows, as a whole-data `int` that no name can clash with.
    fn declare_size(&mut self, number: Numbered, of: &Ident) {
        let name = format!("size({})", of.name);
        let position = self.schema.data.len();
        self.schema.data.push(Datum {
            name: name.clone(),
            table: None,
            numbered: None,
            may_be_missing: false,
            level: Level::Whole,
            per_row: false,
            element: Element::Int,
            dims: Vec::new(),
            lower: Some(Bound::Number(0.0)),
            upper: None,
            origin: Origin::Levels(number),
            span: of.span,
            type_text: "int".to_string(),
        });
        let reach = Reach { level: Level::Whole, role: Role::Data, branch_data: false };
        // Nobody declared it, so nobody is told that it is unused.
        let facts = Facts { reads: 1, ..Facts::new(reach) };
        let name = Ident { name, span: of.span };
        self.declare(&name, SymbolKind::Datum(position), Type::int(), facts);
    }

    /// The factor or table of this name.
    pub(super) fn numbered(&self, name: &str) -> Option<Numbered> {
        let factor = self.schema.factors.iter().position(|factor| factor.name == name);
        let table = || self.schema.tables.iter().position(|table| table.name == name);
        factor.map(Numbered::Factor).or_else(|| table().map(Numbered::Table))
    }

    /// What `index(NAME)` numbers; reports where that is neither a factor nor a table.
    pub(super) fn check_numbered(&mut self, ty: &ast::TypeExpr) -> Option<Numbered> {
        let name = ty.index.as_ref().filter(|_| ty.base == BaseType::Index)?;
        let known = self.numbered(&name.name);
        match known {
            Some(known) => self.numbering.push(known),
            None => self.report_not_numbered(name),
        }
        known
    }

    fn report_not_numbered(&mut self, name: &Ident) {
        let factors = self.schema.factors.iter().map(|factor| factor.name.as_str());
        let tables = self.schema.tables.iter().map(|table| table.name.as_str());
        let nearest = factors
            .chain(tables)
            .filter(|known| is_near(&name.name, known))
            .min_by_key(|known| distance(&name.name, known));
        let help = match nearest {
            Some(known) => format!("did you mean `index({known})`?"),
            None => format!(
                "declare what is numbered, outside `branch`: `factor {0};` for the values of the \
                 column `{0}`, or `factor {0} from \"column\";`",
                name.name
            ),
        };
        let message = format!("`{}` is neither a factor nor a table", name.name);
        self.diags.error(Code::Factor, name.span, message).help(help);
    }

    /// Reports the name of a factor or table where a value is wanted; `false` for other names.
    pub(super) fn report_numbered_alone(&mut self, name: &str, span: Span) -> bool {
        let Some(number) = self.numbered(name) else { return false };
        let rows = self.schema.rows.as_ref().map_or("N", |rows| rows.name.as_str());
        let (what, declared, help) = match number {
            Numbered::Factor(k) => (
                "a factor",
                self.schema.factors[k].span,
                format!(
                    "for the level of each row declare `array[{rows}] index({name}) {name};` in \
                     `branch`; how many levels there are is `size({name})`"
                ),
            ),
            Numbered::Table(k) => (
                "a table",
                self.schema.tables[k].span,
                format!("its columns are read by name: `{name}.x`, or `{name}.x[k]` for one key"),
            ),
        };
        self.diags
            .error(Code::Factor, span, format!("`{name}` is {what} and no value"))
            .label(declared, "declared here")
            .help(help);
        true
    }

    /// The bounds of a number of a level: from one to how many there are.
    pub(super) fn bounds_of_numbered(&self, number: Numbered) -> (Bound, Option<Bound>) {
        let size = Origin::Levels(number);
        let datum = self.schema.data.iter().position(|datum| datum.origin == size);
        (Bound::Number(1.0), datum.map(Bound::Datum))
    }
}
