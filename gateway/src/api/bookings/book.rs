//! `POST /bookings`: the held time becomes a booking.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use bridge::ids::Language;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Bearer, appointments, model::Booking, problem};
use crate::{
    api::{
        Api,
        knock::{language, offered, optional_line},
        model::LanguageCode,
    },
    appointments::{Booked, Contact},
    clean,
    extract::{Body, Client},
    problem::{Fault, FieldFault, Problem, ProblemDetails},
};

/// Longest name, in characters.
const NAME: usize = 80;
/// Longest mail address (RFC 5321 §4.5.3.1.3).
const MAIL: usize = 254;
/// Longest telephone number, in characters.
const PHONE: usize = 40;
/// Longest name of a language, in characters.
const INTERPRETER: usize = 60;
/// Longest words about what is needed to take part, in characters.
const ACCESSIBILITY: usize = 500;

/// Who books. Lengths are in characters.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ContactForm {
    /// How to be addressed.
    #[schema(required, nullable = false, min_length = 1, max_length = 80)]
    name: Option<String>,
    /// Where invitation and link go.
    #[schema(required, nullable = false, format = Email, max_length = 254)]
    mail: Option<String>,
    /// For the office to call back.
    #[schema(max_length = 40)]
    phone: Option<String>,
    /// The language of mails and conversation.
    #[schema(required, nullable = false, value_type = LanguageCode)]
    language: Option<String>,
    /// The language an interpreter is needed for.
    #[schema(max_length = 60)]
    interpreter: Option<String>,
    /// What is needed to take part.
    #[schema(max_length = 500)]
    accessibility: Option<String>,
    /// Somebody who comes along gets a link of their own.
    #[schema(format = Email, max_length = 254)]
    companion_mail: Option<String>,
    /// The privacy notice was agreed to: must be true.
    #[schema(required, nullable = false)]
    privacy_accepted: Option<bool>,
}

impl ContactForm {
    /// The form, or everything that is wrong with it. Mails and pages are in one of the city's `languages`.
    fn check(self, languages: &[Language]) -> Result<Contact, Vec<FieldFault>> {
        let mut faults = Vec::new();
        let name = clean::line(self.name.as_deref().unwrap_or_default(), NAME)
            .map_err(|fault| faults.push(("name", fault.into())));
        let mail = match self.mail.as_deref().map(str::trim).unwrap_or_default() {
            "" => {
                faults.push(("mail", Fault::Missing));
                None
            }
            text => address("mail", text, &mut faults),
        };
        let phone = optional_line("phone", self.phone.as_deref(), PHONE, &mut faults);
        let language = language(self.language.as_deref(), languages, &mut faults);
        let interpreter = optional_line(
            "interpreter",
            self.interpreter.as_deref(),
            INTERPRETER,
            &mut faults,
        );
        let accessibility = match self.accessibility.as_deref() {
            None => None,
            Some(text) => match clean::paragraphs(text, ACCESSIBILITY) {
                Ok(text) => Some(text),
                Err(clean::TextFault::Empty) => None,
                Err(fault @ clean::TextFault::TooLong { .. }) => {
                    faults.push(("accessibility", fault.into()));
                    None
                }
            },
        };
        let companion_mail = match self.companion_mail.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => address("companion_mail", text, &mut faults),
        };
        if self.privacy_accepted != Some(true) {
            faults.push(("privacy_accepted", Fault::NotAccepted));
        }
        match (name, mail, language) {
            (Ok(name), Some(mail), Some(language)) if faults.is_empty() => Ok(Contact {
                name,
                mail,
                phone,
                language,
                interpreter,
                accessibility,
                companion_mail,
            }),
            _ => Err(faults),
        }
    }
}

fn address(field: &'static str, text: &str, faults: &mut Vec<FieldFault>) -> Option<String> {
    if text.chars().count() > MAIL {
        faults.push((field, Fault::TooLong(MAIL)));
    } else if clean::is_mail(text) {
        return Some(text.to_owned());
    } else {
        faults.push((field, Fault::NotMail));
    }
    None
}

/// What came of booking.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewBooking {
    /// The booking. While `unconfirmed`, the link in the mail has to be followed.
    booking: Booking,
    /// The booking's own secret, where the city asks for no confirmation by mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token: Option<String>,
}

/// Books the held time; the hold's token comes as a bearer token and opens nothing afterwards. Sent again within some
/// minutes, it gets the same booking, whatever the form says then: nothing is booked twice because an answer was lost.
#[utoipa::path(
    post,
    path = "/bookings",
    operation_id = "book",
    tag = "appointments",
    request_body = ContactForm,
    responses(
        (status = 201, description = "Booked", body = NewBooking),
        (status = "default", description = "Refused", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn book(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    Bearer(token): Bearer,
    Body(form): Body<ContactForm>,
) -> Result<(StatusCode, Json<NewBooking>), Problem> {
    api.limiter.booking(&client)?;
    let lobby = api.lobby();
    let languages = &lobby.city.languages;
    let wished = offered(form.language.as_deref(), languages);
    let in_language = |problem: Problem| match wished {
        Some(language) => problem.in_language(language),
        None => problem,
    };
    let contact = form
        .check(languages)
        .map_err(|faults| in_language(Problem::fields(faults)))?;
    api.places
        .may_book(&token, &contact.mail)
        .map_err(|over| in_language(over.into()))?;
    let Booked { view, token: own } = appointments(&api)?
        .book(&token, contact)
        .await
        .map_err(|error| in_language(problem(error)))?;
    api.places.booked(&token, &view);
    let body = NewBooking {
        booking: Booking::new(&lobby, view),
        token: own.map(|token| token.secret().to_owned()),
    };
    Ok((StatusCode::CREATED, Json(body)))
}
