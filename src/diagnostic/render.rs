//! The one place that draws carets, and the form of diagnostics for other programs.

use ariadne::{CharSet, Color, Config, Fmt, IndexType, Label as Caret, Report, ReportKind};
use serde_json::{Value, json};

use super::{Diagnostic, Severity};
use crate::source::{Source, Span};

/// Lines of more bytes than this are not drawn, only located.
const LONGEST_LINE: usize = 1000;

/// Diagnostics as text for a reader, each with the lines it speaks of.
pub fn render(diagnostics: &[Diagnostic], source: &Source, color: bool) -> String {
    // The renderer looks lines up in its own copy of the text; one serves all diagnostics.
    let lines = ariadne::Source::from(source.text());
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&header(diagnostic, color));
        if !is_drawable(diagnostic, source.text()) {
            out.push_str(&plain(diagnostic, source));
            continue;
        }
        let cache = (source.name().to_string(), &lines);
        let mut drawn = Vec::new();
        let report = report(diagnostic, source, color);
        report.write(cache, &mut drawn).expect("writing to memory does not fail");
        // The renderer's own first line has no code in it, ours stands in its place.
        let drawn = String::from_utf8_lossy(&drawn);
        out.push_str(drawn.split_once('\n').map_or("", |(_, below)| below));
    }
    out
}

/// `error[code]: message`.
fn header(diagnostic: &Diagnostic, color: bool) -> String {
    let title = format!("{}[{}]:", severity_word(diagnostic.severity), diagnostic.code);
    let message = &diagnostic.message;
    match color {
        true => format!("{} {message}\n", title.fg(severity_color(diagnostic.severity))),
        false => format!("{title} {message}\n"),
    }
}

/// Whether each line that a label touches with an end is of a length that a reader can take in.
fn is_drawable(diagnostic: &Diagnostic, text: &str) -> bool {
    diagnostic.labels.iter().all(|label| {
        let place = within(label.span, text);
        [place.start, place.end].into_iter().all(|at| {
            let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
            end - start <= LONGEST_LINE
        })
    })
}

/// The places and remarks of a diagnostic without the lines of the text.
fn plain(diagnostic: &Diagnostic, source: &Source) -> String {
    let mut out = String::new();
    for label in &diagnostic.labels {
        let place = within(label.span, source.text());
        let (line, column) = source.line_column(place.start as u32);
        let separator = if label.text.is_empty() { "" } else { ": " };
        let place = format!("{}:{line}:{column}", source.name());
        out.push_str(&format!("   at {place}{separator}{}\n", label.text));
    }
    if let Some(help) = &diagnostic.help {
        out.push_str(&format!("   Help: {help}\n"));
    }
    out
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn severity_color(severity: Severity) -> Color {
    match severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
    }
}

type Place = (String, std::ops::Range<usize>);

/// The drawing of one diagnostic, under a first line that says nothing.
fn report(diagnostic: &Diagnostic, source: &Source, color: bool) -> Report<'static, Place> {
    let place = |span: Span| (source.name().to_string(), within(span, source.text()));
    let config = Config::new()
        .with_index_type(IndexType::Byte)
        .with_char_set(CharSet::Unicode)
        .with_tab_width(2)
        .with_color(color);
    let mut report = Report::build(ReportKind::Error, place(diagnostic.span())).with_config(config);
    for (position, label) in diagnostic.labels.iter().enumerate() {
        let hue = if position == 0 { severity_color(diagnostic.severity) } else { Color::Blue };
        // Labels in the order of lines make one drawing; else each line would get a frame.
        let line = source.line_column(place(label.span).1.end as u32).0;
        let mut caret = Caret::new(place(label.span)).with_color(hue).with_order(line as i32);
        if !label.text.is_empty() {
            caret = caret.with_message(&label.text);
        }
        report = report.with_label(caret);
    }
    if let Some(help) = &diagnostic.help {
        report = report.with_help(help);
    }
    report.finish()
}

/// A span that lies in the text and between characters, so that drawing cannot go wrong.
fn within(span: Span, text: &str) -> std::ops::Range<usize> {
    let start = text.floor_char_boundary(span.start as usize);
    let end = text.floor_char_boundary((span.end as usize).max(start));
    start..end
}

/// A diagnostic as one JSON object: `code, severity, message, file, labels, help`.
///
/// A label has the bytes `start..end`, `line` and `column` of its start counted from one, and
/// its `text`. The first label is the primary place. `help` is null when there is none.
pub fn to_json(diagnostic: &Diagnostic, source: &Source) -> Value {
    let labels: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let place = within(label.span, source.text());
            let (line, column) = source.line_column(place.start as u32);
            json!({
                "start": place.start,
                "end": place.end,
                "line": line,
                "column": column,
                "text": label.text,
            })
        })
        .collect();
    json!({
        "code": diagnostic.code.as_str(),
        "severity": severity_word(diagnostic.severity),
        "message": diagnostic.message,
        "file": source.name(),
        "labels": labels,
        "help": diagnostic.help,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Diagnostics};

    #[test]
    fn text_shows_code_message_place_and_help() {
        let source = Source::new("m.hbd", "data {\n  real é = 1\n}\n");
        let mut diagnostics = Diagnostics::default();
        diagnostics
            .error(Code::Syntax, Span::new(20, 20), "expected `;`")
            .primary("missing here")
            .help("write `;`");
        expect_test::expect![[r#"
            error[syntax]: expected `;`
               ╭─[ m.hbd:2:13 ]
               │
             2 │   real é = 1
               │             │ 
               │             ╰─ missing here
               │ 
               │ Help: write `;`
            ───╯
        "#]]
        .assert_eq(&render(diagnostics.items(), &source, false));
        let colored = render(diagnostics.items(), &source, true);
        assert!(colored.contains('\u{1b}'), "{colored}");
    }

    /// Every span of every text, also beyond its end and inside a character, is drawn.
    #[test]
    fn every_place_renders() {
        for text in ["", "\n", "a", "é", "ab\n", "ab\n\tcé\n\n", "\r\nx\r\n"] {
            let source = Source::new("m.hbd", text);
            let places = 0..text.len() as u32 + 2;
            for (start, end) in places.clone().flat_map(|s| places.clone().map(move |e| (s, e))) {
                let mut diagnostics = Diagnostics::default();
                let span = Span { start, end };
                diagnostics.warning(Code::Syntax, span, "it says so").label(span, "and this");
                let drawn = render(diagnostics.items(), &source, false);
                assert!(drawn.contains("warning[syntax]: it says so"), "{text:?} {span:?} {drawn}");
                assert!(drawn.contains("m.hbd:"), "{text:?} {span:?} {drawn}");
                to_json(&diagnostics.items()[0], &source);
            }
        }
    }

    #[test]
    fn long_lines_are_located_and_not_drawn() {
        let source = Source::new("m.hbd", "x".repeat(1 << 20));
        let mut diagnostics = Diagnostics::default();
        diagnostics.error(Code::Syntax, Span::new(7, 9), "no").primary("here").help("yes");
        let expected = "error[syntax]: no\n   at m.hbd:1:8: here\n   Help: yes\n";
        assert_eq!(render(diagnostics.items(), &source, false), expected);
    }

    #[test]
    fn json_counts_lines_and_characters_from_one() {
        let source = Source::new("m.hbd", "a\né x");
        let mut diagnostics = Diagnostics::default();
        diagnostics.error(Code::Syntax, Span::new(5, 6), "no");
        let json = to_json(&diagnostics.items()[0], &source).to_string();
        let labels = r#"[{"start":5,"end":6,"line":2,"column":3,"text":""}]"#;
        let start =
            r#"{"code":"syntax","severity":"error","message":"no","file":"m.hbd","labels":"#;
        assert_eq!(json, format!("{start}{labels},\"help\":null}}"));
    }
}
