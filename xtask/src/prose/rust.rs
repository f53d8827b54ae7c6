//! The prose of a file: comments and string literals of Rust, comments of TOML.

/// The place of a passage in the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A doc comment, which is Markdown.
    Doc,
    /// A plain comment.
    Comment,
    /// A string literal.
    Literal,
    /// A Markdown page.
    Page,
}

/// Consecutive lines of prose, each with its line number.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) kind: Kind,
    pub(super) lines: Vec<(usize, String)>,
}

impl Passage {
    fn of(kind: Kind, line: usize, text: &str) -> Self {
        let lines = text.split('\n').enumerate();
        Self {
            kind,
            lines: lines
                .map(|(at, text)| (line + at, text.to_owned()))
                .collect(),
        }
    }
}

/// Returns a whole page as a passage.
pub(super) fn page(text: &str) -> Passage {
    Passage::of(Kind::Page, 1, text)
}

/// Returns the comments of a TOML file. A `#` inside a value is not looked for.
pub(super) fn toml_comments(text: &str) -> Vec<Passage> {
    let mut passages = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(comment) = line.trim_start().strip_prefix('#') {
            let comment = comment.trim_start_matches('#').trim_start();
            add_line(&mut passages, Kind::Comment, at + 1, comment, true);
        }
    }
    passages
}

/// Returns the comments and string literals of Rust source, in order.
pub(super) fn passages(source: &str) -> Vec<Passage> {
    let mut scanner = Scanner {
        source,
        at: 0,
        line: 1,
        passages: Vec::new(),
    };
    while scanner.step() {}
    scanner.passages
}

struct Scanner<'a> {
    source: &'a str,
    at: usize,
    line: usize,
    passages: Vec<Passage>,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let passed = &self.rest()[..bytes];
        self.line += passed.matches('\n').count();
        self.at += bytes;
        passed
    }

    /// Reads one token, and returns `false` at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return false;
        };
        if rest.starts_with("//") {
            self.line_comment();
        } else if rest.starts_with("/*") {
            self.block_comment();
        } else if first == '"' {
            self.literal(1, "\"", true);
        } else if let Some((opening, closing)) = raw_string(rest) {
            self.literal(opening, &closing, false);
        } else if first == '\'' {
            self.advance(char_literal(rest).unwrap_or(1));
        } else if first == '_' || first.is_alphanumeric() {
            let end = rest.find(|c: char| c != '_' && !c.is_alphanumeric());
            let end = end.unwrap_or(rest.len());
            // The prefix of a byte string, whose quote follows.
            self.advance(end);
        } else {
            self.advance(first.len_utf8());
        }
        true
    }

    fn line_comment(&mut self) {
        let before = &self.source[..self.at];
        let is_alone = before.rsplit('\n').next().unwrap_or("").trim().is_empty();
        let line = self.line;
        let end = self.rest().find('\n').unwrap_or(self.rest().len());
        let comment = self.advance(end).trim_end();
        let (kind, text) = match comment.strip_prefix("///").or(comment.strip_prefix("//!")) {
            Some(text) if !text.starts_with('/') => (Kind::Doc, text),
            _ => (Kind::Comment, comment.trim_start_matches('/')),
        };
        let text = text.strip_prefix(' ').unwrap_or(text);
        add_line(&mut self.passages, kind, line, text, is_alone);
    }

    fn block_comment(&mut self) {
        let line = self.line;
        let end = self.rest().find("*/").unwrap_or(self.rest().len());
        let comment = self.advance(end).trim_start_matches(['/', '*', '!']);
        self.passages
            .push(Passage::of(Kind::Comment, line, comment));
    }

    fn literal(&mut self, opening: usize, closing: &str, has_escapes: bool) {
        self.advance(opening);
        let line = self.line;
        let rest = self.rest();
        let mut end = 0;
        while !rest[end..].is_empty() && !rest[end..].starts_with(closing) {
            let skipped = usize::from(has_escapes && rest[end..].starts_with('\\'));
            let after = rest[end + skipped..]
                .chars()
                .next()
                .map_or(0, char::len_utf8);
            end += skipped + after;
        }
        let text = self.advance(end);
        self.advance(closing.len().min(self.rest().len()));
        let text = if has_escapes {
            unescape(text)
        } else {
            text.replace('\n', END_OF_LINE)
        };
        self.passages.push(Passage::of(Kind::Literal, line, &text));
    }
}

/// Adds a line of a comment to the passage it continues, or begins a passage with it.
fn add_line(passages: &mut Vec<Passage>, kind: Kind, line: usize, text: &str, is_alone: bool) {
    let text = text.to_owned();
    if let Some(last) = passages.last_mut() {
        let follows = last
            .lines
            .last()
            .is_some_and(|(before, _)| before + 1 == line);
        if is_alone && follows && last.kind == kind {
            last.lines.push((line, text));
            return;
        }
    }
    let lines = vec![(line, text)];
    passages.push(Passage { kind, lines });
}

/// Returns the length of a raw string's opening and what closes it.
fn raw_string(rest: &str) -> Option<(usize, String)> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        let after = rest
            .strip_prefix(prefix)
            .map(|rest| rest.trim_start_matches('#'));
        after.is_some_and(|after| after.starts_with('"'))
    })?;
    let hashes = rest[prefix.len()..].find('"')?;
    Some((
        prefix.len() + hashes + 1,
        format!("\"{}", "#".repeat(hashes)),
    ))
}

/// Returns the length of a character literal, or `None` for a lifetime.
fn char_literal(rest: &str) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if first == '\\' {
        // The escaped character may be a quote itself.
        characters.next();
        return characters.find(|(_, c)| *c == '\'').map(|(at, _)| at + 1);
    }
    let (at, second) = characters.next()?;
    (second == '\'').then_some(at + 1)
}

/// Ends a sentence at a line break that is part of a literal's text.
const END_OF_LINE: &str = " ¶\n";

/// Replaces escapes by a space, but keeps line breaks of the source, so that lines can be counted.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c == '\n' {
            plain.push_str(END_OF_LINE);
            continue;
        }
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match characters.next() {
            Some('\n') => plain.push('\n'),
            Some('"') => plain.push('"'),
            Some('n') => plain.push_str(" ¶ "),
            _ => plain.push(' '),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Kind, passages, toml_comments};

    fn read(source: &str) -> Vec<(Kind, usize, String)> {
        let joined = |lines: &[(usize, String)]| {
            let texts: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
            texts.join("|")
        };
        passages(source)
            .iter()
            .map(|passage| (passage.kind, passage.lines[0].0, joined(&passage.lines)))
            .collect()
    }

    #[test]
    fn comments_of_consecutive_lines_are_one_passage() {
        let source = "/// One\n/// two.\n// three\nfn f() {} // four\n// five\n";
        let expected = [
            (Kind::Doc, 1, "One|two."),
            (Kind::Comment, 3, "three"),
            (Kind::Comment, 4, "four|five"),
        ];
        let expected = expected.map(|(kind, line, text)| (kind, line, text.to_owned()));
        assert_eq!(read(source), expected);
    }

    #[test]
    fn a_quote_or_a_comment_inside_a_literal_ends_nothing() {
        let source =
            r##"let a = ["a \" // b", r#"c " d"#, "e"]; let q = '"'; let n: &'a str = "f""##;
        let texts: Vec<String> = read(source).into_iter().map(|(_, _, text)| text).collect();
        assert_eq!(texts, ["a \" // b", "c \" d", "e", "f"]);
    }

    #[test]
    fn a_literal_over_lines_keeps_its_lines() {
        let source = "\n\"one \\\n    two\"";
        assert_eq!(
            read(source),
            [(Kind::Literal, 2, "one |    two".to_owned())]
        );
    }

    #[test]
    fn a_line_break_in_the_text_of_a_literal_ends_a_sentence() {
        let plain = "\"one\ntwo\"";
        let raw = "r\"one\ntwo\"";
        for source in [plain, raw] {
            assert_eq!(read(source), [(Kind::Literal, 1, "one ¶|two".to_owned())]);
        }
    }

    #[test]
    fn comments_of_toml_are_read() {
        let found = toml_comments("## One\n# two\nkey = \"# no\"\n");
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].lines,
            [(1, "One".to_owned()), (2, "two".to_owned())]
        );
    }
}
