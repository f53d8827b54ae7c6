use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    thread::{self, JoinHandle},
};

const LAST: &str = "the story is over";

/// Every command that a Redis receives, as `MONITOR` reports it.
pub(crate) struct Monitor(JoinHandle<String>);

impl Monitor {
    /// Starts monitoring.
    pub(crate) fn of(port: u16, password: &str) -> Self {
        let mut reader = speak(port, password, "MONITOR");
        Self(thread::spawn(move || {
            let (mut watched, mut line) = (String::new(), String::new());
            while reader.read_line(&mut line).unwrap() > 0 && !line.contains(LAST) {
                watched.push_str(&line);
                line.clear();
            }
            watched
        }))
    }

    /// Returns the commands so far.
    pub(crate) fn end(self, port: u16, password: &str) -> String {
        drop(speak(port, password, &format!("ECHO \"{LAST}\"")));
        self.0.join().unwrap()
    }
}

/// Sends a command. Returns once its reply has begun.
fn speak(port: u16, password: &str, command: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "AUTH {password}\r\n{command}\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    for _ in 0..2 {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.starts_with(['+', '$']), "{line}");
    }
    reader
}
