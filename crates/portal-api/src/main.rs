//! The binary `portal`.

fn main() -> std::process::ExitCode {
    portal_api::cli::main()
}
