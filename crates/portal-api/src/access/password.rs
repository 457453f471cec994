//! Passwords: argon2id with the parameters that OWASP recommends (19 MiB, two
//! passes, one lane), and a brake on guessing.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Semaphore;

use crate::error::{ApiError, ApiResult};

/// Characters of a password.
pub const LENGTH: std::ops::RangeInclusive<usize> = 12..=200;

/// Hashes at once: each takes 19 MiB and tens of milliseconds of a core.
static PERMITS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(2)));

/// What is compared with where there is no password, so that the answer takes as long.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash_now("nobody has this password").unwrap_or_default());

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

fn hash_now(password: &str) -> Result<String, String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| error.to_string())?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| error.to_string())?;
    argon2().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

/// # Errors
/// Too short or too long a password, which the error says.
pub async fn hash(password: String) -> ApiResult<String> {
    if !LENGTH.contains(&password.chars().count()) {
        return Err(ApiError::field("/new", "a password has 12 to 200 characters"));
    }
    within_limits(move || hash_now(&password)).await?.map_err(ApiError::Internal)
}

/// Whether the password is this one; as slow where there is none.
///
/// # Errors
/// The process is ending.
pub async fn verify(password: String, stored: Option<String>) -> ApiResult<bool> {
    within_limits(move || {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| NOBODYS.clone());
        let matches =
            PasswordHash::new(&stored).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok());
        matches && known
    })
    .await
}

async fn within_limits<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> ApiResult<T> {
    let ended = |_| ApiError::Unavailable("the portal is stopping".to_owned());
    let permit = PERMITS.clone().acquire_owned().await.map_err(ended)?;
    let done = tokio::task::spawn_blocking(move || {
        let result = work();
        drop(permit);
        result
    });
    done.await.map_err(|error| ApiError::Internal(error.to_string()))
}

/// Failures of each name and address: after some, each doubles the time that
/// nothing is tried, from one second to a quarter of an hour. A name from one
/// address has five, a name or an address alone fifty: nobody locks others out
/// with a few wrong passwords, and nobody tries many.
#[derive(Debug, Default)]
pub struct Brake(Mutex<HashMap<String, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: DateTime<Utc>,
}

const FREE: u32 = 5;
const FREE_ALONE: u32 = 50;
const LONGEST: i64 = 900;
/// Names and addresses that are remembered.
const REMEMBERED: usize = 10_000;

/// What failures of a name from an address are counted under.
pub fn keys(name: &str, address: &str) -> [String; 3] {
    [format!("pair:{address} {name}"), format!("name:{name}"), format!("address:{address}")]
}

impl Failures {
    fn closed_until(self, key: &str) -> DateTime<Utc> {
        let free = if key.starts_with("pair:") { FREE } else { FREE_ALONE };
        let doubled = self.count.saturating_sub(free).min(10);
        let seconds = if self.count < free { 0 } else { (1_i64 << doubled).min(LONGEST) };
        self.last + TimeDelta::seconds(seconds)
    }
}

impl Brake {
    /// # Errors
    /// Nothing is tried for one of the keys yet; 429 with the seconds to wait.
    pub fn check(&self, keys: &[String], now: DateTime<Utc>) -> ApiResult<()> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = keys.iter().filter_map(|key| Some(failures.get(key)?.closed_until(key))).max();
        match closed.map(|until| (until - now).num_milliseconds()) {
            Some(wait @ 1..) => Err(ApiError::TooMany(u32::try_from(wait.div_euclid(1000) + 1).unwrap_or(u32::MAX))),
            _ => Ok(()),
        }
    }

    pub fn failed(&self, keys: &[String], now: DateTime<Utc>) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() > REMEMBERED {
            failures.retain(|_, failures| now - failures.last < TimeDelta::seconds(LONGEST));
        }
        for key in keys {
            let entry = failures.entry(key.clone()).or_insert(Failures { count: 0, last: now });
            // Whoever waited long begins anew.
            if now - entry.last > TimeDelta::seconds(LONGEST) {
                entry.count = 0;
            }
            *entry = Failures { count: entry.count.saturating_add(1), last: now };
        }
    }

    /// Whoever knows the password of a name may err again from where they are.
    pub fn succeeded(&self, keys: &[String; 3]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&keys[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_slows_down() {
        let brake = Brake::default();
        let keys = keys("kim", "192.0.2.7");
        let start: DateTime<Utc> = "2026-11-17T09:00:00Z".parse().unwrap();
        let at = |seconds| start + TimeDelta::seconds(seconds);
        for _ in 0..5 {
            assert!(brake.check(&keys, start).is_ok());
            brake.failed(&keys, start);
        }
        assert!(matches!(brake.check(&keys, start), Err(ApiError::TooMany(2))));
        assert!(brake.check(&keys, at(1)).is_ok());
        for _ in 0..20 {
            brake.failed(&keys, start);
        }
        assert!(matches!(brake.check(&keys, at(800)), Err(ApiError::TooMany(101))));
        assert!(brake.check(&keys, at(900)).is_ok());
        let elsewhere = super::keys("kim", "192.0.2.8");
        assert!(brake.check(&elsewhere, start).is_ok());
        for _ in 0..30 {
            brake.failed(&keys, start);
        }
        assert!(brake.check(&elsewhere, start).is_err());
        assert!(brake.check(&super::keys("lee", "192.0.2.8"), start).is_ok());
        brake.succeeded(&elsewhere);
        assert!(brake.check(&elsewhere, at(10)).is_err());
    }

    #[tokio::test]
    async fn a_password_is_known_again() {
        let stored = hash("correct horse battery".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("correct horse battery".to_owned(), Some(stored.clone())).await.unwrap());
        assert!(!verify("correct horse staple".to_owned(), Some(stored)).await.unwrap());
        assert!(!verify("nobody has this password".to_owned(), None).await.unwrap());
        assert!(hash("short".to_owned()).await.is_err());
    }
}
