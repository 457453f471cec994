//! The REST API of Portal, its database and its background work.

pub mod cli {
    //! The command line.

    /// Runs the program and answers its exit status.
    pub fn main() -> std::process::ExitCode {
        std::process::ExitCode::SUCCESS
    }
}
