//! The `data` block: its sections, where their columns come from, and what may stand where.
//!
//! The grammar lets every item stand in every section, so that a misplaced one is told by name
//! here instead of as a token that does not fit.

use pest::iterators::{Pair, Pairs};

use super::ast::{
    BranchSection, DataDeclaration, DataItem, FactorDeclaration, From, TableSection, Text,
};
use super::build::{Builder, ident, idents, next, span_of};
use super::grammar::Rule;
use crate::diagnostic::Code;
use crate::source::Span;

/// A section of `data` inside which items stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Branch,
    Table,
}

impl Builder<'_> {
    pub(super) fn data_block(&mut self, block: Pair<'_, Rule>) {
        let mut parts = block.into_inner();
        self.ast.data.span = Some(span_of(&next(&mut parts)));
        for part in parts {
            match part.as_rule() {
                Rule::branch_section => {
                    let branch = self.branch_section(part);
                    self.ast.data.branches.push(branch);
                }
                Rule::table_section => {
                    let table = self.table_section(part);
                    self.ast.data.whole.push(DataItem::Table(table));
                }
                Rule::factor_item => self.ast.data.whole.push(factor_item(part)),
                Rule::rows_item => {
                    let rows = self.rows_item(part);
                    self.ast.data.whole.push(rows);
                }
                Rule::data_declaration => {
                    let mut items = Vec::new();
                    self.data_declaration(part, &mut items);
                    self.ast.data.whole.append(&mut items);
                }
                _ => {}
            }
        }
    }

    fn branch_section(&mut self, section: Pair<'_, Rule>) -> BranchSection {
        let mut parts = section.into_inner();
        let word = next(&mut parts);
        let mut branch = BranchSection {
            span: span_of(&word),
            key: Vec::new(),
            items: Vec::new(),
            nested: Vec::new(),
        };
        for part in parts {
            match part.as_rule() {
                Rule::names => {
                    branch.span = branch.span.to(span_of(&part));
                    branch.key = idents(part);
                }
                Rule::branch_section => branch.nested.push(self.branch_section(part).span),
                Rule::rows_item => branch.items.push(self.rows_item(part)),
                _ => self.section_item(part, Section::Branch, &mut branch.items),
            }
        }
        branch
    }

    fn table_section(&mut self, section: Pair<'_, Rule>) -> TableSection {
        let mut parts = section.into_inner();
        next(&mut parts);
        let name = ident(&next(&mut parts));
        next(&mut parts);
        let key = ident(&next(&mut parts));
        let mut items = Vec::new();
        for part in parts {
            self.section_item(part, Section::Table, &mut items);
        }
        TableSection { name, key, items }
    }

    /// A declaration inside a section; anything else is out of place there.
    fn section_item(&mut self, part: Pair<'_, Rule>, section: Section, items: &mut Vec<DataItem>) {
        let (what, help) = match part.as_rule() {
            Rule::data_declaration => return self.data_declaration(part, items),
            Rule::factor_item => ("a factor", "write it in `data`, before `branch`"),
            Rule::table_section => ("a table", "write it in `data`, before `branch`"),
            Rule::branch_section => ("`branch`", "write it in `data`, behind the table"),
            Rule::rows_item => (
                "`rows`",
                "a table has one row for each key, so that its columns need no size: `real x;`",
            ),
            _ => return,
        };
        let place = match section {
            Section::Branch => "branch",
            Section::Table => "table",
        };
        let word = part.clone().into_inner().next().map_or(span_of(&part), |word| span_of(&word));
        let message = format!("{what} does not stand inside `{place}`");
        self.diagnostics.error(Code::Syntax, word, message).help(help);
    }

    fn rows_item(&mut self, item: Pair<'_, Rule>) -> DataItem {
        let span = span_of(&item);
        let mut parts = item.into_inner();
        next(&mut parts);
        let name = ident(&next(&mut parts));
        let (mut count, mut by) = (None, Vec::new());
        for part in parts {
            match part.as_rule() {
                Rule::expr => count = Some(self.expr(part)),
                Rule::names => by = idents(part),
                _ => {}
            }
        }
        DataItem::Rows { name, count, by, span }
    }

    /// One item for each name of the declaration; they share the type and the span.
    fn data_declaration(&mut self, declaration: Pair<'_, Rule>, items: &mut Vec<DataItem>) {
        let mut parts = declaration.into_inner();
        let ty = self.type_expr(next(&mut parts));
        for part in parts.filter(|part| part.as_rule() == Rule::data_name) {
            let mut parts = part.into_inner();
            let name = ident(&next(&mut parts));
            let (mut from, mut missing, mut value) = (None, None, None);
            for part in parts {
                match part.as_rule() {
                    Rule::from => from = Some(from_clause(part)),
                    Rule::missing_word => missing = Some(span_of(&part)),
                    Rule::expr => value = Some(self.expr(part)),
                    _ => {}
                }
            }
            let ty = ty.clone();
            items.push(DataItem::Declare(DataDeclaration { ty, name, from, missing, value }));
        }
    }
}

fn factor_item(item: Pair<'_, Rule>) -> DataItem {
    let span = span_of(&item);
    let mut parts = item.into_inner();
    next(&mut parts);
    let name = ident(&next(&mut parts));
    let (mut columns, mut levels) = (Vec::new(), None);
    for part in parts {
        match part.as_rule() {
            Rule::factor_columns => columns = texts(part.into_inner()),
            Rule::levels => levels = Some(texts(part.into_inner())),
            _ => {}
        }
    }
    DataItem::Factor(FactorDeclaration { name, columns, levels, span })
}

fn from_clause(pair: Pair<'_, Rule>) -> From {
    let mut parts = pair.into_inner();
    next(&mut parts);
    let source = next(&mut parts);
    let span: Span = span_of(&source);
    if source.as_rule() == Rule::columns {
        return From::Columns(texts(source.into_inner()), span);
    }
    let column = text(&source);
    match parts.find(|part| part.as_rule() == Rule::text) {
        Some(value) => From::Equals { column, value: text(&value) },
        None => From::Column(column),
    }
}

/// The strings among some pairs.
fn texts(parts: Pairs<'_, Rule>) -> Vec<Text> {
    parts.filter(|part| part.as_rule() == Rule::text).map(|part| text(&part)).collect()
}

fn text(pair: &Pair<'_, Rule>) -> Text {
    let quoted = pair.as_str();
    Text { text: quoted[1..quoted.len() - 1].to_string(), span: span_of(pair) }
}
