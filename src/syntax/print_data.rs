//! The `data` block as canonical text.

use std::fmt::Write;

use super::ast::{
    BranchSection, DataDeclaration, DataItem, ExprId, FactorDeclaration, From, Ident, TableSection,
    Text,
};
use super::print::Printer;

impl Printer<'_> {
    pub(super) fn data(&mut self) {
        self.out.push_str("data ");
        self.braces(|printer| {
            printer.data_items(&printer.ast.data.whole);
            for branch in &printer.ast.data.branches {
                printer.branch(branch);
            }
        });
    }

    fn branch(&mut self, branch: &BranchSection) {
        self.line_start();
        self.out.push_str("branch ");
        if !branch.key.is_empty() {
            self.names(&branch.key);
            self.out.push(' ');
        }
        self.braces(|printer| printer.data_items(&branch.items));
    }

    fn data_items(&mut self, items: &[DataItem]) {
        for item in items {
            self.line_start();
            match item {
                DataItem::Rows { name, count, by, .. } => self.rows(name, *count, by),
                DataItem::Declare(declaration) => self.data_declaration(declaration),
                DataItem::Factor(factor) => self.factor(factor),
                DataItem::Table(table) => {
                    self.table(table);
                    continue;
                }
            }
            self.out.push_str(";\n");
        }
    }

    fn factor(&mut self, factor: &FactorDeclaration) {
        let _ = write!(self.out, "factor {}", factor.name.name);
        match factor.columns.as_slice() {
            [] => {}
            [column] => self.texts(" from ", std::slice::from_ref(column), ""),
            columns => self.texts(" from (", columns, ")"),
        }
        if let Some(levels) = &factor.levels {
            self.texts(" levels(", levels, ")");
        }
    }

    fn table(&mut self, table: &TableSection) {
        let _ = write!(self.out, "table {} by {} ", table.name.name, table.key.name);
        self.braces(|printer| printer.data_items(&table.items));
    }

    fn rows(&mut self, name: &Ident, count: Option<ExprId>, by: &[Ident]) {
        self.out.push_str("rows ");
        self.out.push_str(&name.name);
        self.value(count);
        if !by.is_empty() {
            self.out.push_str(" by ");
            self.names(by);
        }
    }

    fn data_declaration(&mut self, declaration: &DataDeclaration) {
        self.type_expr(&declaration.ty);
        self.out.push(' ');
        self.out.push_str(&declaration.name.name);
        match &declaration.from {
            Some(From::Column(text)) => self.texts(" from ", std::slice::from_ref(text), ""),
            Some(From::Columns(texts, _)) => self.texts(" from cols(", texts, ")"),
            Some(From::Equals { column, value }) => {
                self.texts(" from ", std::slice::from_ref(column), " == ");
                self.texts("", std::slice::from_ref(value), "");
            }
            None => {}
        }
        if declaration.missing.is_some() {
            self.out.push_str(" missing");
        }
        self.value(declaration.value);
    }

    fn texts(&mut self, before: &str, texts: &[Text], after: &str) {
        let quoted: Vec<String> = texts.iter().map(|text| format!("\"{}\"", text.text)).collect();
        self.out.push_str(before);
        self.out.push_str(&quoted.join(", "));
        self.out.push_str(after);
    }
}
