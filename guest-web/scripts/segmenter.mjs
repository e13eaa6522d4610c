// The network that tells a person from the background, as the browser's runtime for it wants to have it.
//
// `@mediapipe/selfie_segmentation` carries the network as a TensorFlow Lite file without a description of its input
// and output, and `@mediapipe/tasks-vision` refuses such a file. The file that its makers offer for it elsewhere
// differs in the description alone. So the description is written here; every byte of the network stays.
//
// FlatBuffers (https://flatbuffers.dev/internals/) refer forward only, so the new parts stand before the old file:
//
//   root → model ─┬→ operator codes, subgraphs, description      (where they are, in the old file)
//                 ├→ buffers: the old ones, and one more with the description of input and output
//                 └→ metadata: "TFLITE_METADATA" is in that one
//
// The numbers of fields are those of tensorflow/lite/schema/schema.fbs and of tflite-support's metadata_schema.fbs.

const MODEL = { version: 0, buffers: 4, metadata: 6 };
const IMAGE_PROPERTIES = 2;
const NORMALIZATION_OPTIONS = 1;
const RGB = 1;
const GRAYSCALE = 2;

/** The widest alignment in the format; a move by a multiple of it keeps all of them. */
const ALIGNMENT = 16;

/** Describes a network that takes an RGB picture, each value from 0 to 1, and answers with one picture. */
export function describe(model) {
  const old = new DataView(model.buffer, model.byteOffset, model.byteLength);
  const target = (place) => place + old.getUint32(place, true);
  const root = target(0);
  const fields = fieldsOf(old, root);
  if (fields.length > MODEL.metadata) throw new Error("the network has a description already");

  const slots = {};
  fields.forEach((field, number) => {
    if (field === 0) return;
    const place = root + field;
    slots[number] = number === MODEL.version ? old.getUint32(place, true) : { kept: target(place) };
  });
  const buffers = slots[MODEL.buffers].kept;
  const count = old.getUint32(buffers, true);
  const kept = Array.from({ length: count }, (_, item) => ({ kept: target(buffers + 4 + 4 * item) }));
  const description = new Writer().file("M001", networkDescription()).octets;
  slots[MODEL.buffers] = vector([...kept, table({ 0: bytes(description) })]);
  slots[MODEL.metadata] = vector([table({ 0: text("TFLITE_METADATA"), 1: count })]);
  return new Writer().file("TFL3", table(slots)).before(model);
}

/** A union takes two fields: which it is, and the thing itself. */
function networkDescription() {
  const picture = (space) => table({ 0: IMAGE_PROPERTIES, 1: table({ 0: space }) });
  // From octets: (value - 0) / 255.
  const normalization = table({ 0: NORMALIZATION_OPTIONS, 1: table({ 0: floats([0]), 1: floats([255]) }) });
  const input = table({ 3: picture(RGB), 4: vector([normalization]) });
  const output = table({ 3: picture(GRAYSCALE) });
  return table({ 3: vector([table({ 2: vector([input]), 3: vector([output]) })]) });
}

/** Where a table's fields are, from its beginning; 0 for one that it does not have. */
function fieldsOf(view, table) {
  const vtable = table - view.getInt32(table, true);
  const count = (view.getUint16(vtable, true) - 4) / 2;
  return Array.from({ length: count }, (_, number) => view.getUint16(vtable + 4 + 2 * number, true));
}

// Parts of a file: functions that write themselves and tell where they begin. What a field holds is a number (an
// octet is one as well: the lowest comes first), a part, or a place in the old file.

function table(slots) {
  return (writer) => {
    const numbers = Object.keys(slots).map(Number);
    const places = new Array(Math.max(...numbers) + 1).fill(0);
    numbers.forEach((number, order) => (places[number] = 4 + 4 * order));
    const vtableSize = 4 + 2 * places.length;
    writer.align(4, vtableSize);
    writer.number(16, vtableSize);
    writer.number(16, 4 + 4 * numbers.length);
    for (const place of places) writer.number(16, place);
    const begin = writer.number(32, vtableSize);
    writer.slots(Object.values(slots));
    return begin;
  };
}

function vector(items) {
  return (writer) => {
    writer.align(4);
    const begin = writer.number(32, items.length);
    writer.slots(items);
    return begin;
  };
}

function bytes(content) {
  return (writer) => {
    writer.align(ALIGNMENT, 4);
    const begin = writer.number(32, content.length);
    writer.octets.push(...content);
    return begin;
  };
}

function floats(values) {
  return (writer) => {
    writer.align(4);
    const begin = writer.number(32, values.length);
    writer.octets.push(...new Uint8Array(new Float32Array(values).buffer));
    return begin;
  };
}

function text(words) {
  return (writer) => {
    writer.align(4);
    const begin = writer.number(32, words.length);
    writer.octets.push(...Buffer.from(words), 0);
    return begin;
  };
}

class Writer {
  octets = [];
  /** Fields that refer to the old file. */
  kept = [];

  /** Makes the place that is `ahead` of here a multiple of `size`. */
  align(size, ahead = 0) {
    while ((this.octets.length + ahead) % size !== 0) this.octets.push(0);
  }

  number(bits, value) {
    const place = this.octets.length;
    for (let shift = 0; shift < bits; shift += 8) this.octets.push((value >>> shift) & 0xff);
    return place;
  }

  /** Writes fields next to each other, and what they refer to behind them. */
  slots(values) {
    const places = values.map((value) => this.number(32, typeof value === "number" ? value : 0));
    values.forEach((value, order) => {
      const place = places[order];
      if (typeof value === "function") this.refer(place, value(this));
      else if (typeof value === "object") this.kept.push({ place, target: value.kept });
    });
  }

  refer(place, target) {
    for (let octet = 0; octet < 4; octet += 1)
      this.octets[place + octet] = ((target - place) >>> (8 * octet)) & 0xff;
  }

  /** A file of its own, with what it is in four letters. */
  file(identifier, root) {
    const place = this.number(32, 0);
    this.octets.push(...Buffer.from(identifier));
    this.refer(place, root(this));
    return this;
  }

  /** All of this, and the old file behind it. */
  before(old) {
    this.align(ALIGNMENT);
    const moved = this.octets.length;
    for (const { place, target } of this.kept) this.refer(place, moved + target);
    return Buffer.concat([Buffer.from(this.octets), old]);
  }
}
