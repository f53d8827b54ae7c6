/// A newtype over 128 bits that a store may keep, and that prints nothing of itself.
macro_rules! hash_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            #[doc = concat!(" Creates the `", stringify!($name), "` with these 16 bytes.")]
            ///
            /// A store calls it when it reads the bytes from its own data or from a message. The bytes are used as they are, and are not
            /// hashed. Any 16 bytes are valid.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            #[doc = concat!(" Returns the 16 bytes of this `", stringify!($name), "`.")]
            ///
            /// A store calls it to write them to its own data or into a message. [`from_bytes`](Self::from_bytes) creates an equal value
            /// from them.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

pub(crate) use hash_name;
