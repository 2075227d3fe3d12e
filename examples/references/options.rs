//! What can be typed.

use std::path::{Path, PathBuf};

use hbdc::FitConfig;

use crate::common::Approximation;

const USAGE: &str = "\
references [MODEL...] [--approximations] [--only PART] [--seeds K] [--first-seed S] [--family F] [--covariance C] [--encoder E]
           [--particles M] [--importance-samples K] [--batch B] [--step-size A] [--max-steps N] [--max-seconds T] [--tolerance NATS]
           [--threads N] [--data MODEL=FILE] [--json FILE]
references --summarise FILE [--summarise FILE...]

Of --approximations, --only takes those whose name has PART in it, as in \"Branch Dense\". --json
appends; --summarise fits nothing and makes one table of what --json wrote.";

/// What to fit, and how.
pub struct Options {
    pub models: Vec<String>,
    pub seeds: Vec<u64>,
    pub config: FitConfig,
    /// The approximations to fit one after the other, by name, if not the one of `config`.
    pub approximations: Vec<Approximation>,
    /// One JSON object for each fit is appended to it.
    pub json: Option<PathBuf>,
    /// Files of such objects to summarise, in place of fits.
    pub summarise: Vec<PathBuf>,
    data: Vec<(String, PathBuf)>,
    /// The settings as they were typed.
    typed: Vec<String>,
}

impl Options {
    /// # Errors
    /// What is wrong, and the usage.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let (mut first, mut count) = (1, 1);
        let mut only = None;
        let mut options = Options {
            models: Vec::new(),
            seeds: Vec::new(),
            config: FitConfig::default(),
            approximations: Vec::new(),
            json: None,
            summarise: Vec::new(),
            data: Vec::new(),
            typed: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            let Some(flag) = argument.strip_prefix("--") else {
                options.models.push(argument);
                continue;
            };
            if flag == "approximations" {
                only.get_or_insert_with(String::new);
                continue;
            }
            let value = arguments.next().ok_or(format!("{argument} wants a value\n{USAGE}"))?;
            match flag {
                "seeds" => count = number(&argument, &value)?,
                "first-seed" => first = number(&argument, &value)?,
                "only" => only = Some(value),
                "summarise" => options.summarise.push(PathBuf::from(value)),
                "json" => options.json = Some(PathBuf::from(value)),
                "data" => {
                    let (name, path) = value.split_once('=').ok_or(USAGE)?;
                    options.data.push((name.to_string(), PathBuf::from(path)));
                }
                _ => {
                    options.config = configured(options.config, flag, &value)?;
                    options.typed.push(format!("{argument} {value}"));
                }
            }
        }
        if options.models.is_empty() {
            options.models = all_models();
        }
        if let Some(part) = only {
            options.approximations = Approximation::all();
            options.approximations.retain(|one| one.to_string().contains(&part));
            options.typed.push(format!("approximations with {part:?} in their name"));
        }
        options.seeds = (first..first + count).collect();
        Ok(options)
    }

    /// The data file given for a model.
    pub fn data_of(&self, name: &str) -> Option<&Path> {
        let own = self.data.iter().find(|(model, _)| model == name);
        own.map(|(_, path)| path.as_path())
    }

    /// The settings that were given.
    pub fn describe(&self) -> String {
        match self.typed.as_slice() {
            [] => "default settings".to_string(),
            typed => typed.join(" "),
        }
    }
}

fn configured(config: FitConfig, flag: &str, value: &str) -> Result<FitConfig, String> {
    Ok(match flag {
        "family" => config.family(named(flag, value)?),
        "covariance" => config.covariance(named(flag, value)?),
        "encoder" => config.encoder(named(flag, value)?),
        "importance-samples" => config.importance_samples(number(flag, value)?),
        "particles" => config.particles(number(flag, value)?),
        "batch" => config.batch(number(flag, value)?),
        "step-size" => config.step_size(number(flag, value)?),
        "max-steps" => config.max_steps(number(flag, value)?),
        "max-seconds" => config.max_seconds(number(flag, value)?),
        "tolerance" => config.tolerance(number(flag, value)?),
        "threads" => config.threads(number(flag, value)?),
        _ => return Err(format!("there is no --{flag}\n{USAGE}")),
    })
}

/// A value by its name in lower case, as `fit.json` has it.
fn named<T: serde::de::DeserializeOwned>(flag: &str, value: &str) -> Result<T, String> {
    serde_json::from_value(value.into()).map_err(|error| format!("--{flag}: {error}\n{USAGE}"))
}

fn number<T: std::str::FromStr>(flag: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{flag} {value}: a number is wanted\n{USAGE}"))
}

/// The models of `models/`, by name.
fn all_models() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let entries = std::fs::read_dir(folder).expect("the folder is part of the project");
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let models = paths.filter(|path| path.extension().is_some_and(|ending| ending == "hbd"));
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let mut names: Vec<String> = models.filter_map(stem).collect();
    names.sort();
    names
}
