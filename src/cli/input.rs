//! Reading models and data, with errors that say where.

use std::io::Read;
use std::path::Path;

use hbdc::{
    BoundData, CompileOptions, CompiledModel, DataError, Dataset, SetValue, Source, compile_with,
};

use super::args::{Input, MessageFormat, Missing};
use super::{Failure, color};

/// Models larger than this are not read.
const MAX_MODEL_BYTES: u64 = 16 << 20;

/// Reads and compiles a model; prints its warnings.
pub fn model(
    path: &Path,
    options: &CompileOptions,
    format: MessageFormat,
) -> Result<CompiledModel, Failure> {
    let source = Source::new(path.display().to_string(), text(path)?);
    match compile_with(&source, options) {
        Ok(model) => {
            let warnings = match format.is_json() {
                true => lines(&model.warnings_json()),
                false => model.render_warnings(color()),
            };
            if !warnings.is_empty() {
                anstream::eprintln!("{}", warnings.trim_end());
            }
            Ok(model)
        }
        Err(error) if format.is_json() => Err(Failure::model(lines(&error.to_json()))),
        Err(error) => Err(Failure::model(error.render(color()))),
    }
}

fn lines(diagnostics: &[serde_json::Value]) -> String {
    diagnostics.iter().map(serde_json::Value::to_string).collect::<Vec<_>>().join("\n")
}

fn text(path: &Path) -> Result<String, Failure> {
    let fault = |what: std::io::Error| {
        Failure::usage(format!("cannot read the model {}: {what}", path.display()))
            .help("check the path, and that it is a file you may read")
    };
    let file = std::fs::File::open(path).map_err(fault)?;
    let mut bytes = Vec::new();
    file.take(MAX_MODEL_BYTES).read_to_end(&mut bytes).map_err(fault)?;
    String::from_utf8(bytes).map_err(|error| {
        let (before, rest) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        let (path, byte) = (path.display(), rest.first().copied().unwrap_or_default());
        let message = format!("{path}:{line}:{column}: byte 0x{byte:02x} is not UTF-8 text");
        Failure::coded("encoding", message).help("save the model as UTF-8")
    })
}

/// Opens the data files and applies the data flags.
pub fn dataset(input: &Input, format: MessageFormat) -> Result<Dataset, Failure> {
    let Some(path) = &input.data else {
        return Err(Failure::usage(
            "--data FILE is wanted: a CSV or Parquet file with one row per observation",
        ));
    };
    let opened = match path.to_str() {
        Some("-") => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map_err(|fault| Failure::usage(format!("standard input: {fault}")))?;
            Dataset::from_csv_bytes("<stdin>", bytes)
        }
        _ => Dataset::read_file(path),
    };
    let failure = |error: DataError| data_failure(&error, None, format);
    let mut dataset = opened.map_err(failure)?;
    if let Some(path) = &input.branches {
        dataset = dataset.branches(Dataset::read_file(path).map_err(failure)?);
    }
    for (position, table) in input.table.iter().enumerate() {
        let Some((name, path)) = table.split_once('=') else {
            return Err(Failure::usage(format!("--table {table}: NAME=FILE is wanted")));
        };
        let is_it = |other: &String| other.split_once('=').is_some_and(|(own, _)| own == name);
        if input.table[..position].iter().any(is_it) {
            return Err(Failure::usage(format!("--table {name} is given twice")));
        }
        dataset = dataset.table(name, Dataset::read_file(path).map_err(failure)?);
    }
    for (name, value) in settings(&input.set)? {
        dataset = dataset.set(name, value);
    }
    if let Some(bytes) = input.max_memory {
        dataset = dataset.max_memory(bytes);
    }
    Ok(match input.na {
        Some(Missing::Drop) => dataset.na_drop(),
        None => dataset,
    })
}

/// What `--set NAME=VALUE` says, each in turn.
pub fn settings(typed: &[String]) -> Result<Vec<(String, SetValue)>, Failure> {
    let one = |setting: &String| match setting.split_once('=') {
        Some((name, value)) => Ok((name.to_string(), value_of(name, value)?)),
        None => Err(Failure::usage(format!("--set {setting}: NAME=VALUE is wanted"))),
    };
    typed.iter().map(one).collect()
}

fn value_of(name: &str, value: &str) -> Result<SetValue, Failure> {
    let text = match value.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|fault| Failure::usage(format!("--set {name}=@{path}: {fault}")))?,
        None => value.to_string(),
    };
    SetValue::parse(&text).map_err(|error| Failure::usage(format!("--set {name}: {error}")))
}

/// Binds data to a model; says how many rows were dropped.
pub fn bind(
    model: &CompiledModel,
    input: &Input,
    format: MessageFormat,
) -> Result<BoundData, Failure> {
    let dataset = dataset(input, format)?;
    bound(dataset.bind(model.schema()), model, format)
}

/// The same in the terms of the data that are fitted.
pub fn bind_like(
    model: &CompiledModel,
    input: &Input,
    fitted: &BoundData,
    format: MessageFormat,
) -> Result<BoundData, Failure> {
    let dataset = dataset(input, format)?;
    bound(dataset.bind_like(model.schema(), fitted), model, format)
}

fn bound(
    bound: Result<BoundData, DataError>,
    model: &CompiledModel,
    format: MessageFormat,
) -> Result<BoundData, Failure> {
    let bound = bound.map_err(|error| data_failure(&error, Some(model.source()), format))?;
    if bound.n_dropped() > 0 {
        let n = bound.n_dropped();
        let rows = if n == 1 { "row" } else { "rows" };
        note(&format!("{n} {rows} with missing values dropped"), format);
    }
    Ok(bound)
}

pub fn note(message: &str, format: MessageFormat) {
    match format {
        MessageFormat::Text => anstream::eprintln!("note: {message}"),
        MessageFormat::Json => {
            anstream::eprintln!("{}", serde_json::json!({"severity": "note", "message": message}));
        }
    }
}

/// A data error as the user sees it, with the declaration it concerns.
pub fn data_failure(error: &DataError, source: Option<&Source>, format: MessageFormat) -> Failure {
    let place = source.zip(error.span());
    if format.is_json() {
        let mut json = serde_json::json!({
            "severity": "error",
            "code": error.code(),
            "message": error.message(),
            "details": error.details(),
            "help": error.help_text(),
        });
        if let Some((source, span)) = place {
            let (line, column) = source.line_column(span.start);
            json["declared"] =
                serde_json::json!({"file": source.name(), "line": line, "column": column});
        }
        return Failure::model(json);
    }
    let mut text = format!("error[{}]: {error}", error.code());
    if let Some((source, span)) = place {
        let (line, _) = source.line_column(span.start);
        let declaration = source.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(&format!("\n  declared in {}:{line}: {declaration}", source.name()));
    }
    Failure::model(text)
}
