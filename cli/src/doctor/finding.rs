//! What `shardlift doctor` finds.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::{Value, json};
use shardlift_core::value::printable::Printable;

use crate::{Screen, error::CommandError, screen::Tone};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Nothing to do.
    Fine,
    /// Worth knowing; runs work.
    Note,
    /// It could not be checked.
    Unknown,
    /// A run would fail, or nobody would hear of it.
    Problem,
}

impl Level {
    /// Its word, in both formats.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Note => "note",
            Self::Unknown => "unknown",
            Self::Problem => "problem",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Fine => Tone::Good,
            Self::Note | Self::Unknown => Tone::Strong,
            Self::Problem => Tone::Bad,
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DoctorFinding {
    pub(super) check: &'static str,
    pub(super) level: Level,
    /// What was found.
    pub(super) what: String,
    /// Why it matters; empty where there is nothing to do.
    pub(super) why: String,
    /// The commands that fix it, in their order.
    pub(super) fix: Vec<String>,
}

impl DoctorFinding {
    /// Nothing to do.
    pub(super) fn fine(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(Level::Fine, check, what, "")
    }

    pub(super) fn new(
        level: Level,
        check: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            check,
            level,
            what: what.into(),
            why: why.into(),
            fix: Vec::new(),
        }
    }

    /// A call that failed: these credentials may not see it, or AWS did not respond.
    pub(super) fn unknown(check: &'static str, error: &CommandError) -> Self {
        Self::new(
            Level::Unknown,
            check,
            "could not be checked",
            error.to_string(),
        )
    }

    /// The same, by the call and what AWS said.
    pub(super) fn failed_call(
        check: &'static str,
        operation: &str,
        error: &(impl std::error::Error + ProvideErrorMetadata + 'static),
    ) -> Self {
        Self::unknown(check, &CommandError::call(operation, error))
    }

    /// The same, with the commands that fix it.
    pub(super) fn fixed_by(mut self, commands: impl IntoIterator<Item = String>) -> Self {
        self.fix.extend(commands);
        self
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "check": self.check, "level": self.level.word(), "what": self.what, "why": self.why,
            "fix": self.fix,
        })
    }

    /// A line, and below it why it matters and what fixes it.
    pub(super) fn write(&self, screen: &mut Screen) -> std::io::Result<()> {
        let word = screen.toned(self.level.tone(), &format!("{:<8}", self.level.word()));
        let what = Printable(&self.what).to_string();
        let line = format!("{}: {what}", self.check);
        if screen.fits(line.chars().count() + 9) {
            writeln!(screen.out(), "{word} {line}")?;
        } else {
            writeln!(screen.out(), "{word} {}:", self.check)?;
            screen.paragraph(Tone::Plain, 9, &what)?;
        }
        if !self.why.is_empty() {
            screen.paragraph(Tone::Plain, 9, &Printable(&self.why).to_string())?;
        }
        for command in &self.fix {
            writeln!(screen.out(), "           {}", Printable(command))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::paper::Paper;

    #[test]
    fn a_finding_says_what_why_and_how_it_is_fixed() {
        let finding = DoctorFinding::new(
            Level::Problem,
            "notifications",
            "nobody is subscribed to the topic",
            "A run that fails tonight is noticed by nobody.",
        )
        .fixed_by(["aws sns subscribe …".to_owned()]);
        let (screen, paper) = Paper::in_a_screen();
        let mut screen = screen.with_columns(60);
        finding.write(&mut screen).unwrap();
        assert_eq!(
            paper.text(),
            "problem  notifications: nobody is subscribed to the topic\n         A run that fails tonight is noticed by nobody.\n           aws sns subscribe …\n"
        );
        let (screen, paper) = Paper::in_a_screen();
        let mut screen = screen.with_columns(40);
        finding.write(&mut screen).unwrap();
        assert!(
            paper
                .text()
                .starts_with("problem  notifications:\n         nobody is")
        );
    }
}
