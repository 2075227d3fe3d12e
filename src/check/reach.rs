//! What values depend on. The names that a block assigns take theirs from every assignment,
//! and from the conditions and loops around it: the least solution, found by passing on what
//! changes.

use std::collections::{HashMap, HashSet};

use super::Checker;
use super::expr::{for_each_operand, subscript_operands};
use super::flow::{for_each_typed_operand, reads_size_only};
use super::names::Place;
use super::typed::{ExprId, ExprKind};
use crate::syntax::ast::{self, Ast, Statement, StatementKind};
use crate::ty::{Level, Role, Size};

/// What a value depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) level: Level,
    pub(super) role: Role,
    /// Whether data of the branch are among it.
    pub(super) branch_data: bool,
}

impl Reach {
    /// That of a number.
    pub(super) const NOTHING: Reach =
        Reach { level: Level::Whole, role: Role::Data, branch_data: false };

    /// That of the number of rows.
    pub(super) const OF_ROWS: Reach =
        Reach { level: Level::Branch, role: Role::Data, branch_data: true };

    pub(super) fn join(self, other: Reach) -> Reach {
        Reach {
            level: self.level.max(other.level),
            role: self.role.max(other.role),
            branch_data: self.branch_data || other.branch_data,
        }
    }
}

/// The name under which the value of a function is collected; no variable can have it.
pub(super) const RETURNED: &str = "return";

/// What is known beforehand of the names that a block assigns.
#[derive(Default)]
pub(super) struct Assigned {
    /// What each depends on.
    reach: HashMap<String, Reach>,
    /// Those that are assigned after their declaration.
    changed: HashSet<String>,
}

/// Something that flows into an assigned name.
#[derive(Clone, Copy)]
enum Origin<'a> {
    /// The value of an expression.
    Value(ast::ExprId),
    /// How often a loop runs, by its variable.
    Loop(&'a str),
}

/// Every flow into a name of a block.
#[derive(Default)]
struct Flows<'a> {
    all: Vec<(&'a str, Origin<'a>)>,
    changed: HashSet<String>,
    /// The loops and conditions around the statement at hand.
    around: Vec<Origin<'a>>,
}

/// What the value of an expression is read from.
enum Read<'a> {
    Name(&'a str),
    /// The size of something, whatever its value: by name if it has one.
    Size(Option<&'a str>),
}

impl Checker<'_> {
    /// What each name that a block assigns depends on.
    pub(super) fn assigned_names(&self, place: Place, statements: &[Statement]) -> Assigned {
        let mut flows = Flows::default();
        flows.collect_list(statements);
        let mut reach: HashMap<String, Reach> =
            flows.all.iter().map(|(target, _)| (target.to_string(), Reach::NOTHING)).collect();
        let mut readers: HashMap<&str, Vec<&str>> = HashMap::new();
        for (target, origin) in &flows.all {
            let mut known = Reach::NOTHING;
            for_each_read(self.ast, origin, |read| match read {
                Read::Size(of) => known = known.join(self.size_reach(of, place)),
                Read::Name(name) if reach.contains_key(name) => {
                    readers.entry(name).or_default().push(target);
                }
                Read::Name(name) => known = known.join(self.reach_of_name(name, place)),
            });
            reach.entry(target.to_string()).and_modify(|reach| *reach = reach.join(known));
        }
        pass_on(&mut reach, &readers);
        Assigned { reach, changed: flows.changed }
    }

    fn reach_of_name(&self, name: &str, place: Place) -> Reach {
        // Not declared yet: an unknown of this block, or an error found elsewhere.
        let own = if place == Place::Local {
            Reach { level: Level::Branch, role: Role::Local, branch_data: false }
        } else {
            Reach { role: Role::Global, ..Reach::NOTHING }
        };
        self.names.get(name).map_or(own, |symbol| self.facts(symbol).reach)
    }

    /// What an expression depends on.
    pub(super) fn reach(&self, root: ExprId) -> Reach {
        let mut reach = Reach::NOTHING;
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            let expr = &self.exprs[id];
            match &expr.kind {
                ExprKind::Symbol(symbol) => reach = reach.join(self.facts(*symbol).reach),
                // A size follows from the data, whatever has it.
                ExprKind::Call(function, _) if reads_size_only(function.name) => {
                    if expr.level == Level::Branch {
                        reach = reach.join(Reach::OF_ROWS);
                    }
                }
                kind => for_each_typed_operand(kind, |operand| open.push(operand)),
            }
        }
        reach
    }

    /// What a derived quantity or temporary depends on.
    pub(super) fn reach_of_assigned(&self, name: &str) -> Reach {
        self.assigned.reach.get(name).copied().unwrap_or(Reach::NOTHING)
    }

    /// Whether a name of the block at hand keeps the value of its declaration.
    pub(super) fn is_fixed(&self, name: &str) -> bool {
        !self.assigned.changed.contains(name)
    }

    /// What a size depends on: in `local` it may be that of the rows.
    fn size_reach(&self, of: Option<&str>, place: Place) -> Reach {
        let symbol = of.and_then(|name| self.names.get(name));
        let may_be_rows = match symbol {
            Some(symbol) => self.symbols[symbol].ty.dims().iter().any(Size::depends_on_rows),
            None if self.within.is_some() => self.names.symbols().any(|symbol| {
                let Reach { branch_data, .. } = self.facts(symbol).reach;
                branch_data || self.symbols[symbol].ty.dims().iter().any(Size::depends_on_rows)
            }),
            None => true,
        };
        if place == Place::Local && may_be_rows { Reach::OF_ROWS } else { Reach::NOTHING }
    }
}

/// Joins the reach of each name into those of its readers until nothing changes. A reach can
/// grow only a few times, so this takes time in proportion to the reads.
fn pass_on(assigned: &mut HashMap<String, Reach>, readers: &HashMap<&str, Vec<&str>>) {
    let mut changed: Vec<String> = assigned.keys().cloned().collect();
    while let Some(name) = changed.pop() {
        let reach = assigned[&name];
        for reader in readers.get(name.as_str()).into_iter().flatten() {
            let own = assigned.get_mut(*reader).expect("every reader is assigned");
            let joined = own.join(reach);
            if joined != *own {
                *own = joined;
                changed.push(reader.to_string());
            }
        }
    }
}

fn for_each_read<'a>(ast: &'a Ast, origin: &Origin<'a>, mut visit: impl FnMut(Read<'a>)) {
    let mut rest = match origin {
        Origin::Loop(name) => return visit(Read::Name(name)),
        Origin::Value(root) => vec![*root],
    };
    while let Some(id) = rest.pop() {
        match &ast.exprs[id].kind {
            ast::ExprKind::Name(name) => visit(Read::Name(name)),
            ast::ExprKind::Call { name, args, .. } if reads_size_only(&name.name) => {
                visit(Read::Size(args.first().and_then(|arg| plain_name(ast, *arg))));
            }
            kind => for_each_operand(kind, |operand| rest.push(operand)),
        }
    }
}

fn plain_name(ast: &Ast, id: ast::ExprId) -> Option<&str> {
    match &ast.exprs[id].kind {
        ast::ExprKind::Name(name) => Some(name),
        _ => None,
    }
}

impl<'a> Flows<'a> {
    fn add(&mut self, name: &'a str, values: impl IntoIterator<Item = ast::ExprId>) {
        let values = values.into_iter().map(Origin::Value);
        let all = values.chain(self.around.iter().copied());
        self.all.extend(all.map(|origin| (name, origin)));
    }

    fn collect_list(&mut self, statements: &'a [Statement]) {
        for statement in statements {
            self.collect(statement);
        }
    }

    fn collect(&mut self, statement: &'a Statement) {
        match &statement.kind {
            StatementKind::Declare(declaration) => {
                self.add(&declaration.name.name, declaration.value);
            }
            StatementKind::Assign { place, value, .. } => {
                let subscripts = place.subscripts.iter().flat_map(subscript_operands);
                self.add(&place.name.name, subscripts.chain([*value]));
                self.changed.insert(place.name.name.clone());
            }
            StatementKind::For { name, from, to, body } => {
                self.collect_loop(&name.name, &[*from, *to], body);
            }
            StatementKind::ForEach { name, over, body } => {
                self.collect_loop(&name.name, &[*over], body);
            }
            StatementKind::If { condition, then, otherwise } => {
                self.around.push(Origin::Value(*condition));
                self.collect(then);
                otherwise.iter().for_each(|otherwise| self.collect(otherwise));
                self.around.pop();
            }
            StatementKind::Return(value) => self.add(RETURNED, [*value]),
            StatementKind::Block(statements) => self.collect_list(statements),
            StatementKind::Sample { .. } | StatementKind::Target(_) => {}
        }
    }

    fn collect_loop(&mut self, name: &'a str, bounds: &[ast::ExprId], body: &'a Statement) {
        self.add(name, bounds.iter().copied());
        self.around.push(Origin::Loop(name));
        self.collect(body);
        self.around.pop();
    }
}
