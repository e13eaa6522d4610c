//! Continuity of picture ids and their companions in what one subscriber receives (VP8, VP9).

use crate::forward::{
    munge::Generation,
    payload::{Codec, Patch, Payload, PictureId, Small},
    renumber::{Position, Renumber},
};

#[derive(Debug, Clone)]
struct Run {
    ids: Option<(bool, Renumber)>,
    base_offset: u8,
    key_offset: u8,
}

/// Picture ids, TL0PICIDX and KEYIDX of one outgoing stream (VP8, VP9).
///
/// The decoder's frame buffer orders and connects frames by them, so they continue over switches, and in VP8 pictures
/// that are left out leave no hole. A VP9 picture names those that it refers to by how far back their ids are (RFC 9628
/// §4.2), or by its id's place in the group of pictures: there a picture that is left out keeps its id.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    by_distance: bool,
    current: Option<Run>,
    previous: Option<Run>,
    newest_base: u8,
    newest_key: u8,
}

impl Pictures {
    /// Those of a stream that has not begun.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        Self {
            by_distance: codec == Codec::Vp9,
            ..Self::default()
        }
    }

    /// Begins a new source at this key frame.
    pub fn switch(&mut self, payload: &Payload) {
        let first = self.current.is_none();
        let ids = payload.picture_id.map(|id| {
            let next = match &self.current {
                Some(Run {
                    ids: Some((_, ids)),
                    ..
                }) => ids.newest_output().wrapping_add(1),
                _ => id.value,
            };
            (id.wide, Renumber::start(id.bits(), id.value, next))
        });
        let offset = |newest: u8, field: Option<Small>| match field {
            Some(field) if !first => newest.wrapping_add(1).wrapping_sub(field.value),
            _ => 0,
        };
        if first {
            self.newest_base = payload.base_index.map_or(0, |field| field.value);
            self.newest_key = payload.key_index.map_or(0, |field| field.value);
        }
        let run = Run {
            ids,
            base_offset: offset(self.newest_base, payload.base_index),
            key_offset: offset(self.newest_key, payload.key_index),
        };
        self.previous = self.current.replace(run);
    }

    /// Whether the picture of a late packet has no place in the output: it was left out before (in VP8), or its source
    /// ended before any packet told of it, so that its number is another's now.
    #[must_use]
    pub fn was_skipped(&self, generation: Generation, payload: &Payload) -> bool {
        let run = self.run(generation);
        match (run, payload.picture_id) {
            (
                Some(Run {
                    ids: Some((wide, ids)),
                    ..
                }),
                Some(id),
            ) if *wide == id.wide => match ids.locate(id.value) {
                Position::Seen { dropped, .. } => dropped,
                Position::Ahead { .. } => generation == Generation::Previous,
                Position::Missing { .. } | Position::Old => false,
            },
            _ => false,
        }
    }

    fn run(&self, generation: Generation) -> Option<&Run> {
        match generation {
            Generation::Current => self.current.as_ref(),
            Generation::Previous => self.previous.as_ref(),
        }
    }

    /// Leaves a picture out.
    pub fn skip(&mut self, payload: &Payload) {
        let Some(run) = &mut self.current else { return };
        if let Some((id, ids)) = run.matching(payload.picture_id)
            && let Position::Ahead { number, .. } = ids.locate(id.value)
        {
            if self.by_distance {
                ids.take(number);
            } else {
                ids.skip(number);
            }
        }
        // It names the base picture it belongs to, which may still come late and needs its number.
        let patch = run.patch(payload);
        self.note_newest(&patch);
    }

    /// TL0PICIDX and KEYIDX of late packets do not turn the newest ones back.
    fn note_newest(&mut self, patch: &Patch) {
        if let Some(index) = patch.base_index
            && index.value.wrapping_sub(self.newest_base) < 128
        {
            self.newest_base = index.value;
        }
        if let Some(index) = patch.key_index
            && (index.value.wrapping_sub(self.newest_key) & 0x1f) < 16
        {
            self.newest_key = index.value;
        }
    }

    /// What to write into the payload of a packet that is sent.
    pub fn take(&mut self, generation: Generation, payload: &Payload) -> Patch {
        let current = generation == Generation::Current;
        let run = if current {
            &mut self.current
        } else {
            &mut self.previous
        };
        let Some(run) = run else {
            return Patch::default();
        };
        run.note(payload);
        let patch = run.patch(payload);
        if current {
            self.note_newest(&patch);
        }
        patch
    }

    /// What was written when this packet was sent before.
    #[must_use]
    pub fn again(&self, generation: Generation, payload: &Payload) -> Patch {
        self.run(generation)
            .map_or_else(Patch::default, |run| run.patch(payload))
    }
}

impl Run {
    fn matching(&mut self, id: Option<PictureId>) -> Option<(PictureId, &mut Renumber)> {
        let id = id?;
        let (wide, ids) = self.ids.as_mut()?;
        // A sender that changes the width in mid-stream gets its ids through unchanged.
        (*wide == id.wide).then_some((id, ids))
    }

    fn note(&mut self, payload: &Payload) {
        if let Some((id, ids)) = self.matching(payload.picture_id)
            && let Position::Ahead { number, .. } | Position::Missing { number } =
                ids.locate(id.value)
        {
            ids.take(number);
        }
    }

    fn patch(&self, payload: &Payload) -> Patch {
        let picture_id = payload.picture_id.map(|id| match &self.ids {
            Some((wide, ids)) if *wide == id.wide => match ids.locate(id.value) {
                Position::Ahead { number, .. }
                | Position::Missing { number }
                | Position::Seen { number, .. } => PictureId {
                    value: ids.output(number),
                    ..id
                },
                Position::Old => id,
            },
            _ => id,
        });
        let base_index = payload.base_index.map(|index| Small {
            value: index.value.wrapping_add(self.base_offset),
            ..index
        });
        let key_index = payload.key_index.map(|index| Small {
            value: index.value.wrapping_add(self.key_offset) & 0x1f,
            ..index
        });
        Patch {
            picture_id,
            base_index,
            key_index,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(id: u16, base: u8, key: u8) -> Payload {
        Payload {
            picture_id: Some(PictureId {
                at: 2,
                value: id,
                wide: true,
            }),
            base_index: Some(Small { at: 4, value: base }),
            key_index: Some(Small { at: 5, value: key }),
            ..Payload::default()
        }
    }

    fn written(patch: Patch) -> (u16, u8, u8) {
        (
            patch.picture_id.unwrap().value,
            patch.base_index.unwrap().value,
            patch.key_index.unwrap().value,
        )
    }

    #[test]
    fn pictures_continue_over_switch_skip_and_wrap() {
        let mut pictures = Pictures::default();
        pictures.switch(&picture(32_766, 254, 30));
        assert_eq!(
            written(pictures.take(Generation::Current, &picture(32_766, 254, 30))),
            (32_766, 254, 30)
        );
        pictures.skip(&picture(32_767, 254, 30));
        assert!(pictures.was_skipped(Generation::Current, &picture(32_767, 254, 30)));
        assert_eq!(
            written(pictures.take(Generation::Current, &picture(0, 255, 31))),
            (32_767, 255, 31)
        );
        pictures.switch(&picture(5, 5, 5));
        assert_eq!(
            written(pictures.take(Generation::Current, &picture(5, 5, 5))),
            (0, 0, 0)
        );
        assert_eq!(
            written(pictures.take(Generation::Current, &picture(6, 6, 5))),
            (1, 1, 0)
        );
        assert_eq!(
            written(pictures.again(Generation::Current, &picture(5, 5, 5))),
            (0, 0, 0)
        );
        assert_eq!(
            written(pictures.take(Generation::Previous, &picture(0, 255, 31))),
            (32_767, 255, 31)
        );
    }

    #[test]
    fn vp9_pictures_keep_their_distances() {
        let mut pictures = Pictures::new(Codec::Vp9);
        pictures.switch(&picture(10, 0, 0));
        pictures.take(Generation::Current, &picture(10, 0, 0));
        pictures.skip(&picture(11, 0, 0));
        pictures.skip(&picture(12, 0, 0));
        let after = pictures.take(Generation::Current, &picture(13, 1, 0));
        assert_eq!(written(after).0, 13);
        pictures.skip(&picture(14, 1, 0));
        pictures.switch(&picture(700, 9, 0));
        let after = pictures.take(Generation::Current, &picture(700, 9, 0));
        assert_eq!(written(after), (15, 2, 1));
    }

    #[test]
    fn every_packet_of_a_picture_gets_the_same_id() {
        let mut pictures = Pictures::default();
        pictures.switch(&picture(1, 0, 0));
        for _ in 0..3 {
            assert_eq!(
                written(pictures.take(Generation::Current, &picture(1, 0, 0))).0,
                1
            );
        }
    }
}
