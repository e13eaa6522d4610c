//! What a subscriber asks for (LiveKit's `UpdateTrackSettings`) and which layer that is.

use crate::forward::downtrack::ALL_TEMPORAL;

/// LiveKit's video qualities, without `OFF`, which is `None` here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// `LOW` = 0.
    Low,
    /// `MEDIUM` = 1.
    Medium,
    /// `HIGH` = 2.
    High,
}

impl Quality {
    /// All of them, lowest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    fn nth(index: usize) -> Self {
        Self::ALL.get(index).copied().unwrap_or(Self::High)
    }
}

/// A layer as the publisher declares it in `AddTrackRequest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// Its quality.
    pub quality: Quality,
    /// Height in pixels.
    pub height: u32,
    /// Bits per second, 0 if not told.
    pub bits: u64,
}

/// A published video track as declared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Publication {
    /// Width in pixels, 0 if unknown.
    pub width: u32,
    /// Height in pixels, 0 if unknown.
    pub height: u32,
    /// Its layers, in any order.
    pub layers: Vec<Declared>,
}

/// What a subscriber asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Nothing, for the moment (not visible).
    pub disabled: bool,
    /// Counts when no size is given.
    pub quality: Quality,
    /// Width in pixels of the place where it is shown, 0 for none.
    pub width: u32,
    /// Height in pixels, 0 for none.
    pub height: u32,
    /// Frames per second, 0 for all.
    pub frames: u32,
}

impl Default for Request {
    /// Everything, until a subscriber says otherwise.
    fn default() -> Self {
        Self {
            disabled: false,
            quality: Quality::High,
            width: 0,
            height: 0,
            frames: 0,
        }
    }
}

/// A layer may be a tenth smaller than the place it is shown in: scaling that little up is not seen.
const TOLERANCE_PERCENT: u64 = 90;

impl Publication {
    /// The quality asked for; `None` while disabled.
    #[must_use]
    pub fn quality(&self, request: &Request) -> Option<Quality> {
        if request.disabled {
            return None;
        }
        if request.width == 0 && request.height == 0 {
            return Some(request.quality);
        }
        Some(self.quality_for_size(request.width, request.height))
    }

    /// The lowest quality that fills a place of this size, as LiveKit chooses it: by height against the declared
    /// layers, or, when none were declared, by the shorter side against 180, 360 and the original.
    #[must_use]
    pub fn quality_for_size(&self, width: u32, height: u32) -> Quality {
        let mut heights: Vec<u32> = self
            .layers
            .iter()
            .map(|layer| layer.height)
            .filter(|&height| height > 0)
            .collect();
        let mut asked = height;
        if heights.is_empty() {
            let portrait = self.width < self.height;
            let original = if portrait { self.width } else { self.height };
            if original == 0 {
                return Quality::High;
            }
            heights = vec![180, 360, original];
            asked = if portrait { width } else { height };
        } else {
            heights.sort_unstable();
        }
        let enough = u64::from(asked) * TOLERANCE_PERCENT / 100;
        // Of several layers with one size the last is meant.
        let fits = |index: usize| {
            u64::from(heights[index]) >= enough && heights.get(index + 1) != Some(&heights[index])
        };
        let index = (0..heights.len())
            .find(|&index| fits(index))
            .unwrap_or(heights.len() - 1);
        Quality::nth(index)
    }

    /// Which simulcast layer carries a quality: the highest declared one that does not exceed it. Who declares
    /// nothing is taken to send all three.
    #[must_use]
    pub fn layer(&self, quality: Quality) -> u8 {
        if self.layers.is_empty() {
            return quality as u8;
        }
        let mut declared = [false; 3];
        for layer in &self.layers {
            declared[layer.quality as usize] = true;
        }
        let below = declared
            .iter()
            .take(quality as usize + 1)
            .filter(|&&there| there)
            .count();
        u8::try_from(below.saturating_sub(1)).unwrap_or(0)
    }
}

/// The lowest temporal layer that gives at least `frames` per second. `full` is the layer's frame rate as measured,
/// `layers` how many temporal layers it has (each one doubling the rate of those below).
#[must_use]
pub fn temporal_for(frames: u32, full: u32, layers: u8) -> u8 {
    if frames == 0 || full == 0 || layers < 2 || frames >= full {
        return ALL_TEMPORAL;
    }
    (0..layers - 1)
        .find(|&layer| full >> (layers - 1 - layer).min(31) >= frames)
        .unwrap_or(ALL_TEMPORAL)
}

/// The layer behind a restriction id (RFC 8852): LiveKit's clients use `q`, `h`, `f`, low to high; digits count.
#[must_use]
pub fn layer_of_rid(rid: &str) -> Option<u8> {
    match rid {
        "q" | "0" => Some(0),
        "h" | "1" => Some(1),
        "f" | "2" => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera() -> Publication {
        let layer = |quality, height| Declared {
            quality,
            height,
            bits: 0,
        };
        Publication {
            width: 1280,
            height: 720,
            layers: vec![
                layer(Quality::High, 720),
                layer(Quality::Low, 180),
                layer(Quality::Medium, 360),
            ],
        }
    }

    #[test]
    fn a_small_tile_gets_the_low_layer_and_a_large_one_the_high() {
        let camera = camera();
        for (height, quality) in [
            (1, Quality::Low),
            (180, Quality::Low),
            (200, Quality::Low),
            (202, Quality::Medium),
            (400, Quality::Medium),
            (402, Quality::High),
            (4000, Quality::High),
        ] {
            assert_eq!(
                camera.quality_for_size(height * 16 / 9, height),
                quality,
                "{height}"
            );
        }
    }

    #[test]
    fn without_declared_layers_the_shorter_side_counts() {
        let phone = Publication {
            width: 720,
            height: 1280,
            layers: vec![],
        };
        assert_eq!(phone.quality_for_size(180, 320), Quality::Low);
        assert_eq!(phone.quality_for_size(360, 640), Quality::Medium);
        assert_eq!(phone.quality_for_size(720, 1280), Quality::High);
        assert_eq!(Publication::default().quality_for_size(1, 1), Quality::High);
    }

    #[test]
    fn qualities_of_one_size_mean_the_highest() {
        let mut camera = camera();
        for layer in &mut camera.layers {
            layer.height = 720;
        }
        assert_eq!(camera.quality_for_size(16, 9), Quality::High);
    }

    #[test]
    fn two_declared_layers_are_layers_zero_and_one() {
        let mut camera = camera();
        camera
            .layers
            .retain(|layer| layer.quality != Quality::Medium);
        assert_eq!(camera.layer(Quality::Low), 0);
        assert_eq!(camera.layer(Quality::Medium), 0);
        assert_eq!(camera.layer(Quality::High), 1);
        camera.layers.clear();
        assert_eq!(camera.layer(Quality::High), 2);
    }

    #[test]
    fn fewer_frames_are_fewer_temporal_layers() {
        for (frames, full, layers, temporal) in [
            (15, 30, 3, 1),
            (7, 30, 3, 0),
            (16, 30, 3, ALL_TEMPORAL),
            (5, 30, 1, ALL_TEMPORAL),
            (0, 30, 3, ALL_TEMPORAL),
            (5, 0, 3, ALL_TEMPORAL),
        ] {
            assert_eq!(temporal_for(frames, full, layers), temporal, "{frames}");
        }
    }

    #[test]
    fn whoever_does_not_see_it_asks_for_nothing() {
        let hidden = Request {
            disabled: true,
            ..Request::default()
        };
        assert_eq!(camera().quality(&hidden), None);
        assert_eq!(camera().quality(&Request::default()), Some(Quality::High));
    }

    #[test]
    fn restriction_ids() {
        assert_eq!(
            ["q", "h", "f", "x"].map(layer_of_rid),
            [Some(0), Some(1), Some(2), None]
        );
    }
}
