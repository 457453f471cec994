//! Who asks, in the tests.

use super::{ActorId, Known, Principal, Role};

/// A member of `booking`, which is a part of `product`.
pub(super) fn kim(role: Role) -> Principal {
    Principal {
        actor: ActorId("a".to_owned()),
        known: Known::Session,
        name: "kim".to_owned(),
        role,
        verbs: None,
        groups: vec!["group:default/booking".to_owned(), "group:default/product".to_owned()],
        user: Some("user:default/kim".to_owned()),
    }
}
