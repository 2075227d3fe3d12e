//! Runs one program and compares what happens with its notes.

use hbdc::{
    Backend, CompileOptions, CompiledModel, DataError, Dataset, Diagnostic, Evaluator, SetValue,
    Severity, Source, Span, compile, compile_with,
};

use super::density;
use super::program::{CsvFile, Kind, Note, Program};

/// What a model text came to.
pub struct Outcome {
    pub model: Option<CompiledModel>,
    pub diagnostics: Vec<Diagnostic>,
    /// As a reader sees it.
    pub rendered: String,
}

/// Runs a program; `Err` says how it differs from what is expected.
pub fn run(program: &Program) -> Result<(), String> {
    let outcome = compile_program(program);
    if program.name.starts_with("render/") {
        return compare_rendered(program, &outcome.rendered);
    }
    let source = source(program);
    let mut reported: Vec<Note> =
        outcome.diagnostics.iter().map(|found| note_of(found, &source, program)).collect();
    let mut evaluator = None;
    if let Some(model) = outcome.model.as_ref().filter(|_| needs_data(program)) {
        match bind(program, model) {
            Ok(bound) => evaluator = Some(bound),
            Err(error) => reported.push(note_of_data(&error, &source)),
        }
    }
    if std::env::var_os("HBDC_BLESS").is_some() {
        bless(program, &reported);
    } else {
        compare(program, &reported)?;
    }
    if program.kind == Kind::Compile && outcome.model.is_none() {
        return Err("the model has errors and was to compile".into());
    }
    match (program.kind, evaluator) {
        (Kind::Density, Some(evaluator)) => {
            density::check(program, evaluator)?;
            density::check(program, interpreted(program)?)
                .map_err(|fault| format!("in the interpreter: {fault}"))
        }
        (Kind::Density, None) => Err("there is no density of a model with errors".into()),
        _ => Ok(()),
    }
}

/// The model that a program is.
pub fn compile_program(program: &Program) -> Outcome {
    match compile(&source(program)) {
        Ok(model) => Outcome {
            diagnostics: model.warnings().to_vec(),
            rendered: model.render_warnings(false),
            model: Some(model),
        },
        Err(error) => Outcome {
            model: None,
            diagnostics: error.diagnostics().to_vec(),
            rendered: error.render(false),
        },
    }
}

/// The same model, evaluated without machine code.
fn interpreted(program: &Program) -> Result<Evaluator, String> {
    let options = CompileOptions { backend: Backend::Interpreter };
    let model = compile_with(&source(program), &options).map_err(|error| error.to_string())?;
    bind(program, &model).map_err(|error| error.to_string())
}

fn source(program: &Program) -> Source {
    let file = program.path.file_name().expect("a program is a file");
    Source::new(file.to_string_lossy(), program.text.as_str())
}

fn needs_data(program: &Program) -> bool {
    matches!(program.kind, Kind::Bind | Kind::Density)
}

fn bind(program: &Program, model: &CompiledModel) -> Result<Evaluator, DataError> {
    let mut dataset = csv("data.csv", program.rows())?;
    for (file, text) in &program.files {
        dataset = match file {
            CsvFile::Rows => dataset,
            CsvFile::Branches => dataset.branches(csv("branches.csv", text)?),
            CsvFile::Table(name) => dataset.table(name, csv(&format!("{name}.csv"), text)?),
        };
    }
    for (name, value) in &program.set {
        dataset = dataset.set(name, SetValue::parse(value)?);
    }
    if program.na_drop {
        dataset = dataset.na_drop();
    }
    model.evaluator(&dataset.bind(model.schema())?)
}

fn csv(name: &str, text: &str) -> Result<Dataset, DataError> {
    Dataset::from_csv_bytes(name, text.as_bytes().to_vec())
}

fn note_of(found: &Diagnostic, source: &Source, program: &Program) -> Note {
    let severity = if found.severity == Severity::Error { "error" } else { "warning" };
    let (line, columns) = place(found.span(), source);
    let last = program.text.lines().count();
    let columns = columns.filter(|_| line <= last);
    let head = format!("{severity}[{}]", found.code);
    Note { line: line.min(last), is_data: false, head, columns, text: found.message.clone() }
}

fn note_of_data(error: &DataError, source: &Source) -> Note {
    let line = error.span().map_or(1, |span| place(span, source).0);
    let head = format!("error[{}]", error.code());
    Note { line, is_data: true, head, columns: None, text: error.message().to_string() }
}

/// Line and columns; no columns where the place goes on to another line.
fn place(span: Span, source: &Source) -> (usize, Option<(usize, usize)>) {
    let (line, from) = source.line_column(span.start);
    let (last, to) = source.line_column(span.end);
    (line, (line == last).then_some((from, to)))
}

fn compare(program: &Program, reported: &[Note]) -> Result<(), String> {
    let mut unmet: Vec<&Note> = program.notes.iter().collect();
    let mut unexpected = Vec::new();
    for note in reported {
        match unmet.iter().position(|expected| expected.expects(note)) {
            Some(met) => drop(unmet.remove(met)),
            None => unexpected.push(note),
        }
    }
    if unmet.is_empty() && unexpected.is_empty() {
        return Ok(());
    }
    let list = |title: &str, notes: &[&Note]| {
        let line = |note: &&Note| format!("  {title} on line {}: {}\n", note.line, note.written());
        notes.iter().map(line).collect::<String>()
    };
    Err(format!("\n{}{}", list("not met", &unmet), list("not expected", &unexpected)))
}

/// Rewrites the notes of a program to what was reported.
fn bless(program: &Program, reported: &[Note]) {
    let full = std::fs::read_to_string(&program.path).expect("a program can be read");
    let mut text = String::new();
    for (k, line) in full.lines().enumerate() {
        let own: Vec<String> =
            reported.iter().filter(|note| note.line == k + 1).map(Note::written).collect();
        let bare = line.split_once("//~").map_or(line, |(bare, _)| bare.trim_end());
        text.push_str(bare);
        if !own.is_empty() {
            text.push_str(&format!("  {}", own.join(" ")));
        }
        text.push('\n');
    }
    std::fs::write(&program.path, text).expect("a program can be written");
}

fn compare_rendered(program: &Program, rendered: &str) -> Result<(), String> {
    let path = program.path.with_extension("stderr");
    let rendered = format!("{}\n", rendered.trim_end());
    if std::env::var_os("HBDC_BLESS").is_some() {
        std::fs::write(&path, &rendered).expect("an exemplar can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    match expected == rendered {
        true => Ok(()),
        false => Err(format!("\n--- expected\n{expected}\n--- found\n{rendered}")),
    }
}
