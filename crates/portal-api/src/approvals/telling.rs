//! Telling people that they are asked: in the portal, and by the channels that the
//! configuration names for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use portal_core::actions::approval::{Ask, Need, Vote};
use portal_core::catalog::index::{CatalogIndex, Visibility};
use portal_core::personal::wire::Severity;

use super::ApprovalsConfig;
use super::service::SUBJECT;
use super::store::{self as approvals, ApprovalRow};
use crate::changes::Writing;
use crate::db::{DatabaseTransaction, DbResult};
use crate::delegations::service as delegations;
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
    let stored = runs::find(txn, row.run_id).await?;
    let actor = stored.as_ref().map(|stored| stored.run.actor.clone()).unwrap_or_default();
    let user = stored.and_then(|stored| stored.run.user_ref);
    let without: BTreeSet<String> = user.filter(|_| ask.four_eyes).into_iter().collect();
    let delegates = delegations::delegates(app, txn, (row.id, ask), &actor, &without, writing.at).await?;
    let word = Word {
        row,
        title: format!("{requester} asks for approval: {}", row.title),
        origin: format!("{SUBJECT}{}", row.id),
    };
    word.outside(app, txn, writing, (&ask.approvers, &delegates), &without).await?;
    word.in_portal(txn, writing, ask.approvers.clone()).await?;
    word.to_delegates(app, txn, writing, &ask.approvers, delegates).await
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
    let said = votes.iter().flat_map(|vote| [vote.user_ref.clone(), vote.for_user_ref.clone()]);
    let mut without: BTreeSet<String> = said.flatten().collect();
    let actor = stored.as_ref().map(|stored| stored.run.actor.clone()).unwrap_or_default();
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
    let still = Ask { approvers: open, ..ask.clone() };
    let delegates = delegations::delegates(app, txn, (row.id, &still), &actor, &without, writing.at).await?;
    word.outside(app, txn, writing, (&still.approvers, &delegates), &without).await?;
    word.in_portal(txn, writing, recipients).await?;
    word.to_delegates(app, txn, writing, &still.approvers, delegates).await
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

/// Users who stand in, by the name of whom they stand in for.
type Delegates = BTreeMap<String, Vec<String>>;

/// What people are told, once for each origin.
struct Word<'w> {
    row: &'w ApprovalRow,
    title: String,
    origin: String,
}

impl Word<'_> {
    async fn in_portal(&self, txn: &DatabaseTransaction, writing: &Writing, recipients: Vec<String>) -> DbResult<()> {
        self.told(txn, writing, recipients, self.title.clone()).await
    }

    /// Tells those who stand in for somebody and are not asked themselves.
    async fn to_delegates(
        &self,
        app: &App,
        txn: &DatabaseTransaction,
        writing: &Writing,
        approvers: &[String],
        delegates: Delegates,
    ) -> DbResult<()> {
        let below = addresses::below(&app.catalog.snapshot().index, &Visibility::All, approvers);
        for (name, mut delegates) in delegates {
            delegates.retain(|delegate| !below.contains(delegate));
            self.told(txn, writing, delegates, format!("{} (for {name})", self.title)).await?;
        }
        Ok(())
    }

    async fn told(
        &self,
        txn: &DatabaseTransaction,
        writing: &Writing,
        recipients: Vec<String>,
        title: String,
    ) -> DbResult<()> {
        let told = NewNotification {
            recipients,
            title,
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
        (approvers, delegates): (&[String], &Delegates),
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
            let asked: Vec<String> = approvers.iter().chain(delegates.values().flatten()).cloned().collect();
            let below = addresses::below(&snapshot.index, &everything, &asked);
            let profiles: HashMap<String, String> = outbox::store::profiles(txn, &below).await?;
            let found = addresses::addresses(&snapshot.index, &everything, &profiles, &asked, without);
            messages.extend(found.into_iter().map(|address| message(email, Some(address))));
        }
        messages.extend(channel.as_deref().map(|channel| message(channel, None)));
        outbox::put(txn, messages, writing.at).await?;
        Ok(())
    }
}
