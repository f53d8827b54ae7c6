//! The sentences of a passage, read as Markdown.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::rust::{self, Kind, Passage};
use super::sentence::{Sentence, Word};

/// Returns the sentences of a passage and of the comments in its Rust examples. Other code blocks are skipped.
pub(super) fn sentences(passage: &Passage) -> Vec<Sentence> {
    let first = passage.lines.first().map_or(1, |(line, _)| *line);
    let lines = passage.lines.iter().map(|(_, text)| match passage.kind {
        // An indented line continues a literal, and begins no code block.
        Kind::Literal => text.trim_start(),
        _ => text.as_str(),
    });
    let source = lines.collect::<Vec<_>>().join("\n");
    let mut reader = Reader::default();
    for (event, range) in Parser::new_ext(&source, Options::ENABLE_TABLES).into_offset_iter() {
        let line = first + source[..range.start].matches('\n').count();
        reader.read(event, line, passage.kind);
    }
    reader.end_block();
    let mut sentences = reader.sentences;
    if passage.kind == Kind::Literal {
        // A shorter literal is a name or a fragment.
        sentences.retain(|sentence| sentence.word_count() > 2);
    }
    if passage.kind == Kind::Doc
        && let Some(opening) = sentences.first_mut()
    {
        opening.opens_doc = true;
    }
    sentences
}

#[derive(Default)]
struct Reader {
    sentences: Vec<Sentence>,
    /// The text of the block being read, as pieces with their lines.
    block: Vec<(String, usize)>,
    code: Code,
}

/// The kind of code block that is being read.
#[derive(Default)]
enum Code {
    #[default]
    No,
    Skipped,
    /// A Rust example, and the line it begins on.
    Rust(String, usize),
}

impl Reader {
    fn read(&mut self, event: Event<'_>, line: usize, kind: Kind) {
        match (event, &mut self.code) {
            (Event::Start(Tag::CodeBlock(block)), _) => {
                self.end_block();
                self.code = if is_rust(&block, kind) {
                    Code::Rust(String::new(), line + 1)
                } else {
                    Code::Skipped
                };
            }
            (Event::End(TagEnd::CodeBlock), _) => self.end_code(),
            (Event::Text(text), Code::Rust(code, _)) => code.push_str(&text),
            (Event::Text(text), Code::No) => self.block.push((text.into_string(), line)),
            (Event::Code(code), _) => {
                let code: String = code.split_whitespace().collect();
                self.block.push((format!("`{code}`"), line));
            }
            (Event::SoftBreak | Event::HardBreak, _) => self.block.push((" ".to_owned(), line)),
            (Event::Start(tag), _) if !is_inline(&tag) => self.end_block(),
            (Event::End(end), _) if !ends_inline(end) => self.end_block(),
            _ => {}
        }
    }

    fn end_block(&mut self) {
        let mut words: Vec<Word> = Vec::new();
        let mut is_open = false;
        for (text, line) in self.block.drain(..) {
            for (at, piece) in text.split(char::is_whitespace).enumerate() {
                is_open &= at == 0;
                if piece.is_empty() {
                    continue;
                }
                match words.last_mut() {
                    Some(last) if is_open => last.text.push_str(piece),
                    _ => words.push(Word {
                        text: piece.to_owned(),
                        line,
                    }),
                }
                is_open = true;
            }
        }
        self.sentences.extend(Sentence::split(words));
    }

    fn end_code(&mut self) {
        if let Code::Rust(code, line) = std::mem::take(&mut self.code) {
            for mut passage in rust::passages(&code) {
                for (at, _) in &mut passage.lines {
                    *at += line - 1;
                }
                self.sentences.extend(sentences(&passage));
            }
        }
    }
}

/// Returns `true` for a Rust example. A code block without a language is Rust in a doc comment, and a diagram on a page.
fn is_rust(block: &CodeBlockKind<'_>, kind: Kind) -> bool {
    let CodeBlockKind::Fenced(info) = block else {
        return false;
    };
    match info.split([',', ' ']).next().unwrap_or("") {
        "" => kind == Kind::Doc,
        "rust" | "no_run" | "compile_fail" | "should_panic" => true,
        _ => false,
    }
}

fn is_inline(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }
    )
}

fn ends_inline(end: TagEnd) -> bool {
    matches!(
        end,
        TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image
    )
}

#[cfg(test)]
mod tests {
    use super::super::rust::{page, passages};
    use super::sentences;

    fn page_sentences(text: &str) -> Vec<(usize, String)> {
        sentences(&page(text))
            .iter()
            .map(|sentence| (sentence.line(), sentence.beginning()))
            .collect()
    }

    #[test]
    fn blocks_end_sentences_and_lines_are_kept() {
        let text = "# A title\n\nOne *two*\nthree. Four\n\n- an item\n\n| a | b |\n|---|---|\n| c d | e |\n";
        let found = page_sentences(text);
        let expected = [
            (1, "A title"),
            (3, "One two three."),
            (4, "Four"),
            (6, "an item"),
            (8, "a"),
            (8, "b"),
            (10, "c d"),
            (10, "e"),
        ];
        let expected = expected.map(|(line, text)| (line, text.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn code_is_one_word_and_code_blocks_are_read_for_their_comments() {
        let text = "See `a b`, then:\n\n```rust\nf(); // a comment here\n```\n\n```sh\nls # not this\n```\n";
        let found = page_sentences(text);
        let expected = [(1, "See `ab`, then:"), (4, "a comment here")];
        let expected = expected.map(|(line, text)| (line, text.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_first_sentence_of_a_doc_comment_opens_it() {
        let passages = passages("/// Returns one. Not two.\nfn f() {}\n");
        let opens: Vec<bool> = sentences(&passages[0])
            .iter()
            .map(|it| it.opens_doc)
            .collect();
        assert_eq!(opens, [true, false]);
    }
}
