//! Patterns of `LIKE`.

use sea_orm::sea_query::LikeExpr;

/// What contains a text, compared in lower case, without wildcards of its own.
pub fn containing(text: &str) -> LikeExpr {
    let text = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    LikeExpr::new(format!("%{text}%")).escape('\\')
}
