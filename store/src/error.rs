//! What can go wrong. No error carries a value a person wrote.

use sqlx::{error::ErrorKind, migrate::MigrateError};

/// Why the store did not do something. The transaction at hand is of no use afterwards: drop it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database is of no use. The text says the cure.
    #[error("database address: {0}")]
    Configuration(String),
    /// Somebody else has held the database for too long. Trying again later may work.
    #[error("the database is busy: {0}")]
    Busy(#[source] Fault),
    /// The database server is down, starts, or takes no more connections. Trying again later may work; what was being
    /// committed may be stored or not.
    #[error("the database does not answer: {0}")]
    Away(#[source] Fault),
    /// A rule of the schema forbids it: a fault in the program, or a double that came to be at the same time.
    #[error("a rule of the database forbids this: {0}")]
    Constraint(#[source] Fault),
    /// A row makes no sense.
    #[error("table {table}, row {row:?}: column {column} is not readable; run `vorzimmer doctor`")]
    Corrupt {
        /// Its table.
        table: &'static str,
        /// Its key: an id, never personal.
        row: String,
        /// The column.
        column: &'static str,
    },
    /// A newer program has written this database.
    #[error(
        "the database has migration {version}, which this program does not know: it was written by a newer \
         vorzimmer; start that one, or restore the backup made before the update"
    )]
    Newer {
        /// The unknown migration.
        version: i64,
    },
    /// A migration was not run or has failed.
    #[error("the database could not be migrated: {0}")]
    Migration(#[source] MigrateError),
    /// Anything else the database or the connection says.
    #[error("the database reports a fault: {0}")]
    Database(#[source] Fault),
}

/// What the database said, without the values: PostgreSQL's details quote whole rows, and so would a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

impl From<&sqlx::Error> for Fault {
    fn from(error: &sqlx::Error) -> Self {
        Self(match error {
            sqlx::Error::Database(said) => match said.code() {
                Some(code) => format!("{} (code {code})", said.message()),
                None => said.message().to_owned(),
            },
            sqlx::Error::ColumnDecode { index, .. } => format!("column {index} is not readable"),
            sqlx::Error::Decode(_) => "a value is not readable".to_owned(),
            sqlx::Error::Encode(_) => "a value cannot be stored".to_owned(),
            other => other.to_string(),
        })
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let fault = Fault::from(&error);
        match &error {
            sqlx::Error::PoolTimedOut => Self::Busy(fault),
            sqlx::Error::Io(_) => Self::Away(fault),
            sqlx::Error::Database(said) if said.code().is_some_and(|code| is_busy(&code)) => {
                Self::Busy(fault)
            }
            sqlx::Error::Database(said) if said.code().is_some_and(|code| is_away(&code)) => {
                Self::Away(fault)
            }
            sqlx::Error::Database(said) => match said.kind() {
                ErrorKind::UniqueViolation
                | ErrorKind::ForeignKeyViolation
                | ErrorKind::NotNullViolation
                | ErrorKind::CheckViolation => Self::Constraint(fault),
                _ => Self::Database(fault),
            },
            _ => Self::Database(fault),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::Newer { version },
            MigrateError::Execute(error) => Self::from(error),
            other => Self::Migration(other),
        }
    }
}

/// PostgreSQL: lock not available, serialization failure, deadlock (SQLSTATE, five characters).
/// SQLite: `SQLITE_BUSY` (5) and `SQLITE_LOCKED` (6) in the low byte of the extended result code.
fn is_busy(code: &str) -> bool {
    if code.len() == 5 {
        matches!(code, "55P03" | "40001" | "40P01")
    } else {
        code.parse::<u32>()
            .is_ok_and(|code| matches!(code & 0xff, 5 | 6))
    }
}

/// PostgreSQL: connection exceptions, too many connections, shutting down by order or after a crash, starting.
fn is_away(code: &str) -> bool {
    code.len() == 5
        && (code.starts_with("08") || matches!(code, "53300" | "57P01" | "57P02" | "57P03"))
}
