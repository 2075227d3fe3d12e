//! Hands diagnostics on, without repeats and without the warnings that the file silences.

use std::collections::HashSet;

use super::names::{distance, is_near};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::source::Source;
use crate::syntax::ast::{Allow, Ast};

/// Adds `found` to `diags`; `// allow: CODE` silences warnings of that code on its line, or
/// everywhere when it stands above the first block.
pub(super) fn report(ast: &Ast, source: &Source, mut found: Diagnostics, diags: &mut Diagnostics) {
    for allow in ast.allows.iter().filter(|allow| Code::from_name(&allow.code).is_none()) {
        report_unknown_code(allow, &mut found);
    }
    let mut seen = HashSet::new();
    for item in found.into_sorted() {
        let is_new = seen.insert((item.code, item.span(), item.message.clone()));
        let is_silenced = item.severity == Severity::Warning
            && ast.allows.iter().any(|allow| silences(allow, &item, source));
        if is_new && !is_silenced {
            hand_on(item, diags);
        }
    }
}

fn report_unknown_code(allow: &Allow, found: &mut Diagnostics) {
    let nearest = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|name| is_near(&allow.code, name))
        .min_by_key(|name| distance(&allow.code, name));
    let message = format!("no warning has the code `{}`", allow.code);
    let diagnostic = found.warning(Code::UnknownAllow, allow.span, message);
    match nearest {
        Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
        None => diagnostic.help("write the code that the warning shows in brackets"),
    };
}

fn silences(allow: &Allow, item: &Diagnostic, source: &Source) -> bool {
    let line = |offset| source.line_column(offset).0;
    let on_its_line = || {
        let comment = line(allow.span.start);
        (line(item.span().start)..=line(item.span().end)).contains(&comment)
    };
    allow.code == item.code.as_str() && (allow.whole_file || on_its_line())
}

fn hand_on(item: Diagnostic, diags: &mut Diagnostics) {
    let span = item.span();
    let copy = match item.severity {
        Severity::Error => diags.error(item.code, span, item.message),
        Severity::Warning => diags.warning(item.code, span, item.message),
    };
    copy.labels = item.labels;
    copy.help = item.help;
}
