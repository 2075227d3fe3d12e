//! The checker by text: what a model is told, by code and by the text it is told about.

mod bad;
mod good;
mod typed;
mod wide;

use super::check;
use super::typed::TypedModel;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Source;
use crate::syntax::parse;

/// The checked model and all diagnostics of a text.
fn checked(text: &str) -> (Option<TypedModel>, Vec<Diagnostic>) {
    let source = Source::new("model.hbd", text);
    let mut diags = Diagnostics::default();
    let ast = parse(&source, &mut diags);
    assert!(!diags.has_errors(), "the text parses: {:#?}\n{text}", diags.items());
    let model = check(&ast, &source, &mut diags);
    assert_eq!(model.is_none(), diags.has_errors(), "no model exactly where there are errors");
    (model, diags.into_sorted())
}

/// The model of a text that is beyond reproach.
fn model(text: &str) -> TypedModel {
    let (model, diags) = checked(text);
    assert!(diags.is_empty(), "no diagnostics: {diags:#?}\n{text}");
    model.expect("a model without errors has a meaning")
}

/// Code and text of each diagnostic, in order of place.
fn told(text: &str) -> Vec<(String, String)> {
    let (_, diags) = checked(text);
    let place = |item: &Diagnostic| {
        let span = item.span();
        text[span.start as usize..span.end as usize].to_string()
    };
    diags.iter().map(|item| (item.code.to_string(), place(item))).collect()
}
