//! One value of the TOML tree, read as what it should be.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, str::FromStr};

use bridge::ids::Language;
use jiff::civil::Date;
use toml::{Spanned, de::DeValue};

use crate::{
    fault::{did_you_mean, quoted},
    model::Localized,
    read::{Reader, Section},
};

/// A value and where it stands.
#[derive(Clone)]
pub(crate) struct Field<'t, 'i> {
    /// Its dotted path.
    pub(crate) path: String,
    pub(crate) value: &'t Spanned<DeValue<'i>>,
}

impl<'t, 'i> Field<'t, 'i> {
    /// Records a fault of this value.
    pub(crate) fn refuse<T>(
        &self,
        reader: &mut Reader<'_>,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) -> Option<T> {
        reader.fault(self.value.span().start, &self.path, problem, cure);
        None
    }

    /// Records that another kind of value is needed.
    pub(crate) fn refuse_kind<T>(&self, reader: &mut Reader<'_>, example: &str) -> Option<T> {
        let kind = match self.value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.refuse(
            reader,
            format!("{kind} does not fit here"),
            format!("write {example}"),
        )
    }

    /// The text as it stands, if it is one.
    pub(crate) fn as_str(&self) -> Option<&'t str> {
        self.value.get_ref().as_str()
    }

    /// One line of text: not empty, without control characters, of at most `most` characters; trimmed.
    pub(crate) fn line(&self, reader: &mut Reader<'_>, most: usize) -> Option<String> {
        let Some(text) = self.as_str() else {
            return self.refuse_kind(reader, "a text in quotation marks");
        };
        let text = text.trim();
        if text.is_empty() {
            self.refuse(reader, "is empty", "write a text or remove the setting")
        } else if text.contains(char::is_control) {
            self.refuse(
                reader,
                "contains a line break or control character",
                "write it in one line",
            )
        } else if text.chars().count() > most {
            self.refuse(
                reader,
                format!("is longer than {most} characters"),
                "shorten it",
            )
        } else {
            Some(text.to_owned())
        }
    }

    /// A text out of a list of known ones.
    pub(crate) fn one_of<T: Copy>(
        &self,
        reader: &mut Reader<'_>,
        what: &str,
        known: &[(&'static str, T)],
    ) -> Option<T> {
        let names = || known.iter().map(|(name, _)| *name);
        let Some(text) = self.as_str() else {
            return self.refuse_kind(
                reader,
                &format!("one of {}", names().collect::<Vec<_>>().join(", ")),
            );
        };
        if let Some((_, value)) = known.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let cure = match did_you_mean(text, names()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("use one of {}", names().collect::<Vec<_>>().join(", ")),
        };
        self.refuse(reader, format!("{} is not {what}", quoted(text)), cure)
    }

    /// A whole number in a range.
    pub(crate) fn number<T>(&self, reader: &mut Reader<'_>, range: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + Copy + fmt::Display,
    {
        let cure = format!(
            "write a whole number from {} to {}",
            range.start(),
            range.end()
        );
        let DeValue::Integer(number) = self.value.get_ref() else {
            return self.refuse_kind(reader, &format!("a whole number like {}", range.start()));
        };
        if number.radix() != 10 {
            return self.refuse(reader, "is not a decimal number", cure);
        }
        let parsed = number.as_str().parse::<T>().ok();
        match parsed.filter(|value| range.contains(value)) {
            Some(value) => Some(value),
            None => self.refuse(reader, format!("{} is out of range", number.as_str()), cure),
        }
    }

    /// `true`, as the only sensible value of a switch.
    pub(crate) fn is_true(&self, reader: &mut Reader<'_>) -> Option<()> {
        match self.value.get_ref() {
            DeValue::Boolean(true) => Some(()),
            _ => self.refuse(
                reader,
                "can only be true",
                "write true or remove the setting",
            ),
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, reader: &mut Reader<'_>) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => self.refuse_kind(reader, "true or false"),
        }
    }

    /// A civil date, as TOML's own date or in quotation marks.
    pub(crate) fn date(&self, reader: &mut Reader<'_>) -> Option<Date> {
        let text = match self.value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(date) => date.to_string(),
            _ => return self.refuse_kind(reader, "a date like 2026-12-24"),
        };
        let date = (text.len() == 10)
            .then(|| text.parse::<Date>().ok())
            .flatten();
        match date {
            Some(date) => Some(date),
            None => self.refuse(
                reader,
                format!("{} is not a date", quoted(&text)),
                "write it like 2026-12-24",
            ),
        }
    }

    /// A table.
    pub(crate) fn section(&self, reader: &mut Reader<'_>) -> Option<Section<'t, 'i>> {
        match self.value.get_ref() {
            DeValue::Table(entries) => {
                Some(Section::new(self.path.clone(), self.value.span(), entries))
            }
            _ => self.refuse_kind(reader, &format!("a table: [{}]", self.path)),
        }
    }

    /// The entries of a list; `example` shows one.
    pub(crate) fn list(&self, reader: &mut Reader<'_>, example: &str) -> Option<Vec<Self>> {
        match self.value.get_ref() {
            DeValue::Array(values) => Some(
                values
                    .iter()
                    .enumerate()
                    .map(|(index, value)| Self {
                        path: format!("{}[{}]", self.path, index + 1),
                        value,
                    })
                    .collect(),
            ),
            _ => self.refuse_kind(reader, &format!("a list: {example}")),
        }
    }

    /// Something by language: the plain value for the first language, or a table with a key per language.
    /// The first language is there, or it is a fault; missing others are noted as gaps.
    pub(crate) fn by_language<T>(
        &self,
        reader: &mut Reader<'_>,
        mut read: impl FnMut(&mut Reader<'_>, &Self, Language) -> Option<T>,
    ) -> Option<BTreeMap<Language, T>> {
        let first = reader.first_language();
        let mut found = BTreeMap::new();
        let mut named = vec![first];
        if let DeValue::Table(_) = self.value.get_ref() {
            named.clear();
            for (key, field) in self.section(reader)?.entries() {
                let name = key.get_ref().as_ref();
                let known = |language: &Language| language.code() == name;
                if let Some(language) = reader.languages.iter().copied().find(known) {
                    named.push(language);
                    if let Some(value) = read(reader, &field, language) {
                        found.insert(language, value);
                    }
                } else {
                    let codes: Vec<_> = reader.languages.iter().map(|l| l.code()).collect();
                    reader.fault(
                        key.span().start,
                        &field.path,
                        "is not a language of the city",
                        format!("use {}, or add it to languages", codes.join(", ")),
                    );
                }
            }
            if !named.contains(&first) {
                self.refuse::<()>(
                    reader,
                    format!("the text in the city's first language ({first}) is missing"),
                    format!("add {first} = \"…\""),
                );
            }
        } else if let Some(value) = read(reader, self, first) {
            found.insert(first, value);
        }
        for language in reader.languages.clone() {
            if !named.contains(&language) && language != first {
                let offset = self.value.span().start;
                let gap = reader.fault_at(
                    offset,
                    &self.path,
                    format!("is not translated ({language})"),
                    format!("write {{ {first} = \"…\", {language} = \"…\" }}"),
                );
                reader.gaps.push(gap);
            }
        }
        found.contains_key(&first).then_some(found)
    }

    /// A text in the city's languages, one line each.
    pub(crate) fn localized(&self, reader: &mut Reader<'_>, most: usize) -> Option<Localized> {
        let texts = self.by_language(reader, |reader, field, _| field.line(reader, most))?;
        localized(reader, texts)
    }
}

/// Puts texts by language together; `None` without the first language.
pub(crate) fn localized(
    reader: &Reader<'_>,
    mut texts: BTreeMap<Language, String>,
) -> Option<Localized> {
    let first = texts.remove(&reader.first_language())?;
    Some(Localized::new(first, texts))
}
