//! The command line: what was typed (`args`), then what it means (one file a command).

mod args;
mod check;
mod data;
mod density;
mod dump;
mod fit;
mod input;
mod progress;

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use args::{Args, Command, MessageFormat};
use clap::Parser;

/// How a command ends when it does not end well.
pub struct Failure {
    exit: Exit,
    message: String,
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
        Failure { exit: Exit::Model, message: message.to_string() }
    }

    /// Wrong usage, or the machine failed.
    fn usage(message: impl fmt::Display) -> Failure {
        Failure { exit: Exit::Usage, message: format!("error: {message}") }
    }

    /// Ends with this code; what there is to say was said.
    fn silent(exit: Exit) -> Failure {
        Failure { exit, message: String::new() }
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
        Command::Dump(dump) => dump::run(dump, args.message_format),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                let mut stderr = anstream::stderr();
                // Nothing can be done about a closed standard error.
                let _ = writeln!(stderr, "{}", failure.message.trim_end());
            }
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Writes results to standard output. A reader that went away is not an error.
fn print(text: &str) -> Outcome {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(fault) if fault.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("standard output: {fault}")))
        }
        _ => Ok(()),
    }
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
