//! Components and what stands in them, read within limits.

use super::{
    line::{Line, unfolded},
    read::ReadError,
};

/// How deep components may lie in each other; RFC 5545 needs three.
const DEEPEST: usize = 4;
/// How much is read of a stranger's text: its lines take several times its size in memory.
const STRANGERS: Most = Most {
    lines: 400_000,
    components: 80_000,
};

/// The most that one text may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// Content lines.
    lines: usize,
    /// Components.
    components: usize,
}

impl Most {
    /// For what this program has written itself.
    pub(super) const ANY: Self = Self {
        lines: usize::MAX,
        components: usize::MAX,
    };
}

/// A component: `VCALENDAR`, `VEVENT`, `VALARM` …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its name in capitals.
    pub name: String,
    /// Its properties, in order.
    pub lines: Vec<Line>,
    /// The components in it, in order.
    pub children: Vec<Component>,
}

impl Component {
    /// Reads a `VCALENDAR`. Takes linear time and no more memory than a small multiple of the text.
    pub fn read(text: &str) -> Result<Self, ReadError> {
        Self::within(text, STRANGERS)
    }

    /// Reads a `VCALENDAR` that holds no more than that.
    pub(super) fn within(text: &str, most: Most) -> Result<Self, ReadError> {
        let mut open: Vec<Self> = Vec::new();
        let mut whole = None;
        let mut components = 0;
        for (count, line) in unfolded(text.trim_start_matches('\u{feff}')).enumerate() {
            if count >= most.lines {
                return Err(ReadError::TooMuch);
            }
            let line = Line::parse(&line?)?;
            if whole.is_some() {
                // A second calendar in one text, or something after the end.
                return Err(ReadError::Structure);
            }
            match line.name.as_str() {
                "BEGIN" => {
                    components += 1;
                    if open.len() >= DEEPEST || components > most.components {
                        return Err(ReadError::TooMuch);
                    }
                    open.push(Self {
                        name: line.value.trim().to_ascii_uppercase(),
                        lines: Vec::new(),
                        children: Vec::new(),
                    });
                }
                "END" => {
                    let done = open.pop().ok_or(ReadError::Structure)?;
                    if !done.name.eq_ignore_ascii_case(line.value.trim()) {
                        return Err(ReadError::Structure);
                    }
                    match open.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => whole = Some(done),
                    }
                }
                _ => open
                    .last_mut()
                    .ok_or(ReadError::Structure)?
                    .lines
                    .push(line),
            }
        }
        whole
            .filter(|calendar| calendar.name == "VCALENDAR" && open.is_empty())
            .ok_or(ReadError::Structure)
    }

    /// The properties of a name (in capitals).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.name == name)
    }

    /// The first property of a name (in capitals).
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    /// The value of a property that stands there exactly once.
    pub(super) fn only(&self, name: &'static str) -> Result<&Line, ReadError> {
        let mut found = self.lines.iter().filter(|line| line.name == name);
        match (found.next(), found.next()) {
            (Some(line), None) => Ok(line),
            (None, _) => Err(ReadError::Missing(name)),
            (Some(_), Some(_)) => Err(ReadError::Twice(name)),
        }
    }
}
