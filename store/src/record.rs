//! Rows as input from outside: every column is checked, and a bad one is named.

use std::str::FromStr;

use jiff::Timestamp;
use sqlx::{
    Row,
    any::{Any, AnyRow},
    decode::Decode,
    types::Type,
};

use crate::{Result, StoreError};

/// An instant as the database holds it.
pub(crate) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A text that both databases can hold: PostgreSQL has no U+0000.
pub(crate) fn text(free: &str) -> String {
    free.replace('\0', "\u{FFFD}")
}

/// One row with its name.
pub(crate) struct Record<'r> {
    row: &'r AnyRow,
    table: &'static str,
    key: String,
}

impl<'r> Record<'r> {
    /// A row of a table whose key is the text column `key`.
    pub(crate) fn keyed(row: &'r AnyRow, table: &'static str, key: &'static str) -> Self {
        let name = row
            .try_get::<String, _>(key)
            .or_else(|_| row.try_get::<i64, _>(key).map(|id| id.to_string()))
            .unwrap_or_else(|_| "?".to_owned());
        Self::new(row, table, name)
    }

    pub(crate) const fn new(row: &'r AnyRow, table: &'static str, key: String) -> Self {
        Self { row, table, key }
    }

    pub(crate) fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt {
            table: self.table,
            row: self.key.clone(),
            column,
        }
    }

    pub(crate) fn get<T>(&self, column: &'static str) -> Result<T>
    where
        T: Decode<'r, Any> + Type<Any>,
    {
        self.row.try_get(column).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn parse<T: FromStr>(&self, column: &'static str) -> Result<T> {
        self.get::<String>(column)?
            .parse()
            .map_err(|_| self.corrupt(column))
    }

    pub(crate) fn parse_opt<T: FromStr>(&self, column: &'static str) -> Result<Option<T>> {
        self.get::<Option<String>>(column)?
            .map(|text| text.parse().map_err(|_| self.corrupt(column)))
            .transpose()
    }

    /// A whole number that fits `T`.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T> {
        T::try_from(self.get::<i64>(column)?).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn number_opt<T: TryFrom<i64>>(&self, column: &'static str) -> Result<Option<T>> {
        self.get::<Option<i64>>(column)?
            .map(|number| T::try_from(number).map_err(|_| self.corrupt(column)))
            .transpose()
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp> {
        self.time_opt(column)?.ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn time_opt(&self, column: &'static str) -> Result<Option<Timestamp>> {
        self.get::<Option<i64>>(column)?
            .map(|ms| Timestamp::from_millisecond(ms).map_err(|_| self.corrupt(column)))
            .transpose()
    }
}

/// An enum and its words in the database.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// The word in the database.
            pub(crate) const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();
            fn from_str(word: &str) -> Result<Self, ()> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(()),
                }
            }
        }
    };
}
pub(crate) use words;
