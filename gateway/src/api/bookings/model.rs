//! What the API says of appointments, as JSON.

use bridge::ids::OfficeSlug;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    api::model::LanguageCode,
    appointments::{BookingPhase, BookingView, Holder, OfferView, SlotView},
    port::Lobby,
};

/// A time that can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Slot {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// The day by the office's calendar.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// What the office's clock shows at the start: `09:30`.
    time: String,
    /// The office's distance from UTC then: `+02:00`. Tells apart what a clock change shows twice.
    offset: String,
    /// How many more appointments can begin then.
    free: u16,
}

impl From<SlotView> for Slot {
    fn from(slot: SlotView) -> Self {
        let seconds = slot.offset.seconds();
        let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
        let sign = if seconds < 0 { '-' } else { '+' };
        Self {
            start: slot.start,
            end: slot.end,
            date: slot.civil.date(),
            time: slot.civil.strftime("%H:%M").to_string(),
            offset: format!("{sign}{hours:02}:{minutes:02}"),
            free: slot.free,
        }
    }
}

/// Where a booking stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BookingState {
    /// A time is held.
    Held,
    /// The link in the mail has to be followed.
    Unconfirmed,
    /// Counts.
    Confirmed,
    /// Has become a visit.
    Arrived,
    /// Cancelled.
    Cancelled,
    /// Was not confirmed in time.
    Expired,
    /// Nobody came.
    NoShow,
}

/// Whose link it is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LinkHolder {
    /// Who booked.
    Booker,
    /// Has the link from the booker's calendar.
    Calendar,
    /// Translates.
    Interpreter,
    /// Comes along.
    Companion,
}

/// A service of a booking.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BookedService {
    /// Its id.
    id: String,
    /// Its name in the booking's language.
    name: String,
    /// What to bring, in the booking's language.
    documents: Vec<String>,
}

/// Another time that is held for the booker, to be taken by moving there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OfferedTime {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// The day by the office's calendar.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// What the office's clock shows at the start.
    time: String,
    /// Until when it is held.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Whether a clerk offers it; else the waiting list does.
    by_office: bool,
}

impl From<OfferView> for OfferedTime {
    fn from(offer: OfferView) -> Self {
        Self {
            start: offer.start,
            end: offer.end,
            date: offer.civil.date(),
            time: offer.civil.strftime("%H:%M").to_string(),
            until: offer.until,
            by_office: offer.by_office,
        }
    }
}

/// A place on the office's waiting list for earlier times.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitingPlace {
    /// 1 is offered the next one that suits.
    place: u32,
    /// How many wait.
    of: u32,
}

/// A booking, as the holder of the link sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Booking {
    /// Whose link was used. Those who come along may look only; the one in the calendar lets one check in as well.
    holder: LinkHolder,
    /// The office's name in addresses.
    office: String,
    /// The office's name in the booking's language.
    office_name: String,
    /// What clerks and citizens call the booking.
    code: String,
    /// Where it stands.
    state: BookingState,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// The day by the office's calendar.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// What the office's clock shows at the start.
    time: String,
    /// The zone of the office's clock (IANA), for the other times.
    time_zone: String,
    /// What for.
    services: Vec<BookedService>,
    /// The language of mails and conversation.
    language: LanguageCode,
    /// The booker's name; with the booker's own link only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// While held or unconfirmed: when it lapses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// From when on one can check in.
    #[schema(value_type = String, format = DateTime)]
    check_in_from: Timestamp,
    /// Whether an earlier time is wanted.
    wants_earlier: bool,
    /// Another time that is held for the booker; with the booker's own link only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    offer: Option<OfferedTime>,
    /// Its place on the waiting list; with the booker's own link only, and only right after reading it or asking for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    waiting: Option<WaitingPlace>,
    /// The visit it has become; none once it is over and checking in again is no longer possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    visit: Option<String>,
}

/// The IANA name of the zone in which an office's clock goes.
pub(super) fn time_zone(lobby: &Lobby, office: &OfficeSlug) -> String {
    let office = lobby.city.office(office);
    let zone = office.map_or(&lobby.city.zone, |office| &office.hours.zone);
    zone.iana_name().unwrap_or("UTC").to_owned()
}

impl Booking {
    pub(super) fn new(lobby: &Lobby, view: BookingView) -> Self {
        let language = view.language;
        let office = lobby.city.office(&view.office);
        Self {
            holder: view.holder.into(),
            office: view.office.to_string(),
            office_name: office.map_or_else(
                || view.office.to_string(),
                |office| office.name.get(language).to_owned(),
            ),
            code: view.code,
            state: match view.phase {
                BookingPhase::Held => BookingState::Held,
                BookingPhase::Unconfirmed => BookingState::Unconfirmed,
                BookingPhase::Confirmed => BookingState::Confirmed,
                BookingPhase::Arrived => BookingState::Arrived,
                BookingPhase::Cancelled => BookingState::Cancelled,
                BookingPhase::Expired => BookingState::Expired,
                BookingPhase::NoShow => BookingState::NoShow,
            },
            start: view.start,
            end: view.end,
            date: view.civil.date(),
            time: view.civil.strftime("%H:%M").to_string(),
            time_zone: time_zone(lobby, &view.office),
            services: view
                .services
                .iter()
                .map(|id| {
                    let service = office.and_then(|office| office.service(id));
                    BookedService {
                        id: id.to_string(),
                        name: service.map_or_else(
                            || id.to_string(),
                            |service| service.name.get(language).to_owned(),
                        ),
                        documents: service
                            .map(|service| service.documents.as_slice())
                            .unwrap_or_default()
                            .iter()
                            .map(|document| document.get(language).to_owned())
                            .collect(),
                    }
                })
                .collect(),
            language: language.into(),
            name: view.name,
            expires_at: view.expires_at,
            check_in_from: view.check_in_from,
            wants_earlier: view.wants_earlier,
            offer: view.offer.map(OfferedTime::from),
            waiting: view.waiting.map(|waiting| WaitingPlace {
                place: waiting.place,
                of: waiting.of,
            }),
            visit: view.visit.map(|visit| visit.to_string()),
        }
    }
}

impl From<Holder> for LinkHolder {
    fn from(holder: Holder) -> Self {
        match holder {
            Holder::Booker => Self::Booker,
            Holder::Calendar => Self::Calendar,
            Holder::Interpreter => Self::Interpreter,
            Holder::Companion => Self::Companion,
        }
    }
}
