//! One file's worth of SeaORM models: rows as they are stored, nothing more.

macro_rules! table {
    ($(#[$doc:meta])* $module:ident, $name:literal, { $($(#[$attribute:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        pub mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
            #[sea_orm(table_name = $name)]
            pub struct Model { $($(#[$attribute])* pub $field: $type,)+ }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

table!(
    /// The change feed. `document` is the state after the change, as JSON;
    /// the state before is the subject's entry before it.
    change, "change", {
        #[sea_orm(primary_key)]
        seq: i64,
        at: DateTimeUtc,
        actor: String,
        cause: String,
        subject: String,
        operation: String,
        #[sea_orm(column_type = "Text", nullable)]
        document: Option<String>,
    }
);

table!(
    /// API definitions, stored once by the SHA-256 of their text.
    definition, "definition", {
        #[sea_orm(primary_key, auto_increment = false)]
        hash: String,
        #[sea_orm(column_type = "Text")]
        body: String,
    }
);

table!(
    /// The current state of the catalog. `document` is the author's descriptor
    /// as JSON, with `spec.definition` set to `null` when it is in `definition`.
    entity, "entity", {
        #[sea_orm(primary_key)]
        id: i64,
        entity_ref: String,
        uid: String,
        etag: String,
        #[sea_orm(column_type = "Text")]
        document: String,
        definition_hash: Option<String>,
        source_id: Option<i64>,
        #[sea_orm(column_type = "Text")]
        location: String,
        document_index: i32,
        line: i32,
        stale: bool,
        orphan_since: Option<DateTimeUtc>,
        changed_seq: i64,
        changed_at: DateTimeUtc,
    }
);

table!(
    /// Where descriptors come from.
    source, "source", {
        #[sea_orm(primary_key)]
        id: i64,
        uid: String,
        source_type: String,
        #[sea_orm(column_type = "Text")]
        target: String,
        branch: Option<String>,
        #[sea_orm(column_type = "Text")]
        globs: String,
        origin: String,
        trusted: bool,
        interval_seconds: i32,
        credential: Option<String>,
        webhook_secret: Option<String>,
        state: String,
        #[sea_orm(column_type = "Text", nullable)]
        failure: Option<String>,
        revision: Option<String>,
        read_at: Option<DateTimeUtc>,
        next_pass_at: Option<DateTimeUtc>,
        etag: String,
        created_at: DateTimeUtc,
    }
);

table!(
    /// What was last read of each file, so that unchanged input costs a hash.
    source_file, "source_file", {
        #[sea_orm(primary_key, auto_increment = false)]
        source_id: i64,
        #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
        path: String,
        hash: String,
        etag: Option<String>,
        /// What the file refers to, as JSON.
        #[sea_orm(column_type = "Text")]
        links: String,
    }
);

table!(
    /// The verdict on each document of each source. `status` is one of
    /// `ok`, `invalid`, `conflict`, `refused`; `faults` a JSON list.
    source_document, "source_document", {
        #[sea_orm(primary_key)]
        id: i64,
        source_id: i64,
        #[sea_orm(column_type = "Text")]
        path: String,
        document_index: i32,
        line: i32,
        entity_ref: Option<String>,
        status: String,
        #[sea_orm(column_type = "Text")]
        faults: String,
        #[sea_orm(column_type = "Text", nullable)]
        draft: Option<String>,
    }
);

table!(
    /// The log of passes.
    pass, "pass", {
        #[sea_orm(primary_key)]
        id: i64,
        source_id: i64,
        started_at: DateTimeUtc,
        finished_at: Option<DateTimeUtc>,
        trigger: String,
        outcome: Option<String>,
        revision: Option<String>,
        documents: i64,
        created: i64,
        updated: i64,
        unchanged: i64,
        removed: i64,
        errors: i64,
        #[sea_orm(column_type = "Text", nullable)]
        failure: Option<String>,
    }
);

table!(
    /// Kinds declared as data.
    kind, "kind", {
        #[sea_orm(primary_key, auto_increment = false)]
        kind: String,
        #[sea_orm(column_type = "Text")]
        definition: String,
    }
);

table!(
    /// What was used: the rows that analytics will read.
    event, "event", {
        #[sea_orm(primary_key)]
        id: i64,
        at: DateTimeUtc,
        actor: String,
        actor_type: String,
        surface: String,
        verb: String,
        #[sea_orm(column_type = "Text")]
        object: String,
        outcome: String,
        duration_ms: i32,
        rank: Option<i32>,
        result_count: Option<i32>,
    }
);

table!(
    /// Background work, claimed by lease.
    job, "job", {
        #[sea_orm(primary_key)]
        id: i64,
        queue: String,
        #[sea_orm(column_type = "Text")]
        payload: String,
        run_at: DateTimeUtc,
        attempts: i32,
        lease_owner: Option<String>,
        lease_until: Option<DateTimeUtc>,
        fencing_token: i64,
        idempotency_key: Option<String>,
        #[sea_orm(column_type = "Text", nullable)]
        last_error: Option<String>,
        created_at: DateTimeUtc,
    }
);

table!(
    /// Answers to requests that carried an `Idempotency-Key`.
    idempotency_key, "idempotency_key", {
        #[sea_orm(primary_key, auto_increment = false)]
        actor: String,
        #[sea_orm(primary_key, auto_increment = false)]
        key: String,
        request_hash: String,
        status: i32,
        #[sea_orm(column_type = "Text")]
        body: String,
        created_at: DateTimeUtc,
    }
);

table!(
    /// Webhook deliveries seen, so that a replay has no second effect.
    webhook_delivery, "webhook_delivery", {
        #[sea_orm(primary_key, auto_increment = false)]
        source_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        delivery: String,
        received_at: DateTimeUtc,
    }
);

table!(
    /// The documentation of an entity. `outline` is title, navigation and
    /// faults as JSON.
    documentation, "documentation", {
        #[sea_orm(primary_key, auto_increment = false)]
        entity_ref: String,
        source_id: i64,
        #[sea_orm(column_type = "Text")]
        root: String,
        hash: String,
        #[sea_orm(column_type = "Text")]
        outline: String,
        changed_at: DateTimeUtc,
    }
);

table!(
    /// Pages and images of documentation.
    documentation_file, "documentation_file", {
        #[sea_orm(primary_key, auto_increment = false)]
        entity_ref: String,
        #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
        path: String,
        #[sea_orm(column_type = "Text", nullable)]
        title: Option<String>,
        media_type: String,
        hash: String,
    }
);

table!(
    /// Their contents, stored once by SHA-256.
    documentation_content, "documentation_content", {
        #[sea_orm(primary_key, auto_increment = false)]
        hash: String,
        #[sea_orm(column_type = "Blob")]
        body: Vec<u8>,
    }
);

table!(
    /// How people have marked entities.
    mark, "mark", {
        #[sea_orm(primary_key, auto_increment = false)]
        actor: String,
        #[sea_orm(primary_key, auto_increment = false)]
        entity_ref: String,
        #[sea_orm(primary_key, auto_increment = false)]
        mark: String,
        at: DateTimeUtc,
    }
);

table!(
    /// Lists as people want to find them again.
    saved_view, "saved_view", {
        #[sea_orm(primary_key)]
        id: i64,
        actor: String,
        name: String,
        #[sea_orm(column_type = "Text")]
        query: String,
        shared: bool,
        created_at: DateTimeUtc,
    }
);

table!(
    /// Who may sign in. `role` is one of `portal_core::access::Role`, `groups` a JSON array
    /// of the references that a provider gave at the last sign-in.
    account, "account", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: String,
        #[sea_orm(unique)]
        name: String,
        title: String,
        role: String,
        user_ref: Option<String>,
        disabled: bool,
        #[sea_orm(column_type = "Text", nullable)]
        password_hash: Option<String>,
        created_at: DateTimeUtc,
        signed_in_at: Option<DateTimeUtc>,
        #[sea_orm(column_type = "Text", nullable)]
        groups: Option<String>,
    }
);

table!(
    /// Who an account is to a provider of identities.
    account_identity, "account_identity", {
        #[sea_orm(primary_key, auto_increment = false)]
        issuer: String,
        #[sea_orm(primary_key, auto_increment = false)]
        subject: String,
        account_id: String,
    }
);

table!(
    /// A key that signs short-lived tokens, sealed but for its public half.
    signing_key, "signing_key", {
        #[sea_orm(primary_key, auto_increment = false)]
        kid: String,
        public_key: String,
        #[sea_orm(column_type = "Text")]
        sealed: String,
        created_at: DateTimeUtc,
    }
);

table!(
    /// A rule on top of roles and ownership. `verbs` is a JSON list.
    policy, "policy", {
        #[sea_orm(primary_key, auto_increment = false)]
        name: String,
        effect: String,
        #[sea_orm(column_type = "Text")]
        verbs: String,
        #[sea_orm(column_type = "Text")]
        condition: String,
        #[sea_orm(column_type = "Text", nullable)]
        message: Option<String>,
        enabled: bool,
        etag: String,
        changed_at: DateTimeUtc,
    }
);

table!(
    /// A browser that is signed in, by the SHA-256 of its cookie.
    session, "session", {
        #[sea_orm(primary_key, auto_increment = false)]
        hash: String,
        id: String,
        account_id: String,
        created_at: DateTimeUtc,
        seen_at: DateTimeUtc,
        expires_at: DateTimeUtc,
        address: String,
        #[sea_orm(column_type = "Text")]
        agent: String,
    }
);

table!(
    /// An API token, by the SHA-256 of its text. `scopes` is a JSON array of verbs.
    api_token, "api_token", {
        #[sea_orm(primary_key, auto_increment = false)]
        hash: String,
        id: String,
        account_id: String,
        name: String,
        hint: String,
        role: String,
        #[sea_orm(column_type = "Text", nullable)]
        scopes: Option<String>,
        created_at: DateTimeUtc,
        expires_at: DateTimeUtc,
        used_at: Option<DateTimeUtc>,
    }
);

table!(
    /// A link that signs an account in once, by the SHA-256 of its secret.
    sign_in_link, "sign_in_link", {
        #[sea_orm(primary_key, auto_increment = false)]
        hash: String,
        account_id: String,
        expires_at: DateTimeUtc,
    }
);

table!(
    /// The audit log. `hash` is over this row and the hash of the one before.
    audit, "audit", {
        #[sea_orm(primary_key, auto_increment = false)]
        seq: i64,
        at: DateTimeUtc,
        actor: String,
        name: String,
        action: String,
        #[sea_orm(column_type = "Text")]
        target: String,
        outcome: String,
        request_id: String,
        address: String,
        #[sea_orm(column_type = "Text")]
        detail: String,
        hash: String,
    }
);

table!(
    /// A run of a template or an action; `target` is the entity that an action is run on.
    /// `spec` is the definition as it was when the run was started.
    run, "run", {
        #[sea_orm(primary_key)]
        id: i64,
        definition: String,
        title: String,
        state: String,
        actor: String,
        user_ref: Option<String>,
        target: Option<String>,
        #[sea_orm(column_type = "Text")]
        spec: String,
        #[sea_orm(column_type = "Text")]
        answers: String,
        /// Sealed, and gone when the run ends.
        #[sea_orm(column_type = "Text", nullable)]
        secrets: Option<String>,
        #[sea_orm(column_type = "Text")]
        output: String,
        error_code: Option<String>,
        #[sea_orm(column_type = "Text", nullable)]
        error: Option<String>,
        error_step: Option<String>,
        cancel_requested: bool,
        created_at: DateTimeUtc,
        started_at: Option<DateTimeUtc>,
        finished_at: Option<DateTimeUtc>,
        /// What started it by itself, and the runs above it, as JSON.
        #[sea_orm(column_type = "Text", nullable)]
        chain: Option<String>,
        /// It tries out a text that is being written.
        is_test: bool,
    }
);

table!(
    /// A version of an action that the portal keeps, as YAML. `entity_etag` is what the catalog
    /// held once it was published.
    action_version, "action_version", {
        #[sea_orm(primary_key)]
        id: i64,
        action_ref: String,
        number: i32,
        state: String,
        #[sea_orm(column_type = "Text")]
        text: String,
        author: String,
        trusted: bool,
        entity_etag: Option<String>,
        changed_at: DateTimeUtc,
    }
);

table!(
    /// A step of a run. `turns` are the outputs of its turns so far.
    run_step, "run_step", {
        #[sea_orm(primary_key, auto_increment = false)]
        run_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        position: i32,
        step_id: String,
        #[sea_orm(column_type = "Text")]
        name: String,
        action: String,
        state: String,
        attempts: i32,
        #[sea_orm(column_type = "Text", nullable)]
        turns: Option<String>,
        #[sea_orm(column_type = "Text", nullable)]
        output: Option<String>,
        #[sea_orm(column_type = "Text", nullable)]
        error: Option<String>,
        started_at: Option<DateTimeUtc>,
        finished_at: Option<DateTimeUtc>,
    }
);

table!(
    /// Lines of the logs of all runs; only ever appended.
    run_log, "run_log", {
        #[sea_orm(primary_key)]
        id: i64,
        run_id: i64,
        step_id: Option<String>,
        at: DateTimeUtc,
        #[sea_orm(column_type = "Text")]
        text: String,
    }
);

table!(
    /// The files of a run, as they were after the last step that ended.
    run_workspace, "run_workspace", {
        #[sea_orm(primary_key, auto_increment = false)]
        run_id: i64,
        content: Vec<u8>,
    }
);

table!(
    /// Which entities a run made.
    run_entity, "run_entity", {
        #[sea_orm(primary_key, auto_increment = false)]
        entity_ref: String,
        #[sea_orm(primary_key, auto_increment = false)]
        run_id: i64,
    }
);

table!(
    /// What a user, a group or everybody (`*`) was told. `origin` is told apart once for
    /// each recipient; a newer one of the same `scope` takes the place of the older.
    notification, "notification", {
        #[sea_orm(primary_key)]
        id: i64,
        recipient: String,
        #[sea_orm(column_type = "Text")]
        title: String,
        #[sea_orm(column_type = "Text", nullable)]
        text: Option<String>,
        #[sea_orm(column_type = "Text", nullable)]
        link: Option<String>,
        severity: String,
        topic: Option<String>,
        scope: Option<String>,
        origin: String,
        at: DateTimeUtc,
    }
);

table!(
    /// Which notifications somebody has read.
    notification_read, "notification_read", {
        #[sea_orm(primary_key, auto_increment = false)]
        actor: String,
        #[sea_orm(primary_key, auto_increment = false)]
        notification_id: i64,
    }
);

table!(
    /// Something that a step asked for outside, and that is answered later. A step that is
    /// tried again after it failed asks in a new `generation`.
    run_call, "run_call", {
        #[sea_orm(primary_key)]
        id: i64,
        run_id: i64,
        position: i32,
        turn: i32,
        generation: i32,
        /// Sealed; signs the address of the answer.
        #[sea_orm(column_type = "Text")]
        signing_key: String,
        /// The last report, when it was the last.
        #[sea_orm(column_type = "Text", nullable)]
        result: Option<String>,
        progress: Option<i32>,
        #[sea_orm(column_type = "Text")]
        links: String,
        created_at: DateTimeUtc,
        deadline: DateTimeUtc,
        /// What it is known by over there, where the portal looks itself.
        #[sea_orm(column_type = "Text", nullable)]
        handle: Option<String>,
        /// When the step that asked had ended.
        ended_at: Option<DateTimeUtc>,
    }
);

table!(
    /// What people have to agree to: a run before it begins (`position` -1), or a step.
    approval, "approval", {
        #[sea_orm(primary_key)]
        id: i64,
        run_id: i64,
        position: i32,
        /// Grows when another plan is asked about.
        generation: i32,
        #[sea_orm(column_type = "Text", nullable)]
        plan: Option<String>,
        /// SHA-256, in hexadecimal.
        plan_hash: Option<String>,
        #[sea_orm(column_type = "Text")]
        title: String,
        #[sea_orm(column_type = "Text")]
        ask: String,
        state: String,
        created_at: DateTimeUtc,
        expires_at: DateTimeUtc,
        decided_at: Option<DateTimeUtc>,
    }
);

table!(
    /// Users and groups that decide.
    approval_approver, "approval_approver", {
        #[sea_orm(primary_key, auto_increment = false)]
        approval_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        entity_ref: String,
    }
);

table!(
    /// What somebody said, once.
    approval_vote, "approval_vote", {
        #[sea_orm(primary_key, auto_increment = false)]
        approval_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        actor: String,
        name: String,
        user_ref: Option<String>,
        /// Those of the approvers that they are or belong to.
        #[sea_orm(column_type = "Text")]
        as_approvers: String,
        approves: bool,
        #[sea_orm(column_type = "Text", nullable)]
        comment: Option<String>,
        at: DateTimeUtc,
        /// The account whose vote it is: the actor's own, or of whom they stand in for.
        person: Option<String>,
        for_name: Option<String>,
        for_user_ref: Option<String>,
    }
);

table!(
    /// The right of an account to decide, in the hands of a user until a time.
    delegation, "delegation", {
        #[sea_orm(primary_key)]
        id: i64,
        actor: String,
        name: String,
        user_ref: Option<String>,
        delegate_ref: String,
        /// Only this approval.
        approval_id: Option<i64>,
        #[sea_orm(column_type = "Text", nullable)]
        reason: Option<String>,
        created_at: DateTimeUtc,
        until: DateTimeUtc,
    }
);

table!(
    /// When something that a run made is to go, and the action that cleans it up.
    entity_expiry, "entity_expiry", {
        #[sea_orm(primary_key, auto_increment = false)]
        entity_ref: String,
        run_id: i64,
        expires_at: DateTimeUtc,
        action: Option<String>,
        #[sea_orm(column_type = "Text")]
        answers: String,
        extensions: i64,
        /// The clean-up run, or why there is none.
        clean_up: Option<String>,
    }
);

table!(
    /// Messages that leave the portal.
    outbox, "outbox", {
        #[sea_orm(primary_key)]
        id: i64,
        channel: String,
        recipient: Option<String>,
        #[sea_orm(column_type = "Text")]
        title: String,
        #[sea_orm(column_type = "Text", nullable)]
        text: Option<String>,
        #[sea_orm(column_type = "Text", nullable)]
        link: Option<String>,
        dedupe_key: String,
        state: String,
        attempts: i32,
        next_at: DateTimeUtc,
        #[sea_orm(column_type = "Text", nullable)]
        last_error: Option<String>,
        run_id: Option<i64>,
        created_at: DateTimeUtc,
        sent_at: Option<DateTimeUtc>,
    }
);

table!(
    /// A trigger of an action of a trusted source: `says` is what its author wrote, `scope`
    /// the kinds that the action is run on, both as JSON. Changes up to `since_seq` are none
    /// of its business.
    trigger_state, "trigger_state", {
        #[sea_orm(primary_key, auto_increment = false)]
        action_ref: String,
        #[sea_orm(primary_key, auto_increment = false)]
        position: i32,
        kind: String,
        #[sea_orm(column_type = "Text")]
        says: String,
        #[sea_orm(column_type = "Text")]
        scope: String,
        since_seq: i64,
        /// When a schedule comes next.
        next_at: Option<DateTimeUtc>,
        last_run: Option<i64>,
        last_at: Option<DateTimeUtc>,
        #[sea_orm(column_type = "Text", nullable)]
        last_problem: Option<String>,
        problem_at: Option<DateTimeUtc>,
    }
);

table!(
    /// What a trigger has answered to, so that it does once; the run where it led to one.
    trigger_event, "trigger_event", {
        #[sea_orm(primary_key, auto_increment = false)]
        key: String,
        action_ref: String,
        position: i32,
        run_id: Option<i64>,
        at: DateTimeUtc,
    }
);

table!(
    /// The last change that triggers have answered to; one row.
    trigger_cursor, "trigger_cursor", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        seq: i64,
    }
);

table!(
    /// A connector, as somebody set it up in the portal. Its secrets are sealed; `contract` is
    /// JSON.
    connector, "connector", {
        #[sea_orm(primary_key, auto_increment = false)]
        name: String,
        kind: String,
        #[sea_orm(column_type = "Text")]
        url: String,
        preset: Option<String>,
        #[sea_orm(column_type = "Text", nullable)]
        contract: Option<String>,
        call_limit: i32,
        rest_seconds: i32,
        #[sea_orm(column_type = "Text", nullable)]
        credential: Option<String>,
        credential_set_at: Option<DateTimeUtc>,
        #[sea_orm(column_type = "Text", nullable)]
        signing_secret: Option<String>,
        signing_secret_set_at: Option<DateTimeUtc>,
        etag: String,
        created_at: DateTimeUtc,
        created_by: String,
        updated_at: DateTimeUtc,
        updated_by: String,
    }
);
