use zeroize::Zeroizing;

/// Text that must never be shown: no `Debug` of the content, no `Display`, zeroed on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for the one place that must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Words of which one in the name of an option or a parameter says that its value is secret.
const SECRET_WORDS: [&str; 15] = [
    "apikey",
    "credential",
    "credentials",
    "key",
    "keys",
    "pass",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "pin",
    "pw",
    "pwd",
    "secret",
    "token",
];

/// Whether the name of an option or a parameter shows that its value is secret. One of its words does, or a
/// part of it that is too long to match by chance.
pub fn is_secret_name(name: &str) -> bool {
    const PARTS: [&str; 6] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "credential",
        "token",
    ];
    let name = name.to_ascii_lowercase();
    // How verifiers are computed is no secret.
    if name == "password_encryption" {
        return false;
    }
    let mut words = name.split(|part: char| !part.is_ascii_alphanumeric());
    words.any(|word| SECRET_WORDS.contains(&word)) || PARTS.iter().any(|part| name.contains(part))
}

/// Whether a text is a connection string or an address with a password in it.
pub fn has_credentials(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let assigns = |word: &str| {
        text.match_indices(word).any(|(at, _)| {
            let rest = text[at + word.len()..].trim_start();
            rest.strip_prefix('=')
                .is_some_and(|value| !value.trim().is_empty())
        })
    };
    let in_address = text.match_indices("://").any(|(at, found)| {
        let rest = &text[at + found.len()..];
        // A password may hold what ends the authority, where its writer forgot to encode it.
        let word = rest.split(char::is_whitespace).next().unwrap_or_default();
        word.rsplit_once('@').is_some_and(|(user, _)| {
            user.split_once(':')
                .is_some_and(|(_, word)| !word.is_empty())
        })
    });
    in_address
        || ["password", "passwd", "pwd", "secret", "token"]
            .into_iter()
            .any(assigns)
}
