//! The suite leaves nothing out: every code, every rule of the grammar, every built-in.

use std::collections::BTreeSet;
use std::sync::Arc;

use hbdc::Code;
use hbdc::testing::{built_ins, rules_used};
use libtest_mimic::{Failed, Trial};

use super::program::{Kind, Program};
use super::run::compile_program;

/// What the definition of the language promises first, line by line: words, and operators that
/// stand between spaces. Trigonometry is `sin cos tan asin acos atan` and their hyperbolic kin.
const TIER_1: &str = "
    int real vector row_vector matrix array index
    lower upper simplex ordered positive_ordered cholesky_factor_corr cov_matrix
    normal std_normal student_t cauchy double_exponential logistic lognormal gamma inv_gamma
    exponential chi_square inv_chi_square scaled_inv_chi_square weibull pareto beta uniform
    bernoulli bernoulli_logit binomial binomial_logit poisson poisson_log neg_binomial
    neg_binomial_2 neg_binomial_2_log categorical categorical_logit ordered_logistic
    multi_normal multi_normal_cholesky dirichlet lkj_corr_cholesky
    normal_lcdf normal_lccdf student_t_lcdf student_t_lccdf logistic_lcdf logistic_lccdf
    exponential_lcdf exponential_lccdf weibull_lcdf weibull_lccdf lognormal_lcdf lognormal_lccdf
    poisson_lcdf poisson_lccdf
    exp log log1p log1m expm1 sqrt square pow inv abs fma min max floor ceil round logit inv_logit
    log_inv_logit log1m_inv_logit Phi Phi_approx inv_Phi tanh lgamma digamma lbeta lchoose
    log_sum_exp log_diff_exp log_mix sin cos tan asin acos atan sinh cosh asinh acosh atanh
    sum prod mean sd variance dot_product dot_self softmax log_softmax cumulative_sum to_vector
    to_array_1d rep_vector rep_array rep_matrix append_row append_col head tail segment reverse
    size rows cols row col diag_matrix diagonal diag_pre_multiply diag_post_multiply quad_form
    mdivide_left_tri_low cholesky_decompose inverse log_determinant crossprod
    + - * / % %/% ^ .* ./ .^ == != < <= > >= && || ! ? ~ = += -= *= /=
    target for in if else functions return factor levels table by column standardize missing cols";

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
        trial("every_word_of_tier_1_has_a_density", words_not_evaluated),
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
    let words = words_evaluated(programs);
    let is_called = |name: &str| {
        [name.to_string(), format!("{name}_lpdf"), format!("{name}_lpmf")]
            .iter()
            .any(|word| words.contains(word))
    };
    built_ins().filter(|name| !is_called(name)).map(String::from).collect()
}

/// Words and operators of the first tier that no density program has.
fn words_not_evaluated(programs: &[Program]) -> Vec<String> {
    let words = words_evaluated(programs);
    let with_forms = |word: &str| {
        ["", "_lpdf", "_lpmf"].iter().any(|end| words.contains(&format!("{word}{end}")))
    };
    TIER_1.split_whitespace().filter(|word| !with_forms(word)).map(String::from).collect()
}

/// Every word and every run of symbols in the code of density programs.
fn words_evaluated(programs: &[Program]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for program in programs.iter().filter(|program| program.kind == Kind::Density) {
        let code = program.text.lines().map(|line| line.split("//").next().unwrap_or_default());
        for line in code {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            words.extend(line.split(|c: char| !is_part(c)).map(String::from));
            let is_symbol = |c: char| "+-*/%^.=!<>&|?~".contains(c);
            words.extend(line.split(|c: char| !is_symbol(c)).map(String::from));
        }
    }
    words
}
