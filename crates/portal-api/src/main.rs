//! The binary `portal`.

/// Half of rendering a page is making and dropping small strings.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    portal_api::cli::main()
}
