//! Public holidays of the German states, computed from their rules; no table to run out.
//!
//! Sources: the states' holiday acts (Feiertagsgesetze), for North Rhine-Westphalia § 2 Feiertagsgesetz NW,
//! and Art. 2 (2) of the Unification Treaty for 3 October. Days that are holidays only in some
//! municipalities of a state (Corpus Christi in parts of Saxony and Thuringia, Assumption in parts of
//! Bavaria, the peace festival in Augsburg) are for the city to add.

use std::{collections::BTreeSet, str::FromStr};

use jiff::{ToSpan, civil::Date};

/// A name that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not known")]
pub struct UnknownName(pub String);

/// An enum whose variants have a name in the city's file, with a list of all.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in the city's file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|one| one.name() == text)
                    .ok_or_else(|| UnknownName(text.chars().take(64).collect()))
            }
        }
    };
}

named! {
    /// A German state, by its ISO 3166-2 code without `DE-`.
    State {
        /// Baden-Württemberg.
        BadenWuerttemberg = "BW",
        /// Bavaria.
        Bavaria = "BY",
        /// Berlin.
        Berlin = "BE",
        /// Brandenburg.
        Brandenburg = "BB",
        /// Bremen.
        Bremen = "HB",
        /// Hamburg.
        Hamburg = "HH",
        /// Hesse.
        Hesse = "HE",
        /// Mecklenburg-Western Pomerania.
        MecklenburgVorpommern = "MV",
        /// Lower Saxony.
        LowerSaxony = "NI",
        /// North Rhine-Westphalia.
        NorthRhineWestphalia = "NW",
        /// Rhineland-Palatinate.
        RhinelandPalatinate = "RP",
        /// Saarland.
        Saarland = "SL",
        /// Saxony.
        Saxony = "SN",
        /// Saxony-Anhalt.
        SaxonyAnhalt = "ST",
        /// Schleswig-Holstein.
        SchleswigHolstein = "SH",
        /// Thuringia.
        Thuringia = "TH",
    }
}

named! {
    /// A day that comes every year: public holidays, and days on which many town halls close by custom.
    Feast {
        /// 1 January.
        NewYear = "neujahr",
        /// 6 January.
        Epiphany = "heilige-drei-koenige",
        /// The Thursday before Carnival Monday; by custom only.
        CarnivalThursday = "weiberfastnacht",
        /// 48 days before Easter; by custom only.
        CarnivalMonday = "rosenmontag",
        /// 8 March.
        WomensDay = "frauentag",
        /// The Friday before Easter.
        GoodFriday = "karfreitag",
        /// Easter.
        EasterSunday = "ostersonntag",
        /// The day after Easter.
        EasterMonday = "ostermontag",
        /// 1 May.
        LabourDay = "tag-der-arbeit",
        /// 8 May.
        LiberationDay = "tag-der-befreiung",
        /// 39 days after Easter.
        Ascension = "christi-himmelfahrt",
        /// 49 days after Easter.
        WhitSunday = "pfingstsonntag",
        /// 50 days after Easter.
        WhitMonday = "pfingstmontag",
        /// 60 days after Easter.
        CorpusChristi = "fronleichnam",
        /// 17 June.
        Uprising = "volksaufstand-1953",
        /// 15 August.
        Assumption = "mariae-himmelfahrt",
        /// 20 September.
        ChildrensDay = "weltkindertag",
        /// 3 October.
        GermanUnity = "tag-der-deutschen-einheit",
        /// 31 October.
        Reformation = "reformationstag",
        /// 1 November.
        AllSaints = "allerheiligen",
        /// The Wednesday before 23 November.
        Repentance = "buss-und-bettag",
        /// 24 December; by custom only.
        ChristmasEve = "heiligabend",
        /// 25 December.
        ChristmasDay = "weihnachten-1",
        /// 26 December.
        BoxingDay = "weihnachten-2",
        /// 31 December; by custom only.
        NewYearsEve = "silvester",
    }
}

impl Feast {
    /// Its date in `year`, in the Gregorian calendar; `None` outside jiff's range of years.
    #[must_use]
    pub fn date(self, year: i16) -> Option<Date> {
        let fixed = |month, day| Date::new(year, month, day).ok();
        let from_easter = |days: i32| easter(year)?.checked_add(days.days()).ok();
        match self {
            Self::NewYear => fixed(1, 1),
            Self::Epiphany => fixed(1, 6),
            Self::CarnivalThursday => from_easter(-52),
            Self::CarnivalMonday => from_easter(-48),
            Self::WomensDay => fixed(3, 8),
            Self::GoodFriday => from_easter(-2),
            Self::EasterSunday => from_easter(0),
            Self::EasterMonday => from_easter(1),
            Self::LabourDay => fixed(5, 1),
            Self::LiberationDay => fixed(5, 8),
            Self::Ascension => from_easter(39),
            Self::WhitSunday => from_easter(49),
            Self::WhitMonday => from_easter(50),
            Self::CorpusChristi => from_easter(60),
            Self::Uprising => fixed(6, 17),
            Self::Assumption => fixed(8, 15),
            Self::ChildrensDay => fixed(9, 20),
            Self::GermanUnity => fixed(10, 3),
            Self::Reformation => fixed(10, 31),
            Self::AllSaints => fixed(11, 1),
            Self::Repentance => {
                let day_after = fixed(11, 23)?;
                let back = i32::from(day_after.weekday().since(jiff::civil::Weekday::Wednesday));
                let back = if back == 0 { 7 } else { back };
                day_after.checked_sub(back.days()).ok()
            }
            Self::ChristmasEve => fixed(12, 24),
            Self::ChristmasDay => fixed(12, 25),
            Self::BoxingDay => fixed(12, 26),
            Self::NewYearsEve => fixed(12, 31),
        }
    }
}

impl State {
    /// Whether `feast` is a public holiday in the whole state in `year`, by the law in force in that year
    /// (years from 1990 on; the future by the law of 2026).
    #[must_use]
    pub fn has(self, feast: Feast, year: i16) -> bool {
        use State::{
            BadenWuerttemberg as BW, Bavaria as BY, Berlin as BE, Brandenburg as BB, Bremen as HB,
            Hamburg as HH, Hesse as HE, LowerSaxony as NI, MecklenburgVorpommern as MV,
            NorthRhineWestphalia as NW, RhinelandPalatinate as RP, Saarland as SL, Saxony as SN,
            SaxonyAnhalt as ST, SchleswigHolstein as SH, Thuringia as TH,
        };
        match feast {
            Feast::NewYear
            | Feast::GoodFriday
            | Feast::EasterMonday
            | Feast::LabourDay
            | Feast::Ascension
            | Feast::WhitMonday
            | Feast::GermanUnity
            | Feast::ChristmasDay
            | Feast::BoxingDay => true,
            Feast::Epiphany => matches!(self, BW | BY | ST),
            Feast::WomensDay => (self == BE && year >= 2019) || (self == MV && year >= 2023),
            Feast::EasterSunday | Feast::WhitSunday => self == BB,
            Feast::LiberationDay => self == BE && matches!(year, 2020 | 2025),
            Feast::CorpusChristi => matches!(self, BW | BY | HE | NW | RP | SL),
            Feast::Uprising => self == BE && year == 2028,
            Feast::Assumption => self == SL,
            Feast::ChildrensDay => self == TH && year >= 2019,
            Feast::Reformation => {
                year == 2017
                    || matches!(self, BB | MV | SN | ST | TH)
                    || (matches!(self, HB | HH | NI | SH) && year >= 2018)
            }
            Feast::AllSaints => matches!(self, BW | BY | NW | RP | SL),
            // Given up after 1994 to pay for nursing care insurance, except in Saxony.
            Feast::Repentance => self == SN || year <= 1994,
            Feast::CarnivalThursday
            | Feast::CarnivalMonday
            | Feast::ChristmasEve
            | Feast::NewYearsEve => false,
        }
    }
}

/// A holiday the city adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MoreHolidays {
    /// A day known by name, movable ones included.
    Feast(Feast),
    /// A day of every year. 29 February only comes in leap years.
    Yearly {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
    /// One day.
    Once(Date),
}

/// The holidays an office keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HolidayCalendar {
    /// The state whose public holidays hold; `None` for none.
    pub state: Option<State>,
    /// Holidays of the state that the city does not keep.
    pub except: BTreeSet<Feast>,
    /// Days the city adds. They win over [`HolidayCalendar::except`].
    pub add: BTreeSet<MoreHolidays>,
}

impl HolidayCalendar {
    /// The public holidays of one state, nothing removed or added.
    #[must_use]
    pub fn of(state: State) -> Self {
        Self {
            state: Some(state),
            ..Self::default()
        }
    }

    /// Whether `date` is a holiday.
    #[must_use]
    pub fn contains(&self, date: Date) -> bool {
        self.feast_on(date).is_some()
            || self.add.iter().any(|more| match *more {
                MoreHolidays::Feast(_) => false,
                MoreHolidays::Yearly { month, day } => (date.month(), date.day()) == (month, day),
                MoreHolidays::Once(once) => date == once,
            })
    }

    /// The holiday on `date`, if it is one that has a name. Of two on one day, the state's.
    #[must_use]
    pub fn feast_on(&self, date: Date) -> Option<Feast> {
        let year = date.year();
        let by_law = |feast: &Feast| {
            self.state.is_some_and(|state| state.has(*feast, year)) && !self.except.contains(feast)
        };
        let added = |feast: &Feast| self.add.contains(&MoreHolidays::Feast(*feast));
        // The dates are asked for last: most feasts are none of the office's.
        let is_today = |feast: &Feast| feast.date(year) == Some(date);
        let mut feasts = Feast::ALL.iter().copied();
        feasts
            .clone()
            .find(|feast| by_law(feast) && is_today(feast))
            .or_else(|| feasts.find(|feast| added(feast) && is_today(feast)))
    }
}

/// Easter Sunday of the Gregorian calendar, by Gauss's rule with Lichtenberg's correction: the first Sunday
/// after the Paschal full moon.
fn easter(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let century = year_number / 100;
    let shift = 15 + (3 * century + 3) / 4 - (8 * century + 13) / 25;
    let sun_correction = 2 - (3 * century + 3) / 4;
    let moon_age = year_number % 19;
    let seed = (19 * moon_age + shift) % 30;
    let moon_correction = (seed + moon_age / 11) / 29;
    let limit = 21 + seed - moon_correction;
    let first_sunday = 7 - (year_number + year_number / 4 + sun_correction) % 7;
    let distance = 7 - (limit - first_sunday) % 7;
    let days_after_march_first = limit + distance - 1;
    Date::new(year, 3, 1)
        .ok()?
        .checked_add(days_after_march_first.days())
        .ok()
}
