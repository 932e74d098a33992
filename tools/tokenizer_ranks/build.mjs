// Turns *.tiktoken (base64 token, rank) into the file that src/llm/tokenizer/rank_table.h maps:
// everything little-endian, each section at a multiple of 8.
//   header     "DPTOK001", then u32: pattern (0 cl100k, 1 o200k), slot_count, token_count, longest_token,
//              slots_at, offsets_at, bytes_at, block_of_at, blocks_at, file_size
//   slots      {u32 hash, u32 rank + 1}[slot_count], open addressing, 0 = empty
//   offsets    u32[token_count + 1] into the token bytes, by rank
//   bytes      the tokens one after the other
//   block_of   u16[0x1100]: which block has the classes of these 256 code points
//   blocks     u8[256] each: the class bits of rank_table.h
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const [source, target] = process.argv.slice(2);

// The digests are those that tiktoken itself expects of its downloads.
const vocabularies = [
  { name: 'cl100k_base', pattern: 0,
    sha256: '223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7' },
  { name: 'o200k_base', pattern: 1,
    sha256: '446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d' },
];

const classes = [
  [1, /[\p{Lu}\p{Lt}]/u],
  [2, /\p{Ll}/u],
  [4, /[\p{Lm}\p{Lo}]/u],
  [8, /\p{M}/u],
  [16, /\p{N}/u],
  [32, /\p{White_Space}/u],
  [64, /[\r\n]/],
];

function classBlocks() {
  const blockOf = new Uint16Array(0x1100);
  const blocks = [];
  const known = new Map();
  for (let high = 0; high < 0x1100; high++) {
    const block = Buffer.alloc(256);
    for (let low = 0; low < 256; low++) {
      const codePoint = high * 256 + low;
      if (codePoint >= 0xd800 && codePoint < 0xe000) continue;
      const c = String.fromCodePoint(codePoint);
      for (const [bit, pattern] of classes) if (pattern.test(c)) block[low] |= bit;
    }
    const key = block.toString('latin1');
    if (!known.has(key)) {
      known.set(key, blocks.length);
      blocks.push(block);
    }
    blockOf[high] = known.get(key);
  }
  return { blockOf: Buffer.from(blockOf.buffer), blocks: Buffer.concat(blocks) };
}

// FNV-1a with murmur's finaliser, as hash_of() in rank_table.cc.
function hashOf(bytes) {
  let h = 0x811c9dc5;
  for (const b of bytes) h = Math.imul(h ^ b, 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function readTokens(path, sha256) {
  const text = readFileSync(path);
  const digest = createHash('sha256').update(text).digest('hex');
  if (digest !== sha256) throw new Error(`${path}: SHA-256 is ${digest}, expected ${sha256}`);
  const tokens = [];
  for (const line of text.toString('latin1').split('\n')) {
    if (line === '') continue;
    const [token, rank] = line.split(' ');
    if (Number(rank) !== tokens.length) throw new Error(`${path}: ranks are not in order`);
    tokens.push(Buffer.from(token, 'base64'));
  }
  return tokens;
}

function slotTable(tokens) {
  let count = 1;
  while (count < tokens.length * 2) count *= 2;
  const slots = new Uint32Array(count * 2);
  tokens.forEach((token, rank) => {
    const hash = hashOf(token);
    let i = hash & (count - 1);
    while (slots[2 * i + 1] !== 0) i = (i + 1) & (count - 1);
    slots[2 * i] = hash;
    slots[2 * i + 1] = rank + 1;
  });
  return { count, bytes: Buffer.from(slots.buffer) };
}

function build({ name, pattern, sha256 }, { blockOf, blocks }) {
  const tokens = readTokens(`${source}/${name}.tiktoken`, sha256);
  const slots = slotTable(tokens);
  const offsets = new Uint32Array(tokens.length + 1);
  tokens.forEach((token, rank) => { offsets[rank + 1] = offsets[rank] + token.length; });
  const sections = [slots.bytes, Buffer.from(offsets.buffer), Buffer.concat(tokens), blockOf, blocks];
  const longest = tokens.reduce((most, token) => Math.max(most, token.length), 0);

  const header = Buffer.alloc(48);
  const parts = [header];
  const places = [];
  let at = header.length;
  for (const section of sections) {
    places.push(at);
    const padding = Buffer.alloc((8 - (section.length % 8)) % 8);
    parts.push(section, padding);
    at += section.length + padding.length;
  }
  header.write('DPTOK001', 'latin1');
  [pattern, slots.count, tokens.length, longest, ...places, at].forEach((value, i) => {
    header.writeUInt32LE(value, 8 + 4 * i);
  });
  // Written aside and renamed: a running program may have the old file mapped.
  writeFileSync(`${target}/${name}.bin.new`, Buffer.concat(parts));
  renameSync(`${target}/${name}.bin.new`, `${target}/${name}.bin`);
  console.log(`${target}/${name}.bin: ${tokens.length} tokens, ${at} bytes`);
}

const unicode = classBlocks();
for (const vocabulary of vocabularies) build(vocabulary, unicode);
