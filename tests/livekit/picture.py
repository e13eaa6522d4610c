"""The picture and the tone that every participant of a test publishes, and how a receiver judges them.

A picture consists of a strip of black and white blocks on top (who sends it, and the number of the frame) and, below,
a chequered white bar on grey whose place follows from the number. Whoever decodes it knows therefore whose picture it is, that
it moves, and that it is whole: a picture put together from several, or decoded without its reference, has unclear
blocks or its bar in the wrong place. (Nothing in the bar is flat: VP9's encoder takes a block that changes from one
plain colour to another for one that does not change, and leaves the old bar standing.)
"""

from __future__ import annotations

import numpy as np

WHO_BITS = 4
NUMBER_BITS = 8
BLOCKS = WHO_BITS + NUMBER_BITS
COLUMNS = 8
BLACK, GREY, WHITE = 32, 96, 240
# Of the bar.
CONTRAST = 32
RATE = 48_000


def _bar(number: int) -> int:
    return number % COLUMNS


def paint(width: int, height: int, who: int, number: int, busy: bool = False) -> bytes:
    """One I420 frame; a busy one has other colours everywhere in each frame, so that it needs many bits."""
    luma = np.full((height, width), GREY, np.uint8)
    code = (who << NUMBER_BITS) | (number % (1 << NUMBER_BITS))
    strip = height // 4
    for block in range(BLOCKS):
        bit = code >> (BLOCKS - 1 - block) & 1
        left, right = block * width // BLOCKS, (block + 1) * width // BLOCKS
        luma[:strip, left:right] = WHITE if bit else BLACK
    column = _bar(number)
    left, right = column * width // COLUMNS, (column + 1) * width // COLUMNS
    rows, columns = np.indices((height - strip, right - left)) // 4
    luma[strip:, left:right] = WHITE - CONTRAST * ((rows + columns) % 2)
    size = (2, (height + 1) // 2, (width + 1) // 2)
    if not busy:
        return luma.tobytes() + bytes([128]) * int(np.prod(size))
    speckles = np.random.default_rng(number).integers(88, 168, (2, size[1] // 4 + 1, size[2] // 4 + 1), np.uint8)
    chroma = speckles.repeat(4, 1).repeat(4, 2)[:, : size[1], : size[2]]
    return luma.tobytes() + chroma.tobytes()


def read(width: int, height: int, data) -> tuple[int, int] | None:
    """Who sent this I420 frame and its number; None when the picture is not whole."""
    luma = np.frombuffer(data, np.uint8, width * height).reshape(height, width)
    strip = height // 4
    rows = luma[strip // 4 : strip * 3 // 4]
    code = 0
    for block in range(BLOCKS):
        left, right = block * width // BLOCKS, (block + 1) * width // BLOCKS
        inset = (right - left) // 4
        level = int(rows[:, left + inset : right - inset].mean())
        if level < 84:
            code <<= 1
        elif level > 172:
            code = code << 1 | 1
        else:
            return None
    number = code % (1 << NUMBER_BITS)
    # Three heights: a picture torn in the middle shows the bar in two places.
    body = height - strip
    for part in range(3):
        top = strip + body * (2 * part + 1) // 6
        line = luma[top : top + 4].mean(axis=0)
        levels = []
        for column in range(COLUMNS):
            left, right = column * width // COLUMNS, (column + 1) * width // COLUMNS
            inset = (right - left) // 4
            levels.append(line[left + inset : right - inset].mean())
        if int(np.argmax(levels)) != _bar(number) or max(levels) < 172:
            return None
        if sum(level > 150 for level in levels) != 1:
            return None
    return code >> NUMBER_BITS, number


def sharpness(width: int, height: int, data) -> float:
    """How much neighbouring points differ: large in a picture with edges, small in one out of focus."""
    luma = np.frombuffer(data, np.uint8, width * height).reshape(height, width).astype(np.int32)
    return float(np.mean(np.diff(luma, axis=1) ** 2))


class Tone:
    """A sine, in pieces that fit together."""

    def __init__(self, hertz: int) -> None:
        self._step = 2 * np.pi * hertz / RATE
        self._at = 0

    def next(self, samples: int) -> bytes:
        phase = (self._at + np.arange(samples)) * self._step
        self._at += samples
        return (8_000 * np.sin(phase)).astype(np.int16).tobytes()


def hear(data) -> int | None:
    """The strongest frequency in a piece of mono sound, to 10 Hz when the piece lasts 100 ms; None for silence."""
    sound = np.frombuffer(data, np.int16).astype(np.float64)
    if len(sound) == 0 or np.sqrt(np.mean(sound**2)) < 500:
        return None
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return round(int(np.argmax(spectrum)) * RATE / len(sound))
