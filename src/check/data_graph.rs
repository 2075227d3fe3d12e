//! The order in which data depend on each other.

use std::collections::{BTreeSet, HashMap};

use super::data::DeclaredDatum;
use super::flow::for_each_name;
use crate::syntax::ast::Ast;

/// Positions of all declarations such that each comes after those that its value, sizes and
/// bounds name, in order of declaration where there is a choice; or a cycle.
pub(super) fn order(ast: &Ast, declared: &[DeclaredDatum]) -> Result<Vec<usize>, Vec<usize>> {
    let needs = dependencies(ast, declared);
    let mut users = vec![Vec::new(); declared.len()];
    let mut missing: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    for (user, needed) in needs.iter().enumerate() {
        needed.iter().for_each(|datum| users[*datum].push(user));
    }
    let mut ready: BTreeSet<usize> =
        (0..declared.len()).filter(|datum| missing[*datum] == 0).collect();
    let mut ordered = Vec::with_capacity(declared.len());
    while let Some(datum) = ready.pop_first() {
        ordered.push(datum);
        for user in &users[datum] {
            missing[*user] -= 1;
            if missing[*user] == 0 {
                ready.insert(*user);
            }
        }
    }
    match missing.iter().position(|count| *count > 0) {
        Some(start) => Err(cycle_from(start, &needs, &missing)),
        None => Ok(ordered),
    }
}

fn dependencies(ast: &Ast, declared: &[DeclaredDatum]) -> Vec<BTreeSet<usize>> {
    let own = declared.iter().enumerate().filter(|(_, datum)| datum.table.is_none());
    // Columns of tables need nothing, so they are in no cycle.
    let position: HashMap<&str, usize> =
        own.map(|(k, datum)| (datum.declaration.name.name.as_str(), k)).collect();
    let depends = |datum: &DeclaredDatum| {
        let ty = &datum.declaration.ty;
        let bounds = ty.lower.iter().chain(&ty.upper);
        let roots = datum.declaration.value.iter().chain(&ty.array).chain(&ty.sizes).chain(bounds);
        let mut needed = BTreeSet::new();
        for root in roots {
            for_each_name(ast, *root, |name| needed.extend(position.get(name)));
        }
        needed
    };
    declared.iter().map(depends).collect()
}

/// Follows unmet needs until a datum comes up again.
fn cycle_from(start: usize, needs: &[BTreeSet<usize>], missing: &[usize]) -> Vec<usize> {
    let mut path = vec![start];
    loop {
        let last = *path.last().expect("the path starts with one");
        let next = needs[last]
            .iter()
            .copied()
            .find(|datum| missing[*datum] > 0)
            .expect("what is left over needs something that is left over");
        if let Some(first) = path.iter().position(|datum| *datum == next) {
            return path.split_off(first);
        }
        path.push(next);
    }
}
