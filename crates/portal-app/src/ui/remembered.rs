//! Lists that this browser keeps: what was visited, what was searched for.

/// A list, newest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remembered {
    pub key: &'static str,
    pub kept: usize,
}

impl Remembered {
    pub fn read(self) -> Vec<String> {
        let text = storage().and_then(|storage| storage.get_item(self.key).ok().flatten()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Puts a line in front.
    pub fn add(self, line: &str) {
        let mut all = self.read();
        all.retain(|known| known != line);
        all.insert(0, line.to_owned());
        all.truncate(self.kept);
        if let Some(storage) = storage() {
            let _ = storage.set_item(self.key, &all.join("\n"));
        }
    }
}

fn storage() -> Option<web_sys::Storage> {
    // Storage may be forbidden; nothing is remembered then.
    leptos::prelude::window().local_storage().ok().flatten()
}
