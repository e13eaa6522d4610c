//! Questions, answers and pages from Markdown files, one file a language.

use std::{
    collections::BTreeMap,
    path::{Component, Path},
};

use bridge::ids::{Language, OfficeSlug};

use crate::{
    fault::{Fault, place, quoted},
    field::{Field, localized},
    markdown::{self, Answer, Problem},
    model::{FaqEntry, Page},
    parse::LINE,
    read::Reader,
};

/// Reads one Markdown file and what `parse` makes of it; its problems become faults of that file.
fn read_file<T>(
    reader: &mut Reader<'_>,
    field: &Field<'_, '_>,
    parse: impl Fn(&str) -> Result<T, Vec<Problem>>,
) -> Option<(Source, T)> {
    let name = field.line(reader, LINE)?;
    let is_inside = !name.contains('\\')
        && Path::new(&name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
    let is_markdown = Path::new(&name).extension().is_some_and(|end| end == "md");
    if !is_inside || !is_markdown {
        return field.refuse(
            reader,
            format!(
                "{} is not the path of a Markdown file in the city's directory",
                quoted(&name)
            ),
            "write a relative path like \"faq/city.de.md\"",
        );
    }
    let text = reader.file(field, &name)?;
    let source = Source { name, text };
    match parse(&source.text) {
        Ok(parsed) => Some((source, parsed)),
        Err(problems) => {
            for problem in problems {
                let fault = source.fault(problem);
                reader.faults.push(fault);
            }
            None
        }
    }
}

/// A Markdown file that was read.
struct Source {
    name: String,
    text: String,
}

impl Source {
    fn fault(&self, problem: Problem) -> Fault {
        let (line, column) = place(&self.text, problem.offset);
        Fault {
            file: self.name.clone(),
            line,
            column,
            key: String::new(),
            problem: problem.reason,
            cure: problem.cure,
        }
    }
}

/// Reads a page of the city.
pub(crate) fn read_page(
    reader: &mut Reader<'_>,
    slug: &str,
    field: &Field<'_, '_>,
) -> Option<Page> {
    // The same form as an office's: both stand in addresses.
    if slug.parse::<OfficeSlug>().is_err() {
        return field.refuse(
            reader,
            format!("{} cannot stand in an address", quoted(slug)),
            "use 1 to 40 of a-z, 0-9 and inner hyphens",
        );
    }
    let found = field.by_language(reader, |reader, field, _| {
        read_file(reader, field, markdown::page).map(|(_, page)| page)
    })?;
    let mut titles = BTreeMap::new();
    let mut bodies = BTreeMap::new();
    for (language, page) in found {
        titles.insert(language, page.title);
        bodies.insert(language, page.html);
    }
    Some(Page {
        slug: slug.to_owned(),
        title: localized(reader, titles)?,
        html: localized(reader, bodies)?,
    })
}

/// Reads questions and answers. The first language's file sets their order; entries of other languages
/// belong to the one with the same anchor.
pub(crate) fn read_faq(reader: &mut Reader<'_>, field: &Field<'_, '_>) -> Option<Vec<FaqEntry>> {
    let mut found: BTreeMap<Language, (Source, Vec<Answer>)> = field
        .by_language(reader, |reader, field, _| {
            read_file(reader, field, markdown::faq)
        })?;
    let first = reader.first_language();
    let (first_source, first_answers) = found.remove(&first)?;
    for (source, answers) in found.values() {
        for answer in answers {
            if !first_answers.iter().any(|one| one.anchor == answer.anchor) {
                let fault = source.fault(Problem {
                    offset: answer.offset,
                    reason: format!(
                        "no question in {} has the anchor {}",
                        first_source.name,
                        quoted(&answer.anchor)
                    ),
                    cure: "give both the same {#anchor}, or keep them in the same order".to_owned(),
                });
                reader.faults.push(fault);
            }
        }
    }
    let mut entries = Vec::new();
    for answer in first_answers {
        let mut questions = BTreeMap::new();
        let mut bodies = BTreeMap::new();
        for (language, (source, answers)) in &mut found {
            match answers.iter().position(|one| one.anchor == answer.anchor) {
                Some(index) => {
                    let translated = answers.swap_remove(index);
                    questions.insert(*language, translated.question);
                    bodies.insert(*language, translated.html);
                }
                None => reader.gaps.push(first_source.fault(Problem {
                    offset: answer.offset,
                    reason: format!("the question is not translated ({language})"),
                    cure: format!("add it to {} with {{#{}}}", source.name, answer.anchor),
                })),
            }
        }
        questions.insert(first, answer.question);
        bodies.insert(first, answer.html);
        entries.push(FaqEntry {
            anchor: answer.anchor,
            question: localized(reader, questions)?,
            answer_html: localized(reader, bodies)?,
        });
    }
    Some(entries)
}
