//! A program of the suite: its directives, its notes, and the text without them.

use std::path::{Path, PathBuf};

/// How far to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Check,
    Compile,
    Bind,
    Density,
}

/// A diagnostic as a note expects it, or as the compiler reports it.
#[derive(Clone, Debug)]
pub struct Note {
    /// Counted from one.
    pub line: usize,
    /// Of the data rather than of the model.
    pub is_data: bool,
    /// `error[syntax]`
    pub head: String,
    pub columns: Option<(usize, usize)>,
    pub text: String,
}

impl Note {
    /// Whether a reported diagnostic is what this note expects.
    pub fn expects(&self, reported: &Note) -> bool {
        self.line == reported.line
            && self.is_data == reported.is_data
            && self.head == reported.head
            && self.columns.is_none_or(|columns| reported.columns == Some(columns))
            && reported.text.contains(&self.text)
    }

    /// As it stands at the end of a line.
    pub fn written(&self) -> String {
        let mark = if self.is_data { "//~!" } else { "//~" };
        let columns = self.columns.map_or(String::new(), |(from, to)| format!(" {from}..{to}"));
        format!("{mark} {}{columns} {}", self.head, self.text)
    }
}

/// `density at …` and what `derived:` says of the same point.
#[derive(Clone, Debug)]
pub struct Point {
    /// What follows `density at`.
    pub density: String,
    pub derived: Vec<String>,
}

/// What a CSV file of a program is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CsvFile {
    Rows,
    Branches,
    Table(String),
}

/// One file of the suite.
pub struct Program {
    /// Folder and file, without the extension.
    pub name: String,
    pub path: PathBuf,
    /// Without notes.
    pub text: String,
    pub kind: Kind,
    pub notes: Vec<Note>,
    pub points: Vec<Point>,
    /// The CSV files: the rows, the branches, tables by name.
    pub files: Vec<(CsvFile, String)>,
    pub set: Vec<(String, String)>,
    pub na_drop: bool,
}

impl Program {
    /// Reads a file; a malformed one is a bug of the suite.
    pub fn read(root: &Path, path: &Path) -> Program {
        let name = path.strip_prefix(root).expect("the program is in the suite");
        let name = name.with_extension("").display().to_string();
        let full = std::fs::read_to_string(path).expect("a program can be read");
        let mut program = Program {
            kind: Kind::Check,
            name,
            path: path.to_path_buf(),
            text: String::new(),
            notes: Vec::new(),
            points: Vec::new(),
            files: Vec::new(),
            set: Vec::new(),
            na_drop: false,
        };
        let lines: Vec<String> =
            full.lines().enumerate().map(|(k, line)| program.read_line(k + 1, line)).collect();
        program.text = lines.join("\n") + "\n";
        program.read_directives();
        program
    }

    /// The text of the file of rows; empty where the program has none.
    pub fn rows(&self) -> &str {
        let rows = self.files.iter().find(|(file, _)| *file == CsvFile::Rows);
        rows.map_or("", |(_, text)| text)
    }

    /// Takes the notes off a line.
    fn read_line(&mut self, number: usize, line: &str) -> String {
        let Some((text, notes)) = line.split_once("//~") else {
            return line.to_string();
        };
        for note in notes.split("//~") {
            let read = read_note(number, note);
            self.notes.push(read.unwrap_or_else(|| panic!("{}: a note `{note}`", self.name)));
        }
        text.trim_end().to_string()
    }

    fn read_directives(&mut self) {
        let text = self.text.clone();
        let directives = text.lines().map_while(|line| line.strip_prefix("//!"));
        for (k, directive) in directives.enumerate() {
            let directive = directive.trim();
            let known = self.read_directive(directive);
            match (k, known) {
                (0, false) => panic!("{}: the first line says how far to run", self.name),
                (_, false) => self.read_record(directive),
                _ => {}
            }
        }
        if let Some(bytes) = self.directive("pad:") {
            let bytes: usize = bytes.parse().expect("`pad:` takes a number");
            self.text.push_str(&"\n".repeat(bytes.saturating_sub(self.text.len())));
        }
    }

    /// A row of the file that was opened last.
    fn read_record(&mut self, record: &str) {
        let last = self.files.last_mut();
        let (_, text) = last.unwrap_or_else(|| panic!("{}: `{record}` of no file", self.name));
        text.push_str(&format!("{record}\n"));
    }

    fn directive(&self, word: &str) -> Option<String> {
        let mut lines = self.text.lines().map_while(|line| line.strip_prefix("//!"));
        lines.find_map(|line| Some(line.trim().strip_prefix(word)?.trim().to_string()))
    }

    fn read_directive(&mut self, directive: &str) -> bool {
        match directive {
            "check" => self.kind = Kind::Check,
            "compile" => self.kind = Kind::Compile,
            "bind" => self.kind = Kind::Bind,
            "na: drop" => self.na_drop = true,
            _ => return self.read_directive_with_value(directive),
        }
        true
    }

    fn read_directive_with_value(&mut self, directive: &str) -> bool {
        if let Some(density) = directive.strip_prefix("density at ") {
            self.kind = Kind::Density;
            self.points.push(Point { density: density.to_string(), derived: Vec::new() });
        } else if let Some(derived) = directive.strip_prefix("derived:") {
            let point = self.points.last_mut().expect("`derived:` follows `density at`");
            point.derived.push(derived.to_string());
        } else if let Some(header) = directive.strip_prefix("data:") {
            self.files.push((CsvFile::Rows, format!("{}\n", header.trim())));
        } else if let Some(header) = directive.strip_prefix("branches:") {
            self.files.push((CsvFile::Branches, format!("{}\n", header.trim())));
        } else if let Some(table) = directive.strip_prefix("table ") {
            let (name, header) = table.split_once(':').expect("`table NAME: HEADER`");
            let file = CsvFile::Table(name.trim().to_string());
            self.files.push((file, format!("{}\n", header.trim())));
        } else if let Some(setting) = directive.strip_prefix("set:") {
            let (name, value) = setting.split_once('=').expect("`set:` takes NAME = VALUE");
            self.set.push((name.trim().to_string(), value.trim().to_string()));
        } else {
            return directive.starts_with("pad:");
        }
        true
    }
}

/// `error[code] 23..27 text`, with `!` before it for an error of the data.
fn read_note(line: usize, note: &str) -> Option<Note> {
    let (is_data, note) = match note.strip_prefix('!') {
        Some(note) => (true, note.trim()),
        None => (false, note.trim()),
    };
    let (head, rest) = note.split_once(']')?;
    let rest = rest.trim();
    let first = rest.split(' ').next()?;
    let columns = first
        .split_once("..")
        .and_then(|(from, to)| Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?)));
    let text = if columns.is_some() { rest[first.len()..].trim() } else { rest };
    Some(Note { line, is_data, head: format!("{head}]"), columns, text: text.to_string() })
}
