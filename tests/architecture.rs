//! Holds what `docs/architecture.md` says of the code: who imports whom, where files are
//! touched, where `unsafe` stands, that every code is explained and every file introduced.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Groups of modules from left to right. A module imports only from groups to its left.
const ORDER: [&[&str]; 13] = [
    &["index", "source", "math", "random", "target", "frame", "tensors", "memory"],
    &["diagnostic", "ty"],
    &["schema", "syntax", "ir", "kernel"],
    &["builtin", "autodiff", "codegen"],
    &["check"],
    &["lower", "data"],
    &["model"],
    &["simulate"],
    &["infer"],
    &["fit"],
    &["saved", "calibrate"],
    &["output"],
    &["lib"],
];

/// Modules that may touch files.
const TOUCH_FILES: [&str; 4] = ["frame", "data", "output", "cli"];
/// Machine code is called in the one, and calls out in the other.
const UNSAFE_FILES: [&str; 2] = ["codegen/jit.rs", "kernel/shims.rs"];
const LONGEST_FILE: usize = 600;

/// A file of the crate: its path below `src/`, and its text.
struct File {
    path: String,
    text: String,
}

impl File {
    /// The module at the crate's root that the file belongs to.
    fn module(&self) -> &str {
        let first = self.path.split('/').next().expect("paths have a first part");
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Whether the file is compiled for tests alone.
    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    /// Lines of code, without comments and without the test module at the end.
    fn code(&self) -> impl Iterator<Item = &str> {
        let end = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        self.text[..end].lines().map(|line| line.split("//").next().unwrap_or_default())
    }

    /// Modules of the crate that the code names: `crate::a` and `crate::{a, b::c}`.
    fn imports(&self) -> BTreeSet<String> {
        let code: String = self.code().collect::<Vec<_>>().join("\n");
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let mut found = BTreeSet::new();
        for rest in code.split("crate::").skip(1) {
            let list = match rest.strip_prefix('{') {
                Some(inner) => inner.split('}').next().unwrap_or_default(),
                None => rest.split(|c| !is_name(c)).next().unwrap_or_default(),
            };
            let first_words = list.split(',').filter_map(|item| item.trim().split("::").next());
            found.extend(first_words.filter(|word| !word.is_empty()).map(str::to_string));
        }
        found
    }
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the source is readable") {
            let path: PathBuf = entry.expect("the source is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("the source is readable");
                let below = path.strip_prefix(&root).expect("files lie below the root");
                found.push(File { path: below.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 100, "the walk finds the crate");
    found
}

fn group(module: &str) -> Option<usize> {
    ORDER.iter().position(|group| group.contains(&module))
}

fn assert_none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_go_to_the_left() {
    let mut wrong = Vec::new();
    for file in files().iter().filter(|file| !file.is_test()) {
        let module = file.module();
        if ["cli", "main"].contains(&module) {
            continue; // The binary sees the library from outside.
        }
        let Some(own) = group(module) else {
            wrong.push(format!("{module} has no place in the order"));
            continue;
        };
        for import in file.imports().iter().filter(|import| *import != module) {
            if group(import).is_none_or(|other| other >= own) {
                wrong.push(format!("{} imports `{import}`, which is not to its left", file.path));
            }
        }
    }
    assert_none(wrong);
}

/// The binary is the first program that embeds the library: it has no way inside.
#[test]
fn the_library_knows_no_command_line() {
    let library = files().into_iter().filter(|file| !["cli", "main"].contains(&file.module()));
    let prints = |file: &File| {
        !file.is_test()
            && file.code().any(|line| {
                ["println!(", "eprintln!(", " print!(", "clap::"]
                    .iter()
                    .any(|word| line.contains(word))
            })
    };
    assert_none(library.filter(prints).map(|file| file.path).collect());
}

#[test]
fn unsafe_code_lies_in_two_files() {
    let has_unsafe = |file: &File| {
        file.code().any(|line| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
        })
    };
    let found: Vec<String> = files().into_iter().filter(has_unsafe).map(|file| file.path).collect();
    assert_eq!(found, UNSAFE_FILES);
}

#[test]
fn files_are_touched_in_few_places() {
    let touches = |file: &File| {
        !file.is_test()
            && !TOUCH_FILES.contains(&file.module())
            && file.code().any(|line| {
                ["std::fs", "fs::", "File::"].iter().any(|word| {
                    line.find(word).is_some_and(|at| {
                        !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                    })
                })
            })
    };
    assert_none(files().into_iter().filter(touches).map(|file| file.path).collect());
}

#[test]
fn every_file_says_what_it_is_for() {
    let bare = |file: &File| !file.text.trim().is_empty() && !file.text.starts_with("//!");
    assert_none(files().into_iter().filter(bare).map(|file| file.path).collect());
}

#[test]
fn files_are_of_a_size_to_read() {
    let long = |file: &File| file.text.lines().count() > LONGEST_FILE;
    assert_none(files().into_iter().filter(long).map(|file| file.path).collect());
}

#[test]
fn every_code_is_explained() {
    let page = include_str!("../docs/errors.md");
    let sections: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("## ")).map(str::trim).collect();
    let codes: BTreeSet<&str> = hbdc::Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(sections, codes, "sections of docs/errors.md against the codes");
}
