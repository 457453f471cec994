//! What belongs to one person: marks on entities, and saved views of lists.

mod marks;
pub mod store;
mod views;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(marks::list_marks))
        .routes(routes!(marks::put_mark, marks::delete_mark))
        .routes(routes!(views::list_views, views::create_view))
        .routes(routes!(views::delete_view))
}
