//! The phrases that the project does not use, and what it writes instead.

use super::sentence::Sentence;

/// A phrase, and what to write instead.
struct Phrase {
    words: &'static str,
    instead: &'static str,
    /// Longer phrases in which the words mean something else.
    except: &'static [&'static str],
}

/// A phrase found in a sentence.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) phrase: &'static str,
    pub(super) instead: &'static str,
    pub(super) line: usize,
}

const fn phrase(words: &'static str, instead: &'static str) -> Phrase {
    Phrase {
        words,
        instead,
        except: &[],
    }
}

const fn phrase_except(
    words: &'static str,
    instead: &'static str,
    except: &'static [&'static str],
) -> Phrase {
    Phrase {
        words,
        instead,
        except,
    }
}

#[rustfmt::skip]
const PHRASES: &[Phrase] = &[
    // Defaults and conditions
    phrase("unless said", "by default"),
    phrase("unless told", "by default"),
    phrase("unless asked", "by default"),
    phrase("true where", "`true` if"),
    phrase("false where", "`false` if"),
    phrase("none where", "or `None` if"),
    phrase("where none", "if no"),
    phrase("where there is", "if there is"),
    phrase("where there are", "if there are"),
    phrase("where there was", "if there was"),
    phrase("where there were", "if there were"),
    phrase("where it is one", "if it is one"),
    phrase("where it was one", "if it was one"),
    phrase("where one is", "if one is"),
    phrase("where it said so", "if it said so"),
    phrase("where that is", "if that is"),
    phrase("only where", "only if"),
    phrase("even where", "even if"),
    phrase("except where", "unless"),
    phrase("save where", "unless"),
    phrase("so long", "as long as, or while"),
    phrase("lest", "so that … not"),
    // Absence
    phrase("there is none", "if there is no …, or `None`"),
    phrase("there are none", "if there are no …"),
    phrase("is none", "is not, or `None`, or invalid"),
    phrase("are none", "are not"),
    phrase("none of ours", "invalid, or unknown"),
    phrase("to be had", "available, or cannot be read"),
    phrase("is not there", "does not exist"),
    phrase("let alone", "and not"),
    // Who does it
    phrase("nobody", "no caller, no server, no user: name it"),
    phrase("whoever", "the caller, the server, the user: name it"),
    phrase("whomever", "the caller, the server, the user: name it"),
    phrase("who lacks", "without …"),
    phrase("hears of", "receives, or is notified of"),
    phrase("hear of", "receive, or be notified of"),
    phrase("heard of", "received, or was notified of"),
    // Course of events
    phrase("goes on", "continues"),
    phrase("go on", "continue"),
    phrase("went on", "continued"),
    phrase("for ever", "forever, or without a limit"),
    phrase("come what may", "always"),
    // Amounts
    phrase_except("at the most", "at most", &["at the most recent"]),
    phrase_except("at the least", "at least", &["at the least recent"]),
    phrase("no more than", "at most"),
    phrase("no less than", "at least"),
    phrase("no fewer than", "at least"),
    phrase("one too many", "over the limit"),
    phrase("the one begun first", "the oldest session"),
    phrase("but for", "except"),
    phrase("save for", "except"),
    // Our old words
    phrase("burglar", "offline attacker"),
];

/// Sentences and clauses must not open with a relative clause for their subject, as in `Who knows the key can read it`.
const FORBIDDEN_OPENING: &str = "who";

/// Openings that do not say what an item is or returns.
const RELATIVE_OPENINGS: [&str; 9] = [
    "what", "who", "whose", "whether", "where", "which", "none", "true", "false",
];

/// Returns every forbidden phrase in a sentence.
pub(super) fn find(sentence: &Sentence) -> Vec<Found> {
    let mut found = Vec::new();
    let is_question = sentence
        .words
        .last()
        .is_some_and(|last| last.text.contains('?'));
    for at in 0..sentence.words.len() {
        for phrase in PHRASES {
            let is_excepted = |except: &&str| begins_with(sentence, at, except);
            if begins_with(sentence, at, phrase.words) && !phrase.except.iter().any(is_excepted) {
                found.push(Found {
                    phrase: phrase.words,
                    instead: phrase.instead,
                    line: sentence.words[at].line,
                });
            }
        }
    }
    for at in 0..sentence.words.len().saturating_sub(3) {
        let opens = at == 0 || sentence.words[at - 1].text.ends_with([';', ':']);
        if opens && !is_question && begins_with(sentence, at, FORBIDDEN_OPENING) {
            found.push(Found {
                phrase: FORBIDDEN_OPENING,
                instead: "name the actor: the caller, a server, the user",
                line: sentence.words[at].line,
            });
        }
    }
    found
}

/// Returns `true` if a doc comment opens with a word that does not say what its item is or returns.
pub(super) fn opens_with_a_relative_clause(sentence: &Sentence) -> bool {
    sentence.opens_doc
        && RELATIVE_OPENINGS
            .iter()
            .any(|opening| begins_with(sentence, 0, opening))
}

/// Returns `true` if the words from `at` on are those of `phrase`, with only spaces between them.
fn begins_with(sentence: &Sentence, at: usize, phrase: &str) -> bool {
    let mut words = sentence.words[at..].iter().peekable();
    let mut wanted = phrase.split(' ').peekable();
    while let Some(want) = wanted.next() {
        let Some(word) = words.next() else {
            return false;
        };
        if word.bare() != want || (wanted.peek().is_some() && !word.is_followed_by_a_space()) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::{markdown, rust};
    use super::{PHRASES, find, opens_with_a_relative_clause};

    fn found(text: &str) -> Vec<&'static str> {
        markdown::sentences(&rust::page(text))
            .iter()
            .flat_map(find)
            .map(|found| found.phrase)
            .collect()
    }

    #[test]
    fn forbidden_phrases_are_found() {
        for (text, phrase) in [
            ("An error unless said.", "unless said"),
            (
                "The entry under a key; none where it has expired.",
                "none where",
            ),
            ("Its scheme is none of those compiled in.", "is none"),
            ("Nobody hears it.", "nobody"),
            ("It is nobody's fault.", "nobody"),
            ("The session goes\non.", "goes on"),
            ("It takes *at the most* two seconds.", "at the most"),
            ("They end for the one too many.", "one too many"),
            ("Who lacks this key cannot read it.", "who lacks"),
            ("- an item, whoever wrote it", "whoever"),
        ] {
            assert!(found(text).contains(&phrase), "{text}");
        }
        assert_eq!(found("Who can read it is up to the app."), ["who"]);
        assert_eq!(found("It is kept; who asks for it gets it."), ["who"]);
    }

    #[test]
    fn what_only_looks_alike_is_not_found() {
        for text in [
            "Returns `None` where the caller can act on it.",
            "The option `nobody` is a name, and so is `goes on`.",
            "If a request goes, on one server, to another.",
            "Ends at the most recent sign-in.",
            "Who can read it?",
            "The user who signed in.",
            "The ones that are nonetheless stored.",
            "It is so. Long values are refused.",
            "```sh\necho nobody goes on\n```",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_phrase_is_written_in_lower_case_without_punctuation() {
        for phrase in PHRASES {
            let is_plain = |c: char| c.is_ascii_lowercase() || c == ' ' || c == '\'';
            assert!(phrase.words.chars().all(is_plain), "{}", phrase.words);
            assert!(!phrase.instead.is_empty(), "{}", phrase.words);
        }
    }

    #[test]
    fn only_the_first_line_of_a_doc_comment_has_an_opening() {
        let openings = |source: &str| {
            let sentences: Vec<_> = rust::passages(source)
                .iter()
                .flat_map(markdown::sentences)
                .collect();
            sentences
                .iter()
                .filter(|it| opens_with_a_relative_clause(it))
                .count()
        };
        assert_eq!(openings("/// What went wrong.\nstruct A;"), 1);
        assert_eq!(openings("/// Whether it ended.\nstruct A;"), 1);
        assert_eq!(
            openings("/// Returns what went wrong. What else?\nstruct A;"),
            0
        );
        assert_eq!(openings("// What went wrong.\nstruct A;"), 0);
    }
}
