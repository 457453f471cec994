//! Telling people that they are asked: in the portal, and by the channels that the
//! configuration names for it.

use std::collections::{BTreeSet, HashMap};

use portal_core::actions::approval::{Ask, Need, Vote};
use portal_core::catalog::index::{CatalogIndex, Visibility};
use portal_core::personal::wire::Severity;

use super::ApprovalsConfig;
use super::service::SUBJECT;
use super::store::{self as approvals, ApprovalRow};
use crate::changes::Writing;
use crate::db::{DatabaseTransaction, DbResult};
use crate::notifications::store::{self as notifications, NewNotification};
use crate::outbox::{self, NewMessage, addresses};
use crate::runs::store as runs;
use crate::state::App;

/// Tells those who decide that they are asked.
///
/// # Errors
/// The database.
pub async fn ask(
    app: &App,
    txn: &DatabaseTransaction,
    writing: &Writing,
    row: &ApprovalRow,
    ask: &Ask,
    requester: &str,
) -> DbResult<()> {
    let user = runs::find(txn, row.run_id).await?.and_then(|stored| stored.run.user_ref);
    let without: BTreeSet<String> = user.filter(|_| ask.four_eyes).into_iter().collect();
    let word = Word {
        row,
        title: format!("{requester} asks for approval: {}", row.title),
        origin: format!("{SUBJECT}{}", row.id),
    };
    word.outside(app, txn, writing, &ask.approvers, &without).await?;
    word.in_portal(txn, writing, ask.approvers.clone()).await
}

/// Tells those who can still decide that something waits for them; `number` counts the
/// times.
///
/// # Errors
/// The database.
pub async fn remind(
    app: &App,
    txn: &DatabaseTransaction,
    writing: &Writing,
    row: &ApprovalRow,
    ask: &Ask,
    number: u32,
) -> DbResult<()> {
    let stored = runs::find(txn, row.run_id).await?;
    let votes = approvals::votes(txn, &[row.id]).await?;
    let mut without: BTreeSet<String> = votes.iter().filter_map(|vote| vote.user_ref.clone()).collect();
    without.extend(stored.and_then(|stored| stored.run.user_ref).filter(|_| ask.four_eyes));
    let counted: Vec<Vote> = votes.iter().map(approvals::counted).collect();
    let open = open(ask, &counted);
    let heard: BTreeSet<&String> = counted.iter().flat_map(|vote| &vote.as_approvers).collect();
    let snapshot = app.catalog.snapshot();
    let recipients = recipients(&snapshot.index, &open, &heard, &without);
    let word = Word {
        row,
        title: format!("Still waits for approval: {}", row.title),
        origin: format!("{SUBJECT}{}:reminder:{number}", row.id),
    };
    word.outside(app, txn, writing, &open, &without).await?;
    word.in_portal(txn, writing, recipients).await
}

/// The approvers whose word is still needed.
fn open(ask: &Ask, votes: &[Vote]) -> Vec<String> {
    let heard: BTreeSet<&String> = votes.iter().flat_map(|vote| &vote.as_approvers).collect();
    let is_open = |approver: &&String| ask.need != Need::All || !heard.contains(approver);
    ask.approvers.iter().filter(is_open).cloned().collect()
}

/// Whom to tell in the portal: each group as a whole, unless somebody of it has decided, or
/// asked; then those of its members who have not.
fn recipients(
    index: &CatalogIndex,
    open: &[String],
    heard: &BTreeSet<&String>,
    without: &BTreeSet<String>,
) -> Vec<String> {
    let mut all = BTreeSet::new();
    for approver in open {
        let people = addresses::users(index, &Visibility::All, approver);
        if heard.contains(approver) || people.iter().any(|one| without.contains(one)) {
            all.extend(people.into_iter().filter(|one| !without.contains(one)));
        } else {
            all.insert(approver.clone());
        }
    }
    all.into_iter().collect()
}

/// What people are told, once for each origin.
struct Word<'w> {
    row: &'w ApprovalRow,
    title: String,
    origin: String,
}

impl Word<'_> {
    async fn in_portal(&self, txn: &DatabaseTransaction, writing: &Writing, recipients: Vec<String>) -> DbResult<()> {
        let told = NewNotification {
            recipients,
            title: self.title.clone(),
            text: None,
            link: Some(format!("/runs/{}", self.row.run_id)),
            severity: Severity::High,
            topic: Some("approvals".to_owned()),
            scope: None,
            origin: self.origin.clone(),
        };
        notifications::insert(txn, writing, told).await
    }

    /// Writes to all that is behind `approvers`, other than `without`, and to the chat.
    async fn outside(
        &self,
        app: &App,
        txn: &DatabaseTransaction,
        writing: &Writing,
        approvers: &[String],
        without: &BTreeSet<String>,
    ) -> DbResult<()> {
        let ApprovalsConfig { email, channel } = &app.config.approvals;
        let until = self.row.expires_at.format("%Y-%m-%d %H:%M UTC");
        let text = format!("Decided by {}; until {until}.", approvers.join(", "));
        let message = |channel: &str, recipient: Option<String>| NewMessage {
            channel: channel.to_owned(),
            key: outbox::key(&format!("{}/{channel}", self.origin), recipient.as_deref().unwrap_or_default()),
            recipient,
            title: self.title.clone(),
            text: Some(text.clone()),
            link: Some(outbox::absolute(app, "/approvals")),
            run_id: Some(self.row.run_id),
        };
        let mut messages = Vec::new();
        if let Some(email) = email {
            let (snapshot, everything) = (app.catalog.snapshot(), Visibility::All);
            let below = addresses::below(&snapshot.index, &everything, approvers);
            let profiles: HashMap<String, String> = outbox::store::profiles(txn, &below).await?;
            let found = addresses::addresses(&snapshot.index, &everything, &profiles, approvers, without);
            messages.extend(found.into_iter().map(|address| message(email, Some(address))));
        }
        messages.extend(channel.as_deref().map(|channel| message(channel, None)));
        outbox::put(txn, messages, writing.at).await?;
        Ok(())
    }
}
