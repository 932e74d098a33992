// Every behaviour of an upstream, seen through every Node client: ../variants.json is the table.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { ask, drivers, isMeant, statusOf } from './sdks.mjs';

const table = JSON.parse(readFileSync(new URL('../variants.json', import.meta.url)));

function judge(expected, outcome) {
  const { error, text, finish } = outcome;
  const complete = !error && text === table.text && finish === 'stop';
  const status = statusOf(error);
  // An answer with status 200 that the SDK cannot read is our fault, whatever class it throws.
  const meant = error !== undefined && isMeant(error) && status !== 200;
  const broke = meant && text !== '';
  const failed = meant && [502, 503, 504].includes(status);
  const holds = {
    complete,
    breaks: broke,
    fails: failed,
    'breaks-or-fails': broke || failed,
    refused: meant && status === 400,
    meant: complete || meant || (!error && text !== ''),
  }[expected];
  assert.ok(holds, `expected ${expected}, got ${inspect({ text, finish, error: String(error), status })}`);
}

// What a client does on its own is free to overlap; the faults that wait for a timeout would take minutes in turn.
for (const kind of ['stream', 'whole']) {
  for (const [sdk, driver] of Object.entries(drivers[kind])) {
    test(`${kind} ${sdk}`, { concurrency: 8 }, async (t) => {
      const expectation = (row) => (kind === 'whole' && row.whole !== undefined ? row.whole : row.stream);
      await Promise.all(table.rows.filter(expectation).map((row) => {
        const usual = expectation(row);
        const expected = row.except?.[sdk] ?? usual;
        return t.test(`${kind} ${sdk} ${row.variant}`,
                      async () => judge(expected, await ask(driver, `mock-${row.variant}`)));
      }));
    });
  }
}
