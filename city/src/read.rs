//! Reading a TOML tree with faults collected instead of thrown: one pass finds all of them.
//!
//! A [`Section`] is a table that remembers which keys were asked for, so that [`Section::finish`] can name
//! the unknown ones. Whatever cannot be read becomes a fault in the [`Reader`] and `None` to the caller.

use std::{io, ops::Range};

use bridge::ids::Language;
use toml::{
    Spanned,
    de::{DeString, DeTable},
};

use crate::{
    FILE_NAME,
    fault::{Fault, did_you_mean, place, quoted},
    field::Field,
};

/// Where the Markdown files beside the city's file come from.
pub(crate) type Files<'a> = &'a dyn Fn(&str) -> io::Result<String>;

/// The file being read and what was found wrong so far.
pub(crate) struct Reader<'a> {
    text: &'a str,
    files: Files<'a>,
    /// The city's languages, the first one first.
    pub(crate) languages: Vec<Language>,
    /// What makes the city unusable.
    pub(crate) faults: Vec<Fault>,
    /// Texts that lack a translation.
    pub(crate) gaps: Vec<Fault>,
    /// Whether the file's syntax is broken: then something missing says nothing.
    damaged: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, files: Files<'a>, damaged: bool) -> Self {
        Self {
            text,
            files,
            languages: Language::ALL.to_vec(),
            faults: Vec::new(),
            gaps: Vec::new(),
            damaged,
        }
    }

    /// The city's first language.
    pub(crate) fn first_language(&self) -> Language {
        self.languages.first().copied().unwrap_or_default()
    }

    pub(crate) fn fault_at(
        &self,
        offset: usize,
        key: &str,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) -> Fault {
        let (line, column) = place(self.text, offset);
        Fault {
            file: FILE_NAME.to_owned(),
            line,
            column,
            key: key.to_owned(),
            problem: problem.into(),
            cure: cure.into(),
        }
    }

    /// Records a fault of the TOML file at a byte offset.
    pub(crate) fn fault(
        &mut self,
        offset: usize,
        key: &str,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) {
        let fault = self.fault_at(offset, key, problem, cure);
        self.faults.push(fault);
    }

    /// The text of a Markdown file named in the TOML file.
    pub(crate) fn file(&mut self, field: &Field<'_, '_>, name: &str) -> Option<String> {
        let text = (self.files)(name);
        match text {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => field.refuse(
                self,
                format!("there is no file {}", quoted(name)),
                format!("create it beside {FILE_NAME} or correct the name"),
            ),
            Err(error) => field.refuse(
                self,
                format!("the file {} cannot be read: {error}", quoted(name)),
                "make it a readable UTF-8 text file",
            ),
        }
    }
}

/// A table whose unknown keys are faults.
pub(crate) struct Section<'t, 'i> {
    /// Its dotted path; empty for the whole file.
    pub(crate) path: String,
    span: Range<usize>,
    entries: &'t DeTable<'i>,
    asked: Vec<&'static str>,
}

impl<'t, 'i> Section<'t, 'i> {
    pub(crate) fn root(table: &'t Spanned<DeTable<'i>>) -> Self {
        Self::new(String::new(), 0..0, table.get_ref())
    }

    pub(crate) fn new(path: String, span: Range<usize>, entries: &'t DeTable<'i>) -> Self {
        Self {
            path,
            span,
            entries,
            asked: Vec::new(),
        }
    }

    fn join(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The value of `key`, if there is one.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<Field<'t, 'i>> {
        self.asked.push(key);
        self.entries.get(key).map(|value| Field {
            path: self.join(key),
            value,
        })
    }

    /// The value of `key`; if there is none, that is a fault. `example` shows how to write it.
    pub(crate) fn required(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        example: &str,
    ) -> Option<Field<'t, 'i>> {
        let field = self.optional(key);
        if field.is_none() && !reader.damaged {
            let path = self.join(key);
            reader.fault(
                self.span.start,
                &path,
                "is missing",
                format!("write {example}"),
            );
        }
        field
    }

    /// Every entry, in the order of the file; for tables whose keys are names.
    pub(crate) fn entries(&self) -> Vec<(&'t Spanned<DeString<'i>>, Field<'t, 'i>)> {
        let mut entries: Vec<_> = self
            .entries
            .iter()
            .map(|(key, value)| {
                let path = self.join(key.get_ref());
                (key, Field { path, value })
            })
            .collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
    }

    /// Whether it has no entry.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Records a fault of the table as a whole.
    pub(crate) fn refuse<T>(
        &self,
        reader: &mut Reader<'_>,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) -> Option<T> {
        reader.fault(self.span.start, &self.path, problem, cure);
        None
    }

    /// Names the keys nobody asked for; whether there were none.
    pub(crate) fn finish(&self, reader: &mut Reader<'_>) -> bool {
        let mut sound = true;
        for (key, field) in self.entries() {
            let name = key.get_ref().as_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let cure = match did_you_mean(name, self.asked.iter().copied()) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("remove it; known here: {}", self.asked.join(", ")),
            };
            reader.fault(
                key.span().start,
                &field.path,
                "is not a known setting",
                cure,
            );
            sound = false;
        }
        sound
    }
}
