//! The command line: what was typed (`args`), then what it means (one file a command).

mod args;
mod calibrate;
mod check;
mod data;
mod density;
mod draws;
mod dump;
mod fit;
mod input;
mod predict;
mod progress;
mod resume;
mod saved;
mod simulate;

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use args::{Args, Command, MessageFormat};
use clap::Parser;
use hbdc::OutputError;

/// How a command ends when it does not end well.
pub struct Failure {
    exit: Exit,
    report: Report,
}

/// What is said of a failure.
enum Report {
    /// Nothing more: it was said.
    Silent,
    /// Text or JSON that is ready.
    Ready(String),
    /// A message that is still to be written as text or JSON.
    Message { code: &'static str, message: String, help: Option<&'static str> },
}

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The model or the data are at fault.
    Model = 1,
    /// Wrong usage, or the machine failed.
    Usage = 2,
    /// A fit ended and should not be believed.
    PoorFit = 3,
    /// Stopped by the user.
    Interrupted = 130,
}

type Outcome = Result<(), Failure>;

impl Failure {
    /// The model or the data are at fault; `message` is printed as it is.
    fn model(message: impl fmt::Display) -> Failure {
        Failure { exit: Exit::Model, report: Report::Ready(message.to_string()) }
    }

    /// The model or the data are at fault, in a way that has no diagnostic.
    fn coded(code: &'static str, message: impl fmt::Display) -> Failure {
        let report = Report::Message { code, message: message.to_string(), help: None };
        Failure { exit: Exit::Model, report }
    }

    /// Wrong usage, or the machine failed.
    fn usage(message: impl fmt::Display) -> Failure {
        Failure { exit: Exit::Usage, ..Failure::coded("usage", message) }
    }

    /// Says what to do about it.
    fn help(mut self, text: &'static str) -> Failure {
        if let Report::Message { help, .. } = &mut self.report {
            *help = Some(text);
        }
        self
    }

    /// Ends with this code; what there is to say was said.
    fn silent(exit: Exit) -> Failure {
        Failure { exit, report: Report::Silent }
    }

    fn text(&self, format: MessageFormat) -> String {
        match (&self.report, format) {
            (Report::Silent, _) => String::new(),
            (Report::Ready(text), _) => text.clone(),
            (Report::Message { code, message, help }, MessageFormat::Json) => serde_json::json!({
                "severity": "error", "code": code, "message": message, "help": help,
            })
            .to_string(),
            (Report::Message { code, message, help }, MessageFormat::Text) => {
                let head = match *code {
                    "usage" => "error".to_string(),
                    code => format!("error[{code}]"),
                };
                let help = help.map_or_else(String::new, |help| format!("\n  help: {help}"));
                format!("{head}: {message}{help}")
            }
        }
    }
}

/// Parses the arguments, runs the command, and says how it ended.
pub fn run() -> ExitCode {
    let args = Args::parse();
    let outcome = match &args.command {
        Command::Fit(fit) => fit::run(fit, args.message_format),
        Command::Check(check) => check::run(check, args.message_format),
        Command::Data(data) => data::run(data, args.message_format),
        Command::Density(density) => density::run(density, args.message_format),
        Command::Predict(predict) => predict::run(predict, args.message_format),
        Command::Draws(draws) => draws::run(draws, args.message_format),
        Command::Simulate(simulate) => simulate::run(simulate, args.message_format),
        Command::Calibrate(calibrate) => calibrate::run(calibrate, args.message_format),
        Command::Dump(dump) => dump::run(dump, args.message_format),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = failure.text(args.message_format);
            if !text.is_empty() {
                let mut stderr = anstream::stderr();
                // Nothing can be done about a closed standard error.
                let _ = writeln!(stderr, "{}", text.trim_end());
            }
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Writes results to standard output. A reader that went away is not an error.
fn print(text: &str) -> Outcome {
    print_bytes(text.as_bytes())
}

/// The same for what need not be UTF-8.
fn print_bytes(bytes: &[u8]) -> Outcome {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(fault) if fault.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("standard output: {fault}")))
        }
        _ => Ok(()),
    }
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, bytes: &[u8]) -> Outcome {
    let options = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    options.and_then(|mut file| file.write_all(bytes)).map_err(|fault| {
        Failure::usage(format!("cannot write {}: {fault}", path.display()))
            .help("files that exist are never overwritten: name another or move it away")
    })
}

/// The name, or with `-2`, `-3` … where something is there already.
fn unused(name: &str) -> PathBuf {
    let first = PathBuf::from(name);
    if first.symlink_metadata().is_err() {
        return first;
    }
    let mut numbered = (2..).map(|k| PathBuf::from(format!("{name}-{k}")));
    numbered.find(|path| path.symlink_metadata().is_err()).expect("numbers do not end")
}

/// Why a folder cannot be written, and what to do.
fn place_failure(error: OutputError) -> Failure {
    let help = match error {
        OutputError::Exists(_) => "choose another --out, or replace it with --force",
        OutputError::InUse(..) => "wait until it ends, or choose another --out",
        OutputError::NotAFit(_) => "choose another --out; --force replaces fit folders alone",
        OutputError::Data(_) => "fit without --log-likelihood",
        OutputError::Io(..) => "choose an --out in a folder that you may write to",
    };
    Failure::usage(error).help(help)
}

/// A number of things.
fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Whether diagnostics on standard error may have colour.
fn color() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

impl MessageFormat {
    fn is_json(self) -> bool {
        self == MessageFormat::Json
    }
}
