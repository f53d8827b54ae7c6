//! Words and sentences.

/// A word with its punctuation, and the line that it is on. A code span is one word.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) line: usize,
}

/// A sentence, a heading, a cell of a table, or an item of a list.
#[derive(Debug)]
pub(super) struct Sentence {
    pub(super) words: Vec<Word>,
    /// `true` for the first sentence of a doc comment.
    pub(super) opens_doc: bool,
}

/// Words whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 5] = ["e.g.", "i.e.", "cf.", "etc.", "vs."];

impl Word {
    /// Returns the word in lower case without punctuation and without a possessive ending. A code span stays in its backticks, so that
    /// it equals no word.
    pub(super) fn bare(&self) -> String {
        let bare = self
            .text
            .trim_matches(|c: char| !c.is_alphanumeric() && c != '`');
        let bare = bare
            .strip_suffix("'s")
            .or(bare.strip_suffix("’s"))
            .unwrap_or(bare);
        bare.to_lowercase()
    }

    /// Returns `true` if a phrase may continue after this word.
    pub(super) fn is_followed_by_a_space(&self) -> bool {
        self.text
            .ends_with(|c: char| c.is_alphanumeric() || c == '`')
    }

    fn ends_a_sentence(&self) -> bool {
        let closed = self
            .text
            .trim_end_matches(['"', '\'', ')', '*', '_', '”', '’']);
        closed.ends_with(['.', '!', '?', '¶']) && !ABBREVIATIONS.contains(&self.text.as_str())
    }
}

impl Sentence {
    /// Splits the words of a paragraph.
    pub(super) fn split(words: Vec<Word>) -> Vec<Self> {
        let mut sentences = Vec::new();
        let mut open = Vec::new();
        for word in words {
            let ends = word.ends_a_sentence();
            open.push(word);
            if ends {
                sentences.push(std::mem::take(&mut open));
            }
        }
        sentences.push(open);
        sentences.retain(|words| !words.is_empty());
        sentences
            .into_iter()
            .map(|words| Self {
                words,
                opens_doc: false,
            })
            .collect()
    }

    /// Returns the number of words, without dashes and signs.
    pub(super) fn word_count(&self) -> usize {
        let is_word = |word: &&Word| word.text.contains(char::is_alphanumeric);
        self.words.iter().filter(is_word).count()
    }

    /// Returns the line of the first word.
    pub(super) fn line(&self) -> usize {
        self.words.first().map_or(0, |word| word.line)
    }

    /// Returns the first words, to recognise it by.
    pub(super) fn beginning(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        if words.len() <= 12 {
            return words.join(" ");
        }
        format!("{} …", words[..12].join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Sentence, Word};

    fn split(text: &str) -> Vec<usize> {
        let word = |text: &str| Word {
            text: text.to_owned(),
            line: 1,
        };
        let sentences = Sentence::split(text.split_whitespace().map(word).collect());
        sentences.iter().map(Sentence::word_count).collect()
    }

    #[test]
    fn a_full_stop_ends_a_sentence_and_an_abbreviation_does_not() {
        assert_eq!(split("One two. Three four five"), [2, 3]);
        assert_eq!(split("Use 1.95 or e.g. `a.b` – the later one."), [8]);
        assert_eq!(split("(He said so.) Is it? Yes!"), [3, 2, 1]);
    }
}
