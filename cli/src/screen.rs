//! Where the command writes: results to the standard output, progress and errors to the standard error.

use std::io::{IsTerminal, Write};

use shardlift_core::value::printable::Printable;

use crate::output_format::OutputFormat;

/// The meaning of a piece of text, which decides its color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ordinary text.
    Plain,
    /// A heading.
    Strong,
    /// All is well.
    Good,
    /// It needs attention.
    Bad,
    /// Less important.
    Faint,
}

/// The two streams, and what they can show.
pub struct Screen {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    colors: bool,
    redraws: bool,
    /// The columns of the terminal; nothing where the results go elsewhere, and lines may be long.
    columns: Option<usize>,
    /// How results are written.
    pub(crate) format: OutputFormat,
    /// The command whose results they are.
    pub(crate) command: &'static str,
}

impl Screen {
    /// The streams of this process. Colors only on a terminal that knows them, and never when `NO_COLOR` is set.
    #[must_use]
    pub fn standard() -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let colors = std::io::stdout().is_terminal()
            && !is_dumb
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let size = console::Term::stdout().size_checked();
        Self {
            out: Box::new(std::io::stdout()),
            err: Box::new(std::io::stderr()),
            colors,
            redraws: std::io::stderr().is_terminal() && !is_dumb,
            columns: size
                .filter(|_| std::io::stdout().is_terminal())
                .map(|(_rows, columns)| usize::from(columns)),
            format: OutputFormat::Text,
            command: "",
        }
    }

    /// Streams of a caller, without colors and without redrawing.
    #[must_use]
    pub fn plain(out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        Self {
            out,
            err,
            colors: false,
            redraws: false,
            columns: None,
            format: OutputFormat::Text,
            command: "",
        }
    }

    /// Whether progress can be redrawn on the same line.
    pub(crate) fn redraws(&self) -> bool {
        self.redraws
    }

    /// The same, this many columns wide.
    #[cfg(test)]
    pub(crate) fn with_columns(mut self, columns: usize) -> Self {
        self.columns = Some(columns);
        self
    }

    /// Whether a line of so many characters fits.
    pub(crate) fn fits(&self, characters: usize) -> bool {
        self.columns.is_none_or(|columns| characters <= columns)
    }

    /// Writes a text in lines that begin with so many spaces and break between words.
    pub(crate) fn paragraph(
        &mut self,
        tone: Tone,
        indent: usize,
        text: &str,
    ) -> std::io::Result<()> {
        let width = self.columns.map(|columns| columns.saturating_sub(indent));
        for line in wrapped(text, width) {
            let line = self.toned(tone, &line);
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// The result.
    pub(crate) fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// A line of progress, beside the result.
    pub(crate) fn note(&mut self, line: &str) -> std::io::Result<()> {
        writeln!(self.err, "{line}")?;
        self.err.flush()
    }

    /// Why the command could not do what was asked.
    ///
    /// # Errors
    /// When the standard error cannot be written.
    pub fn error(&mut self, error: &dyn std::error::Error) -> std::io::Result<()> {
        writeln!(self.err, "shardlift: {}", Printable(&error.to_string()))
    }

    /// `text` in its tone, unchanged where there are no colors.
    pub(crate) fn toned(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Strong => "1",
            Tone::Good => "1;32",
            Tone::Bad => "1;31",
            Tone::Faint => "2",
        };
        if self.colors {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The text in lines of at most so many characters, as far as its words allow.
fn wrapped(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else {
        return vec![text.to_owned()];
    };
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        let length = last.chars().count();
        if length > 0 && length + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if length > 0 {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{paper::Paper, *};

    #[test]
    fn a_paragraph_breaks_between_words_and_only_on_a_terminal() {
        let text = "See failures.csv for every failed object.";
        let (screen, paper) = Paper::in_a_screen();
        let mut screen = screen.with_columns(20);
        screen.paragraph(Tone::Plain, 4, text).unwrap();
        assert_eq!(
            paper.text(),
            "    See failures.csv\n    for every failed\n    object.\n"
        );
        let (mut screen, paper) = Paper::in_a_screen();
        screen.paragraph(Tone::Plain, 4, text).unwrap();
        assert_eq!(paper.text(), format!("    {text}\n"));
    }
}

/// What a command writes on in tests.
#[cfg(test)]
pub(crate) mod paper {
    use std::{
        cell::RefCell,
        io::{Result, Write},
        rc::Rc,
    };

    use super::Screen;

    /// Keeps what is written.
    #[derive(Clone, Default)]
    pub(crate) struct Paper(Rc<RefCell<Vec<u8>>>);

    impl Paper {
        /// A screen whose results come on paper.
        pub(crate) fn in_a_screen() -> (Screen, Self) {
            let paper = Self::default();
            let screen = Screen::plain(Box::new(paper.clone()), Box::new(std::io::sink()));
            (screen, paper)
        }

        /// All that was written.
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).expect("commands write text")
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }
}
