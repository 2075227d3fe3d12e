//! Progress of a fit, on standard error.

use hbdc::StepInfo;

use super::args::Progress;

/// Shows the watched ELBO in the chosen way.
pub struct Reporter {
    style: Progress,
    last_seconds: f64,
    is_first: bool,
}

impl Reporter {
    /// Nothing was shown yet.
    pub fn new(style: Progress) -> Reporter {
        Reporter { style, last_seconds: 0.0, is_first: true }
    }

    /// Shows one row of the trace; plain lines at most twice a second.
    pub fn show(&mut self, info: &StepInfo) {
        match self.style {
            Progress::None => {}
            Progress::Json => {
                let json = serde_json::to_string(info).expect("a row of numbers is JSON");
                anstream::eprintln!("{json}");
            }
            Progress::Plain => self.show_plain(info),
        }
    }

    fn show_plain(&mut self, info: &StepInfo) {
        if self.is_first {
            anstream::eprintln!("{:>8} {:>9} {:>14} {:>10}", "step", "seconds", "ELBO", "± se");
            self.is_first = false;
        } else if info.seconds - self.last_seconds < 0.5 {
            return;
        }
        self.last_seconds = info.seconds;
        anstream::eprintln!(
            "{:>8} {:>9.1} {:>14.3} {:>10.3}",
            info.step,
            info.seconds,
            info.elbo,
            info.elbo_se
        );
    }
}
