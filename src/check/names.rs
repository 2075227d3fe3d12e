//! Scopes: which name means what where, and what to say when it means nothing.
//!
//! Functions and distributions have names of their own, so none of them is looked up here.

use std::collections::{HashMap, HashSet};

use super::typed::{SymbolId, SymbolKind};
use super::{Checker, Facts};
use crate::builtin;
use crate::diagnostic::Code;
use crate::schema::Numbered;
use crate::source::Span;
use crate::syntax::ast::{Ast, DataItem, Ident, StatementKind};
use crate::ty::{Level, Role, Type};

/// A slip of the pen changes at most so many characters.
const MAX_SLIP: usize = 3;

/// Longer names get no suggestion, and neither do more names than this.
const MAX_SUGGESTED: usize = 100;

/// Where an expression stands, which decides what it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Data outside `branch`.
    WholeData,
    /// Data inside `branch`.
    BranchData,
    /// `global { … }`
    Global,
    /// `local { … }`
    Local,
}

/// The names in force at some time.
#[derive(Clone)]
pub(super) struct Visible {
    current: HashMap<String, SymbolId>,
    scopes: Vec<Vec<String>>,
}

/// The names in force and those that are not (yet).
pub(super) struct Names {
    /// What each name means now.
    current: HashMap<String, SymbolId>,
    /// Names to forget at the end of each open block or loop.
    scopes: Vec<Vec<String>>,
    /// Top-level declarations of `global` and `local`, wherever they stand.
    top_level: HashMap<String, (Place, Span)>,
    /// Names that were already reported as unknown.
    reported: HashSet<String>,
    /// Columns that name the branch.
    key: HashSet<String>,
    /// Names of the `data` block.
    data: HashSet<String>,
    /// A block is missing or not looked into, so that a name may have been declared there.
    incomplete: bool,
}

impl Names {
    pub(super) fn new(ast: &Ast) -> Names {
        let mut top_level = HashMap::new();
        for (place, block) in [(Place::Global, &ast.global), (Place::Local, &ast.local)] {
            for statement in &block.statements {
                if let StatementKind::Declare(declaration) = &statement.kind {
                    let name = &declaration.name;
                    top_level.entry(name.name.clone()).or_insert((place, name.span));
                }
            }
        }
        let key = ast.data.branches.iter().flat_map(|branch| &branch.key);
        Names {
            current: HashMap::new(),
            scopes: Vec::new(),
            top_level,
            reported: HashSet::new(),
            key: key.map(|column| column.name.clone()).collect(),
            data: data_items(ast).filter_map(|(_, item)| item_name(item)).collect(),
            incomplete: false,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<SymbolId> {
        self.current.get(name).copied()
    }

    pub(super) fn is_key(&self, name: &str) -> bool {
        self.key.contains(name)
    }

    /// Says that names are missing through no fault of those who use them.
    pub(super) fn set_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// Whether names may be missing, or uses of them, through no fault of the rest.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Keeps a name from being reported as unknown.
    pub(super) fn silence(&mut self, name: &str) {
        self.reported.insert(name.to_string());
    }

    /// Every symbol that has a name now.
    pub(super) fn symbols(&self) -> impl Iterator<Item = SymbolId> {
        self.current.values().copied()
    }

    /// Hides all names, as in the body of a function, until they are restored.
    pub(super) fn hide(&mut self) -> Visible {
        let scopes = std::mem::replace(&mut self.scopes, vec![Vec::new()]);
        Visible { current: std::mem::take(&mut self.current), scopes }
    }

    /// Brings back the names in force at an earlier time.
    pub(super) fn restore(&mut self, visible: Visible) {
        self.current = visible.current;
        self.scopes = visible.scopes;
    }

    /// The names in force.
    pub(super) fn visible(&self) -> Visible {
        Visible { current: self.current.clone(), scopes: self.scopes.clone() }
    }

    /// Whether a name is declared somewhere in the file outside functions.
    pub(super) fn is_declared_somewhere(&self, name: &str) -> bool {
        self.top_level.contains_key(name) || self.data.contains(name)
    }

    /// Whether a block or loop is open.
    pub(super) fn is_nested(&self) -> bool {
        !self.scopes.is_empty()
    }

    pub(super) fn open_scope(&mut self) {
        self.scopes.push(Vec::new());
    }

    pub(super) fn close_scope(&mut self) {
        for name in self.scopes.pop().expect("a scope is open") {
            self.current.remove(&name);
        }
    }
}

impl Checker<'_> {
    /// Gives `name` a meaning from here on.
    pub(super) fn declare(
        &mut self,
        name: &Ident,
        kind: SymbolKind,
        ty: Type,
        facts: Facts,
    ) -> SymbolId {
        let symbol = self.add_symbol(name, kind, ty, facts);
        if let Some(first) = self.names.get(&name.name) {
            let first_span = self.symbols[first].span;
            self.diags
                .error(Code::DuplicateName, name.span, format!("`{}` is declared twice", name.name))
                .primary("declared again here")
                .label(first_span, "first declared here")
                .help("give one of them another name: a name means one thing in the whole model");
            self.facts_mut(first).give_up();
            self.facts_mut(symbol).give_up();
            return symbol;
        }
        self.names.current.insert(name.name.clone(), symbol);
        if let Some(scope) = self.names.scopes.last_mut() {
            scope.push(name.name.clone());
        }
        symbol
    }

    /// What `name` means here; reports where it means nothing or must not be seen.
    /// `None` is silent for a name whose declaration failed.
    pub(super) fn resolve(&mut self, name: &str, span: Span) -> Option<SymbolId> {
        let Some(symbol) = self.names.get(name) else {
            self.report_unknown(name, span);
            return None;
        };
        self.facts_mut(symbol).reads += 1;
        if self.facts(symbol).broken || !self.check_visible(symbol, span) {
            return None;
        }
        self.note_missing_read(symbol, span);
        Some(symbol)
    }

    /// Reports a datum of a branch where only whole data are seen.
    fn check_visible(&mut self, symbol: SymbolId, span: Span) -> bool {
        let is_whole = match self.symbols[symbol].kind {
            SymbolKind::Datum(datum) => self.schema.data[datum].level == Level::Whole,
            SymbolKind::RowCount => false,
            _ => true,
        };
        if is_whole || !matches!(self.place, Place::WholeData | Place::Global) {
            return true;
        }
        let name = self.symbols[symbol].name.clone();
        let declared = self.symbols[symbol].span;
        let is_count = matches!(self.symbols[symbol].kind, SymbolKind::RowCount);
        let what = if is_count { "a row count" } else { "a value" };
        let (code, message, help) = if self.place == Place::Global {
            (
                Code::BranchInGlobal,
                format!("`global` mentions `{name}`, which has {what} for each branch"),
                "the global block runs once for all branches: move this statement to `local`, \
                 or declare the value outside `branch` if all branches share it",
            )
        } else {
            (
                Code::BranchInWholeData,
                format!("`{name}` has {what} for each branch, but this is computed once"),
                "move this declaration into `branch`, or declare what it needs outside `branch`",
            )
        };
        self.diags.error(code, span, message).label(declared, "declared in `branch`").help(help);
        false
    }

    fn report_unknown(&mut self, name: &str, span: Span) {
        if self.within.is_some() {
            self.report_outside_function(name, span);
            return;
        }
        if !self.names.reported.insert(name.to_string()) {
            return;
        }
        if self.names.is_key(name) {
            self.report_key(name, span);
        } else if self.report_numbered_alone(name, span) {
            // A factor has no values; its message says how to declare some.
        } else if let Some((place, declared)) = self.names.top_level.get(name).copied() {
            self.report_elsewhere(name, span, place, declared);
        } else {
            self.report_nameless(name, span);
        }
    }

    /// Rule 16: a function sees only its arguments.
    fn report_outside_function(&mut self, name: &str, span: Span) {
        if !self.names.is_declared_somewhere(name) {
            self.report_nameless(name, span);
            return;
        }
        let message = format!("a function sees only its arguments, and `{name}` is none of them");
        self.diags.error(Code::FunctionScope, span, message).help(format!(
            "add it to the arguments of the function, and pass `{name}` where it is called"
        ));
    }

    fn report_key(&mut self, name: &str, span: Span) {
        let key = self.ast.data.branches.iter().flat_map(|branch| &branch.key);
        let declared = key.clone().find(|column| column.name == name).map(|column| column.span);
        let message = format!("`{name}` names the branch and is not a datum");
        let diagnostic = self.diags.error(Code::KeyNotDatum, span, message);
        if let Some(declared) = declared {
            diagnostic.label(declared, "the key of the branches");
        }
        diagnostic.help(format!(
            "to use the values of that column, declare it inside `branch`: `int {name};`; \
             no index for branches is needed, `local` is about one of them"
        ));
    }

    fn report_elsewhere(&mut self, name: &str, span: Span, place: Place, declared: Span) {
        let is_data = matches!(self.place, Place::WholeData | Place::BranchData);
        let (code, message, help) = match place {
            _ if is_data => (
                Code::UnknownInData,
                format!("data are computed before `{name}` is known"),
                "move this to `global` or `local`, as a derived quantity",
            ),
            Place::Local if self.place == Place::Global => (
                Code::BranchInGlobal,
                format!("`global` mentions `{name}`, which exists once per branch"),
                "the global block runs once for all branches: move this statement to `local`, \
                 or give the branches a shared unknown in `global`",
            ),
            _ => (
                Code::UsedBeforeDeclared,
                format!("`{name}` is declared further down"),
                "statements run in order: move the declaration above this line",
            ),
        };
        self.diags.error(code, span, message).label(declared, "declared here").help(help);
    }

    fn report_nameless(&mut self, name: &str, span: Span) {
        if self.names.incomplete {
            return;
        }
        if let Some((base, column)) = name.split_once('.')
            && !matches!(self.numbered(base), Some(Numbered::Table(_)))
        {
            self.report_no_table(base, column, span);
            return;
        }
        let has_patience = self.names.reported.len() <= MAX_SUGGESTED;
        let nearest = has_patience.then(|| self.nearest_name(name)).flatten();
        if let Some(symbol) = nearest.as_ref().and_then(|(other, ..)| self.names.get(other)) {
            // It was most likely meant, so it is not unused as well.
            let facts = self.facts_mut(symbol);
            facts.reads += 1;
            facts.density.get_or_insert(span);
        }
        let diagnostic =
            self.diags.error(Code::UnknownName, span, format!("nothing is called `{name}`"));
        match nearest {
            Some((other, declared, what)) => {
                diagnostic.label(declared, format!("`{other}`, {what}, is declared here"));
                diagnostic.help(format!("did you mean `{other}`?"));
            }
            None if builtin::function(name).is_some() => {
                diagnostic.help(format!("the function is called with brackets: `{name}(…)`"));
            }
            None => {
                diagnostic.help(
                    "declare it: data in `data`, what all branches share in `global`, \
                     what each branch has of its own in `local`",
                );
            }
        }
    }

    /// `z.mean`, where `z` is no table.
    fn report_no_table(&mut self, base: &str, column: &str, span: Span) {
        let known = self.names.get(base);
        if let Some(symbol) = known {
            let facts = self.facts_mut(symbol);
            facts.reads += 1;
            facts.density.get_or_insert(span);
        }
        let tables = self.schema.tables.iter().map(|table| table.name.clone());
        let nearest =
            tables.filter(|table| is_near(base, table)).min_by_key(|table| distance(base, table));
        let message = format!("only tables have columns, and `{base}` is no table");
        let label = known.map(|symbol| {
            (self.symbols[symbol].span, format!("`{base}`, {}", self.describe(symbol)))
        });
        let diagnostic = self.diags.error(Code::UnknownName, span, message);
        if let Some((declared, what)) = label {
            diagnostic.label(declared, format!("{what}, is declared here"));
        }
        diagnostic.help(match nearest {
            _ if builtin::function(column).is_some() => {
                format!("functions are called with their argument: `{column}({base})`")
            }
            Some(table) => format!("did you mean `{table}.{column}`?"),
            None => format!(
                "a column of the data file is declared in `branch` and read by its own name, \
                 `{column}`; a table is declared by `table {base} by KEY {{ … }}`"
            ),
        });
    }

    /// The declared name that `name` was probably meant to be.
    fn nearest_name(&self, name: &str) -> Option<(String, Span, String)> {
        let sees_branch = matches!(self.place, Place::BranchData | Place::Local);
        let visible =
            self.names.current.iter().filter(|(_, symbol)| {
                sees_branch || self.facts(**symbol).reach.level == Level::Whole
            });
        let known = visible.map(|(other, symbol)| (other, self.symbols[*symbol].span));
        let top_level = self.names.top_level.iter().map(|(other, (_, span))| (other, *span));
        let (other, span) = known
            .chain(top_level)
            .filter(|(other, _)| is_near(name, other))
            .min_by_key(|(other, span)| (distance(name, other), *span))?;
        let what = match self.names.get(other) {
            Some(symbol) => self.describe(symbol),
            None => "an unknown".to_string(),
        };
        Some((other.clone(), span, what))
    }

    /// What a symbol is, in a few words.
    pub(super) fn describe(&self, symbol: SymbolId) -> String {
        let ty = &self.symbols[symbol].ty;
        match &self.symbols[symbol].kind {
            SymbolKind::Datum(datum) => format!("data, {}", self.schema.data[*datum].type_text),
            SymbolKind::RowCount => "the number of rows of the branch".to_string(),
            SymbolKind::Unknown { role: Role::Global, .. } => format!("a global unknown, {ty}"),
            SymbolKind::Unknown { .. } => format!("a local unknown, {ty}"),
            SymbolKind::Derived { .. } => format!("a derived quantity, {ty}"),
            SymbolKind::Temporary => format!("a temporary, {ty}"),
            SymbolKind::LoopVariable => "a loop variable".to_string(),
        }
    }
}

/// The column names of the whole file's key and data, for messages about branches.
pub(super) fn looks_like_branches(name: &str, ast: &Ast) -> bool {
    let lower = name.to_lowercase();
    let key = ast.data.branches.iter().flat_map(|branch| &branch.key);
    let mut words = key.map(|column| column.name.to_lowercase());
    lower.contains("branch")
        || lower.contains("group")
        || name == "J"
        || words.any(|word| word.len() > 1 && lower.contains(&word))
}

fn item_name(item: &DataItem) -> Option<String> {
    match item {
        DataItem::Rows { name, .. } => Some(name.name.clone()),
        DataItem::Declare(declaration) => Some(declaration.name.name.clone()),
        DataItem::Factor(_) | DataItem::Table(_) => None,
    }
}

/// All declared data items, with whether they stand in `branch`.
pub(super) fn data_items(ast: &Ast) -> impl Iterator<Item = (Level, &DataItem)> {
    let whole = ast.data.whole.iter().map(|item| (Level::Whole, item));
    let branch = ast.data.branches.iter().take(1).flat_map(|branch| &branch.items);
    whole.chain(branch.map(|item| (Level::Branch, item)))
}

/// Whether `written` is likely a slip for `known`.
pub(super) fn is_near(written: &str, known: &str) -> bool {
    if written.len().abs_diff(known.len()) > MAX_SLIP || written.len() > MAX_SUGGESTED {
        return false;
    }
    let same_but_case = written.to_lowercase() == known.to_lowercase();
    let length = written.chars().count().min(known.chars().count());
    same_but_case || (length > 1 && distance(written, known) <= length.div_ceil(3).min(MAX_SLIP))
}

/// Number of single-character changes, a swap of neighbours counting as one
/// (optimal string alignment).
pub(super) fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before_last = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for i in 1..=left.len() {
        let mut row = vec![i; right.len() + 1];
        for j in 1..=right.len() {
            let substituted = last[j - 1] + usize::from(left[i - 1] != right[j - 1]);
            row[j] = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            let is_swap =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if is_swap {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}
