//! What every handler and worker shares.

use std::ops::Deref;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::access::identity::Identity;
use crate::access::jwt::{CiIssuers, Keys};
use crate::access::oidc::Providers;
use crate::access::seal::Sealer;
use crate::catalog::view::CatalogView;
use crate::changes::tail::Feed;
use crate::clock::Clock;
use crate::config::{Config, variable};
use crate::connectors::gate::Gates;
use crate::db::{Db, DbError, DbResult};
use crate::egress::Egress;
use crate::events::Events;
use crate::http::limit::Usage;
use crate::jobs::due::Due;
use crate::runs::tail::Tails;
use crate::search::{SearchIndex, projector};
use crate::sources;

/// The running portal; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub struct Inner {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub config: Arc<Config>,
    pub catalog: CatalogView,
    pub identity: Identity,
    pub providers: Providers,
    pub ci: CiIssuers,
    pub keys: Keys,
    pub sealer: Arc<Sealer>,
    pub search: SearchIndex,
    pub events: Events,
    pub usage: Usage,
    /// The gate of requests that people send to APIs of the catalog.
    pub calls: Egress,
    /// The gate of connectors and channels.
    pub platforms: Egress,
    /// How each connector is.
    pub gates: Gates,
    /// What reading sources needs.
    pub sources: sources::fetch::Context,
    /// Changes, as they are committed here and elsewhere.
    pub feed: Feed,
    /// Which queues of jobs have something to do.
    pub due: Due,
    /// The logs of runs that are followed here.
    pub tails: Tails,
    /// Names this process in leases.
    pub instance: String,
    /// Cancelled when the process is to end.
    pub stop: CancellationToken,
}

impl App {
    /// Loads the views and starts what keeps them current.
    ///
    /// # Errors
    /// The database does not answer, or holds what this program cannot read.
    pub async fn start(db: Db, clock: Arc<dyn Clock>, config: Config, stop: CancellationToken) -> DbResult<Self> {
        let sources = sources::configured::context(&config).map_err(DbError::Unsupported)?;
        let calls = sources::configured::calls(&config).map_err(DbError::Unsupported)?;
        let platforms = sources::configured::platforms(&config).map_err(DbError::Unsupported)?;
        let feed = Feed::start(&db, stop.clone()).await?;
        let catalog = CatalogView::start(&db, &feed, stop.clone()).await?;
        let search = open_search(&config).await?;
        tokio::spawn(projector::follow(db.clone(), search.clone(), feed.clone(), stop.clone()));
        let events = Events::start(db.clone());
        let due = Due::start(&db, clock.clone(), stop.clone());
        let usage = Usage::new(&config.limits);
        let identity = Identity::new(&config.access, config.guests());
        let providers = Providers::new(&config, &sources.egress);
        let ci = CiIssuers::new(&config, &sources.egress);
        let seal_key = config.access.seal_key.as_deref();
        let sealer = Sealer::open(seal_key, &config.seal_file(), variable).await;
        let sealer = Arc::new(sealer.map_err(|error| DbError::Unsupported(format!("{error:#}")))?);
        let keys = Keys::new(sealer.clone());
        let instance = uuid::Uuid::new_v4().to_string();
        Ok(Self(Arc::new(Inner {
            db,
            clock,
            config: Arc::new(config),
            catalog,
            identity,
            providers,
            ci,
            keys,
            sealer,
            search,
            events,
            usage,
            calls,
            platforms,
            gates: Gates::default(),
            sources,
            feed,
            due,
            instance,
            tails: Tails::default(),
            stop,
        })))
    }
}

/// Opening reads the disk, and may wait for a predecessor to let go of it.
async fn open_search(config: &Config) -> DbResult<SearchIndex> {
    let directory = config.data_dir.join("search");
    let opened = tokio::task::spawn_blocking(move || SearchIndex::open(&directory)).await;
    let failed = |reason: String| DbError::Unsupported(format!("the search index cannot be opened: {reason}"));
    opened.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(format!("{error:?}")))
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
