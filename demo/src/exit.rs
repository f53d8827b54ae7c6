/// The exit code of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// token-cache kept its promises, and the plain cache did not.
    Proved,
    /// token-cache broke a promise.
    PromiseBroken,
    /// The arguments can't be used.
    Usage,
    /// token-cache kept its promises, but the plain cache did otherwise than a plain cache does.
    ProvesNothing,
    /// The story could not be told to its end: the store can't be reached, or the deadline passed.
    Unfinished,
}

impl Exit {
    /// The code of the process: 0 to 4, in the order of the variants.
    pub const fn code(self) -> u8 {
        match self {
            Self::Proved => 0,
            Self::PromiseBroken => 1,
            Self::Usage => 2,
            Self::ProvesNothing => 3,
            Self::Unfinished => 4,
        }
    }
}
