//! `hbdc`: the first program that embeds the library.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
