use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::ServerError;

mod frame;

pub(super) use self::frame::{Frame, frame};

/// A reply of a Redis server.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value.
    Nil,
    /// A status such as `OK`.
    Status(String),
    /// A number.
    Int(i64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Several values. An error among them is a `Status`.
    Array(Vec<Value>),
}

impl Value {
    /// Returns `true` if the server answered with no value.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// Returns the number, or `None` for another type.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the text of a status, or of bytes that are UTF-8.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Status(text) => Some(text),
            Self::Bytes(bytes) => str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// Returns the values of an array, or `None` for another type.
    pub fn items(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }
}

/// Prints long values shortened, so that a failed assertion over 300 KB stays readable.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Status(text) => f.write_str(text),
            Self::Int(number) => number.fmt(f),
            Self::Bytes(bytes) if bytes.len() > 256 => write!(f, "{} bytes", bytes.len()),
            Self::Bytes(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Self::Array(items) => items.fmt(f),
        }
    }
}

/// A blocking RESP2 connection. It is enough to inspect a server independently of the client under test.
#[derive(Debug)]
pub struct Client<S = TcpStream> {
    stream: S,
    received: Vec<u8>,
}

impl Client {
    /// Connects. Every later call ends within `timeout`.
    ///
    /// # Errors
    /// Nothing listens at the address.
    pub fn connect(address: SocketAddr, timeout: Duration) -> Result<Self, ServerError> {
        let stream = TcpStream::connect_timeout(&address, timeout).map_err(ServerError::during(
            format!("could not connect to {address}"),
        ))?;
        stream
            .set_read_timeout(Some(timeout))
            .and_then(|()| stream.set_write_timeout(Some(timeout)))
            .and_then(|()| stream.set_nodelay(true))
            .map_err(ServerError::during(address))?;
        Ok(Self::over(stream))
    }
}

impl<S: Read + Write> Client<S> {
    /// Wraps a stream that is connected already, such as one with TLS.
    pub fn over(stream: S) -> Self {
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Sends one command and waits for its reply.
    ///
    /// # Errors
    /// The server replied with an error, or the connection is closed or silent.
    pub fn call(&mut self, command: &[impl AsRef<[u8]>]) -> Result<Value, ServerError> {
        self.send(command)?;
        self.receive()
    }

    /// Sends one command without waiting.
    ///
    /// # Errors
    /// The connection is closed.
    pub fn send(&mut self, command: &[impl AsRef<[u8]>]) -> Result<(), ServerError> {
        let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
        for part in command {
            let part = part.as_ref();
            bytes.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
            bytes.extend_from_slice(part);
            bytes.extend_from_slice(b"\r\n");
        }
        self.stream
            .write_all(&bytes)
            .and_then(|()| self.stream.flush())
            .map_err(ServerError::during("could not send"))
    }

    /// Waits for the next reply.
    ///
    /// # Errors
    /// The server replied with an error, or the connection is closed or silent.
    pub fn receive(&mut self) -> Result<Value, ServerError> {
        loop {
            if let Some(frame) = frame(&self.received)? {
                let bytes: Vec<u8> = self.received.drain(..frame.length).collect();
                return if bytes.first() == Some(&b'-') {
                    Err(ServerError::new(line(&bytes).0))
                } else {
                    Ok(value(&bytes)?.0)
                };
            }
            let mut chunk = [0; 16 * 1024];
            let count = self
                .read(&mut chunk)
                .map_err(ServerError::during("no reply"))?;
            self.received.extend_from_slice(&chunk[..count]);
        }
    }

    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

/// Returns the first value of `bytes`, which contain a complete frame, and the rest.
fn value(bytes: &[u8]) -> Result<(Value, &[u8]), ServerError> {
    let (text, mut rest) = line(bytes);
    let malformed = || ServerError::new(format!("not a reply: {text}"));
    let number = || text.parse::<i64>().map_err(|_| malformed());
    let parsed = match bytes.first() {
        Some(b'+' | b'-') => Value::Status(text),
        Some(b':') => Value::Int(number()?),
        Some(b'$') => match usize::try_from(number()?) {
            Ok(length) => {
                let (payload, after) = rest.split_at_checked(length).ok_or_else(malformed)?;
                rest = after.get(2..).ok_or_else(malformed)?;
                Value::Bytes(payload.to_vec())
            }
            Err(_) => Value::Nil,
        },
        Some(b'*') => match usize::try_from(number()?) {
            Ok(count) => {
                let mut items = Vec::new();
                for _ in 0..count {
                    let (item, after) = value(rest)?;
                    items.push(item);
                    rest = after;
                }
                Value::Array(items)
            }
            Err(_) => Value::Nil,
        },
        _ => return Err(malformed()),
    };
    Ok((parsed, rest))
}

/// Returns the text of the first line without its type byte, and the rest.
fn line(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes
        .windows(2)
        .position(|pair| pair == b"\r\n")
        .unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(bytes.get(1..end).unwrap_or_default()).into_owned();
    (text, bytes.get(end + 2..).unwrap_or_default())
}
