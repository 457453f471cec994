//! Pushes announced by a git host: is the sender who it claims to be, which
//! delivery is it, and which branch moved.
//!
//! Nothing of the body is read before the signature over its raw bytes holds.

use axum::http::{HeaderMap, HeaderName};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::credential::Secret;

/// Bytes of a delivery, at most.
pub const BODY_LIMIT: usize = 5 << 20;

/// A delivery whose sender is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Unique per delivery, so that a replay can be told.
    pub id: String,
    pub event: Event,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A branch moved or went away.
    Push { reference: String, default_branch: Option<String> },
    /// Anything else: accepted, without effect.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    #[error("the delivery carries no signature of GitHub, GitLab or Gitea")]
    Unsigned,
    #[error("the signature does not match the webhook's secret")]
    Forged,
    #[error("the delivery is signed, but its body is not the JSON of a push")]
    Malformed,
}

/// Checks a delivery and reads what it announces.
///
/// # Errors
/// No signature, a wrong one, or a body that is not what its headers say.
pub fn verify(headers: &HeaderMap, body: &[u8], secret: &Secret) -> Result<Delivery, WebhookError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (event, delivery) = if let Some(signature) = text("x-hub-signature-256") {
        let hexadecimal = signature.strip_prefix("sha256=").ok_or(WebhookError::Forged)?;
        check_hmac(secret, body, hexadecimal)?;
        // Forgejo and Gitea send GitHub's headers beside their own.
        (text("x-github-event").or_else(|| text("x-gitea-event")), text("x-github-delivery"))
    } else if let Some(signature) = text("x-gitea-signature").or_else(|| text("x-forgejo-signature")) {
        check_hmac(secret, body, signature)?;
        let delivery = text("x-gitea-delivery").or_else(|| text("x-forgejo-delivery"));
        (text("x-gitea-event").or_else(|| text("x-forgejo-event")), delivery)
    } else if let Some(token) = text("x-gitlab-token") {
        // Equal digests, compared in constant time, mean equal tokens.
        check_hmac(secret, secret.expose().as_bytes(), &hex::encode(mac(secret, token.as_bytes())))?;
        (text("x-gitlab-event"), text("x-gitlab-event-uuid").or_else(|| text("idempotency-key")))
    } else {
        return Err(WebhookError::Unsigned);
    };
    // A sender without delivery ids is told apart by what it sends.
    let id = match delivery {
        Some(id) if !id.is_empty() && id.len() <= 128 => id.to_owned(),
        _ => hex::encode(Sha256::digest(body)),
    };
    let is_push = event.is_some_and(|event| matches!(event.to_ascii_lowercase().as_str(), "push" | "push hook"));
    if !is_push {
        return Ok(Delivery { id, event: Event::Other });
    }
    let push = read_push(headers, body).ok_or(WebhookError::Malformed)?;
    Ok(Delivery { id, event: push })
}

/// The headers under which GitHub would announce this push.
pub fn signed(body: &str, delivery: &str, secret: &Secret) -> HeaderMap {
    let signature = format!("sha256={}", hex::encode(mac(secret, body.as_bytes())));
    let headers =
        [("x-hub-signature-256", signature.as_str()), ("x-github-event", "push"), ("x-github-delivery", delivery)];
    // Hexadecimal digits and a delivery of one's own always are header values.
    let pair = |(name, value): (&'static str, &str)| Some((HeaderName::from_static(name), value.parse().ok()?));
    headers.into_iter().filter_map(pair).collect()
}

/// Whether a push concerns a source that reads `branch`, or the default one.
pub fn concerns(reference: &str, default_branch: Option<&str>, branch: Option<&str>) -> bool {
    let short =
        reference.strip_prefix("refs/heads/").or_else(|| reference.strip_prefix("refs/tags/")).unwrap_or(reference);
    match branch.or(default_branch) {
        Some(wanted) => {
            let wanted =
                wanted.strip_prefix("refs/heads/").or_else(|| wanted.strip_prefix("refs/tags/")).unwrap_or(wanted);
            short == wanted
        }
        // Not known which branch is the default one: reading once too often is harmless.
        None => true,
    }
}

fn mac(secret: &Secret, bytes: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length; the constructor cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return Vec::new() };
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

fn check_hmac(secret: &Secret, bytes: &[u8], hexadecimal: &str) -> Result<(), WebhookError> {
    let claimed = hex::decode(hexadecimal).map_err(|_| WebhookError::Forged)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map_err(|_| WebhookError::Forged)?;
    mac.update(bytes);
    mac.verify_slice(&claimed).map_err(|_| WebhookError::Forged)
}

#[derive(Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    reference: String,
    /// GitHub and Gitea.
    #[serde(default)]
    repository: Option<Repository>,
    /// GitLab.
    #[serde(default)]
    project: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    #[serde(default)]
    default_branch: Option<String>,
}

fn read_push(headers: &HeaderMap, body: &[u8]) -> Option<Event> {
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let push: Push = if content_type.starts_with("application/x-www-form-urlencoded") {
        let payload = url::form_urlencoded::parse(body).find(|(key, _)| key == "payload")?.1;
        serde_json::from_str(&payload).ok()?
    } else {
        serde_json::from_slice(body).ok()?
    };
    let default_branch = push.project.or(push.repository).and_then(|repository| repository.default_branch);
    Some(Event::Push { reference: push.reference, default_branch })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"ref":"refs/heads/main","repository":{"default_branch":"main"}}"#;

    fn secret() -> Secret {
        Secret::new("It's a Secret to Everybody".to_owned())
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn push() -> Event {
        Event::Push { reference: "refs/heads/main".to_owned(), default_branch: Some("main".to_owned()) }
    }

    #[test]
    fn github_signs_the_raw_body() {
        // The example of GitHub's documentation.
        let documented = headers(&[(
            "x-hub-signature-256",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        )]);
        assert!(verify(&documented, b"Hello, World!", &secret()).is_ok());
        let signature = format!("sha256={}", hex::encode(mac(&secret(), BODY)));
        let signed = |signature: &str| {
            headers(&[("x-hub-signature-256", signature), ("x-github-event", "push"), ("x-github-delivery", "d-1")])
        };
        assert_eq!(verify(&signed(&signature), BODY, &secret()), Ok(Delivery { id: "d-1".to_owned(), event: push() }));
        let mut tampered = BODY.to_vec();
        tampered.push(b' ');
        assert_eq!(verify(&signed(&signature), &tampered, &secret()), Err(WebhookError::Forged));
        for wrong in ["", "sha256=", "sha256=00", "sha1=757107ea", "sha256=zz"] {
            assert_eq!(verify(&signed(wrong), BODY, &secret()), Err(WebhookError::Forged), "{wrong}");
        }
    }

    #[test]
    fn gitea_and_gitlab_have_their_own_headers() {
        let signature = hex::encode(mac(&secret(), BODY));
        let gitea = headers(&[("x-gitea-signature", &signature), ("x-gitea-event", "push"), ("x-gitea-delivery", "g")]);
        assert_eq!(verify(&gitea, BODY, &secret()).unwrap().id, "g");
        let gitlab = |token: &str| {
            headers(&[("x-gitlab-token", token), ("x-gitlab-event", "Push Hook"), ("x-gitlab-event-uuid", "u")])
        };
        assert_eq!(verify(&gitlab(secret().expose()), BODY, &secret()).unwrap().event, push());
        assert_eq!(verify(&gitlab("It's a Secret"), BODY, &secret()), Err(WebhookError::Forged));
        assert_eq!(verify(&HeaderMap::new(), BODY, &secret()), Err(WebhookError::Unsigned));
    }

    #[test]
    fn other_events_have_no_effect_and_broken_bodies_are_told() {
        let sign = |body: &[u8], event: &'static str| {
            let signature = format!("sha256={}", hex::encode(mac(&secret(), body)));
            headers(&[("x-hub-signature-256", &signature), ("x-github-event", event)])
        };
        assert_eq!(verify(&sign(b"{}", "ping"), b"{}", &secret()).unwrap().event, Event::Other);
        assert_eq!(verify(&sign(b"[", "push"), b"[", &secret()), Err(WebhookError::Malformed));
        let form = b"payload=%7B%22ref%22%3A%22refs%2Fheads%2Fx%22%7D";
        let mut form_headers = sign(form, "push");
        form_headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        let event = Event::Push { reference: "refs/heads/x".to_owned(), default_branch: None };
        assert_eq!(verify(&form_headers, form, &secret()).unwrap().event, event);
    }

    #[test]
    fn pushes_to_other_branches_are_told_apart() {
        assert!(concerns("refs/heads/main", Some("main"), None));
        assert!(concerns("refs/heads/main", Some("trunk"), Some("main")));
        assert!(!concerns("refs/heads/feature", Some("main"), None));
        assert!(!concerns("refs/heads/main", Some("main"), Some("release")));
        assert!(concerns("refs/tags/v1", Some("main"), Some("v1")));
    }
}
