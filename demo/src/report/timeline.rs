use std::{
    env,
    io::{self, IsTerminal, Stdout, Write},
};

use super::Report;
use crate::{
    failure::Failure,
    fleet::Fleet,
    story::Chapter,
    verdict::{Conclusion, Deed, Outcome, Told, Verdict, WaitedFor},
};

const TEXT: usize = 44;
const COLUMN: usize = 21;
/// A line's indent, number and server come before the text.
const WIDTH: usize = 9 + TEXT + 2 * COLUMN;

/// The story for people: a line a step, a column for each cache, at most 100 characters wide.
#[derive(Debug)]
pub struct Timeline<W> {
    to: W,
    paint: Paint,
    chapter: Option<Chapter>,
}

impl Timeline<Stdout> {
    /// Writes to standard output, in colour if it is a terminal.
    pub fn on_stdout() -> Self {
        Self {
            to: io::stdout(),
            paint: Paint::for_stdout(),
            chapter: None,
        }
    }
}

impl<W: Write> Timeline<W> {
    /// Writes to `to`, without colours.
    pub const fn plain(to: W) -> Self {
        Self {
            to,
            paint: Paint::NONE,
            chapter: None,
        }
    }

    fn row(&mut self, left: &str, token_cache: &str, plain_cache: &str) -> io::Result<()> {
        writeln!(self.to, "  {left}{token_cache}{plain_cache}")
    }

    fn chapter(&mut self, chapter: Chapter) -> io::Result<()> {
        let title = match chapter {
            Chapter::SignedIn => return Ok(()),
            Chapter::SignedOut => "signed out: nothing of hers may work any more",
            Chapter::SignedInAgain => "and back: everything works again",
        };
        let rule = "─".repeat(WIDTH.saturating_sub(title.chars().count() + 6));
        let line = self.paint.dim(&format!("── {title} {rule}"));
        writeln!(self.to, "  {line}")
    }

    /// Under a sign-out: what it waited for.
    fn waited(&mut self, WaitedFor { ms, silent }: &WaitedFor) -> io::Result<()> {
        let names: Vec<String> = silent.iter().map(ToString::to_string).collect();
        let text = if names.is_empty() {
            format!("it waited {ms} ms, and no near-cache entry was left on any server")
        } else {
            let names = names.join(" and ");
            format!(
                "it waited {ms} ms for {names}, which heard nothing, until the lease had run out"
            )
        };
        let line = self.paint.dim(&format!("       {text}"));
        writeln!(self.to, "  {line}")
    }

    fn paragraph(&mut self, mark: &str, text: &str) -> io::Result<()> {
        let mut lines = wrap(text, WIDTH - 4).into_iter();
        if let Some(first) = lines.next() {
            writeln!(self.to, "  {mark} {first}")?;
        }
        for line in lines {
            writeln!(self.to, "    {line}")?;
        }
        Ok(())
    }

    fn cell(&self, deed: &Deed) -> String {
        let words = words(deed);
        let padding = " ".repeat(COLUMN.saturating_sub(words.chars().count() + 2));
        let pending = matches!(deed.outcome, Outcome::InFlight | Outcome::Redirected);
        if !deed.right {
            format!("{}{padding}", self.paint.bad(&format!("✗ {words}")))
        } else if pending {
            format!("{}{padding}", self.paint.dim(&format!("… {words}")))
        } else {
            format!("{} {words}{padding}", self.paint.good("✓"))
        }
    }
}

impl<W: Write> Report for Timeline<W> {
    fn begins(&mut self, fleet: &Fleet) -> io::Result<()> {
        let title = self
            .paint
            .bold("One user, three app servers, one sign-out.");
        writeln!(self.to, "\n  {title}")?;
        writeln!(
            self.to,
            "  A, B and C are {}, they share {}; at-1, at-2, … are access tokens.\n",
            fleet.kind(),
            fleet.store(),
        )?;
        let margin = " ".repeat(TEXT + 7);
        let ours = self.paint.bold(&format!("{:COLUMN$}", "token-cache"));
        let plain = self.paint.bold("plain cache");
        self.row(&margin, &ours, &plain)?;
        let commands = self.paint.dim("SET, GET, DEL");
        self.row(&margin, &" ".repeat(COLUMN), &commands)?;
        let rule = self.paint.dim(&"─".repeat(WIDTH - 2));
        writeln!(self.to, "  {rule}")
    }

    fn told(&mut self, told: &Told) -> io::Result<()> {
        if self.chapter.replace(told.chapter) != Some(told.chapter) {
            self.chapter(told.chapter)?;
        }
        let server = self.paint.bold(&told.server.to_string());
        let number = self.paint.dim(&format!("{:>2}", told.number));
        let left = format!("{number}  {server}  {:TEXT$}", told.text);
        let (ours, plain) = (self.cell(&told.token_cache), self.cell(&told.plain_cache));
        self.row(&left, &ours, plain.trim_end())?;
        match &told.token_cache.waited {
            Some(waited) => self.waited(waited),
            None => Ok(()),
        }
    }

    fn ends(&mut self, verdict: &Verdict) -> io::Result<()> {
        let rule = self.paint.dim(&"─".repeat(WIDTH - 2));
        writeln!(self.to, "  {rule}\n")?;
        let [token_cache, plain_cache] = &verdict.text;
        let mark = |right: bool| {
            if right {
                self.paint.good("✓")
            } else {
                self.paint.bad("✗")
            }
        };
        let (ours, plain) = (
            mark(verdict.conclusion != Conclusion::PromiseBroken),
            mark(verdict.plain_cache_wrong.is_empty()),
        );
        self.paragraph(&ours, token_cache)?;
        self.paragraph(&plain, plain_cache)?;
        writeln!(self.to)
    }

    fn failed(&mut self, failure: &Failure) -> io::Result<()> {
        let mark = self.paint.bad("✗");
        writeln!(self.to)?;
        self.paragraph(&mark, &format!("The story could not be told: {failure}"))?;
        writeln!(self.to)
    }
}

fn words(deed: &Deed) -> String {
    let token = deed.token.as_deref().unwrap_or("no token");
    match deed.outcome {
        Outcome::SignedIn => format!("signed in: {token}"),
        Outcome::Redirected => "on its way".to_owned(),
        Outcome::Called => format!("calls with {token}"),
        Outcome::FromNearCache => format!("near cache: {token}"),
        Outcome::NotFromNearCache => "asked the store".to_owned(),
        Outcome::BackplaneCut => "backplane cut".to_owned(),
        Outcome::NoBackplane => "no backplane".to_owned(),
        Outcome::SignedOutTooEarly => "too early".to_owned(),
        Outcome::InFlight => "in flight".to_owned(),
        Outcome::Refreshed => format!("stores {token}"),
        Outcome::SignedOut => "signed out".to_owned(),
        Outcome::Refused => "refused".to_owned(),
        Outcome::NoTokens => "no tokens".to_owned(),
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + length <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Colours, where they are welcome.
#[derive(Debug, Clone, Copy)]
struct Paint {
    on: bool,
}

impl Paint {
    const NONE: Self = Self { on: false };

    /// Colours on a terminal, unless `NO_COLOR` is set (<https://no-color.org>) or the terminal is dumb.
    fn for_stdout() -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            on: io::stdout().is_terminal() && !unwanted,
        }
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
