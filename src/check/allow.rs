//! Hands diagnostics on, without repeats and without the warnings that the file silences.

use std::collections::HashSet;

use super::names::{distance, is_near};
use super::remark::remark;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::source::Source;
use crate::syntax::ast::{Allow, Ast};

/// Adds `found` to `diags`; `// allow: CODE` silences warnings of that code on its line, or
/// everywhere when it stands above the first block.
pub(super) fn report(ast: &Ast, source: &Source, mut found: Diagnostics, diags: &mut Diagnostics) {
    for allow in ast.allows.iter().filter(|allow| Code::from_name(&allow.code).is_none()) {
        report_unknown_code(allow, &mut found);
    }
    let lines = Lines::new(source);
    let mut seen = HashSet::new();
    for item in found.into_sorted() {
        let is_new = seen.insert((item.code, item.span(), item.message.clone()));
        let is_silenced = item.severity == Severity::Warning
            && ast.allows.iter().any(|allow| silences(allow, &item, &lines));
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

fn silences(allow: &Allow, item: &Diagnostic, lines: &Lines) -> bool {
    let on_its_line = || {
        let comment = lines.line(allow.span.start);
        (lines.line(item.span().start)..=lines.line(item.span().end)).contains(&comment)
    };
    allow.code == item.code.as_str() && (allow.whole_file || on_its_line())
}

/// Where the lines of a text end.
struct Lines(Vec<u32>);

impl Lines {
    fn new(source: &Source) -> Lines {
        let ends = source.text().bytes().zip(0..).filter(|(byte, _)| *byte == b'\n');
        Lines(ends.map(|(_, offset)| offset).collect())
    }

    /// The line of an offset, counted from zero.
    fn line(&self, offset: u32) -> usize {
        self.0.partition_point(|end| *end < offset)
    }
}

fn hand_on(mut item: Diagnostic, diags: &mut Diagnostics) {
    let span = item.span();
    let has_room = item.labels[1..]
        .iter()
        .all(|label| label.span.end <= span.start || span.end <= label.span.start);
    if item.labels[0].text.is_empty() && has_room {
        item.primary(remark(item.code));
    }
    let copy = match item.severity {
        Severity::Error => diags.error(item.code, span, item.message),
        Severity::Warning => diags.warning(item.code, span, item.message),
    };
    copy.labels = item.labels;
    copy.help = item.help;
}
