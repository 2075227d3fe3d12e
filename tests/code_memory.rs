//! Machine code is freed with its model. A test of its own process: what is counted is all
//! machine code of the process, and tests beside it would compile and free theirs meanwhile.

use std::path::Path;

use hbdc::{Dataset, Source, compile};

/// Bytes of machine code in this process that no file backs, where the system tells.
fn generated_code_bytes() -> Option<u64> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let anonymous_code = |line: &&str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        fields.next().is_some_and(|flags| flags.contains('x')) && fields.nth(2) == Some("0")
    };
    let bytes = |line: &str| {
        let (start, end) = line.split(' ').next()?.split_once('-')?;
        Some(u64::from_str_radix(end, 16).ok()? - u64::from_str_radix(start, 16).ok()?)
    };
    Some(maps.lines().filter(anonymous_code).filter_map(bytes).sum())
}

const MODELS: usize = 60;

#[test]
fn code_is_freed_with_its_model() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let text = std::fs::read_to_string(models.join("eight_schools.hbd")).expect("it is there");
    let model = compile(&Source::new("eight_schools.hbd", text)).expect("the model compiles");
    let data = Dataset::read_csv(models.join("eight_schools.csv")).expect("the data are there");
    let data = data.bind(model.schema()).expect("the data fit");
    let evaluator = || model.evaluator(&data).expect("the model becomes machine code");
    let before = generated_code_bytes();
    for _ in 0..MODELS {
        drop(evaluator());
    }
    if let (Some(before), Some(after)) = (before, generated_code_bytes()) {
        // Each that stayed would take a page at least.
        assert!(after < before + MODELS as u64 * 2048, "{before} bytes grew to {after}");
    }
    // Code that is held is seen by this way of looking.
    let held: Vec<_> = (0..MODELS).map(|_| evaluator()).collect();
    if let (Some(before), Some(with_held)) = (before, generated_code_bytes()) {
        let least = before + MODELS as u64 * 4096;
        assert!(with_held >= least, "{} models are nowhere", held.len());
    }
}
