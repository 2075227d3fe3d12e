//! Progress of a fit, on standard error: a bar on a terminal, lines elsewhere.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::Duration;

use hbdc::{Stage, StepInfo};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::args::{MessageFormat, ProgressArg};

/// Looks at the ELBO over which the rate of steps is measured.
const RATE_LOOKS: usize = 20;
/// Seconds between two plain lines at least, and their share of the time so far.
const LINE_SECONDS: f64 = 0.5;
const LINE_SHARE: f64 = 0.02;

/// What ends an optimisation that does not come to rest before.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Steps.
    pub steps: usize,
    /// Seconds, where there is such a limit.
    pub seconds: Option<f64>,
}

/// Shows how a fit goes.
pub struct Reporter {
    style: ProgressArg,
    limits: Limits,
    rate: Rate,
    stage: Stage,
    last_line: Option<f64>,
    bar: ProgressBar,
}

/// How progress is shown: as asked for; else by what standard error is. A bar wants a terminal.
pub fn style(asked: Option<ProgressArg>, format: MessageFormat) -> ProgressArg {
    let is_terminal = std::io::stderr().is_terminal();
    match asked {
        Some(ProgressArg::Bar) | None if !is_terminal => match (asked, format) {
            // Who reads diagnostics as JSON wants no other lines among them.
            (None, MessageFormat::Json) => ProgressArg::None,
            _ => ProgressArg::Plain,
        },
        None if format == MessageFormat::Json => ProgressArg::None,
        Some(asked) => asked,
        None => ProgressArg::Bar,
    }
}

impl Reporter {
    /// Nothing was shown yet.
    pub fn new(style: ProgressArg, limits: Limits) -> Reporter {
        let bar = match style {
            ProgressArg::Bar => ProgressBar::no_length(),
            _ => ProgressBar::hidden(),
        };
        let (stage, rate) = (Stage::Start, Rate::default());
        Reporter { style, limits, rate, stage, last_line: None, bar }
    }

    /// The bar, for who has to take it away from another thread.
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Says something while the bar is away.
    pub fn aside(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }

    /// Shows what begins.
    pub fn show_stage(&mut self, stage: Stage) {
        self.stage = stage;
        match self.style {
            ProgressArg::None => {}
            ProgressArg::Json => {
                let mut event = json!({"event": "stage"});
                add_fields(&mut event, serde_json::to_value(self.stage));
                anstream::eprintln!("{event}");
            }
            ProgressArg::Plain => match self.stage {
                Stage::Start | Stage::Measure => anstream::eprintln!("{}", name(self.stage)),
                Stage::Newton { .. } | Stage::Flat { .. } | Stage::Decay { .. } => {}
            },
            ProgressArg::Bar => {
                let (template, length) = match self.stage {
                    Stage::Decay { steps, .. } => {
                        ("{spinner} {prefix} [{bar:20}] {pos}/{len}  {wide_msg}", Some(steps))
                    }
                    _ => ("{spinner} {prefix}  {wide_msg}", None),
                };
                let style = ProgressStyle::with_template(template).expect("the template is right");
                self.bar.set_style(style.progress_chars("=> "));
                self.bar.set_length(length.unwrap_or(0) as u64);
                self.bar.set_position(0);
                self.bar.set_prefix(name(self.stage));
                if self.stage == Stage::Measure {
                    self.bar.set_message("");
                }
                self.bar.enable_steady_tick(Duration::from_millis(120));
            }
        }
    }

    /// Shows a look at the ELBO.
    pub fn show_step(&mut self, info: &StepInfo) {
        self.rate.see(info);
        let left = self.limits.seconds_left(info, self.rate.steps_a_second());
        match self.style {
            ProgressArg::None => {}
            ProgressArg::Json => {
                let mut event = json!({"event": "step"});
                add_fields(&mut event, serde_json::to_value(info));
                event["steps_per_second"] = json!(self.rate.steps_a_second());
                event["seconds_left_at_most"] = json!(left);
                anstream::eprintln!("{event}");
            }
            ProgressArg::Plain => self.show_line(info),
            ProgressArg::Bar => {
                if let Stage::Decay { from, .. } = self.stage {
                    self.bar.set_position(info.step.saturating_sub(from) as u64);
                }
                let mut text = format!("step {}", info.step);
                if let Some(rate) = self.rate.steps_a_second() {
                    text.push_str(&format!(" ({rate:.0}/s)"));
                }
                text.push_str(&format!("  ELBO {:.3} ± {:.3}", info.elbo, info.elbo_se));
                if let Some(left) = left {
                    text.push_str(&format!("  at most {} left", duration(left)));
                }
                self.bar.set_message(text);
            }
        }
    }

    /// A line now and then, the rarer the longer the fit takes.
    fn show_line(&mut self, info: &StepInfo) {
        match self.last_line {
            None => anstream::eprintln!(
                "{:>8} {:>9} {:>14} {:>10}  {}",
                "step",
                "seconds",
                "ELBO",
                "± se",
                "phase"
            ),
            Some(last) if info.seconds - last < LINE_SECONDS.max(LINE_SHARE * last) => return,
            Some(_) => {}
        }
        self.last_line = Some(info.seconds);
        anstream::eprintln!(
            "{:>8} {:>9.1} {:>14.3} {:>10.3}  {}",
            info.step,
            info.seconds,
            info.elbo,
            info.elbo_se,
            name(self.stage)
        );
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.finish();
    }
}

/// A stage in words.
fn name(stage: Stage) -> String {
    match stage {
        Stage::Start => "looking for a start".to_string(),
        Stage::Newton { cycle: 0 } => "moving the globals to where they belong".to_string(),
        Stage::Newton { cycle } => format!("cycle {cycle}, globals"),
        Stage::Flat { cycle } => format!("cycle {cycle}, settling"),
        Stage::Decay { cycle, .. } => format!("cycle {cycle}, decay"),
        Stage::Measure => "measuring".to_string(),
    }
}

fn add_fields(event: &mut Value, fields: serde_json::Result<Value>) {
    let fields = fields.expect("numbers and names are JSON");
    let fields = fields.as_object().expect("it has named fields").clone();
    event.as_object_mut().expect("an event has fields").extend(fields);
}

/// How fast steps are taken, by the last looks.
#[derive(Default)]
struct Rate {
    looks: VecDeque<(usize, f64)>,
}

impl Rate {
    fn see(&mut self, info: &StepInfo) {
        if self.looks.len() == RATE_LOOKS {
            self.looks.pop_front();
        }
        self.looks.push_back((info.step, info.seconds));
    }

    /// None before two looks.
    fn steps_a_second(&self) -> Option<f64> {
        let (first, last) = (self.looks.front()?, self.looks.back()?);
        let rate = last.0.saturating_sub(first.0) as f64 / (last.1 - first.1);
        (rate.is_finite() && rate > 0.0).then_some(rate)
    }
}

impl Limits {
    /// Seconds until a limit ends the optimisation; it ends earlier once it is at rest.
    fn seconds_left(&self, info: &StepInfo, rate: Option<f64>) -> Option<f64> {
        let by_steps = rate.map(|rate| self.steps.saturating_sub(info.step) as f64 / rate);
        let by_time = self.seconds.map(|limit| (limit - info.seconds).max(0.0));
        match (by_steps, by_time) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

/// Seconds in a unit that suits them, rounded up.
fn duration(seconds: f64) -> String {
    match seconds.ceil() {
        s if s <= 90.0 => format!("{s} s"),
        s if s <= 5400.0 => format!("{} min", (s / 60.0).ceil()),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(step: usize, seconds: f64) -> StepInfo {
        StepInfo { step, seconds, elbo: -1.0, elbo_se: 0.1, step_size: 0.1, grad_norm: 1.0 }
    }

    #[test]
    fn the_time_left_is_that_to_the_nearest_limit() {
        let mut rate = Rate::default();
        rate.see(&look(100, 2.0));
        assert_eq!(rate.steps_a_second(), None);
        rate.see(&look(300, 6.0));
        assert_eq!(rate.steps_a_second(), Some(50.0));
        let left = |steps, seconds| {
            let limits = Limits { steps, seconds };
            limits.seconds_left(&look(300, 6.0), rate.steps_a_second())
        };
        assert_eq!(left(20_300, None), Some(400.0));
        assert_eq!(left(20_300, Some(60.0)), Some(54.0));
        assert_eq!(left(350, Some(60.0)), Some(1.0));
        assert_eq!(left(100, Some(1.0)), Some(0.0));
        let limits = Limits { steps: 10, seconds: None };
        assert_eq!(limits.seconds_left(&look(1, 1.0), None), None);
    }

    #[test]
    fn a_rate_is_of_the_last_looks() {
        let mut rate = Rate::default();
        (0..50).for_each(|k| {
            rate.see(&look(k * 10, if k < 30 { k as f64 } else { 30.0 + 0.1 * (k as f64 - 30.0) }))
        });
        let found = rate.steps_a_second().expect("there were looks");
        assert!((found - 100.0).abs() < 1e-9, "{found}");
    }

    #[test]
    fn durations_have_a_unit_to_read() {
        for (seconds, text) in
            [(0.0, "0 s"), (0.2, "1 s"), (90.0, "90 s"), (91.0, "2 min"), (7200.0, "2.0 h")]
        {
            assert_eq!(duration(seconds), text);
        }
    }
}
