//! What tests look for in JSON.

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The text of a field.
pub fn text(value: &Value, field: &str) -> Result<String> {
    let text = value[field]
        .as_str()
        .with_context(|| format!("no {field} in {value}"))?;
    Ok(text.to_owned())
}
