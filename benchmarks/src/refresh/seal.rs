use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use token_cache::{
    Entry, Secret, Timestamp, Version,
    store::{AccountKey, EntryAddress, EntryName, IssuerKey, TicketSecret, test_util::EntrySealer},
};

use crate::{
    Result,
    args::Args,
    figure::{Better, Figure},
    machine::Watch,
    report,
    rounds::{self, Round, Rounds},
};

const SIZES: [(&str, usize); 4] = [
    ("1k", 1 << 10),
    ("2k", 2 << 10),
    ("4k", 4 << 10),
    ("10k", 10 << 10),
];

/// As many bytes as are authenticated with an entry.
const AUTHENTICATED: [u8; 77] = [7; 77];

/// An entry and where it belongs; its session's key is derived.
struct Ours {
    sealer: EntrySealer,
    at: EntryAddress,
    entry: Entry,
}

/// The cipher of the crate `chacha20poly1305`, and as many bytes.
struct Raw {
    cipher: XChaCha20Poly1305,
    plain: Vec<u8>,
}

/// Measures sealing an entry and opening it, beside the same cipher of another crate on the same bytes, which draws a nonce for each as
/// well. Also the first use of a session's handle, which derives the session's key.
pub(super) async fn run(args: &Args, figures: &mut Vec<Figure>) -> Result<()> {
    for (label, bytes) in SIZES {
        let name = format!("seal/{label}");
        if !args.wants(&name) {
            continue;
        }
        report::progress(&name);
        let (ours, raw) = (Ours::new(bytes)?, Raw::new(bytes)?);
        let watch = Watch::start(None);
        let (calls, rounds) =
            compare(args, |calls| ours.turn(calls), |calls| raw.turn(calls)).await?;
        figures.push(figure(name, 0.7, calls, &rounds, "the cipher of RustCrypto").beside(&watch));
    }
    let name = "seal/derive".to_owned();
    if args.wants(&name) {
        report::progress(&name);
        let ours = Ours::new(2 << 10)?;
        let watch = Watch::start(None);
        let first = |calls| ours.turn_of_first_uses(calls);
        let (calls, rounds) = compare(args, first, |calls| ours.turn(calls)).await?;
        figures.push(figure(name, 2.0, calls, &rounds, "with the key derived").beside(&watch));
    }
    Ok(())
}

impl Ours {
    fn new(bytes: usize) -> Result<Self> {
        let account = AccountKey::new(IssuerKey::from_bytes([1; 16]), [2; 16]);
        let at = EntryAddress::new(
            account,
            TicketSecret::mint()?.session_id(),
            EntryName::from_bytes([3; 16]),
        );
        let expires_at = Timestamp::from_secs(1);
        Ok(Self {
            sealer: EntrySealer::new(&Secret::random()?, [4; 16]),
            at,
            entry: Entry::new(vec![5; bytes], Version::mint()?, expires_at),
        })
    }

    fn call(&self, session: &EntrySealer) -> Result<()> {
        let sealed = session.seal(&self.at, black_box(&self.entry))?;
        black_box(session.open(&self.at, sealed)?);
        Ok(())
    }

    fn turn(&self, calls: usize) -> Result<Duration> {
        let start = Instant::now();
        for _ in 0..calls {
            self.call(&self.sealer)?;
        }
        Ok(start.elapsed())
    }

    fn turn_of_first_uses(&self, calls: usize) -> Result<Duration> {
        let start = Instant::now();
        for _ in 0..calls {
            self.call(&self.sealer.of_session([4; 16]))?;
        }
        Ok(start.elapsed())
    }
}

impl Raw {
    fn new(bytes: usize) -> Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self {
            cipher: XChaCha20Poly1305::new(&key.into()),
            plain: vec![5; bytes],
        })
    }

    fn turn(&self, calls: usize) -> Result<Duration> {
        let start = Instant::now();
        for _ in 0..calls {
            let mut nonce = XNonce::default();
            getrandom::fill(nonce.as_mut_slice())?;
            let failed = |_| "the cipher of RustCrypto failed";
            let payload = |msg| Payload {
                msg,
                aad: &AUTHENTICATED,
            };
            let sealed = self
                .cipher
                .encrypt(&nonce, payload(black_box(&*self.plain)));
            let sealed = sealed.map_err(failed)?;
            black_box(
                self.cipher
                    .decrypt(&nonce, payload(&*sealed))
                    .map_err(failed)?,
            );
        }
        Ok(start.elapsed())
    }
}

/// Both sides in turns of a fixed number of calls.
async fn compare(
    args: &Args,
    ours: impl Fn(usize) -> Result<Duration>,
    raw: impl Fn(usize) -> Result<Duration>,
) -> Result<(usize, Vec<Round>)> {
    let turn = Duration::from_millis(if args.quick { 2 } else { 20 });
    let calls = rounds::calls_in(turn, async |calls| raw(calls)).await?;
    rounds::calls_in(turn, async |calls| ours(calls)).await?;
    let turns = Rounds {
        rounds: args.rounds(),
        turns: if args.quick { 2 } else { 10 },
    };
    let rounds = turns.run(async || ours(calls), async || raw(calls)).await?;
    Ok((calls * turns.turns, rounds))
}

fn figure(name: String, goal: f64, calls: usize, rounds: &[Round], beside: &str) -> Figure {
    let (ours, raw) = rounds::medians(rounds);
    #[expect(clippy::cast_precision_loss, reason = "far fewer calls than 2^52")]
    let micros = |round: f64| round * 1e6 / calls as f64;
    Figure::new(name, &rounds::time(rounds), Better::Lower, goal).detail(format!(
        "{:.2} µs to seal and open, {:.2} µs {beside}",
        micros(ours),
        micros(raw),
    ))
}
