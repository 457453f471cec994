//! Secrets at rest: sealed with a key that the database does not hold.
//!
//! A sealed text is `1.<key id>.<nonce and ciphertext>`, AES-256-GCM, bound to the
//! place where it stands, so that it opens nowhere else. Of the keys the first
//! seals, and all of them open: a new one is put in front, and the old one taken away
//! when nothing is sealed with it any more.

use std::fmt;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::Digest as _;

use crate::sources::credential::CredentialRef;

const VERSION: &str = "1";
const KEY_BYTES: usize = 32;

/// The keys of this process.
pub struct Sealer(Vec<Key>);

struct Key {
    id: String,
    key: LessSafeKey,
}

/// Why something does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsealable {
    #[error("it is sealed with the key `{0}`, which this process does not have")]
    OtherKey(String),
    #[error("it is damaged, or was sealed for another place")]
    Damaged,
}

impl Sealer {
    /// The keys that a reference leads to, or those of a file that is made when there
    /// is none.
    ///
    /// # Errors
    /// The keys cannot be read or are none.
    pub async fn open(reference: Option<&str>, usual: &Path, variable: fn(&str) -> Option<String>) -> Result<Self> {
        let text = match reference {
            Some(reference) => {
                let secret = reference.parse::<CredentialRef>()?.resolve(variable).await;
                secret.context("[access]: `seal_key`")?.expose().to_owned()
            }
            None => match std::fs::read_to_string(usual) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => made(usual)?,
                Err(error) => return Err(error).context(usual.display().to_string()),
            },
        };
        Self::of(&text)
    }

    /// One key a line or comma: 32 bytes as Base64 each, the one that seals first.
    ///
    /// # Errors
    /// Nothing of it is a key.
    pub fn of(text: &str) -> Result<Self> {
        let lines = text.split(['\n', ',']).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys = lines.map(Key::of).collect::<Result<Vec<_>>>()?;
        if keys.is_empty() {
            bail!("there is no key to seal secrets with; `openssl rand -base64 32` makes one");
        }
        Ok(Self(keys))
    }

    /// Puts a new key in front of those of a file.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds no keys.
    pub fn put_new_key_in(path: &Path) -> Result<()> {
        let old = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return made(path).map(drop),
            Err(error) => return Err(error.into()),
        };
        Self::of(&old)?;
        let (note, key) = new_key()?;
        replace(
            path,
            &format!(
                "{note}{key}\n{}",
                old.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
            ),
        )
    }

    /// Keeps the first key of a file only.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds no keys.
    pub fn drop_old_keys_of(path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path)?;
        Self::of(&text)?;
        let mut first = true;
        let kept = text
            .lines()
            .filter(|line| line.starts_with('#') || (!line.trim().is_empty() && std::mem::take(&mut first)));
        replace(path, &kept.collect::<Vec<_>>().join("\n"))
    }

    /// Id of the key that seals.
    pub fn key_id(&self) -> &str {
        self.0.first().map_or("", |key| key.id.as_str())
    }

    /// Seals bytes for a place, e.g. `signing_key/abc`.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<String> {
        let Some(Key { id, key }) = self.0.first() else { bail!("there is no key to seal secrets with") };
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut sealed = plain.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()), &mut sealed)
            .map_err(|_| anyhow::anyhow!("the secret cannot be sealed"))?;
        let body = [nonce.as_slice(), &sealed].concat();
        Ok(format!("{VERSION}.{id}.{}", URL_SAFE_NO_PAD.encode(body)))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// See [`Unsealable`].
    pub fn unseal(&self, place: &str, sealed: &str) -> Result<Vec<u8>, Unsealable> {
        let mut parts = sealed.split('.');
        let (Some(VERSION), Some(id), Some(body), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Unsealable::Damaged);
        };
        let key = self.0.iter().find(|key| key.id == id);
        let Key { key, .. } = key.ok_or_else(|| Unsealable::OtherKey(id.chars().take(40).collect()))?;
        let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| Unsealable::Damaged)?;
        let (nonce, sealed) = body.split_at_checked(NONCE_LEN).ok_or(Unsealable::Damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable::Damaged)?;
        let mut sealed = sealed.to_vec();
        let plain = key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut sealed);
        plain.map(|plain| plain.to_vec()).map_err(|_| Unsealable::Damaged)
    }
}

impl Key {
    fn of(text: &str) -> Result<Self> {
        let bytes = STANDARD.decode(text).ok().filter(|bytes| bytes.len() == KEY_BYTES);
        let bytes =
            bytes.context("a key to seal secrets with is 32 bytes as Base64; `openssl rand -base64 32` makes one")?;
        let id = hex::encode(&sha2::Sha256::digest([b"portal seal ".as_slice(), &bytes].concat())[..4]);
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| anyhow::anyhow!("a key is malformed"))?;
        Ok(Self { id, key: LessSafeKey::new(key) })
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sealer").field(&self.key_id()).finish()
    }
}

/// A new file with a new key, for its owner alone.
fn made(path: &Path) -> Result<String> {
    let (note, key) = new_key()?;
    let text = format!("{note}{key}\n");
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match written(path, &text) {
        Ok(()) => Ok(text),
        // Another process was faster.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(std::fs::read_to_string(path)?),
        Err(error) => Err(error).context(path.display().to_string()),
    }
}

fn new_key() -> Result<(&'static str, String)> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("{error}"))?;
    let note = "# Seals what the database holds in secret. Keep it apart from backups of the database.\n";
    Ok((note, STANDARD.encode(bytes)))
}

/// Writes a file that was not there, for its owner alone.
fn written(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The old text or the new one, whatever happens in between.
fn replace(path: &Path, text: &str) -> Result<()> {
    let beside = path.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    written(&beside, &format!("{}\n", text.trim_end()))?;
    Ok(std::fs::rename(&beside, path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> String {
        STANDARD.encode([byte; KEY_BYTES])
    }

    #[test]
    fn it_opens_in_its_place_and_nowhere_else() {
        let sealer = Sealer::of(&key(1)).unwrap();
        let sealed = sealer.seal("token/1", b"hunter2").unwrap();
        assert_ne!(sealed, sealer.seal("token/1", b"hunter2").unwrap());
        assert!(!sealed.contains("hunter2"));
        assert_eq!(sealer.unseal("token/1", &sealed).unwrap(), b"hunter2");
        assert_eq!(sealer.unseal("token/2", &sealed), Err(Unsealable::Damaged));
        for damaged in ["", "1.", "1.a.b", "2.a.b.c", &sealed[..sealed.len() - 4], &format!("{sealed}.x")] {
            assert!(sealer.unseal("token/1", damaged).is_err(), "{damaged}");
        }
        let mut other = sealed.clone().into_bytes();
        let last = other.len() - 3;
        other[last] = if other[last] == b'A' { b'B' } else { b'A' };
        assert_eq!(sealer.unseal("token/1", &String::from_utf8(other).unwrap()), Err(Unsealable::Damaged));
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let old = Sealer::of(&key(1)).unwrap();
        let sealed = old.seal("a", b"secret").unwrap();
        let both = Sealer::of(&format!("{}\n{}\n", key(2), key(1))).unwrap();
        assert_eq!(both.unseal("a", &sealed).unwrap(), b"secret");
        let again = both.seal("a", b"secret").unwrap();
        assert!(matches!(old.unseal("a", &again), Err(Unsealable::OtherKey(id)) if id == both.key_id()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "\n#\n", "short", &STANDARD.encode([1; 16]), &format!("{},x", key(1))] {
            assert!(Sealer::of(text).is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/seal.key");
        let open = || Sealer::open(None, &path, |_| None);
        let sealed = open().await.unwrap().seal("a", b"secret").unwrap();
        assert_eq!(open().await.unwrap().unseal("a", &sealed).unwrap(), b"secret");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        Sealer::put_new_key_in(&path).unwrap();
        let both = open().await.unwrap();
        assert_eq!((both.0.len(), both.unseal("a", &sealed).unwrap()), (2, b"secret".to_vec()));
        Sealer::drop_old_keys_of(&path).unwrap();
        let new = open().await.unwrap();
        assert_eq!((new.0.len(), new.key_id()), (1, both.key_id()));
        assert!(new.unseal("a", &sealed).is_err());
        assert!(Sealer::open(Some("env:PORTAL_SECRET_SEAL"), &path, |_| None).await.is_err());
    }
}
