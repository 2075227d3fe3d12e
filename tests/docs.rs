//! The pages of `docs/` say what is so: their programs check, or fail as the page says, and their
//! tables are those of the compiler. `HBDC_BLESS=1 cargo test --test docs` writes the tables anew.

use std::fs;
use std::path::{Path, PathBuf};

use hbdc::{Diagnostic, Source, compile};

const BEGIN: &str = "<!-- generated from the compiler's tables -->\n";
const END: &str = "<!-- end of what is generated -->\n";

/// What a page says of a program, by the word after its fence.
#[derive(Clone, Debug)]
enum Claim {
    /// `hbd`: there is nothing to say of it.
    Checks,
    /// `hbd-warning CODE`: it compiles, with this warning and no other.
    Warns(String),
    /// `hbd-error CODE`: it does not compile, for this reason alone.
    Fails(String),
}

struct Program {
    /// The page and the line it begins on.
    name: String,
    claim: Claim,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README and every page.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    let docs = fs::read_dir(root().join("docs")).expect("docs are there");
    pages.extend(docs.map(|entry| entry.expect("a page").path()));
    pages.retain(|page| page.extension().is_some_and(|end| end == "md"));
    pages.sort();
    pages
}

/// What the opening fence of a program says of it; `None` for any other line.
fn claim(fence: &str) -> Option<Claim> {
    let mut words = fence.trim().strip_prefix("```")?.split_whitespace();
    let word = words.next()?;
    let mut code =
        || words.next().expect("a fence that expects a message names its code").to_string();
    match word {
        "hbd" => Some(Claim::Checks),
        "hbd-warning" => Some(Claim::Warns(code())),
        "hbd-error" => Some(Claim::Fails(code())),
        _ => None,
    }
}

/// The programs of a page.
fn programs(page: &Path) -> Vec<Program> {
    let text = fs::read_to_string(page).expect("a page");
    let shown = page.strip_prefix(root()).expect("pages are in the project").display();
    let mut found: Vec<Program> = Vec::new();
    let mut is_open = false;
    for (number, line) in text.lines().enumerate() {
        if is_open && line.trim() == "```" {
            is_open = false;
        } else if is_open {
            let program = found.last_mut().expect("one is open");
            program.text.push_str(line);
            program.text.push('\n');
        } else if let Some(claim) = claim(line) {
            is_open = true;
            let name = format!("{shown}:{}", number + 2);
            found.push(Program { name, claim, text: String::new() });
        }
    }
    found
}

/// What is wrong with what a page says of a program.
fn fault(program: &Program) -> Option<String> {
    let result = compile(&Source::new(program.name.as_str(), program.text.as_str()));
    let (diagnostics, rendered, is_error) = match &result {
        Ok(model) => (model.warnings(), model.render_warnings(false), false),
        Err(error) => (error.diagnostics(), error.render(false), true),
    };
    let is_so = match &program.claim {
        Claim::Checks => !is_error && diagnostics.is_empty(),
        Claim::Warns(code) => !is_error && has_only(diagnostics, code),
        Claim::Fails(code) => is_error && has_only(diagnostics, code),
    };
    let heading = format!("{}: the page says {:?}", program.name, program.claim);
    (!is_so).then(|| format!("{heading}, the compiler:\n{rendered}"))
}

fn has_only(diagnostics: &[Diagnostic], code: &str) -> bool {
    !diagnostics.is_empty() && diagnostics.iter().all(|found| found.code.as_str() == code)
}

#[test]
fn programs_of_the_pages_are_what_the_pages_say() {
    let programs: Vec<Program> = pages().iter().flat_map(|page| programs(page)).collect();
    let faults: Vec<String> = programs.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(programs.len() >= 60, "only {} programs were found", programs.len());
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("http") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let folder = page.parent().expect("pages are in a folder");
            let path = if file.is_empty() { page.clone() } else { folder.join(file) };
            assert!(path.exists(), "{}: {target} is not there", page.display());
            let is_heading = heading.is_empty() || headings(&path).iter().any(|h| h == heading);
            assert!(is_heading, "{}: {target} has no such heading", page.display());
        }
    }
}

/// The anchors of a page's headings, as they are made where pages are shown.
fn headings(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a page");
    let titles = text.lines().filter_map(|line| line.strip_prefix('#'));
    titles.map(|title| anchor(title.trim_start_matches('#').trim())).collect()
}

fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn the_reference_is_that_of_the_compiler() {
    let path = root().join("docs/language.md");
    let text = fs::read_to_string(&path).expect("the page");
    let start = text.find(BEGIN).expect("a mark where tables begin") + BEGIN.len();
    let end = text.find(END).expect("a mark where they end");
    let tables = format!("\n{}\n", hbdc::testing::reference());
    if std::env::var_os("HBDC_BLESS").is_some() {
        let renewed = format!("{}{tables}{}", &text[..start], &text[end..]);
        fs::write(&path, renewed).expect("the page can be written");
        return;
    }
    let is_same = text[start..end] == tables;
    assert!(is_same, "docs/language.md is behind: HBDC_BLESS=1 cargo test --test docs");
}
