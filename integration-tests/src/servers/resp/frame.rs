use super::ServerError;

/// The end of one complete message in a RESP2 or RESP3 stream, in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) length: usize,
    /// `true` for a push: no request waits for it.
    pub(crate) is_push: bool,
}

/// Returns the first message of `bytes`, or `None` while it is incomplete.
pub(crate) fn frame(bytes: &[u8]) -> Result<Option<Frame>, ServerError> {
    let is_push = bytes.first() == Some(&b'>');
    Ok(length(bytes, 0)?.map(|length| Frame { length, is_push }))
}

/// Returns the end of the value that starts at `start`.
fn length(bytes: &[u8], start: usize) -> Result<Option<usize>, ServerError> {
    let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) else {
        return Ok(None);
    };
    let Some(line) = rest.windows(2).position(|pair| pair == b"\r\n") else {
        return Ok(None);
    };
    let after_line = start + line + 2;
    let count = || {
        let text = String::from_utf8_lossy(&rest[1..line]);
        text.parse::<i64>()
            .map_err(|_| ServerError::new(format!("not RESP: {text}")))
    };
    match rest[0] {
        b'$' | b'=' | b'!' => {
            let end = match usize::try_from(count()?) {
                Ok(size) => after_line + size + 2,
                Err(_) => after_line,
            };
            Ok((bytes.len() >= end).then_some(end))
        }
        b'*' | b'~' | b'>' => items(bytes, after_line, count()?),
        b'%' => items(bytes, after_line, 2 * count()?),
        // Attributes precede the value that they belong to.
        b'|' => match items(bytes, after_line, 2 * count()?)? {
            Some(end) => length(bytes, end),
            None => Ok(None),
        },
        _ => Ok(Some(after_line)),
    }
}

fn items(bytes: &[u8], start: usize, count: i64) -> Result<Option<usize>, ServerError> {
    let mut end = start;
    for _ in 0..count {
        match length(bytes, end)? {
            Some(next) => end = next,
            None => return Ok(None),
        }
    }
    Ok(Some(end))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_message_ends_only_where_it_is_whole() {
        let messages: [&[u8]; 9] = [
            b"+OK\r\n",
            b"-ERR no\r\n",
            b":12\r\n",
            b"$-1\r\n",
            b"$4\r\n\r\n\r\n\r\n",
            b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
            b"%1\r\n+a\r\n*1\r\n_\r\n",
            b"|1\r\n+ttl\r\n:1\r\n$1\r\nx\r\n",
            b">2\r\n+message\r\n#t\r\n",
        ];
        for message in messages {
            for end in 0..message.len() {
                assert_eq!(
                    frame(&message[..end]).unwrap(),
                    None,
                    "{}",
                    message.escape_ascii()
                );
            }
            let mut two = message.to_vec();
            two.extend_from_slice(b"+next\r\n");
            let found = frame(&two).unwrap().unwrap();
            assert_eq!(found.length, message.len(), "{}", message.escape_ascii());
            assert_eq!(found.is_push, message[0] == b'>');
        }
    }

    #[test]
    fn a_length_that_is_no_number_is_an_error() {
        assert!(frame(b"$x\r\n").is_err());
    }
}
