//! The language suite: each `tests/lang/**/*.hbd` is one named test, the smallest model that
//! shows the law in its file name.
//!
//! The first line says how far to run:
//!
//! - `//! check`: diagnostics are as noted, whether or not the model has a meaning.
//! - `//! compile`: the same, and the model has a meaning.
//! - `//! bind`: the model takes the data of the file, or refuses them as noted.
//! - `//! density at mu = 0.5, z = [1, 2]: -1.04, d/dmu 0.5, d/dz[2] -0.5`: the log density at
//!   constrained values, every constant kept, without Jacobians, as `hbdc density` has it. A
//!   local has the branch as its first axis, in the order of keys; without that axis the value
//!   holds in every branch. A derivative is along one constrained element (in every branch,
//!   where the value holds in every branch). Several such lines may stand below each other.
//!
//! Lines below it may be
//!
//! - `//! derived: risk = 0.3`: a derived quantity at the point of the line above (locals with
//!   the branch as first axis);
//! - `//! data: school,y` and then `//!` with a row a line: the CSV file `data.csv`;
//! - `//! branches: school,u` and rows: the file `branches.csv`, as with `--branches`;
//! - `//! table movies: id,year` and rows: the file `movies.csv`, as with `--table`;
//! - `//! set: T = 5`: whole data, as with `--set`;
//! - `//! na: drop`: as with `--na drop`;
//! - `//! pad: 2000000`: the text is filled up to so many bytes.
//!
//! Expectations stand at the end of the line they concern, `//~ error[code] 23..27 text`:
//! severity and code, columns (from 1, the end excluded) and a part of the message where they
//! matter. They are taken out before the model is compiled; one that concerns the end of the
//! text stands on the last line. `//~! error[code] text` is an error of the data; it stands on
//! the line of the declaration that the error names, or on the first line. A diagnostic that
//! no note expects fails the test, and so does a note that none meets.
//! `HBDC_BLESS=1 cargo test --test lang` rewrites the notes.
//!
//! In `idioms` stand models of practice, whole ones, which must not warn.
//!
//! In `render` the whole text that a reader sees stands beside the program, in `.stderr`: one
//! exemplar for each code, named after it.

#[path = "lang/coverage.rs"]
mod coverage;
#[path = "lang/density.rs"]
mod density;
#[path = "lang/program.rs"]
mod program;
#[path = "lang/run.rs"]
mod run;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use program::Program;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang");
    let mut paths = Vec::new();
    find_programs(&root, &mut paths);
    paths.sort();
    let programs: Vec<Program> = paths.iter().map(|path| Program::read(&root, path)).collect();
    let programs = Arc::new(programs);
    let mut trials: Vec<Trial> = (0..programs.len())
        .map(|k| {
            let programs = Arc::clone(&programs);
            Trial::test(programs[k].name.clone(), move || Ok(run::run(&programs[k])?))
        })
        .collect();
    trials.extend(coverage::trials(&programs));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn find_programs(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("the suite's folders can be read");
    for entry in entries {
        let path = entry.expect("the suite's folders can be read").path();
        if path.is_dir() {
            find_programs(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "hbd") {
            found.push(path);
        }
    }
}
