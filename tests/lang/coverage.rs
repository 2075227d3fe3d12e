//! The suite leaves nothing out: every code, every rule of the grammar, every built-in.

use std::collections::BTreeSet;
use std::sync::Arc;

use hbdc::Code;
use hbdc::testing::{built_ins, rules_used};
use libtest_mimic::{Failed, Trial};

use super::program::{Kind, Program};
use super::run::compile_program;

const GRAMMAR: &str = include_str!("../../grammar/hbd.pest");

/// One test for each thing that is to be covered.
pub fn trials(programs: &Arc<Vec<Program>>) -> Vec<Trial> {
    let trial = |name: &str, missing: fn(&[Program]) -> Vec<String>| {
        let programs = Arc::clone(programs);
        Trial::test(format!("coverage/{name}"), move || nothing(missing(&programs)))
    };
    vec![
        trial("every_code_is_expected", codes_not_expected),
        trial("every_code_has_an_exemplar", codes_without_exemplar),
        trial("every_grammar_rule_is_met", rules_not_met),
        trial("every_built_in_has_a_density", built_ins_not_evaluated),
    ]
}

fn nothing(missing: Vec<String>) -> Result<(), Failed> {
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!("no program has {}", missing.join(", ")).into()),
    }
}

/// Codes that no note outside `render` names. One is too large for a file of the suite, which
/// has it among the exemplars.
fn codes_not_expected(programs: &[Program]) -> Vec<String> {
    let notes = programs.iter().flat_map(|program| &program.notes);
    let expected: BTreeSet<&str> =
        notes.filter_map(|note| note.head.split(['[', ']']).nth(1)).collect();
    let codes = Code::ALL.iter().map(|code| code.as_str());
    codes.filter(|code| !expected.contains(code)).map(String::from).collect()
}

fn codes_without_exemplar(programs: &[Program]) -> Vec<String> {
    let is_shown = |code: &&Code| {
        let name = format!("render/{code}");
        programs.iter().filter(|program| program.name == name).any(|program| {
            compile_program(program).diagnostics.iter().any(|found| found.code == **code)
        })
    };
    let missing = Code::ALL.iter().filter(|code| !is_shown(code));
    missing.map(|code| format!("render/{code}")).collect()
}

/// Rules of the grammar that leave a node, and that no program has.
fn rules_not_met(programs: &[Program]) -> Vec<String> {
    let used: BTreeSet<String> =
        programs.iter().flat_map(|program| rules_used(&program.text)).collect();
    let rules = GRAMMAR.lines().filter_map(|line| {
        let (name, body) = line.split_once('=')?;
        let is_rule = !line.starts_with([' ', '/']) && !body.trim_start().starts_with('_');
        is_rule.then(|| name.trim())
    });
    rules.filter(|rule| !used.contains(*rule)).map(String::from).collect()
}

/// Distributions and functions that no density program calls.
fn built_ins_not_evaluated(programs: &[Program]) -> Vec<String> {
    let mut words = BTreeSet::new();
    for program in programs.iter().filter(|program| program.kind == Kind::Density) {
        let code = program.text.lines().map(|line| line.split("//").next().unwrap_or_default());
        for line in code {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            words.extend(line.split(|c: char| !is_part(c)).map(String::from));
        }
    }
    let is_called = |name: &str| {
        [name.to_string(), format!("{name}_lpdf"), format!("{name}_lpmf")]
            .iter()
            .any(|word| words.contains(word))
    };
    built_ins().filter(|name| !is_called(name)).map(String::from).collect()
}
