//! What values depend on. The names that a block assigns take theirs from every assignment,
//! carried through loops: the least solution, found by passing on what changes.

use std::collections::HashMap;

use super::Checker;
use super::expr::{for_each_operand, subscript_operands};
use super::flow::reads_size_only;
use super::names::Place;
use super::typed::ExprId;
use crate::syntax::ast::{self, Ast, Statement, StatementKind};
use crate::ty::{Level, Role};

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

    pub(super) fn join(self, other: Reach) -> Reach {
        Reach {
            level: self.level.max(other.level),
            role: self.role.max(other.role),
            branch_data: self.branch_data || other.branch_data,
        }
    }
}

/// What the names that a block assigns depend on, by name.
pub(super) type Assigned = HashMap<String, Reach>;

/// Something that flows into an assigned name.
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
    /// Variables of the loops around the statement at hand.
    loops: Vec<&'a str>,
}

/// What the value of an expression is read from.
enum Read<'a> {
    Name(&'a str),
    /// The size of something, whatever its value.
    Size,
}

impl Checker<'_> {
    /// What each name that a block assigns depends on.
    pub(super) fn assigned_names(&self, place: Place, statements: &[Statement]) -> Assigned {
        let mut flows = Flows::default();
        flows.collect_list(statements);
        let mut assigned: Assigned =
            flows.all.iter().map(|(target, _)| (target.to_string(), Reach::NOTHING)).collect();
        let mut readers: HashMap<&str, Vec<&str>> = HashMap::new();
        for (target, origin) in &flows.all {
            let mut known = Reach::NOTHING;
            for_each_read(self.ast, origin, |read| match read {
                Read::Size => known = known.join(size_reach(place)),
                Read::Name(name) if assigned.contains_key(name) => {
                    readers.entry(name).or_default().push(target);
                }
                Read::Name(name) => known = known.join(self.reach_of_name(name, place)),
            });
            assigned.entry(target.to_string()).and_modify(|reach| *reach = reach.join(known));
        }
        pass_on(&mut assigned, &readers);
        assigned
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
        let symbols = self.parts(root).into_iter().filter_map(|id| self.named_symbol(id));
        symbols.fold(Reach::NOTHING, |reach, symbol| reach.join(self.facts(symbol).reach))
    }

    /// What a derived quantity or temporary depends on.
    pub(super) fn reach_of_assigned(&self, name: &str) -> Reach {
        self.assigned.get(name).copied().unwrap_or(Reach::NOTHING)
    }
}

/// A size in `local` may be that of the rows.
fn size_reach(place: Place) -> Reach {
    let is_local = place == Place::Local;
    let level = if is_local { Level::Branch } else { Level::Whole };
    Reach { level, role: Role::Data, branch_data: is_local }
}

/// Joins the reach of each name into those of its readers until nothing changes. A reach can
/// grow only a few times, so this takes time in proportion to the reads.
fn pass_on(assigned: &mut Assigned, readers: &HashMap<&str, Vec<&str>>) {
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
            ast::ExprKind::Call { name, .. } if reads_size_only(&name.name) => visit(Read::Size),
            kind => for_each_operand(kind, |operand| rest.push(operand)),
        }
    }
}

impl<'a> Flows<'a> {
    fn add(&mut self, name: &'a ast::Ident, values: impl IntoIterator<Item = ast::ExprId>) {
        let values = values.into_iter().map(Origin::Value);
        let loops = self.loops.iter().copied().map(Origin::Loop);
        self.all.extend(values.chain(loops).map(|origin| (name.name.as_str(), origin)));
    }

    fn collect_list(&mut self, statements: &'a [Statement]) {
        for statement in statements {
            self.collect(statement);
        }
    }

    fn collect(&mut self, statement: &'a Statement) {
        match &statement.kind {
            StatementKind::Declare(declaration) => {
                self.add(&declaration.name, declaration.value);
            }
            StatementKind::Assign { place, value, .. } => {
                let subscripts = place.subscripts.iter().flat_map(subscript_operands);
                self.add(&place.name, subscripts.chain([*value]));
            }
            StatementKind::For { name, from, to, body } => {
                self.add(name, [*from, *to]);
                self.loops.push(&name.name);
                self.collect(body);
                self.loops.pop();
            }
            StatementKind::Block(statements) => self.collect_list(statements),
            _ => {}
        }
    }
}
