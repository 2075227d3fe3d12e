//! Text to untyped tree and back. Knows no names and no types.
//!
//! The grammar, `grammar/hbd.pest`, is the one definition of phrase structure. Tokens are checked
//! first, so that pest and the walks after it see only text whose nesting they can follow.

pub mod ast;
mod build;
mod build_data;
mod build_expr;
mod expect;
mod failure;
mod planned;
mod precheck;
mod print;
mod print_data;
mod slip;
pub mod token;

#[cfg(test)]
mod tests;

pub use print::print;

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};

use crate::diagnostic::{Code, Diagnostics};
use crate::source::{Source, Span};
use ast::Ast;
use grammar::{Grammar, Rule};

/// The parser that pest derives. It documents none of what it generates.
#[allow(missing_docs)]
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/hbd.pest"]
    pub struct Grammar;
}

/// Longer texts are refused.
pub const MAX_BYTES: usize = 1 << 20;

/// The tree of a model text. When `diagnostics` has errors afterwards, the tree is incomplete
/// or empty.
pub fn parse(source: &Source, diagnostics: &mut Diagnostics) -> Ast {
    if source.text().len() > MAX_BYTES {
        let message = format!("the model has {} bytes", source.text().len());
        let help = format!("a model may have {MAX_BYTES}; large constants belong in the data");
        diagnostics.error(Code::FileSize, Span::new(0, 0), message).help(help);
        return Ast::default();
    }
    let tokens = token::tokens(source.text());
    let mut early = Diagnostics::default();
    precheck::check_lexical(source, &tokens, &mut early);
    precheck::check_nesting(source, &tokens, &mut early);
    if early.has_errors() {
        diagnostics.append(early);
        return Ast::default();
    }
    match Grammar::parse(Rule::file, source.text()) {
        Ok(mut pairs) => {
            let file = pairs.next().expect("a parse yields its rule");
            let mut ast = build::Builder::new(diagnostics).file(file);
            ast.allows = precheck::allows(source, &tokens);
            ast
        }
        Err(error) => {
            report(source, &tokens, error, diagnostics);
            Ast::default()
        }
    }
}

/// The rules of the grammar that a text uses, by name; none where it does not follow them.
pub fn rules_used(text: &str) -> Vec<String> {
    let pairs = Grammar::parse(Rule::file, text).into_iter();
    pairs.flat_map(|pairs| pairs.flatten()).map(|pair| format!("{:?}", pair.as_rule())).collect()
}

/// Turns pest's error into ours.
fn report(
    source: &Source,
    tokens: &[token::Token],
    error: pest::error::Error<Rule>,
    diagnostics: &mut Diagnostics,
) {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    match error.variant {
        ErrorVariant::ParsingError { positives, .. } => {
            failure::Failure::new(source, tokens, at, &positives).report(diagnostics);
        }
        // pest stops by itself when little stack is left.
        ErrorVariant::CustomError { .. } => {
            let place = Span::new(at, at);
            diagnostics
                .error(Code::Nesting, place, "nested deeper than this thread's stack allows")
                .help("name the inner parts in declarations of their own");
        }
    }
}
