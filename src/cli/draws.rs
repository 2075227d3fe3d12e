//! `hbdc draws`

use hbdc::draws_csv;

use super::args::{DrawsArgs, MessageFormat};
use super::{Failure, Outcome, print, saved, write_new};

/// Writes draws of the globals, or of one branch, as CSV.
pub fn run(args: &DrawsArgs, format: MessageFormat) -> Outcome {
    let fit = saved::open(&args.fit)?;
    let count = args.draws.map_or(fit.n_draws(), |draws| draws as usize);
    let seed = args.seed.unwrap_or(fit.seed());
    let draws = match &args.branch {
        None => {
            if args.data.is_some() || args.branches.is_some() {
                return Err(Failure::usage("data are for draws of a branch: add `--branch KEY`"));
            }
            fit.draws_with(count, seed)
        }
        Some(key) => fit
            .reopen(args.data.as_deref(), args.branches.as_deref())
            .and_then(|data| fit.branch_draws_from(&data, key, count, seed))
            .map_err(|error| saved::failure(error, &fit, format))?,
    };
    let text = draws_csv(&draws);
    match &args.out {
        Some(path) => write_new(path, text.as_bytes()),
        None => print(&text),
    }
}
