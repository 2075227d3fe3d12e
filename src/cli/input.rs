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
    let fault = |what: std::io::Error| Failure::usage(format!("{}: {what}", path.display()));
    let file = std::fs::File::open(path).map_err(fault)?;
    let mut bytes = Vec::new();
    file.take(MAX_MODEL_BYTES).read_to_end(&mut bytes).map_err(fault)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count() + 1;
        Failure::model(format!(
            "error[encoding]: {}:{line}: the model is not UTF-8: the byte at offset {at} has no \
             meaning there\n  help: save the file as UTF-8",
            path.display()
        ))
    })
}

/// Opens the data file and applies the data flags.
pub fn dataset(input: &Input, format: MessageFormat) -> Result<Dataset, Failure> {
    let Some(path) = &input.data else {
        return Err(Failure::usage("--data FILE is wanted: a CSV with one row per observation"));
    };
    let opened = match path.to_str() {
        Some("-") => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map_err(|fault| Failure::usage(format!("standard input: {fault}")))?;
            Dataset::from_csv_bytes("<stdin>", bytes)
        }
        _ => Dataset::read_csv(path),
    };
    let mut dataset = opened.map_err(|error| data_failure(&error, None, format))?;
    for setting in &input.set {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(Failure::usage(format!("--set {setting}: NAME=VALUE is wanted")));
        };
        dataset = dataset.set(name, value_of(name, value)?);
    }
    Ok(match input.na {
        Some(Missing::Drop) => dataset.na_drop(),
        None => dataset,
    })
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
    let bound = dataset.bind(model.schema());
    let bound = bound.map_err(|error| data_failure(&error, Some(model.source()), format))?;
    if bound.n_dropped() > 0 {
        anstream::eprintln!("note: {} rows with missing values were dropped", bound.n_dropped());
    }
    Ok(bound)
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
